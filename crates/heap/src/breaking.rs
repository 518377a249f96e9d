//! Which reference of a cycle to break: the one that leads back from a part to its
//! whole, which a weak reference or a `del` takes away without loss.
//!
//! What leads back is known by its name. Where no name says it, it is the last edge that
//! closes the cycle for a walk from its first object.

use crate::components::Components;
use crate::graph::{Edge, Graph};
use crate::label::Label;
use crate::{EdgeId, NodeId, TypeId};

/// The names that lead back, the surest first. Underscores before a name and a class
/// mangled into it do not matter, but for names that have them at both ends.
const BACK: &[&str] = &[
    "__traceback__",
    "tb_frame",
    "f_locals",
    "__context__",
    "parent",
    "owner",
    "backref",
    "callback",
    "prev",
    "previous",
    "root",
    "container",
    "manager",
    "observer",
    "listener",
    "handler",
    "callbacks",
    "observers",
    "listeners",
    "handlers",
    "__self__",
];

/// The reference to break in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeToBreak {
    /// The reference.
    pub edge: EdgeId,
    /// Where it starts from a `__dict__`: the object of the cycle whose that is.
    pub owner: Option<NodeId>,
    /// Whether nothing of the cycle is left if all its references of this name from
    /// objects of this type are gone.
    pub suffices: bool,
}

