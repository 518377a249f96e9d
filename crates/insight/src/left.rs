//! What is still live at the end, apart for what importing modules left there.
//!
//! *Live at the end* is not a leak: a leak is what nothing can reach any more,
//! which takes the object graph to say.

use std::collections::HashMap;

use crate::amount::{Amount, Counts};
use crate::program::Program;
use crate::table::{Key, Line, each_count};
use crate::tree::Site;

/// What is live at the end.
#[derive(Clone, Debug, Default)]
pub struct Left {
    /// All of it.
    pub total: Amount,
    /// Allocated while a module was being imported: code, classes, constants.
    pub importing: Amount,
    /// Allocated while no Python code ran: the interpreter's own start, mostly.
    pub outside_python: Amount,
    /// The rest by site, most bytes first. `shown` is what is live.
    pub sites: Vec<Line>,
}

/// What of the program's allocations is live at the end.
pub fn left(program: &Program) -> Left {
    let mut left = Left::default();
    let mut sites: HashMap<Site, (Counts, Amount)> = HashMap::new();
    for process in &program.processes {
        let tree = &process.recording.tree;
        each_count(&process.recording, None, |id, counts, _| {
            let live = counts.live();
            left.total.add(live);
            let Some(node) = tree.nodes().get(id.index()) else { return };
            let site = tree.site(node.site);
            if node.importing {
                left.importing.add(live);
            } else if site.is_outside_python() {
                left.outside_python.add(live);
            } else {
                let (all_counts, all_live) = sites.entry(site.clone()).or_default();
                all_counts.add(counts);
                all_live.add(live);
            }
        });
    }
    left.sites = sites
        .into_iter()
        .filter(|(_, (_, live))| !live.is_zero())
        .map(|(site, (counts, shown))| Line { key: Key::Site(site), counts, shown })
        .collect();
    left.sites.sort_by(|a, b| b.shown.bytes.cmp(&a.shown.bytes).then_with(|| a.key.cmp(&b.key)));
    left
}
