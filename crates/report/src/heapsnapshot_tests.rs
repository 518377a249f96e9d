use std::collections::HashSet;

use memsight_heap::{Dominators, Follow, Graph, GraphBuilder, Label, Object, Reach, Root};
use serde_json::Value;

use super::{BEFORE, FIELDS, LARGEST, kind, write};

const GIB: u64 = 1 << 30;

/// A module that holds a list and, weakly, its type; a list with itself as garbage; an
/// object of nine GiB; names that need escapes.
fn graph() -> Graph {
    let mut builder = GraphBuilder::new();
    let list = builder.add_type("list").unwrap();
    let odd = builder.add_type("a\"b\\c\n\u{1}\u{2028}").unwrap();
    let (app, key) = (builder.name("app").unwrap(), builder.name("k\"\u{7f}\t").unwrap());
    let object = |address, type_id, bytes, shared| Object { address, type_id, bytes, shared };
    for (address, of, bytes, shared) in [
        (0x10, list, 72, false),
        (0x20, odd, 9 * GIB, false),
        (0x30, list, 56, true),
        (0x40, list, 88, false),
        (0x50, list, 0, false),
    ] {
        builder.add_object(object(address, of, bytes, shared)).unwrap();
    }
    builder.add_root(0x10, Root::Module { module: app }).unwrap();
    builder.add_root(0x50, Root::Unexplained).unwrap();
    for (from, to, label) in [
        (0x10, 0x20, Label::Key(key)),
        (0x10, 0x30, Label::ListIndex(7)),
        (0x10, 0x30, Label::Type),
        (0x20, 0x10, Label::KeyNumber(-3)),
        (0x20, 0x10, Label::KeyNumber(12)),
        (0x40, 0x40, Label::ListIndex(0)),
        (0x40, 0x10, Label::Unknown),
    ] {
        builder.add_edge(from, to, label).unwrap();
    }
    builder.finish(Follow::Usual)
}

fn exported(graph: &Graph) -> Value {
    let dominators = Dominators::of(graph, &Reach::of(graph));
    let mut out = Vec::new();
    let written = write(graph, &dominators, &mut out).unwrap();
    assert_eq!(written.objects, graph.node_count() as u64);
    assert_eq!(written.references, graph.edge_count() as u64);
    serde_json::from_slice(&out).unwrap()
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

#[test]
fn counts_places_and_the_total_are_those_of_the_graph() {
    let graph = graph();
    let all = exported(&graph);
    let (nodes, edges) = (numbers(&all["nodes"]), numbers(&all["edges"]));
    let strings = all["strings"].as_array().unwrap();
    // Nine GiB are an object of nearly four, and two more nodes.
    assert_eq!(all["snapshot"]["node_count"], BEFORE + 5 + 2);
    assert_eq!(nodes.len() as u64, (BEFORE + 7) * FIELDS);
    // One to the roots, seven kinds, two roots, one shared, one garbage, seven references, two rests.
    assert_eq!(all["snapshot"]["edge_count"], 1 + 7 + 2 + 1 + 1 + 7 + 2);
    assert_eq!(edges.len(), 21 * 3);
    let rows: Vec<&[u64]> = nodes.chunks(FIELDS as usize).collect();
    assert_eq!(rows.iter().map(|row| row[4]).sum::<u64>(), 21);
    assert_eq!(rows.iter().map(|row| row[3]).sum::<u64>(), 72 + 9 * GIB + 56 + 88);
    let ids: HashSet<u64> = rows.iter().map(|row| row[2]).collect();
    assert_eq!(ids.len(), rows.len());
    for row in rows {
        assert!(row.iter().all(|&number| number <= LARGEST), "{row:?}");
        assert!((row[1] as usize) < strings.len());
    }
    for edge in edges.chunks(3) {
        assert_eq!(edge[2] % FIELDS, 0);
        assert!(edge[2] < nodes.len() as u64);
        let is_index = edge[0] == u64::from(kind::EDGE_ELEMENT);
        assert!(is_index || (edge[1] as usize) < strings.len());
    }
}

#[test]
fn strings_and_edges_come_back_as_they_were() {
    let all = exported(&graph());
    let (nodes, edges) = (numbers(&all["nodes"]), numbers(&all["edges"]));
    let string = |at: u64| all["strings"][at as usize].as_str().unwrap();
    let name = |place: u64| string(nodes[place as usize + 1]);
    assert_eq!(name((BEFORE + 1) * FIELDS), "a\"b\\c\n\u{1}\u{2028}");
    assert_eq!(name((BEFORE + 5) * FIELDS), "(more of a\"b\\c\n\u{1}\u{2028})");
    let mut first = vec![0];
    for row in nodes.chunks(FIELDS as usize) {
        first.push(first[first.len() - 1] + row[4] as usize);
    }
    let of = |node: u64| &edges[3 * first[node as usize]..3 * first[node as usize + 1]];
    let module = of(BEFORE);
    assert_eq!((module[0], string(module[1])), (kind::EDGE_PROPERTY.into(), "k\"\u{7f}\t"));
    assert_eq!(module[2], (BEFORE + 1) * FIELDS);
    // To a shared object, and to a type.
    assert_eq!((module[3], module[6]), (kind::EDGE_WEAK.into(), kind::EDGE_WEAK.into()));
    let odd = of(BEFORE + 1);
    assert_eq!((odd[0], string(odd[1])), (kind::EDGE_PROPERTY.into(), "-3"));
    assert_eq!((odd[3], odd[4]), (kind::EDGE_ELEMENT.into(), 12));
    let garbage = of(8);
    assert_eq!((name(8 * FIELDS), garbage.len()), ("(garbage)", 3));
    assert_eq!(garbage[2], (BEFORE + 3) * FIELDS);
    let modules = of(2);
    assert_eq!((string(modules[1]), modules[2]), ("app", BEFORE * FIELDS));
}
