//! Who keeps what alive: the tree of dominators, and retained sizes.
//!
//! An object's dominator is the nearest that every way from a root to it passes
//! through: were it gone, so would be the object. The tree's inner places are objects
//! and, above them, the roots: first one place a kind of roots, then one for all. What
//! both a module and a frame hold hangs below that last one, under
//! [`Holder::Several`].
//!
//! ```text
//!                        Several
//!            ┌──────────────┼───────────┐
//!     Roots(Module)   Roots(Garbage)   an object that modules and frames hold
//!            │              │
//!       a module        one object of each unreachable group
//!            │
//!     what only it holds
//! ```
//!
//! The search that numbers objects is here, the algorithm in [`semi_nca`].

use std::ops::Range;

use crate::bits::Bits;
use crate::graph::Graph;
use crate::reach::Reach;
use crate::root::RootKind;
use crate::rows::Rows;
use crate::{NodeId, semi_nca};

/// A place in the tree of dominators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// An object.
    Object(NodeId),
    /// Roots of one kind, no single object.
    Roots(RootKind),
    /// Roots of several kinds.
    Several,
}

const KINDS: usize = RootKind::ALL.len();

/// The tree of dominators over a graph's objects, with the bytes that each retains.
pub struct Dominators {
    nodes: u32,
    /// By place: the objects, then the kinds of roots, then the one above all.
    above: Vec<u32>,
    retained: Vec<u64>,
    children: Rows<NodeId>,
}

impl Dominators {
    /// Computes the tree.
    ///
    /// Needs 36 bytes an object and 4 a reference beside the graph while it works, and
    /// 20 an object for what stays.
    pub fn of(graph: &Graph, reach: &Reach) -> Self {
        let nodes = graph.node_count() as u32;
        let Search { order, parents } = search(graph, reach);
        let predecessors = predecessors(graph, reach, &order);
        let predecessors_of = |number: u32| predecessors.row(order[number as usize] as usize);
        let semidominators = semi_nca::semidominators(&parents, predecessors_of);
        drop(predecessors);
        let dominators = semi_nca::dominators(parents, semidominators);

        let places = nodes as usize + KINDS + 1;
        let mut above = vec![nodes + KINDS as u32; places];
        let mut by_number: Vec<u64> = order.iter().map(|&place| own_bytes(graph, place)).collect();
        // A dominator has a smaller number than what it dominates.
        for number in (1..order.len()).rev() {
            let dominator = dominators[number] as usize;
            above[order[number] as usize] = order[dominator];
            by_number[dominator] = by_number[dominator].saturating_add(by_number[number]);
        }
        drop(dominators);
        let mut retained = vec![0; places];
        for (&place, &bytes) in order.iter().zip(&by_number) {
            retained[place as usize] = bytes;
        }
        drop((order, by_number));

        let mut children =
            Rows::group(places, NodeId(0), || (0..nodes).map(|node| (above[node as usize], NodeId(node))));
        let mut largest_first = Vec::new();
        for place in 0..children.len() {
            let row = children.row_mut(place);
            if row.len() < 2 {
                continue;
            }
            // Bytes beside their numbers: a row of millions is sorted in its own memory.
            largest_first.clear();
            largest_first.extend(row.iter().map(|&node| (u64::MAX - retained[node.index()], node)));
            largest_first.sort_unstable();
            row.iter_mut().zip(&largest_first).for_each(|(slot, &(_, node))| *slot = node);
        }
        Dominators { nodes, above, retained, children }
    }

    /// Which place is directly above an object.
    pub fn holder(&self, node: NodeId) -> Holder {
        self.holder_at(self.above[node.index()])
    }

    /// An object's retained bytes: its own and those of all that it dominates.
    pub fn retained_bytes(&self, node: NodeId) -> u64 {
        self.retained[node.index()]
    }

    /// The bytes of all objects below a place, and for an object its own. Those of
    /// [`Holder::Several`] are all that there are.
    pub fn retained_by(&self, holder: Holder) -> u64 {
        self.retained[self.place(holder)]
    }

    /// The objects directly below a place; those that retain most come first, and of
    /// equals that of the smaller number.
    pub fn children(&self, holder: Holder) -> &[NodeId] {
        self.children.row(self.place(holder))
    }

    fn place(&self, holder: Holder) -> usize {
        match holder {
            Holder::Object(node) => node.index(),
            Holder::Roots(kind) => self.nodes as usize + kind as usize,
            Holder::Several => self.nodes as usize + KINDS,
        }
    }

    fn holder_at(&self, place: u32) -> Holder {
        match place.checked_sub(self.nodes) {
            None => Holder::Object(NodeId(place)),
            Some(kind) => {
                RootKind::ALL.get(kind as usize).map_or(Holder::Several, |&kind| Holder::Roots(kind))
            }
        }
    }
}

fn own_bytes(graph: &Graph, place: u32) -> u64 {
    if (place as usize) < graph.node_count() { graph.bytes(NodeId(place)) } else { 0 }
}

/// A depth-first search over the places of the tree.
struct Search {
    /// The places in the order of their discovery, which is their numbers'.
    order: Vec<u32>,
    /// By number: the number of the place from which it was found.
    parents: Vec<u32>,
}

fn search(graph: &Graph, reach: &Reach) -> Search {
    let nodes = graph.node_count();
    let mut found = Bits::new(nodes);
    let mut order = Vec::with_capacity(nodes + KINDS + 1);
    let mut parents = Vec::with_capacity(nodes + KINDS + 1);
    order.push((nodes + KINDS) as u32);
    parents.push(0);
    // The number of each place on the way down, and those of its edges that are left.
    let mut way: Vec<(u32, Range<u32>)> = Vec::new();
    for kind in RootKind::ALL {
        let held = reach.held_by(kind);
        if held.is_empty() {
            continue;
        }
        let kind_number = order.len() as u32;
        order.push(nodes as u32 + kind as u32);
        parents.push(0);
        for &(_, beginning) in held {
            if !found.add(beginning.index()) {
                continue;
            }
            way.push((order.len() as u32, graph.row(beginning.0)));
            order.push(beginning.0);
            parents.push(kind_number);
            while let Some((number, edges)) = way.last_mut() {
                let new = |edge| graph.followed(edge).filter(|&to| found.add(to as usize));
                let Some(to) = edges.find_map(new) else {
                    way.pop();
                    continue;
                };
                parents.push(*number);
                way.push((order.len() as u32, graph.row(to)));
                order.push(to);
            }
        }
    }
    Search { order, parents }
}

/// By place: the numbers from which edges lead to it.
///
/// By place and not by number, as then the graph is read from one end to the other.
fn predecessors(graph: &Graph, reach: &Reach, order: &[u32]) -> Rows<u32> {
    let nodes = graph.node_count() as u32;
    let mut numbers = vec![0u32; nodes as usize + KINDS + 1];
    for (&place, number) in order.iter().zip(0..) {
        numbers[place as usize] = number;
    }
    let numbers = &numbers;
    Rows::group(numbers.len(), 0, || {
        let edges = (0..nodes).flat_map(move |from| {
            let number = numbers[from as usize];
            graph.successors(from).map(move |to| (to, number))
        });
        let beginnings = reach.beginnings().iter();
        edges.chain(beginnings.map(move |&(kind, node)| (node.0, numbers[nodes as usize + kind as usize])))
    })
}
