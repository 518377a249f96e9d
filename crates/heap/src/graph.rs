//! The object graph: objects, the references between them, and what holds them from
//! outside. It is a table to be read; the analyses beside it are not part of it.
//!
//! Nodes are numbers, and the edges of a node stand in a row:
//!
//! ```text
//! node            0      1            bytes each
//! addresses     [ 0x10,  0x20 ]       8      types 4, bytes 8, shared 1/8
//! first_edge    [ 0,     2,   3 ]     4      node n has edges first_edge[n] .. first_edge[n + 1]
//! edge            0  1   2
//! targets       [ 1, 1,  0 ]          4
//! kinds         [ …         ]         1      the label's kind; its highest bit: not followed
//! numbers       [ …         ]         4      the label's number
//! ```
//!
//! That is 24 bytes a node and 9 an edge: 470 MB for ten million objects and
//! twenty-five million references.

use std::ops::Range;

use crate::bits::Bits;
use crate::label::{Label, TYPE_KIND};
use crate::name_table::NameTable;
use crate::root::Root;
use crate::{EdgeId, NameId, NodeId, TypeId};

/// Along which edges analyses go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Not from an object to its type, nor to what everybody shares. These make a ball
    /// of every Python program, in which everything holds everything.
    Usual,
    /// Along all.
    Everything,
}

/// What was referred to and never came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// References from objects that are not in the graph.
    pub edges_from: u64,
    /// References from objects of the graph to such that are not.
    pub edges_to: u64,
    /// Roots that hold no object of the graph.
    pub roots: u64,
}

/// A reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its number.
    pub id: EdgeId,
    /// The object that holds it.
    pub from: NodeId,
    /// The object that it leads to.
    pub to: NodeId,
    /// What it is called.
    pub label: Label,
    /// Whether analyses go along it.
    pub followed: bool,
}

/// The parts of a graph, edges in the order of their sources, roots in that of their kinds.
pub(crate) struct Parts {
    pub(crate) addresses: Vec<u64>,
    pub(crate) types: Vec<TypeId>,
    pub(crate) bytes: Vec<u64>,
    pub(crate) shared: Bits,
    pub(crate) first_edge: Vec<u32>,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) kinds: Vec<u8>,
    pub(crate) numbers: Vec<u32>,
    pub(crate) roots: Vec<(NodeId, Root)>,
    pub(crate) names: NameTable,
    pub(crate) type_names: Vec<NameId>,
    pub(crate) unknown: Unknown,
}

/// The objects of a process and what refers to what.
///
/// Numbers of nodes, edges, types and names are those of this very graph; its methods
/// panic on such as another one gave.
pub struct Graph {
    parts: Parts,
    not_followed: u32,
    /// Every so many-th of `first_edge`: small enough to stay in the cache while it is
    /// asked from which node an edge starts.
    milestones: Vec<u32>,
}

/// How many nodes are from one milestone to the next.
const MILE: usize = 64;

/// In an edge's kind: it is not followed.
const NOT_FOLLOWED: u8 = 0x80;

impl Graph {
    pub(crate) fn new(parts: Parts, follow: Follow) -> Self {
        let milestones = parts.first_edge.iter().copied().step_by(MILE).collect();
        let mut graph = Graph { parts, not_followed: 0, milestones };
        graph.follow(follow);
        graph
    }

    /// Says anew along which edges analyses go. What was computed before is not changed.
    pub fn follow(&mut self, follow: Follow) {
        let Parts { kinds, targets, shared, .. } = &mut self.parts;
        self.not_followed = 0;
        for (kind, to) in kinds.iter_mut().zip(targets) {
            *kind &= !NOT_FOLLOWED;
            if follow == Follow::Usual && (*kind == TYPE_KIND || shared.has(to.index())) {
                *kind |= NOT_FOLLOWED;
                self.not_followed += 1;
            }
        }
    }

    /// How many objects there are.
    pub fn node_count(&self) -> usize {
        self.parts.addresses.len()
    }

    /// How many references there are, followed or not.
    pub fn edge_count(&self) -> usize {
        self.parts.targets.len()
    }

    /// How many of the references are not followed.
    pub fn not_followed(&self) -> u32 {
        self.not_followed
    }

    /// What was referred to and is not in the graph.
    pub fn unknown(&self) -> Unknown {
        self.parts.unknown
    }

