//! Totals by type: how many objects, their own bytes, and what they retain together.

use crate::TypeId;
use crate::dominators::{Dominators, Holder};
use crate::graph::Graph;
use crate::root::RootKind;

/// What the objects of one type come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeTotal {
    /// The type.
    pub type_id: TypeId,
    /// How many objects are of it.
    pub objects: u64,
    /// Their own bytes.
    pub shallow_bytes: u64,
    /// Bytes that they retain: the sum over those that no other of them dominates, so
    /// that a list of nodes counts once and not at every node again.
    pub retained_bytes: u64,
}

/// Totals of all types that have objects. Those that retain most come first.
pub fn type_totals(graph: &Graph, dominators: &Dominators) -> Vec<TypeTotal> {
    let empty = |type_id| TypeTotal { type_id, objects: 0, shallow_bytes: 0, retained_bytes: 0 };
    let mut totals: Vec<TypeTotal> = graph.types().map(empty).collect();
    // How many objects of each type are on the way down.
    let mut above = vec![0u32; graph.type_count()];
    let mut way = Vec::new();
    let tops = RootKind::ALL.into_iter().map(Holder::Roots).chain([Holder::Several]);
    for top in tops {
        way.push(dominators.children(top).iter());
        let mut inside = Vec::new();
        while let Some(children) = way.last_mut() {
            let Some(&node) = children.next() else {
                way.pop();
                if let Some(type_id) = inside.pop() {
                    above[TypeId::index(type_id)] -= 1;
                }
                continue;
            };
            let type_id = graph.type_of(node);
            let total = &mut totals[type_id.index()];
            total.objects += 1;
            total.shallow_bytes = total.shallow_bytes.saturating_add(graph.bytes(node));
            if above[type_id.index()] == 0 {
                let retained = dominators.retained_bytes(node);
                total.retained_bytes = total.retained_bytes.saturating_add(retained);
            }
            let below = dominators.children(Holder::Object(node));
            if !below.is_empty() {
                above[type_id.index()] += 1;
                inside.push(type_id);
                way.push(below.iter());
            }
        }
    }
    totals.retain(|total| total.objects > 0);
    totals.sort_by_key(|total| {
        (u64::MAX - total.retained_bytes, u64::MAX - total.shallow_bytes, total.type_id)
    });
    totals
}
