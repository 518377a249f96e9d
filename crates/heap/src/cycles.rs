//! Objects that keep each other alive. Reference counts alone never free them: while a
//! root reaches them that does no harm, and once none does they wait for the collector.
//!
//! A program makes the same cycle a thousand times, so cycles are told by their shape:
//! of which types they are, and how many of each.

use std::collections::HashMap;

use crate::breaking::{Chooser, EdgeToBreak};
use crate::components::Components;
use crate::dominators::{Dominators, Holder};
use crate::graph::Graph;
use crate::reach::Reach;
use crate::{NodeId, TypeId};

/// Cycles of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleGroup {
    /// How many objects of which type one cycle has, in the order of types.
    pub types: Box<[(TypeId, u32)]>,
    /// Whether no root reaches them.
    pub garbage: bool,
    /// How many such cycles there are.
    pub count: u64,
    /// Of how many objects they are, all together.
    pub objects: u64,
    /// The objects' own bytes.
    pub bytes: u64,
    /// The number of one of them, the first.
    pub example: usize,
    /// What to break in the example.
    pub edge_to_break: EdgeToBreak,
}

/// The cycles of a graph. One that shares an object with another is one with it.
pub struct Cycles {
    components: Components,
    groups: Vec<CycleGroup>,
    /// By cycle, its group.
    group_of: Vec<u32>,
}

/// What is counted of a shape: cycles, objects, bytes, and the first cycle's number.
#[derive(Clone, Copy, Default)]
struct Count {
    cycles: u64,
    objects: u64,
    bytes: u64,
    example: usize,
    /// The shape's number among all.
    number: u32,
}

type Shapes = HashMap<Box<[(TypeId, u32)]>, Count>;

impl Cycles {
    /// Finds the cycles along the edges that are followed.
    pub fn of(graph: &Graph, reach: &Reach) -> Self {
        let components = Components::of(graph);
        let mut reachable = Shapes::new();
        let mut garbage = Shapes::new();
        let mut types = Vec::new();
        let mut shape = Vec::new();
        let mut group_of = Vec::with_capacity(components.len());
        let mut shape_count = 0;
        for example in 0..components.len() {
            let members = components.members(example);
            types.clear();
            types.extend(members.iter().map(|&member| graph.type_of(member)));
            types.sort_unstable();
            shape.clear();
            shape.extend(types.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)));
            let shapes = if reach.is_garbage(members[0]) { &mut garbage } else { &mut reachable };
            if !shapes.contains_key(shape.as_slice()) {
                shapes.insert(
                    shape.as_slice().into(),
                    Count { example, number: shape_count, ..Count::default() },
                );
                shape_count += 1;
            }
            let Some(count) = shapes.get_mut(shape.as_slice()) else { continue };
            group_of.push(count.number);
            count.cycles += 1;
            count.objects += members.len() as u64;
            let bytes = members.iter().map(|&member| graph.bytes(member));
            count.bytes = bytes.fold(count.bytes, u64::saturating_add);
        }
        let chooser = Chooser::new(graph, &components);
        let with_garbage = |shapes: Shapes, garbage| shapes.into_iter().map(move |entry| (entry, garbage));
        let shapes = with_garbage(reachable, false).chain(with_garbage(garbage, true));
        let mut numbered: Vec<(CycleGroup, u32)> = shapes
            .filter_map(|((types, count), garbage)| {
                let edge_to_break = chooser.choose(count.example)?;
                let Count { cycles, objects, bytes, example, number } = count;
                let group =
                    CycleGroup { types, garbage, count: cycles, objects, bytes, example, edge_to_break };
                Some((group, number))
            })
            .collect();
        drop(chooser);
        numbered.sort_unstable_by_key(|(group, _)| (u64::MAX - group.bytes, group.example));
        let mut places = vec![0; shape_count as usize];
        for (place, &(_, number)) in (0..).zip(&numbered) {
            places[number as usize] = place;
        }
        group_of.iter_mut().for_each(|number| *number = places[*number as usize]);
        Cycles { components, groups: numbered.into_iter().map(|(group, _)| group).collect(), group_of }
    }

    /// By group, the bytes that its cycles retain: their own, and those of everything
    /// that nothing but them keeps.
    pub fn retained_bytes(&self, dominators: &Dominators) -> Vec<u64> {
        let mut retained = vec![0u64; self.groups.len()];
        for cycle in 0..self.components.len() {
            for &member in self.components.members(cycle) {
                let inside = match dominators.holder(member) {
                    Holder::Object(holder) => self.components.same(holder.0, member.0),
                    Holder::Roots(_) | Holder::Several => false,
                };
                if !inside {
                    let sum = &mut retained[self.group_of[cycle] as usize];
                    *sum = sum.saturating_add(dominators.retained_bytes(member));
                }
            }
        }
        retained
    }

    /// The shapes; those of most bytes come first.
    pub fn groups(&self) -> &[CycleGroup] {
        &self.groups
    }

    /// How many cycles there are.
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Whether there is no cycle.
    pub fn is_empty(&self) -> bool {
        self.components.len() == 0
    }

    /// The objects of a cycle, by its number below [`Cycles::len`].
    pub fn members(&self, cycle: usize) -> &[NodeId] {
        self.components.members(cycle)
    }
}
