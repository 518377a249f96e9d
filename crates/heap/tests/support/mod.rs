//! Graphs of random shape, and the naive answers to what the crate computes: by
//! definition, and in as many walks as it takes.
#![allow(dead_code)]

use std::collections::BTreeSet;

use memsight_heap::{Follow, Graph, GraphBuilder, Label, NodeId, Object, Root, RootKind};
use proptest::prelude::*;

/// A graph to be built: node n is at address 16 (n + 1).
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Type and whether everybody shares it; node n has 2ⁿ bytes, so that sums tell sets.
    pub(crate) nodes: Vec<(u32, bool)>,
    /// From, to, and which of the labels.
    pub(crate) edges: Vec<(usize, usize, u8)>,
    pub(crate) roots: Vec<(usize, u8)>,
}

pub(crate) const TYPES: [&str; 3] = ["dict", "app.Node", "list"];

pub(crate) fn address(node: usize) -> u64 {
    16 * (node as u64 + 1)
}

/// The number of the node that a plan calls so.
pub(crate) fn node(graph: &Graph, number: usize) -> NodeId {
    graph.node_at(address(number)).unwrap()
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    (1usize..14).prop_flat_map(|count| {
        let nodes = prop::collection::vec((0..TYPES.len() as u32, prop::bool::weighted(0.1)), count);
        // One more than there are: references to what is not there.
        let edges = prop::collection::vec((0..count + 1, 0..count + 1, 0u8..8), 0..count * 3);
        let roots = prop::collection::vec((0..count + 1, 0u8..5), 0..4);
        (nodes, edges, roots).prop_map(|(nodes, edges, roots)| Plan { nodes, edges, roots })
    })
}

impl Plan {
    pub(crate) fn build(&self, follow: Follow) -> Graph {
        let mut builder = GraphBuilder::new();
        let types = TYPES.map(|name| builder.add_type(name).unwrap());
        let names = ["next", "parent", "rows"].map(|name| builder.name(name).unwrap());
        let labels = [
            Label::Attribute(names[0]),
            Label::Key(names[1]),
            Label::ListIndex(1),
            Label::Type,
            Label::ListIndex(2),
            Label::Slot(names[2]),
            Label::Dict,
            Label::TupleIndex(0),
        ];
        let roots = [
            Root::Module { module: names[2] },
            Root::Local { function: names[2], line: 3, variable: names[0] },
            Root::Thread { field: names[0] },
            Root::Builtin { name: names[1] },
            Root::Unexplained,
        ];
        // Half of the edges before the nodes, half after.
        for (at, &(from, to, label)) in self.edges.iter().enumerate() {
            if at == self.edges.len() / 2 {
                self.add_nodes(&mut builder, &types);
            }
            builder.add_edge(address(from), address(to), labels[usize::from(label)]).unwrap();
        }
        if self.edges.is_empty() {
            self.add_nodes(&mut builder, &types);
        }
        for &(to, root) in &self.roots {
            builder.add_root(address(to), roots[usize::from(root)]).unwrap();
        }
        builder.finish(follow)
    }

    fn add_nodes(&self, builder: &mut GraphBuilder, types: &[u32]) {
        for (number, &(type_number, shared)) in self.nodes.iter().enumerate() {
            let type_id = types[type_number as usize];
            let object = Object { address: address(number), type_id, bytes: 1 << number, shared };
            builder.add_object(object).unwrap();
        }
    }
}

/// What is reached from some nodes, over edges that are followed or over all, without one node.
pub(crate) fn reached(
    graph: &Graph,
    from: &[NodeId],
    without: Option<NodeId>,
    all: bool,
) -> BTreeSet<NodeId> {
    let mut waiting: Vec<NodeId> = from.to_vec();
    let mut reached = BTreeSet::new();
    while let Some(node) = waiting.pop() {
        if Some(node) != without && reached.insert(node) {
            waiting.extend(graph.edges(node).filter(|edge| all || edge.followed).map(|edge| edge.to));
        }
    }
    reached
}

/// The nodes that reach a node and are reached from it, itself among them.
pub(crate) fn group(graph: &Graph, node: NodeId) -> BTreeSet<NodeId> {
    let from = reached(graph, &[node], None, false);
    from.into_iter().filter(|&other| reached(graph, &[other], None, false).contains(&node)).collect()
}

/// What is alive of itself: roots hold it, or everybody shares it.
pub(crate) fn held(graph: &Graph) -> Vec<NodeId> {
    let shared = graph.nodes().filter(|&node| graph.is_shared(node));
    graph.roots().iter().map(|&(node, _)| node).chain(shared).collect()
}

/// Where walks begin: what roots hold, and the first of each group of the rest that nothing leads to.
pub(crate) fn beginnings(graph: &Graph) -> Vec<(RootKind, NodeId)> {
    let mut beginnings: BTreeSet<_> = graph.roots().iter().map(|&(node, root)| (root.kind(), node)).collect();
    let roots: Vec<NodeId> = beginnings.iter().map(|&(_, node)| node).collect();
    let alive = reached(graph, &held(graph), None, true);
    let followed = reached(graph, &roots, None, false);
    let rest: Vec<NodeId> = graph.nodes().filter(|node| !followed.contains(node)).collect();
    for &node in &rest {
        let group = group(graph, node);
        let entered = rest.iter().any(|&other| {
            // From garbage edges lead to what is shared and alive, which makes that no less alive.
            let same_part = alive.contains(&other) == alive.contains(&node);
            let leads = graph.edges(other).any(|edge| edge.followed && group.contains(&edge.to));
            same_part && !group.contains(&other) && leads
        });
        if !entered && group.first() == Some(&node) {
            let kind = if alive.contains(&node) { RootKind::Shared } else { RootKind::Garbage };
            beginnings.insert((kind, node));
        }
    }
    beginnings.into_iter().collect()
}

pub(crate) fn bytes(graph: &Graph, nodes: impl IntoIterator<Item = NodeId>) -> u64 {
    nodes.into_iter().map(|node| graph.bytes(node)).sum()
}
