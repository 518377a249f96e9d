//! What a builder has gathered, brought into a graph's order: nodes without gaps, edges
//! by their sources. Used by [`GraphBuilder::finish`](crate::GraphBuilder::finish) alone.

use crate::bits::Bits;
use crate::graph::Unknown;
use crate::{NodeId, TypeId};

/// Edges in a row that come from the same node.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) from: u32,
    pub(crate) edges: u32,
}

/// Stands for the type of a node that was mentioned and has not come itself.
pub(crate) const NOT_COME: TypeId = TypeId(u32::MAX);

/// Stands for the new number of a node that is gone.
pub(crate) const DROPPED: NodeId = NodeId(u32::MAX);

/// The nodes by number, with gaps where one was only mentioned.
pub(crate) struct Nodes {
    pub(crate) addresses: Vec<u64>,
    pub(crate) types: Vec<TypeId>,
    pub(crate) bytes: Vec<u64>,
    pub(crate) shared: Bits,
}

impl Nodes {
    /// Closes the gaps of those that were only mentioned. Gives the new number of every
    /// old one, if there were gaps.
    pub(crate) fn drop_those_not_come(&mut self) -> Option<Vec<NodeId>> {
        if !self.types.contains(&NOT_COME) {
            return None;
        }
        let mut moved: Vec<NodeId> = (0..self.types.len() as u32).map(NodeId).collect();
        let shared = std::mem::take(&mut self.shared);
        let mut kept = 0;
        for (old, moved) in moved.iter_mut().enumerate() {
            if self.types[old] == NOT_COME {
                *moved = DROPPED;
                continue;
            }
            *moved = NodeId(kept as u32);
            self.addresses[kept] = self.addresses[old];
            self.types[kept] = self.types[old];
            self.bytes[kept] = self.bytes[old];
            if shared.has(old) {
                self.shared.add(kept);
            }
            kept += 1;
        }
        self.addresses.truncate(kept);
        self.types.truncate(kept);
        self.bytes.truncate(kept);
        Some(moved)
    }

    pub(crate) fn shrink(&mut self) {
        self.addresses.shrink_to_fit();
        self.types.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }
}

/// The edges in the order in which they came.
pub(crate) struct Edges {
    pub(crate) runs: Vec<Run>,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) kinds: Vec<u8>,
    pub(crate) numbers: Vec<u32>,
}

impl Edges {
    /// Gives both ends their new numbers, and drops and counts the edges that lack one.
    pub(crate) fn renumber(&mut self, moved: &[NodeId], unknown: &mut Unknown) {
        let (mut read, mut kept) = (0, 0);
        for run in &mut self.runs {
            let from = moved[run.from as usize];
            let end = read + run.edges as usize;
            let kept_before = kept;
            if from == DROPPED {
                unknown.edges_from += u64::from(run.edges);
                read = end;
            }
            while read < end {
                let to = moved[self.targets[read].index()];
                if to == DROPPED {
                    unknown.edges_to += 1;
                } else {
                    self.targets[kept] = to;
                    self.kinds[kept] = self.kinds[read];
                    self.numbers[kept] = self.numbers[read];
                    kept += 1;
                }
                read += 1;
            }
            // A run without edges has no source.
            let edges = (kept - kept_before) as u32;
            *run = Run { from: if edges == 0 { 0 } else { from.0 }, edges };
        }
        self.runs.retain(|run| run.edges > 0);
        self.targets.truncate(kept);
        self.kinds.truncate(kept);
        self.numbers.truncate(kept);
    }

    /// Brings the edges into the order of their sources, and of their coming for each;
    /// gives where each source's begin.
    pub(crate) fn sort_by_source(&mut self, nodes: usize) -> Vec<u32> {
        let mut first_edge = vec![0u32; nodes + 1];
        for run in &self.runs {
            first_edge[run.from as usize + 1] += run.edges;
        }
        let mut total = 0;
        for first in &mut first_edge {
            total += *first;
            *first = total;
        }
        let runs = std::mem::take(&mut self.runs);
        if !runs.is_sorted_by_key(|run| run.from) {
            let mut next = first_edge.clone();
            scatter(&mut self.targets, NodeId(0), &runs, &mut next);
            next.copy_from_slice(&first_edge);
            scatter(&mut self.kinds, 0, &runs, &mut next);
            next.copy_from_slice(&first_edge);
            scatter(&mut self.numbers, 0, &runs, &mut next);
        }
        self.targets.shrink_to_fit();
        self.kinds.shrink_to_fit();
        self.numbers.shrink_to_fit();
        first_edge
    }
}

/// Moves each run's part of an array to the next free place of its source.
fn scatter<T: Copy>(array: &mut Vec<T>, filler: T, runs: &[Run], next: &mut [u32]) {
    let mut sorted = vec![filler; array.len()];
    let mut read = 0;
    for run in runs {
        let length = run.edges as usize;
        let to = next[run.from as usize] as usize;
        sorted[to..to + length].copy_from_slice(&array[read..read + length]);
        next[run.from as usize] += run.edges;
        read += length;
    }
    *array = sorted;
}
