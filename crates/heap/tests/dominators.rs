//! Reach, dominators and retained sizes against their definitions, on random graphs and
//! on shapes that break careless algorithms.

mod support;

use std::collections::BTreeSet;

use memsight_heap::{
    Dominators, Follow, Graph, GraphBuilder, Holder, Label, NodeId, Object, Reach, Root, RootKind,
    type_totals,
};
use proptest::prelude::*;
use support::{beginnings, bytes, held, node, plans, reached};

/// The nodes without which a node would not be reached, itself among them.
fn dominators_of(graph: &Graph, from: &[NodeId], node: NodeId) -> BTreeSet<NodeId> {
    let holds = |&other: &NodeId| !reached(graph, from, Some(other), false).contains(&node);
    graph.nodes().filter(holds).collect()
}

fn naive_holder(graph: &Graph, beginnings: &[(RootKind, NodeId)], node: NodeId) -> Holder {
    let all: Vec<NodeId> = beginnings.iter().map(|&(_, node)| node).collect();
    let mut above = dominators_of(graph, &all, node);
    above.remove(&node);
    // Dominators of a node stand in a line; the nearest has all others above itself.
    if let Some(nearest) = above.iter().max_by_key(|&&other| dominators_of(graph, &all, other).len()) {
        return Holder::Object(*nearest);
    }
    let reaches = |kind: &RootKind| {
        let of_kind: Vec<NodeId> = beginnings.iter().filter(|(k, _)| k == kind).map(|&(_, n)| n).collect();
        reached(graph, &of_kind, None, false).contains(&node)
    };
    match RootKind::ALL.into_iter().filter(reaches).collect::<Vec<_>>()[..] {
        [only] => Holder::Roots(only),
        _ => Holder::Several,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn what_roots_reach_is_what_naive_walks_reach(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let reach = Reach::of(&graph);
        prop_assert_eq!(reach.beginnings(), beginnings(&graph));
        let alive = reached(&graph, &held(&graph), None, true);
        for node in graph.nodes() {
            prop_assert_eq!(reach.is_garbage(node), !alive.contains(&node));
        }
    }

    #[test]
    fn retained_is_what_becomes_unreachable(plan in plans(), everything: bool) {
        let graph = plan.build(if everything { Follow::Everything } else { Follow::Usual });
        let reach = Reach::of(&graph);
        let tree = Dominators::of(&graph, &reach);
        let from: Vec<NodeId> = reach.beginnings().iter().map(|&(_, node)| node).collect();
        let all = reached(&graph, &from, None, false);
        prop_assert_eq!(all.len(), graph.node_count());
        for node in graph.nodes() {
            let left = reached(&graph, &from, Some(node), false);
            let retained = bytes(&graph, all.difference(&left).copied());
            prop_assert_eq!(tree.retained_bytes(node), retained);
            prop_assert_eq!(tree.holder(node), naive_holder(&graph, reach.beginnings(), node));
        }
        prop_assert_eq!(tree.retained_by(Holder::Several), bytes(&graph, graph.nodes()));
    }

    #[test]
    fn children_are_those_that_name_their_holder_by_bytes(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let tree = Dominators::of(&graph, &Reach::of(&graph));
        let holders = graph.nodes().map(Holder::Object);
        let mut seen = 0;
        for holder in holders.chain(RootKind::ALL.map(Holder::Roots)).chain([Holder::Several]) {
            let children = tree.children(holder);
            seen += children.len();
            prop_assert!(children.iter().all(|&child| tree.holder(child) == holder));
            prop_assert!(children.is_sorted_by_key(|&child| (u64::MAX - tree.retained_bytes(child), child)));
        }
        prop_assert_eq!(seen, graph.node_count());
    }

    #[test]
    fn a_type_retains_what_its_topmost_objects_do(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let reach = Reach::of(&graph);
        let tree = Dominators::of(&graph, &reach);
        let from: Vec<NodeId> = reach.beginnings().iter().map(|&(_, node)| node).collect();
        let totals = type_totals(&graph, &tree);
        for type_id in graph.types() {
            let members: BTreeSet<NodeId> = graph.nodes().filter(|&n| graph.type_of(n) == type_id).collect();
            let topmost = members.iter().copied().filter(|&member| {
                dominators_of(&graph, &from, member).intersection(&members).count() == 1
            });
            let retained: u64 = topmost.map(|node| tree.retained_bytes(node)).sum();
            let total = totals.iter().find(|total| total.type_id == type_id);
            prop_assert_eq!(total.map_or(0, |total| total.objects), members.len() as u64);
            prop_assert_eq!(total.map_or(0, |total| total.shallow_bytes), bytes(&graph, members.iter().copied()));
            prop_assert_eq!(total.map_or(0, |total| total.retained_bytes), retained);
        }
        prop_assert!(totals.is_sorted_by_key(|total| u64::MAX - total.retained_bytes));
    }
}

/// Objects of some bytes, edges between them, and the first held by a module.
fn graph(sizes: impl IntoIterator<Item = u64>, edges: impl IntoIterator<Item = (usize, usize)>) -> Graph {
    let mut builder = GraphBuilder::new();
    let type_id = builder.add_type("object").unwrap();
    let module = builder.name("app").unwrap();
    for (number, bytes) in sizes.into_iter().enumerate() {
        let object = Object { address: support::address(number), type_id, bytes, shared: false };
        builder.add_object(object).unwrap();
    }
    for (from, to) in edges {
        builder.add_edge(support::address(from), support::address(to), Label::Unknown).unwrap();
    }
    builder.add_root(support::address(0), Root::Module { module }).unwrap();
    builder.finish(Follow::Usual)
}

fn retained(graph: &Graph) -> Vec<u64> {
    let tree = Dominators::of(graph, &Reach::of(graph));
    graph.nodes().map(|node| tree.retained_bytes(node)).collect()
}

#[test]
fn what_holds_a_cycle_retains_it() {
    // Reference counts alone would say 10: the two keep each other above zero.
    assert_eq!(retained(&graph([10, 20, 30], [(0, 1), (1, 2), (2, 1)])), [60, 50, 30]);
}

#[test]
fn what_two_hold_is_retained_by_neither() {
    assert_eq!(retained(&graph([1, 2, 4, 8], [(0, 1), (0, 2), (1, 3), (2, 3)])), [15, 2, 4, 8]);
}

#[test]
fn garbage_hangs_below_a_place_of_its_own() {
    let graph = graph([1, 10, 20, 40, 80], [(1, 2), (2, 1), (2, 3), (3, 0), (4, 4)]);
    let tree = Dominators::of(&graph, &Reach::of(&graph));
    let garbage = Holder::Roots(RootKind::Garbage);
    assert_eq!(tree.retained_by(garbage), 150);
    assert_eq!(tree.children(garbage), [node(&graph, 4), node(&graph, 1)]);
    assert_eq!(tree.retained_bytes(node(&graph, 1)), 70);
    assert_eq!(tree.holder(node(&graph, 0)), Holder::Several, "a module and garbage hold it");
}

#[test]
fn a_graph_of_nothing_has_a_tree() {
    let graph = GraphBuilder::new().finish(Follow::Usual);
    let tree = Dominators::of(&graph, &Reach::of(&graph));
    assert_eq!(tree.retained_by(Holder::Several), 0);
    assert!(type_totals(&graph, &tree).is_empty());
}

#[test]
fn sums_of_impossible_sizes_stop_at_the_greatest() {
    assert_eq!(retained(&graph([u64::MAX, u64::MAX], [(0, 1)])), [u64::MAX, u64::MAX]);
}

const LONG: usize = 200_000;

#[test]
fn a_long_list_needs_no_stack() {
    let retained = retained(&graph((0..LONG).map(|_| 1), (1..LONG).map(|to| (to - 1, to))));
    assert!(retained.iter().enumerate().all(|(at, &bytes)| bytes == (LONG - at) as u64));
}

#[test]
fn a_star_is_flat() {
    let retained = retained(&graph((0..LONG).map(|_| 1), (1..LONG).map(|to| (0, to))));
    assert_eq!(retained[0], LONG as u64);
    assert!(retained[1..].iter().all(|&bytes| bytes == 1));
}

#[test]
fn a_ladder_with_edges_back_is_quick() {
    // Every rung leads to the next, back to the one before, and back to the first.
    let edges = (1..LONG).flat_map(|to| [(to - 1, to), (to, to - 1), (to, 0), (to - 1, (to + 1) % LONG)]);
    let retained = retained(&graph((0..LONG).map(|_| 1), edges));
    assert_eq!(retained[0], LONG as u64);
    assert!(retained[1..].iter().all(|&bytes| bytes <= 2));
}

#[test]
fn values_that_a_list_and_a_registry_hold_are_quick() {
    // 0 holds the list 1, 2, 3 … and, as a registry, the value of each of its nodes. To
    // go up from a value step by step is to go along the list.
    let list = 1..LONG / 2;
    let value = |node: usize| node + LONG / 2;
    let next = list.clone().map(|node| (node - 1, node));
    let values = list.clone().flat_map(|node| [(node, value(node)), (0, value(node))]);
    let retained = retained(&graph((0..LONG).map(|_| 1), next.chain(values)));
    assert_eq!(retained[1], list.len() as u64);
    assert!(list.map(value).all(|value| retained[value] == 1));
}
