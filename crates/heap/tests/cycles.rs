//! Cycles against their definition, their shapes, and the edge to break.

mod support;

use std::collections::BTreeSet;

use memsight_heap::{
    Cycles, EdgeToBreak, Follow, Graph, GraphBuilder, Label, NodeId, Object, Reach, Root, TypeId,
};
use proptest::prelude::*;
use support::{address, group, plans, reached};

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn cycles_are_the_objects_that_reach_each_other(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let cycles = Cycles::of(&graph, &Reach::of(&graph));
        let found: BTreeSet<Vec<NodeId>> = (0..cycles.len()).map(|cycle| cycles.members(cycle).to_vec()).collect();
        let refers_to_itself = |node| graph.edges(node).any(|edge| edge.followed && edge.to == node);
        let groups = graph.nodes().map(|node| group(&graph, node));
        let expected: BTreeSet<Vec<NodeId>> = groups
            .filter(|group| group.len() > 1 || group.iter().any(|&node| refers_to_itself(node)))
            .map(|group| group.into_iter().collect())
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn shapes_add_up_to_all_cycles(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let reach = Reach::of(&graph);
        let cycles = Cycles::of(&graph, &reach);
        prop_assert_eq!(cycles.groups().iter().map(|group| group.count).sum::<u64>(), cycles.len() as u64);
        for group in cycles.groups() {
            let same: Vec<&[NodeId]> = (0..cycles.len())
                .map(|cycle| cycles.members(cycle))
                .filter(|members| {
                    let count = |type_id: TypeId| members.iter().filter(|&&n| graph.type_of(n) == type_id).count();
                    let size: u32 = group.types.iter().map(|&(_, count)| count).sum();
                    members.len() == size as usize
                        && reach.is_garbage(members[0]) == group.garbage
                        && group.types.iter().all(|&(type_id, expected)| count(type_id) == expected as usize)
                })
                .collect();
            prop_assert_eq!(group.count, same.len() as u64);
            prop_assert_eq!(group.bytes, support::bytes(&graph, same.concat()));
            prop_assert_eq!(group.objects, same.concat().len() as u64);
            prop_assert_eq!(cycles.members(group.example), same[0]);
        }
    }

    #[test]
    fn the_edge_to_break_is_of_a_cycle(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let cycles = Cycles::of(&graph, &Reach::of(&graph));
        for group in cycles.groups() {
            let edge = graph.edge(group.edge_to_break.edge);
            prop_assert!(edge.followed);
            prop_assert!(cycles.members(group.example).contains(&edge.from));
            prop_assert!(reached(&graph, &[edge.to], None, false).contains(&edge.from));
        }
    }
}

/// Nodes of named types, all held by a module, and edges by label.
fn graph(types: &[&str], edges: impl FnOnce(&mut GraphBuilder) -> Vec<(usize, usize, Label)>) -> Graph {
    let mut builder = GraphBuilder::new();
    let module = builder.name("app").unwrap();
    for (number, name) in types.iter().enumerate() {
        let type_id = builder.add_type(name).unwrap();
        let object = Object { address: address(number), type_id, bytes: 8, shared: false };
        builder.add_object(object).unwrap();
        builder.add_root(address(number), Root::Module { module }).unwrap();
    }
    for (from, to, label) in edges(&mut builder) {
        builder.add_edge(address(from), address(to), label).unwrap();
    }
    builder.finish(Follow::Usual)
}

fn only_edge(graph: &Graph) -> EdgeToBreak {
    let cycles = Cycles::of(graph, &Reach::of(graph));
    let [group] = cycles.groups() else { panic!("{} groups", cycles.groups().len()) };
    group.edge_to_break
}

#[test]
fn a_traceback_is_cut_at_the_exception() {
    let graph = graph(&["ValueError", "traceback", "frame"], |builder| {
        let [traceback, frame, error] =
            ["__traceback__", "tb_frame", "error"].map(|text| builder.name(text).unwrap());
        vec![
            (2, 0, Label::Local(error)),
            (1, 2, Label::Attribute(frame)),
            (0, 1, Label::Attribute(traceback)),
        ]
    });
    let to_break = only_edge(&graph);
    assert_eq!(graph.edge(to_break.edge).from, support::node(&graph, 0));
    assert!(to_break.suffices && to_break.owner.is_none());
}

#[test]
fn a_parent_in_a_dict_names_the_object() {
    let graph = graph(&["app.Node", "dict", "list"], |builder| {
        let [children, parent] = ["children", "_parent"].map(|text| builder.name(text).unwrap());
        vec![
            (0, 1, Label::Dict),
            (1, 2, Label::Key(children)),
            (2, 0, Label::ListIndex(0)),
            (1, 0, Label::Key(parent)),
        ]
    });
    let to_break = only_edge(&graph);
    let edge = graph.edge(to_break.edge);
    assert_eq!((edge.from, edge.to), (support::node(&graph, 1), support::node(&graph, 0)));
    assert_eq!(to_break.owner, Some(support::node(&graph, 0)));
    assert!(!to_break.suffices, "the list still leads back");
}

#[test]
fn without_a_name_it_is_the_last_that_closes_and_can_be_cut() {
    // The walk closes at the dict by `__dict__`, which no statement takes away.
    let graph = graph(&["dict", "app.Node"], |builder| {
        let me = builder.name("me").unwrap();
        vec![(0, 1, Label::Key(me)), (1, 0, Label::Dict)]
    });
    let to_break = only_edge(&graph);
    assert!(matches!(graph.edge(to_break.edge).label, Label::Key(_)));
    assert!(to_break.suffices);
}

#[test]
fn a_long_cycle_and_a_long_chain_of_small_ones_need_no_stack() {
    let types = vec!["app.Node"; 100_000];
    let count = types.len();
    let ring = graph(&types, |_| (0..count).map(|n| (n, (n + 1) % count, Label::ListIndex(0))).collect());
    assert_eq!(Cycles::of(&ring, &Reach::of(&ring)).len(), 1);
    assert!(only_edge(&ring).suffices);
    let pairs = graph(&types, |_| {
        let both = |n: usize| {
            [(n, n + 1, Label::Unknown), (n + 1, n, Label::Unknown), (n + 1, (n + 2) % count, Label::Member)]
        };
        (0..count - 2).step_by(2).flat_map(both).collect()
    });
    assert_eq!(Cycles::of(&pairs, &Reach::of(&pairs)).len(), count / 2 - 1);
}