/// Chooses edges. Made once for all cycles of a graph, and asked once for each that matters.
pub(crate) struct Chooser<'a> {
    graph: &'a Graph,
    components: &'a Components,
    /// By name: its place in [`BACK`], or the length of that.
    ranks: Vec<u8>,
    /// By node: its place among the members of its component.
    places: Vec<u32>,
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(graph: &'a Graph, components: &'a Components) -> Self {
        let mut places = vec![0; graph.node_count()];
        for component in 0..components.len() {
            for (member, place) in components.members(component).iter().zip(0..) {
                places[member.index()] = place;
            }
        }
        let ranks = graph.names().iter().map(|(_, text)| rank(text)).collect();
        Chooser { graph, components, ranks, places }
    }

    /// The edge to break in a component.
    pub(crate) fn choose(&self, component: usize) -> Option<EdgeToBreak> {
        let members = self.components.members(component);
        let named = members.iter().flat_map(|&member| self.edges_inside(member));
        let named = named.map(|edge| (self.rank(edge.label), edge.id)).min();
        let edge = match named {
            Some((rank, edge)) if usize::from(rank) < BACK.len() => edge,
            _ => self.last_to_close(members)?,
        };
        let edge = self.graph.edge(edge);
        let owner = matches!(edge.label, Label::Key(_)).then(|| self.owner(members, edge.from)).flatten();
        Some(EdgeToBreak { edge: edge.id, owner, suffices: self.suffices(members, edge) })
    }

    /// The edges of a node that stay in its component.
    fn edges_inside(&self, node: NodeId) -> impl Iterator<Item = Edge> + '_ {
        let edges = self.graph.edges(node);
        edges.filter(|edge| edge.followed && self.components.same(edge.from.0, edge.to.0))
    }

    fn rank(&self, label: Label) -> u8 {
        let rank = label.name().and_then(|name| self.ranks.get(name.index()).copied());
        rank.unwrap_or(BACK.len() as u8)
    }

    fn owner(&self, members: &[NodeId], dict: NodeId) -> Option<NodeId> {
        let mut edges = members.iter().flat_map(|&member| self.edges_inside(member));
        edges.find(|edge| edge.label == Label::Dict && edge.to == dict).map(|edge| edge.from)
    }

    /// The last edge that closes a cycle, in a walk in depth from the first member; one
    /// that a program can break, if it closes any.
    fn last_to_close(&self, members: &[NodeId]) -> Option<EdgeId> {
        const ON_THE_WAY: u8 = 1;
        const LEFT: u8 = 2;
        let mut states = vec![0u8; members.len()];
        let first = *members.first()?;
        states[0] = ON_THE_WAY;
        let mut last: Option<EdgeId> = None;
        // Each node with the edges that are still to be gone, and the one that led to it.
        let mut way = vec![(self.graph.row(first.0), first, None::<Edge>)];
        while let Some((edges, node, _)) = way.last_mut() {
            let node = *node;
            let Some(number) = edges.next() else {
                states[self.places[node.index()] as usize] = LEFT;
                way.pop();
                continue;
            };
            let Some(to) = self.graph.followed(number).filter(|&to| self.components.same(node.0, to)) else {
                continue;
            };
            let state = &mut states[self.places[to as usize] as usize];
            if *state == ON_THE_WAY {
                let edge = self.graph.edge(EdgeId(number));
                if can_be_broken(edge.label) {
                    last = Some(edge.id);
                } else if last.is_none() {
                    // Then one on the way from where it leads to, the last of them.
                    let since = way.iter().rev().take_while(|(_, node, _)| node.0 != to);
                    let edges = since.filter_map(|&(_, _, led_here)| led_here);
                    let other = edges.filter(|edge| can_be_broken(edge.label)).map(|edge| edge.id).next();
                    last = Some(other.unwrap_or(edge.id));
                }
            } else if *state == 0 {
                *state = ON_THE_WAY;
                let edge = self.graph.edge(EdgeId(number));
                way.push((self.graph.row(to), NodeId(to), Some(edge)));
            }
        }
        last
    }

    /// Whether a component falls apart without all edges that are called alike: takes
    /// away, time and again, what no edge leads to any more.
    fn suffices(&self, members: &[NodeId], broken: Edge) -> bool {
        let alike = self.alike(broken);
        let left = |member: NodeId| self.edges_inside(member).filter(move |&edge| self.alike(edge) != alike);
        let mut edges_to = vec![0u32; members.len()];
        for &member in members {
            for edge in left(member) {
                edges_to[self.places[edge.to.index()] as usize] += 1;
            }
        }
        let mut free: Vec<NodeId> = members
            .iter()
            .zip(&edges_to)
            .filter(|&(_, &edges)| edges == 0)
            .map(|(&member, _)| member)
            .collect();
        let mut taken = 0;
        while let Some(member) = free.pop() {
            taken += 1;
            for edge in left(member) {
                let edges = &mut edges_to[self.places[edge.to.index()] as usize];
                *edges -= 1;
                if *edges == 0 {
                    free.push(edge.to);
                }
            }
        }
        taken == members.len()
    }

    fn alike(&self, edge: Edge) -> (TypeId, Label) {
        let label = if edge.label.name().is_some() { edge.label } else { edge.label.without_place() };
        (self.graph.type_of(edge.from), label)
    }
}

/// Whether a statement can take the reference away: not what an object is made with.
fn can_be_broken(label: Label) -> bool {
    !matches!(label, Label::Unknown | Label::Type | Label::Dict | Label::TupleIndex(_) | Label::KeyItself(_))
}

fn rank(name: &str) -> u8 {
    let position = |name: &str| BACK.iter().position(|&back| back == name);
    let bare = name.trim_start_matches('_');
    // `_Node__parent` is `self.__parent` in a class `Node`.
    let unmangled = || bare.split_once("__").filter(|_| name.starts_with('_')).map(|(_, rest)| rest);
    let found = position(name).or_else(|| position(bare)).or_else(|| position(unmangled()?));
    found.unwrap_or(BACK.len()) as u8
}

#[cfg(test)]
mod tests {
    use super::{BACK, rank};

    #[test]
    fn names_that_lead_back_are_known_with_their_underscores() {
        let parent = rank("parent");
        assert!(usize::from(parent) < BACK.len());
        assert!(["_parent", "__parent", "_Node__parent"].iter().all(|name| rank(name) == parent));
        assert_eq!(rank("__traceback__"), 0);
        for other in ["child", "", "__", "parents_of", "traceback__"] {
            assert_eq!(usize::from(rank(other)), BACK.len(), "{other}");
        }
    }
}
