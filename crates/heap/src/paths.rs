//! Shortest paths from roots to objects: who holds it.
//!
//! One search in breadth from all roots notes for each object the edge by which it was
//! first found. Roots that a program has names for go first: an object that a module
//! reaches over ten edges is told by these, even if something in C holds it directly.
//! Next come unexplained references, then what everybody shares, and garbage last.

use crate::graph::Graph;
use crate::reach::Reach;
use crate::root::{Root, RootKind};
use crate::{EdgeId, NodeId, TypeId};

/// From where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// A root with a name.
    Root(Root),
    /// An object of this type that something in C holds; see [`Root::Unexplained`].
    Unexplained(TypeId),
    /// What everybody shares, of this type; see [`RootKind::Shared`].
    Shared(TypeId),
    /// An unreachable object of this type.
    Garbage(TypeId),
}

/// A chain of references that keeps an object alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// What holds the first object.
    pub start: Start,
    /// The first object; the one asked for if no edge leads from it.
    pub first: NodeId,
    /// The references on the way, from the first object on.
    pub edges: Vec<EdgeId>,
}

/// How an object was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    By(EdgeId),
    At(Start),
}

/// A shortest path to each object of a graph.
pub struct Paths {
    /// By object, how it was found:
    ///
    /// ```text
    /// below E            the edge, of E there are
    /// E + r              root r of the graph's
    /// 2³² - 1, 2³² - 2   garbage, shared
    /// ```
    ///
    /// The graph has no more edges and roots than leave room.
    found_by: Vec<u32>,
}

const GARBAGE: u32 = u32::MAX;
const SHARED: u32 = u32::MAX - 1;
const NOT_FOUND: u32 = u32::MAX - 2;

impl Paths {
    /// Finds them, along the edges that are followed. 4 bytes an object, and twice that
    /// while it works.
    pub fn of(graph: &Graph, reach: &Reach) -> Self {
        let mut search = Search { graph, found_by: vec![NOT_FOUND; graph.node_count()], queue: Vec::new() };
        let root_number = |at: usize| (graph.edge_count() + at) as u32;
        let roots = graph.roots();
        let unexplained = roots.partition_point(|(_, root)| root.kind() < RootKind::Unexplained);
        search.spread((0..unexplained).map(|at| (roots[at].0, root_number(at))));
        search.spread((unexplained..roots.len()).map(|at| (roots[at].0, root_number(at))));
        for (kind, number) in [(RootKind::Shared, SHARED), (RootKind::Garbage, GARBAGE)] {
            search.spread(reach.held_by(kind).iter().map(|&(_, node)| (node, number)));
        }
        Paths { found_by: search.found_by }
    }

    /// The path to an object.
    pub fn to(&self, graph: &Graph, node: NodeId) -> Path {
        let mut edges = Vec::new();
        let mut first = node;
        let start = loop {
            match self.found(graph, first) {
                Found::At(start) => break start,
                Found::By(edge) => {
                    edges.push(edge);
                    first = graph.source(edge);
                }
            }
        };
        edges.reverse();
        Path { start, first, edges }
    }

    /// The last reference on the path to an object; none if a root holds it.
    pub fn last_edge(&self, graph: &Graph, node: NodeId) -> Option<EdgeId> {
        match self.found(graph, node) {
            Found::By(edge) => Some(edge),
            Found::At(_) => None,
        }
    }

    pub(crate) fn found(&self, graph: &Graph, node: NodeId) -> Found {
        match self.found_by[node.index()] {
            GARBAGE => Found::At(Start::Garbage(graph.type_of(node))),
            SHARED => Found::At(Start::Shared(graph.type_of(node))),
            number => {
                let root = (number as usize).checked_sub(graph.edge_count());
                match root.and_then(|at| graph.roots().get(at)) {
                    Some((_, Root::Unexplained)) => Found::At(Start::Unexplained(graph.type_of(node))),
                    Some(&(_, root)) => Found::At(Start::Root(root)),
                    None => Found::By(EdgeId(number)),
                }
            }
        }
    }
}

struct Search<'a> {
    graph: &'a Graph,
    found_by: Vec<u32>,
    queue: Vec<u32>,
}

impl Search<'_> {
    /// Goes as far as it can from some nodes through what was not found before.
    fn spread(&mut self, from: impl Iterator<Item = (NodeId, u32)>) {
        for (node, number) in from {
            self.find(node.0, number);
        }
        let mut next = 0;
        while let Some(&node) = self.queue.get(next) {
            next += 1;
            for edge in self.graph.row(node) {
                if let Some(to) = self.graph.followed(edge) {
                    self.find(to, edge);
                }
            }
        }
        self.queue.clear();
    }

    #[inline]
    fn find(&mut self, node: u32, number: u32) {
        let found_by = &mut self.found_by[node as usize];
        if *found_by == NOT_FOUND {
            *found_by = number;
            self.queue.push(node);
        }
    }
}
