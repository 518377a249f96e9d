//! What the builder takes, refuses and counts.

mod support;

use memsight_heap::{Error, Follow, GraphBuilder, Label, Object, Root, Unknown};
use proptest::prelude::*;
use support::{address, plans};

fn object(address: u64) -> Object {
    Object { address, type_id: 0, bytes: 8, shared: false }
}

#[test]
fn two_objects_at_one_address_are_refused() {
    let mut builder = GraphBuilder::new();
    builder.add_type("list").unwrap();
    builder.add_object(object(32)).unwrap();
    assert_eq!(builder.add_object(object(32)), Err(Error::TwoAtOneAddress { address: 32 }));
}

#[test]
fn numbers_that_no_one_gave_are_refused() {
    let mut other = GraphBuilder::new();
    let name = other.name("x").unwrap();
    let mut builder = GraphBuilder::new();
    assert_eq!(builder.add_object(object(32)), Err(Error::NoSuchType { address: 32, number: 0 }));
    assert_eq!(builder.add_edge(16, 32, Label::Key(name)), Err(Error::NoSuchName { number: 0 }));
    assert_eq!(builder.add_root(16, Root::Thread { field: name }), Err(Error::NoSuchName { number: 0 }));
}

#[test]
fn more_than_may_be_numbered_is_refused() {
    let mut builder = GraphBuilder::with_max(4);
    builder.add_edge(16, 32, Label::Unknown).unwrap();
    builder.add_edge(16, 32, Label::Unknown).unwrap();
    let too_large = Err(Error::TooLarge { max: 4 });
    assert_eq!(builder.add_edge(16, 32, Label::Unknown), too_large);
    assert_eq!(builder.add_root(16, Root::Unexplained), too_large);
    assert_eq!(builder.add_edge(16, 48, Label::Unknown), too_large);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_holds_what_was_put_into_it(plan in plans()) {
        let graph = plan.build(Follow::Everything);
        let count = plan.nodes.len();
        prop_assert_eq!(graph.node_count(), count);
        let mut expected: Vec<(u64, u64)> = Vec::new();
        let mut unknown = Unknown::default();
        for &(from, to, _) in &plan.edges {
            match (from < count, to < count) {
                (true, true) => expected.push((address(from), address(to))),
                (true, false) => unknown.edges_to += 1,
                (false, _) => unknown.edges_from += 1,
            }
        }
        unknown.roots = plan.roots.iter().filter(|(to, _)| *to >= count).count() as u64;
        prop_assert_eq!(graph.unknown(), unknown);
        let mut found = Vec::new();
        for node in graph.nodes() {
            for edge in graph.edges(node) {
                prop_assert_eq!(graph.edge(edge.id), edge);
                prop_assert!(edge.followed);
                found.push((graph.address(node), graph.address(edge.to)));
            }
        }
        found.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
        for (number, &(type_number, shared)) in plan.nodes.iter().enumerate() {
            let node = support::node(&graph, number);
            prop_assert_eq!(graph.bytes(node), 1 << number);
            prop_assert_eq!(graph.is_shared(node), shared);
            prop_assert_eq!(graph.type_name(graph.type_of(node)), support::TYPES[type_number as usize]);
            let to = plan.edges.iter().filter(|&&(from, to, _)| to == number && from < count).count();
            prop_assert_eq!(graph.edges_to(node).count(), to);
        }
    }

    #[test]
    fn anything_at_all_is_answered(
        max in 0u32..40,
        parts in prop::collection::vec((0u8..5, 0u64..9, 0u64..9), 0..60),
    ) {
        let mut builder = GraphBuilder::with_max(max);
        for (what, a, b) in parts {
            // Refusals are answers, and the builder can go on after one.
            let _ = match what {
                0 => builder.add_type("t").map(drop),
                1 => builder.name(&a.to_string()).map(drop),
                2 => builder.add_object(Object { address: a, type_id: b as u32, bytes: u64::MAX, shared: b == 1 }),
                3 => builder.add_edge(a, b, if b == 2 { Label::Type } else { Label::Unknown }),
                _ => builder.add_root(a, Root::Unexplained),
            };
        }
        let graph = builder.finish(Follow::Usual);
        let reach = memsight_heap::Reach::of(&graph);
        let tree = memsight_heap::Dominators::of(&graph, &reach);
        memsight_heap::type_totals(&graph, &tree);
    }
}
