//! Paths against naive searches, and how they are written.

mod support;

use std::collections::BTreeMap;

use memsight_heap::{
    Follow, Graph, GraphBuilder, Label, NameId, NodeId, Object, Paths, Reach, Root, RootKind, Start,
    merged_paths,
};
use proptest::prelude::*;
use support::{address, node, plans};

/// How many edges from some nodes to each that they reach.
fn distances(graph: &Graph, from: &[NodeId]) -> BTreeMap<NodeId, usize> {
    let mut distances = BTreeMap::new();
    let mut ring: Vec<NodeId> = from.to_vec();
    for distance in 0.. {
        ring.retain(|node| !distances.contains_key(node));
        if ring.is_empty() {
            break;
        }
        distances.extend(ring.iter().map(|&node| (node, distance)));
        let edges = ring.iter().flat_map(|&node| graph.edges(node));
        ring = edges.filter(|edge| edge.followed).map(|edge| edge.to).collect();
    }
    distances
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn paths_are_whole_and_shortest(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let reach = Reach::of(&graph);
        let paths = Paths::of(&graph, &reach);
        let held = |kinds: &[RootKind]| -> Vec<NodeId> {
            let beginnings = reach.beginnings().iter();
            beginnings.filter(|(kind, _)| kinds.contains(kind)).map(|&(_, node)| node).collect()
        };
        let (named, rest) = RootKind::ALL.split_at(4);
        let stages: Vec<Vec<NodeId>> =
            [named].into_iter().chain(rest.chunks(1)).map(held).collect();
        let distances: Vec<_> = stages.iter().map(|stage| distances(&graph, stage)).collect();
        for node in graph.nodes() {
            let path = paths.to(&graph, node);
            let mut at = path.first;
            for &edge in &path.edges {
                let edge = graph.edge(edge);
                prop_assert!(edge.followed);
                prop_assert_eq!(edge.from, at);
                at = edge.to;
            }
            prop_assert_eq!(at, node);
            let stage = distances.iter().position(|distances| distances.contains_key(&node)).unwrap();
            prop_assert_eq!(path.edges.len(), distances[stage][&node]);
            let expected = match path.start {
                Start::Root(root) => {
                    prop_assert!(graph.roots().contains(&(path.first, root)));
                    0
                }
                Start::Unexplained(_) => 1,
                Start::Shared(_) => 2,
                Start::Garbage(_) => 3,
            };
            prop_assert_eq!(stage, expected);
            prop_assert!(!path.name(&graph).is_empty());
        }
    }

    #[test]
    fn merged_paths_lead_to_all_targets(plan in plans()) {
        let graph = plan.build(Follow::Usual);
        let paths = Paths::of(&graph, &Reach::of(&graph));
        let merged = merged_paths(&graph, &paths, graph.nodes());
        prop_assert_eq!(merged.iter().map(|path| path.count).sum::<u64>(), graph.node_count() as u64);
        prop_assert_eq!(merged.iter().map(|path| path.bytes).sum::<u64>(), support::bytes(&graph, graph.nodes()));
        prop_assert!(merged.is_sorted_by_key(|path| u64::MAX - path.count));
    }
}

/// A graph by hand: names come as texts, nodes by being mentioned.
struct Hand {
    builder: GraphBuilder,
    nodes: usize,
}

impl Hand {
    fn new() -> Self {
        let mut builder = GraphBuilder::new();
        builder.add_type("app.Job").unwrap();
        Hand { builder, nodes: 0 }
    }

    fn name(&mut self, text: &str) -> NameId {
        self.builder.name(text).unwrap()
    }

    fn node(&mut self) -> u64 {
        let address = address(self.nodes);
        self.nodes += 1;
        self.builder.add_object(Object { address, type_id: 0, bytes: 1, shared: false }).unwrap();
        address
    }

    fn root(&mut self, root: Root) -> u64 {
        let node = self.node();
        self.builder.add_root(node, root).unwrap();
        node
    }

