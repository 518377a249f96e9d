//! What a snapshot of the object graph answers besides who holds what: its export,
//! duplicates, and Python's private heap, on every CPython.

mod support;

use std::collections::BTreeMap;

use serde_json::Value;

use support::{answer, each_python, number, program, pythons, record_heap, record_heap_with, sum};

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

#[test]
fn equal_strings_and_bytes_are_told_with_what_one_of_each_would_save() {
    each_python(|python| {
        let recorded = record_heap(python, "heap_answers.py");
        let out = recorded.stdout();
        let sizes: Vec<i64> = out.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let (text_bytes, bytes_bytes) = (sizes[0], sizes[1]);
        let capture = recorded.capture();
        let duplicates = &heap_json(&capture)["duplicates"];
        let groups = duplicates["largest"].as_array().expect("groups");
        let group = |start: &str| {
            groups.iter().find(|group| group["value"].as_str().is_some_and(|value| value.starts_with(start)))
        };
        let texts = group("'duplicate text-").expect("the equal strings");
        assert_eq!((texts["type"].as_str(), number(&texts["count"])), (Some("str"), 100), "{texts}");
        assert_eq!(number(&texts["bytes"]), 100 * text_bytes, "{texts}");
        assert_eq!(number(&texts["saved_bytes"]), 99 * text_bytes, "{texts}");
        assert_eq!(texts["example"], "__main__.TEXTS[0]");
        let raw = group("b'raw \\x00\\xffcontent ").expect("the equal bytes");
        assert_eq!((raw["type"].as_str(), number(&raw["count"])), (Some("bytes"), 50), "{raw}");
        assert_eq!(number(&raw["saved_bytes"]), 49 * bytes_bytes, "{raw}");
        // One object of many references, values alike only at their beginning, and interned ones.
        for start in ["'one string", "'xxx", "'interned name"] {
            assert_eq!(group(start), None, "{start}");
        }
        let all: i64 = groups.iter().map(|group| number(&group["saved_bytes"])).sum();
        assert!(groups.len() < 1000 && all == number(&duplicates["saved_bytes"]), "{all}");
        let text = answer(&[&"heap", &capture, &"--duplicates"]);
        assert!(text.contains("__main__.TEXTS[0]") && text.contains("'duplicate text-"), "{text}");
        let overview = answer(&[&"heap", &capture]);
        assert!(overview.contains("\nDuplicates  "), "{overview}");
    });
}

/// What `sys._debugmallocstats` says: arenas, and by size of block the pools, used and free blocks.
fn said_by_the_allocator(stderr: &str) -> (i64, BTreeMap<i64, [i64; 3]>) {
    let mut classes = BTreeMap::new();
    let mut arenas = None;
    for line in stderr.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers: Vec<i64> = words.iter().filter_map(|word| word.replace(',', "").parse().ok()).collect();
        if words.starts_with(&["#", "arenas", "allocated", "current"]) {
            arenas = numbers.first().copied();
        }
        if let ([_, size, pools, used, free], 5) = (&numbers[..], words.len()) {
            classes.insert(*size, [*pools, *used, *free]);
        }
    }
    (arenas.expect("the number of arenas"), classes)
}

