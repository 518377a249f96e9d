//! From where walks of the graph begin, so that they come to every object: what roots
//! hold, and in what no root reaches, one object each from which the rest is reached.
//!
//! Take what is unreachable and look at its groups of objects that reach each other,
//! some of them made of one object. Those that no other group refers to need a beginning
//! each, and no other group does. To find them without finding groups, flood from every
//! object in turn that is dry, and note these; then, in a new flood, go through what was
//! noted from the last to the first and keep those that are dry *now*. A group that
//! nothing refers to is entered at its first object and at no other, in both floods. Any
//! other group is reached from one that began later in the first flood, and so is under
//! water when its turn comes in the second.

use crate::bits::Bits;
use crate::graph::Graph;
use crate::root::RootKind;
use crate::{NodeId, root};

/// Where walks begin, and what is garbage.
pub struct Reach {
    /// In the order of kinds, each object once a kind.
    beginnings: Vec<(RootKind, NodeId)>,
    garbage: Bits,
}

impl Reach {
    /// Finds what the roots of a graph reach.
    pub fn of(graph: &Graph) -> Self {
        let mut beginnings: Vec<_> = graph.roots().iter().map(|&(node, root)| (root.kind(), node)).collect();
        beginnings.sort_unstable();
        beginnings.dedup();

        let mut flood = Flood::new(graph);
        for &(_, node) in &beginnings {
            flood.from(node);
        }
        let alive = alive(graph, &flood.wet);
        let of_kind = |kind: root::RootKind| move |node| (kind, node);
        let shared = flood.beginnings(|node| alive.has(node));
        beginnings.extend(shared.into_iter().map(of_kind(RootKind::Shared)));
        let garbage = flood.beginnings(|_| true);
        beginnings.extend(garbage.into_iter().map(of_kind(RootKind::Garbage)));

        let mut dead = Bits::new(graph.node_count());
        for node in graph.nodes().filter(|node| !alive.has(node.index())) {
            dead.add(node.index());
        }
        Reach { beginnings, garbage: dead }
    }

    /// Whether no root reaches the object, over all edges, followed or not, and it is not shared.
    pub fn is_garbage(&self, node: NodeId) -> bool {
        self.garbage.has(node.index())
    }

    /// Where walks begin: what each kind of roots holds, in the order of kinds.
    pub fn beginnings(&self) -> &[(RootKind, NodeId)] {
        &self.beginnings
    }

    /// Where walks begin that start from one kind of roots.
    pub fn held_by(&self, kind: RootKind) -> &[(RootKind, NodeId)] {
        let start = self.beginnings.partition_point(|&(other, _)| other < kind);
        let end = self.beginnings.partition_point(|&(other, _)| other <= kind);
        &self.beginnings[start..end]
    }
}

/// What is reached over any edges, if `wet` is over those that are followed, and what is shared.
fn alive(graph: &Graph, wet: &Bits) -> Bits {
    let mut alive = wet.clone();
    let mut waiting = Vec::new();
    // What everybody shares the interpreter keeps, whoever refers to it.
    let is_kept = |node: &NodeId| wet.has(node.index()) || graph.is_shared(*node);
    for node in graph.nodes().filter(is_kept) {
        alive.add(node.index());
        waiting.push(node.0);
        while let Some(node) = waiting.pop() {
            for edge in graph.row(node) {
                let to = graph.target(edge);
                if alive.add(to as usize) {
                    waiting.push(to);
                }
            }
        }
    }
    alive
}

/// A flood over the edges that are followed.
struct Flood<'a> {
    graph: &'a Graph,
    wet: Bits,
    waiting: Vec<u32>,
}

impl<'a> Flood<'a> {
    fn new(graph: &'a Graph) -> Self {
        Flood { graph, wet: Bits::new(graph.node_count()), waiting: Vec::new() }
    }

    /// Floods what is reached from a node; whether it was dry.
    fn from(&mut self, node: NodeId) -> bool {
        if !self.wet.add(node.index()) {
            return false;
        }
        self.waiting.push(node.0);
        while let Some(node) = self.waiting.pop() {
            for to in self.graph.successors(node) {
                if self.wet.add(to as usize) {
                    self.waiting.push(to);
                }
            }
        }
        true
    }

    /// Floods what is left of a part of the graph that no edge leaves but into what is
    /// wet already; gives the fewest nodes from which that can be done.
    fn beginnings(&mut self, in_part: impl Fn(usize) -> bool) -> Vec<NodeId> {
        let before = self.wet.clone();
        let part = self.graph.nodes().filter(|node| in_part(node.index()));
        let mut noted: Vec<NodeId> = part.filter(|&node| self.from(node)).collect();
        if noted.len() > 1 {
            self.wet = before;
            noted.reverse();
            noted.retain(|&node| self.from(node));
            noted.sort_unstable();
        }
        noted
    }
}