    /// Every object.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + Clone + use<> {
        // At most `GraphBuilder::MAX` of them.
        (0..self.node_count() as u32).map(NodeId)
    }

    /// The object at an address, by going through all.
    pub fn node_at(&self, address: u64) -> Option<NodeId> {
        let position = self.parts.addresses.iter().position(|&other| other == address)?;
        Some(NodeId(position as u32))
    }

    /// Where an object is.
    pub fn address(&self, node: NodeId) -> u64 {
        self.parts.addresses[node.index()]
    }

    /// An object's own bytes.
    pub fn bytes(&self, node: NodeId) -> u64 {
        self.parts.bytes[node.index()]
    }

    /// An object's type.
    pub fn type_of(&self, node: NodeId) -> TypeId {
        self.parts.types[node.index()]
    }

    /// Whether everybody shares the object.
    pub fn is_shared(&self, node: NodeId) -> bool {
        self.parts.shared.has(node.index())
    }

    /// How many types there are; their numbers are those below.
    pub fn type_count(&self) -> usize {
        self.parts.type_names.len()
    }

    /// Every type.
    pub fn types(&self) -> impl ExactSizeIterator<Item = TypeId> + use<> {
        (0..self.parts.type_names.len() as u32).map(TypeId)
    }

    /// The name of a type.
    pub fn type_name(&self, type_id: TypeId) -> &str {
        self.parts.names.get(self.parts.type_names[type_id.index()])
    }

    /// The texts of names.
    pub fn names(&self) -> &NameTable {
        &self.parts.names
    }

    /// What holds objects from outside, and which, in the order of the kinds.
    pub fn roots(&self) -> &[(NodeId, Root)] {
        &self.parts.roots
    }

    /// The references that an object holds.
    pub fn edges(&self, node: NodeId) -> impl ExactSizeIterator<Item = Edge> + '_ {
        self.row(node.0).map(move |edge| self.edge_from(node, edge))
    }

    /// A reference by its number.
    pub fn edge(&self, edge: EdgeId) -> Edge {
        self.edge_from(self.source(edge), edge.0)
    }

    /// What a reference is called.
    pub fn label(&self, edge: EdgeId) -> Label {
        let kind = self.parts.kinds[edge.index()];
        Label::unpack(kind & !NOT_FOLLOWED, self.parts.numbers[edge.index()])
    }

    /// The references that lead to an object, by going through all.
    pub fn edges_to(&self, node: NodeId) -> impl Iterator<Item = Edge> + '_ {
        let targets = self.parts.targets.iter().enumerate();
        targets.filter(move |&(_, &to)| to == node).map(|(edge, _)| self.edge(EdgeId(edge as u32)))
    }

    fn edge_from(&self, from: NodeId, edge: u32) -> Edge {
        let followed = self.parts.kinds[edge as usize] & NOT_FOLLOWED == 0;
        let id = EdgeId(edge);
        Edge { id, from, to: self.parts.targets[edge as usize], label: self.label(id), followed }
    }

    /// The node in whose row an edge stands.
    pub(crate) fn source(&self, edge: EdgeId) -> NodeId {
        // The last row that begins at or before it: rows without edges begin there too,
        // but before.
        let first_edge = &self.parts.first_edge;
        let mile = self.milestones.partition_point(|&first| first <= edge.0) - 1;
        let mile = mile * MILE..(mile * MILE + MILE).min(first_edge.len());
        let after = first_edge[mile.clone()].partition_point(|&first| first <= edge.0);
        NodeId((mile.start + after) as u32 - 1)
    }

    /// The numbers of a node's edges.
    #[inline]
    pub(crate) fn row(&self, node: u32) -> Range<u32> {
        self.parts.first_edge[node as usize]..self.parts.first_edge[node as usize + 1]
    }

    /// Where an edge leads, if it is followed.
    #[inline]
    pub(crate) fn followed(&self, edge: u32) -> Option<u32> {
        (self.parts.kinds[edge as usize] & NOT_FOLLOWED == 0).then(|| self.parts.targets[edge as usize].0)
    }

    /// Where an edge leads, followed or not.
    #[inline]
    pub(crate) fn target(&self, edge: u32) -> u32 {
        self.parts.targets[edge as usize].0
    }

    /// Where the followed edges of a node lead.
    #[inline]
    pub(crate) fn successors(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.row(node).filter_map(|edge| self.followed(edge))
    }
}
