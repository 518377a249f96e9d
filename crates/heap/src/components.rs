//! Objects that reach each other: the strongly connected components of a graph, by
//! Pearce's algorithm, "A Space-Efficient Algorithm for Finding Strongly Connected
//! Components", Information Processing Letters 116(1), 2016. It is Tarjan's with one
//! number a node instead of two and a mark:
//!
//! ```text
//! 0                  not found yet
//! 1 … index - 1      found, of no component yet: the earliest that it is known to reach
//! above `component`  the number of its component; these are given out downward from n
//! ```
//!
//! The two ranges never meet, as what is found and of no component, and the components,
//! are together no more than n.

use std::ops::Range;

use crate::NodeId;
use crate::graph::Graph;
use crate::rows::Rows;

/// The components that hold a cycle: two objects or more, or one that refers to itself.
pub(crate) struct Components {
    /// By node: its component, or [`Components::NONE`].
    of: Vec<u32>,
    members: Rows<NodeId>,
}

impl Components {
    const NONE: u32 = u32::MAX;

    /// Finds them, along the edges that are followed. 4 bytes an object, and 20 for each
    /// on the longest way down.
    pub(crate) fn of(graph: &Graph) -> Self {
        let mut of = numbered(graph);
        let nodes = of.len() as u32;
        // From here on component n is 0, n - 1 is 1, and so on.
        let last = of.iter().copied().min().unwrap_or(nodes);
        let mut sizes = vec![0u32; (nodes - last) as usize + 1];
        for component in &mut of {
            *component = nodes - *component;
            sizes[*component as usize] += 1;
        }
        // Those with cycles, numbered by their first members.
        let mut renumbered = vec![Self::NONE; sizes.len()];
        let mut cyclic = 0;
        for (component, node) in of.iter_mut().zip(0u32..) {
            let old = *component as usize;
            let is_cyclic = sizes[old] > 1 || graph.successors(node).any(|to| to == node);
            if is_cyclic && renumbered[old] == Self::NONE {
                renumbered[old] = cyclic;
                cyclic += 1;
            }
            *component = renumbered[old];
        }
        drop((sizes, renumbered));
        let members = Rows::group(cyclic as usize, NodeId(0), || {
            let in_cycles = of.iter().zip(0..nodes).rev().filter(|&(&component, _)| component != Self::NONE);
            in_cycles.map(|(&component, node)| (component, NodeId(node)))
        });
        Components { of, members }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// The objects of one, the smallest number first.
    pub(crate) fn members(&self, component: usize) -> &[NodeId] {
        self.members.row(component)
    }

    /// Whether both are of the same one.
    #[inline]
    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        self.of[a as usize] == self.of[b as usize] && self.of[a as usize] != Self::NONE
    }
}

/// A node on the way down.
struct Visit {
    node: u32,
    /// Its edges that are left.
    edges: Range<u32>,
    /// The node's number when it was found.
    found_as: u32,
    /// The earliest that it is known to reach.
    reaches: u32,
}

/// By node, the number of its component, from n downward.
fn numbered(graph: &Graph) -> Vec<u32> {
    let mut numbers = vec![0u32; graph.node_count()];
    let mut component = numbers.len() as u32;
    let mut index = 1;
    let mut way: Vec<Visit> = Vec::new();
    // Left by the walk, of no component yet.
    let mut open: Vec<u32> = Vec::new();
    let visit = |node, index| Visit { node, edges: graph.row(node), found_as: index, reaches: index };
    for start in graph.nodes() {
        if numbers[start.index()] != 0 {
            continue;
        }
        numbers[start.index()] = index;
        way.push(visit(start.0, index));
        index += 1;
        while let Some(Visit { node, edges, found_as, reaches }) = way.last_mut() {
            let new = edges.filter_map(|edge| graph.followed(edge)).find(|&to| {
                let number = numbers[to as usize];
                if number != 0 {
                    *reaches = number.min(*reaches);
                }
                number == 0
            });
            if let Some(to) = new {
                numbers[to as usize] = index;
                way.push(visit(to, index));
                index += 1;
                continue;
            }
            let (node, found_as, reaches) = (*node, *found_as, *reaches);
            way.pop();
            if reaches < found_as {
                numbers[node as usize] = reaches;
                open.push(node);
                // It was found from what is above it on the way, so there is something.
                if let Some(above) = way.last_mut() {
                    above.reaches = reaches.min(above.reaches);
                }
                continue;
            }
            index -= 1;
            while let Some(&member) = open.last()
                && numbers[member as usize] >= found_as
            {
                numbers[member as usize] = component;
                open.pop();
                index -= 1;
            }
            numbers[node as usize] = component;
            component -= 1;
        }
    }
    numbers
}
