//! From a line whose memory is still live to what keeps it alive: the objects of a
//! snapshot by the line that allocated them, and the paths to them.

use std::collections::HashMap;

use memsight_heap::{NodeId, Paths, Reach, Snapshot, merged_paths};
use memsight_insight::{Program, Site};
use serde::Serialize;

/// Objects that one line allocated and that are kept alive in the same way.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// How many.
    pub count: u64,
    /// Their own bytes.
    pub bytes: u64,
    /// The type of one of them.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What keeps them, in the program's words.
    pub path: String,
}

/// By line, what keeps the objects alive that it allocated.
pub struct HeldBySite<'a> {
    snapshot: &'a Snapshot,
    paths: Paths,
    objects: HashMap<Site, Vec<NodeId>>,
}

impl<'a> HeldBySite<'a> {
    /// Sorts the objects of a snapshot of the program's first process by line.
    pub fn new(snapshot: &'a Snapshot, program: &Program) -> Self {
        let graph = &snapshot.graph;
        let tree = &program.first().recording.tree;
        let mut by_site_id: HashMap<_, Vec<NodeId>> = HashMap::new();
        for node in graph.nodes() {
            let allocated_at = snapshot.allocated_at(node);
            if tree.nodes().get(allocated_at.index()).is_some_and(|node| !node.importing) {
                by_site_id.entry(tree.site_of(allocated_at)).or_default().push(node);
            }
        }
        let mut objects: HashMap<Site, Vec<NodeId>> = HashMap::new();
        for (id, mut nodes) in by_site_id {
            objects.entry(tree.site(id).clone()).or_default().append(&mut nodes);
        }
        HeldBySite { snapshot, paths: Paths::of(graph, &Reach::of(graph)), objects }
    }

    /// What keeps the objects of a line alive; those of most bytes come first.
    pub fn of(&self, site: &Site) -> Vec<Held> {
        let graph = &self.snapshot.graph;
        let Some(objects) = self.objects.get(site) else { return Vec::new() };
        let mut merged = merged_paths(graph, &self.paths, objects.iter().copied());
        merged.sort_by(|a, b| {
            b.bytes.cmp(&a.bytes).then(b.count.cmp(&a.count)).then_with(|| a.name.cmp(&b.name))
        });
        let held = merged.into_iter().map(|path| Held {
            count: path.count,
            bytes: path.bytes,
            type_name: graph.type_name(graph.type_of(path.example)).to_owned(),
            path: path.name,
        });
        held.collect()
    }
}
