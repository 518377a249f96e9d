//! What changed between two runs, by site.
//!
//! Lines move when code is edited. Sites that both runs know are paired by
//! file, function and line; what is left of a function then pairs up in the
//! order of its lines.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::amount::Counts;
use crate::program::Program;
use crate::table::{Key, Moment, site_lines, weights};
use crate::tree::Site;

/// One run's side of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Live bytes at the peak.
    pub peak_bytes: u64,
    /// Live bytes at the end.
    pub live_bytes: u64,
    /// Allocations.
    pub allocations: u64,
    /// Bytes asked for in those.
    pub allocated_bytes: u64,
}

impl From<&Counts> for Side {
    fn from(counts: &Counts) -> Self {
        Side {
            peak_bytes: counts.peak.bytes,
            live_bytes: counts.live().bytes,
            allocations: counts.allocations,
            allocated_bytes: counts.allocated_bytes,
        }
    }
}

/// Whether both runs recorded the same: one with every Python object and one
/// without them differ by that alone.
pub fn same_track(before: &Program, after: &Program) -> bool {
    let track = |program: &Program| program.last_image().recording.whereabouts.track;
    track(before) == track(after)
}

/// A site in both runs; a side is all zeroes where the run does not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    /// The site as the later run has it, or the earlier if only that one does.
    pub site: Site,
    /// Its line in the earlier run, where it is known there.
    pub line_before: Option<u32>,
    /// Its line in the later run, where it is known there.
    pub line_after: Option<u32>,
    /// The earlier run.
    pub before: Side,
    /// The later run.
    pub after: Side,
}

impl SiteChange {
    /// Bytes at the peak, later less earlier.
    pub fn peak_delta(&self) -> i64 {
        difference(self.before.peak_bytes, self.after.peak_bytes)
    }

    /// Bytes allocated, later less earlier.
    pub fn allocated_delta(&self) -> i64 {
        difference(self.before.allocated_bytes, self.after.allocated_bytes)
    }
}

/// `after - before`, within what an `i64` can say.
fn difference(before: u64, after: u64) -> i64 {
    i64::try_from(i128::from(after) - i128::from(before)).unwrap_or(i64::MAX)
}

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The earlier run.
    pub before: Side,
    /// The later run.
    pub after: Side,
    /// Every site of either, the largest change at the peak first.
    pub sites: Vec<SiteChange>,
}

impl Diff {
    /// By how many percent the peak rose; negative if it fell. `None` where there was none before.
    pub fn peak_increase_percent(&self) -> Option<f64> {
        let before = self.before.peak_bytes;
        let delta = difference(before, self.after.peak_bytes);
        (before > 0).then(|| delta as f64 / before as f64 * 100.0)
    }
}

/// Compares two runs.
pub fn diff(before: &Program, after: &Program) -> Diff {
    let mut earlier = sites(before);
    let mut changes = Vec::new();
    let mut unpaired = Vec::new();
    for (site, after) in sites(after) {
        match earlier.remove(&site) {
            Some(before) => changes.push(SiteChange {
                line_before: Some(site.line),
                line_after: Some(site.line),
                site,
                before,
                after,
            }),
            None => unpaired.push((site, after)),
        }
    }
    pair_moved(earlier, unpaired, &mut changes);
    changes.sort_by(|a, b| {
        let size = |change: &SiteChange| {
            (change.peak_delta().unsigned_abs(), change.allocated_delta().unsigned_abs())
        };
        size(b).cmp(&size(a)).then_with(|| a.site.cmp(&b.site))
    });
    Diff { before: side(before), after: side(after), sites: changes }
}

type Moved = BTreeMap<(Rc<str>, Rc<str>), Vec<(Site, Side)>>;

/// Pairs what is left of each function in the order of its lines.
fn pair_moved(earlier: HashMap<Site, Side>, later: Vec<(Site, Side)>, changes: &mut Vec<SiteChange>) {
    let mut by_function: Moved = group(earlier);
    for (key, after) in group(later) {
        let before = by_function.remove(&key).unwrap_or_default();
        let mut before = before.into_iter();
        for (site, side) in after {
            let moved = before.next();
            changes.push(SiteChange {
                line_before: moved.as_ref().map(|(site, _)| site.line),
                line_after: Some(site.line),
                site,
                before: moved.map(|(_, side)| side).unwrap_or_default(),
                after: side,
            });
        }
        changes.extend(before.map(gone));
    }
    changes.extend(by_function.into_values().flatten().map(gone));
}

fn group(sites: impl IntoIterator<Item = (Site, Side)>) -> Moved {
    let mut groups = Moved::new();
    for (site, side) in sites {
        groups.entry((site.file.clone(), site.function.clone())).or_default().push((site, side));
    }
    groups.values_mut().for_each(|list| list.sort_by_key(|(site, _)| site.line));
    groups
}

fn gone((site, before): (Site, Side)) -> SiteChange {
    SiteChange { line_before: Some(site.line), line_after: None, site, before, after: Side::default() }
}

fn side(program: &Program) -> Side {
    let mut side = Side::from(&program.totals());
    side.peak_bytes = program.peak.amount.bytes;
    side
}

fn sites(program: &Program) -> HashMap<Site, Side> {
    let Ok(weights) = weights(program, Moment::Peak) else { return HashMap::new() };
    let lines = site_lines(program, &weights);
    let sides = lines.into_iter().filter_map(|line| match line.key {
        Key::Site(site) => Some((site, Side::from(&line.counts))),
        _ => None,
    });
    sides.collect()
}