    fn module(&mut self, name: &str) -> u64 {
        let module = self.name(name);
        self.root(Root::Module { module })
    }

    /// A new node at the end of labels from another.
    fn below(&mut self, from: u64, labels: &[Label]) -> u64 {
        labels.iter().fold(from, |from, &label| {
            let to = self.node();
            self.builder.add_edge(from, to, label).unwrap();
            to
        })
    }
}

fn last_name(hand: Hand) -> String {
    let last = hand.nodes - 1;
    let graph = hand.builder.finish(Follow::Everything);
    Paths::of(&graph, &Reach::of(&graph)).to(&graph, node(&graph, last)).name(&graph)
}

#[test]
fn a_path_is_written_as_the_program_would() {
    let mut hand = Hand::new();
    let [cache, k, rows] = ["CACHE", "k", "rows"].map(|text| hand.name(text));
    let app = hand.module("app");
    hand.below(
        app,
        &[Label::Dict, Label::Key(cache), Label::Key(k), Label::Dict, Label::Key(rows), Label::ListIndex(0)],
    );
    assert_eq!(last_name(hand), "app.CACHE['k'].rows[0]");
}

#[test]
fn every_step_has_words() {
    let mut hand = Hand::new();
    let [f, x, a_b, pair] = ["f", "x", "a b", "(1, 2)"].map(|text| hand.name(text));
    let [load, rows] = ["app.load", "rows"].map(|text| hand.name(text));
    let local = hand.root(Root::Local { function: load, line: 12, variable: rows });
    let labels = [
        Label::Slot(f),
        Label::Cell(x),
        Label::Local(x),
        Label::KeyRepr(pair),
        Label::KeyNumber(-7),
        Label::TupleIndex(3),
        Label::Member,
        Label::KeyItself(2),
        Label::Type,
        Label::Dict,
        Label::Key(a_b),
        Label::Unknown,
        Label::Global(x),
    ];
    hand.below(local, &labels);
    let expected = "app.load.<locals>.rows.f.<cell x>.f_locals['x'][(1, 2)][-7][3]{*}.keys()[2]\
                    .__class__.__dict__['a b'].<unnamed>.x";
    assert_eq!(last_name(hand), expected);
}

#[test]
fn the_steps_of_a_path_are_told_one_by_one() {
    let mut hand = Hand::new();
    let cache = hand.name("CACHE");
    let app = hand.module("app");
    hand.below(app, &[Label::Global(cache), Label::Key(cache)]);
    let graph = hand.builder.finish(Follow::Usual);
    let path = Paths::of(&graph, &Reach::of(&graph)).to(&graph, node(&graph, 2));
    let steps: Vec<String> =
        path.edges.iter().map(|&edge| graph.edge(edge).label.name_of_step(&graph)).collect();
    assert_eq!((path.start.name(&graph).as_str(), steps), ("app", vec![".CACHE".into(), "['CACHE']".into()]));
}

#[test]
fn roots_without_a_name_are_told_in_words() {
    let named = |root: fn(NameId) -> Option<Root>| {
        let mut hand = Hand::new();
        let field = hand.name("exc_info");
        match root(field) {
            Some(root) => hand.root(root),
            None => hand.node(),
        };
        last_name(hand)
    };
    assert_eq!(named(|field| Some(Root::Thread { field })), "<thread>.exc_info");
    assert_eq!(named(|name| Some(Root::Builtin { name })), "exc_info");
    assert_eq!(named(|_| Some(Root::Unexplained)), "<app.Job held from C>");
    assert_eq!(named(|_| None), "<garbage app.Job>");
}

#[test]
fn a_module_names_what_c_holds_too() {
    let mut hand = Hand::new();
    let x = hand.name("X");
    let app = hand.module("app");
    let job = hand.below(app, &[Label::Global(x)]);
    hand.builder.add_root(job, Root::Unexplained).unwrap();
    assert_eq!(last_name(hand), "app.X");
}