#[test]
fn the_private_heap_is_as_the_allocator_itself_says() {
    each_python(|python| {
        let recorded = record_heap(python, "heap_answers.py");
        recorded.stdout();
        // It says it only where nothing stands before it, so in a run that is not recorded.
        let plain = python.command().arg(program("heap_answers.py")).output().expect("Python runs");
        let stderr = String::from_utf8_lossy(&plain.stderr);
        let (arenas, said) = said_by_the_allocator(&stderr);
        assert!(said.len() > 10, "{stderr}");
        let capture = recorded.capture();
        let heap = heap_json(&capture);
        let private = &heap["private_heap"];
        assert_eq!(heap["private_heap_missing"], Value::Null);
        let ours = number(&private["arenas"]);
        assert!((ours - arenas).abs() <= 1, "3.{}: {arenas} arenas\n{private}", python.minor);
        let count = |key: &str| number(&private[key]);
        assert_eq!(count("used_bytes") + count("free_bytes") + count("overhead_bytes"), count("arena_bytes"));
        assert_eq!(count("arena_bytes") / ours, if python.minor < 10 { 256 << 10 } else { 1 << 20 });
        let classes = private["classes"].as_array().expect("classes");
        let mut pools = 0;
        for class in classes {
            let number = |key: &str| number(&class[key]);
            // When the snapshot is taken the interpreter has let go of some hundred blocks.
            let slack = if number("block_bytes") == 256 { 10 } else { 150 };
            let &[their_pools, their_used, their_free] = said.get(&number("block_bytes")).unwrap_or(&[0; 3]);
            pools += number("pools");
            assert!((number("pools") - their_pools).abs() <= 3, "3.{}: {class}\n{stderr}", python.minor);
            assert!(
                (number("used_blocks") - their_used).abs() <= slack,
                "3.{}: {class}\n{stderr}",
                python.minor
            );
            let room = number("used_blocks") + number("free_blocks");
            let of_a_pool = room / number("pools");
            assert_eq!(their_used + their_free, of_a_pool * their_pools, "3.{}: {class}", python.minor);
        }
        assert_eq!(pools, count("pools"));
        assert_eq!(number(&private["elsewhere"]["blocks"]), 0, "{private}");
        // Forty of the twenty thousand, spread over all the arenas that they filled.
        let large = classes.iter().find(|class| class["block_bytes"] == 256).expect("the class of 256");
        assert!(number(&large["used_blocks"]) >= 40, "{large}");
        assert!(number(&large["free_blocks"]) > 500, "{large}");
        let line = line_of("heap_answers.py", "MADE = ");
        let rows = kept_by(private);
        let made = rows.iter().filter(|row| row["allocated_at"]["line"] == line && row["type"] == "bytes");
        let kept: i64 = made.map(|row| number(&row["blocks"])).sum();
        assert!((20..=40).contains(&kept), "3.{}: {kept} of 40\n{private}", python.minor);
        let text = answer(&[&"heap", &capture, &"--private-heap"]);
        assert!(text.contains("Arenas kept by few blocks: "), "{text}");
    });
}

#[test]
fn without_the_allocator_the_private_heap_is_unknown_and_says_why() {
    for python in pythons() {
        let recorded = record_heap_with(python, "heap_answers.py", &[("PYTHONMALLOC", "malloc")]);
        let heap = heap_json(&recorded.capture());
        assert_eq!(heap["private_heap"], Value::Null);
        let why = heap["private_heap_missing"].as_str().expect("a reason");
        assert!(why.contains("PYTHONMALLOC"), "{why}");
        let text = answer(&[&"heap", &recorded.capture(), &"--private-heap"]);
        assert!(text.contains("No private heap: "), "{text}");
    }
}

/// The line of a program that begins so.
fn line_of(name: &str, start: &str) -> usize {
    let source = std::fs::read_to_string(program(name)).expect("the program");
    source.lines().position(|line| line.trim_start().starts_with(start)).expect("the line") + 1
}

/// What keeps the sparse arenas.
fn kept_by(private: &Value) -> Vec<&Value> {
    let arenas = private["sparse_arenas"].as_array().expect("arenas");
    let mut all = Vec::new();
    for arena in arenas {
        let rows = arena["kept_by"].as_array().expect("what keeps it");
        let told: i64 = rows.iter().map(|row| number(&row["blocks"])).sum();
        assert!(told <= number(&arena["used_blocks"]), "{arena}");
        all.extend(rows);
    }
    all
}

#[test]
fn what_is_mapped_and_is_no_arena_is_left_alone_in_the_child_too() {
    each_python(|python| {
        let recorded = record_heap(python, "heap_maps.py");
        let pid = recorded.stdout();
        for capture in [recorded.capture(), recorded.capture_of(pid.trim())] {
            let heap = heap_json(&capture);
            let private = &heap["private_heap"];
            let arenas = number(&private["arenas"]);
            assert!((1..200).contains(&arenas), "3.{}: {private}", python.minor);
            assert_eq!(number(&private["elsewhere"]["blocks"]), 0, "3.{}: {private}", python.minor);
            let blocks: i64 = sum(&private["classes"], "used_blocks");
            assert!((5_000..40_000).contains(&blocks), "3.{}: {private}", python.minor);
        }
        // Lists, and the blocks of their items, which are no objects.
        let heap = heap_json(&recorded.capture());
        let rows = kept_by(&heap["private_heap"]);
        let line = line_of("heap_maps.py", "KEPT.append");
        let ours = rows.iter().filter(|row| row["allocated_at"]["line"] == line);
        let of = |of: Value| -> i64 {
            ours.clone().filter(|row| row["type"] == of).map(|row| number(&row["blocks"])).sum()
        };
        let (lists, buffers) = (of("list".into()), of(Value::Null));
        assert!((10..=45).contains(&lists), "3.{}: {lists} of 40 lists, {rows:?}", python.minor);
        assert!((10..=45).contains(&buffers), "3.{}: {buffers} of 40 buffers, {rows:?}", python.minor);
    });
}
