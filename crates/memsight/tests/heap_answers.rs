//! What a snapshot of the object graph answers besides who holds what: its export,
//! duplicates, and Python's private heap, on every CPython.

mod support;

use serde_json::Value;

use support::{answer, each_python, number, record_heap};

fn heap_json(capture: &std::path::Path) -> Value {
    serde_json::from_str(&answer(&[&"heap", &capture, &"--json"])).expect("heap --json is JSON")
}

#[test]
fn the_heapsnapshot_has_the_objects_and_the_bytes_of_the_heap() {
    each_python(|python| {
        let recorded = record_heap(python, "heap_answers.py");
        recorded.stdout();
        let capture = recorded.capture();
        let file = capture.with_extension("heapsnapshot");
        answer(&[&"export", &capture, &"--to", &"heapsnapshot", &"-o", &file]);
        let heap = heap_json(&capture);
        let text = std::fs::read_to_string(&file).expect("the export is UTF-8");
        let all: Value = serde_json::from_str(&text).expect("the export is JSON");
        let numbers = |key: &str| -> Vec<u64> {
            let list = all[key].as_array().expect(key);
            list.iter().map(|entry| entry.as_u64().expect("a number")).collect()
        };
        let (nodes, edges) = (numbers("nodes"), numbers("edges"));
        let strings = all["strings"].as_array().expect("strings").len() as u64;
        let count = |key: &str| number(&all["snapshot"][key]) as usize;
        assert_eq!(nodes.len(), 7 * count("node_count"));
        assert_eq!(edges.len(), 3 * count("edge_count"));
        // Before the objects come the root, its child, and a node for each kind of root.
        assert_eq!(count("node_count") as i64, 9 + number(&heap["objects"]));
        let bytes: u64 = nodes.chunks(7).map(|node| node[3]).sum();
        assert_eq!(bytes as i64, number(&heap["shallow_bytes"]));
        let of_nodes: u64 = nodes.chunks(7).map(|node| node[4]).sum();
        assert_eq!(of_nodes as usize, count("edge_count"));
        assert!(nodes.iter().all(|&number| number <= u32::MAX.into()));
        for edge in edges.chunks(3) {
            assert!(edge[2] % 7 == 0 && edge[2] < nodes.len() as u64, "{edge:?}");
            assert!(edge[0] == 1 || edge[1] < strings, "{edge:?}");
        }
    });
}