#[test]
fn steps_gone_again_and_again_are_counted() {
    let mut hand = Hand::new();
    let [head, next, value] = ["HEAD", "next", "value"].map(|text| hand.name(text));
    let app = hand.module("app");
    let mut at = hand.below(app, &[Label::Global(head)]);
    for _ in 0..5 {
        at = hand.below(at, &[Label::Dict, Label::Key(next)]);
    }
    hand.below(at, &[Label::Slot(value)]);
    assert_eq!(last_name(hand), "app.HEAD(.next)×5.value");
}

#[test]
fn a_path_of_many_steps_is_cut_in_its_middle() {
    let mut hand = Hand::new();
    let app = hand.module("app");
    let labels: Vec<Label> = (0..1000).map(Label::ListIndex).collect();
    hand.below(app, &labels);
    let name = last_name(hand);
    assert!(name.starts_with("app[0][1]") && name.ends_with("[998][999]"), "{name}");
    assert!(name.contains("[15].<976 more>[992]"), "{name}");
}

#[test]
fn paths_that_differ_by_places_are_one() {
    let mut hand = Hand::new();
    let [session, jobs, result, other] = ["Session", "jobs", "result", "other"].map(|text| hand.name(text));
    let app = hand.module("app");
    let list = hand.below(app, &[Label::Dict, Label::Key(session), Label::Dict, Label::Key(jobs)]);
    let mut targets: Vec<u64> =
        (0..10_000).map(|place| hand.below(list, &[Label::ListIndex(place), Label::Slot(result)])).collect();
    targets.push(hand.below(app, &[Label::Global(other)]));
    let graph = hand.builder.finish(Follow::Usual);
    let paths = Paths::of(&graph, &Reach::of(&graph));
    let last = node(&graph, hand.nodes - 1);
    // Objects are numbered as they are first mentioned, here as they are made.
    let target_nodes: Vec<NodeId> =
        graph.nodes().filter(|&n| targets.binary_search(&graph.address(n)).is_ok()).collect();
    let merged = merged_paths(&graph, &paths, target_nodes);
    let shown: Vec<(u64, &str)> = merged.iter().map(|path| (path.count, path.name.as_str())).collect();
    assert_eq!(shown, [(10_000, "app.Session.jobs[*].result"), (1, "app.other")]);
    assert_eq!(merged[1].example, last);
}

#[test]
fn a_linked_list_is_one_path() {
    let mut hand = Hand::new();
    let [head, next] = ["HEAD", "next"].map(|text| hand.name(text));
    let app = hand.module("app");
    let first = hand.below(app, &[Label::Global(head)]);
    let mut at = first;
    for _ in 0..50_000 {
        at = hand.below(at, &[Label::Dict, Label::Key(next)]);
    }
    let graph = hand.builder.finish(Follow::Usual);
    let paths = Paths::of(&graph, &Reach::of(&graph));
    let merged = merged_paths(&graph, &paths, graph.nodes().skip(1));
    let shown: Vec<(u64, &str)> = merged.iter().map(|path| (path.count, path.name.as_str())).collect();
    assert_eq!(
        shown,
        [
            (49_999, "app.HEAD(.next)*"),
            (49_998, "app.HEAD(.next)*.__dict__"),
            (1, "app.HEAD"),
            (1, "app.HEAD.__dict__"),
            (1, "app.HEAD.next"),
            (1, "app.HEAD.next.__dict__"),
        ]
    );
}

#[test]
fn patterns_of_a_tree_end_at_some_depth() {
    let mut hand = Hand::new();
    let [left, right] = ["left", "right"].map(|text| hand.name(text));
    let app = hand.module("app");
    let labels: Vec<Label> = (0..2000).map(|n| Label::Slot(if n % 2 == 0 { left } else { right })).collect();
    hand.below(app, &labels);
    let graph = hand.builder.finish(Follow::Usual);
    let paths = Paths::of(&graph, &Reach::of(&graph));
    let merged = merged_paths(&graph, &paths, graph.nodes());
    assert!(merged[0].name.ends_with(".right…") && merged[0].count == 1976, "{merged:?}");
}
