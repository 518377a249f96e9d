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

    /// Finds them, along the edges that are followed. 4 bytes an object, and 16 for each
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
    next_edge: u32,
    /// The node's number when it was found.
    found_as: u32,
}

/// By node, the number of its component, from n downward.
fn numbered(graph: &Graph) -> Vec<u32> {
    let mut numbers = vec![0u32; graph.node_count()];
    let mut component = numbers.len() as u32;
    let mut index = 1;
    let mut way: Vec<Visit> = Vec::new();
    // Left by the walk, of no component yet.
    let mut open: Vec<u32> = Vec::new();
    for start in graph.nodes() {
        if numbers[start.index()] != 0 {
            continue;
        }
        numbers[start.index()] = index;
        way.push(Visit { node: start.0, next_edge: graph.row(start.0).start, found_as: index });
        index += 1;
        while let Some(visit) = way.last_mut() {
            let end = graph.row(visit.node).end;
            let mut new = None;
            while visit.next_edge < end && new.is_none() {
                if let Some(to) = graph.followed(visit.next_edge) {
                    let reaches = numbers[to as usize];
                    if reaches == 0 {
                        new = Some(to);
                    } else if reaches < numbers[visit.node as usize] {
                        numbers[visit.node as usize] = reaches;
                    }
                }
                visit.next_edge += 1;
            }
            if let Some(to) = new {
                numbers[to as usize] = index;
                way.push(Visit { node: to, next_edge: graph.row(to).start, found_as: index });
                index += 1;
                continue;
            }
            let Visit { node, found_as, .. } = *visit;
            way.pop();
            if numbers[node as usize] < found_as {
                open.push(node);
            } else {
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
            if let Some(above) = way.last() {
                let reaches = numbers[node as usize];
                let number = &mut numbers[above.node as usize];
                *number = reaches.min(*number);
            }
        }
    }
    numbers
}
