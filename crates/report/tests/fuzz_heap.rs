//! Damaged object graphs: whatever their records say, they are shown or refused with words.
//! Never a panic, never a hang, and memory in proportion.
//!
//! The variables are those of `fuzz.rs`.

use std::path::Path;

use memsight_capture::{
    Arena, ArenaBlocks, ArenasEnd, Content, Domain, Edge, Label, LooseBlocks, NodeId, Object, ObjectBytes,
    ObjectId, Pool, Record, Root, RootKind, Snapshot as Begin, SnapshotEnd, SnapshotReason, SnapshotRecord,
    TypeId, WordId,
};
use memsight_heap::{Dominators, Follow, Reach, Snapshot};
use memsight_insight::testing::{Writer, counts, start};
use memsight_insight::{Moment, Program};
use memsight_report::heap::{self, Heap};
use memsight_report::heap_leaks::HeldBySite;
use memsight_report::text::{self, Look, Outcome};
use memsight_report::{
    Series, heap_diff, heap_duplicates, heap_gc, heap_loose, heap_loose_json, heap_private, heap_snapshots,
    heapsnapshot, json, view::View,
};

mod damage;

/// A capture with two snapshots, and every kind of record in them.
fn whole() -> Vec<u8> {
    let mut w = Writer::new(start());
    let thread = w.thread(0, b"main");
    let node = w.frame(thread, "/work/orders.py", "load", 10);
    for line in 1..6 {
        let node = w.frame(node, "/work/orders.py", "parse", line * 10);
        w.birth(node, Some(line), counts(30, 3000, 1, 100));
    }
    w.tick(10).flush();
    for (at_ns, reason) in [(10_000_000, SnapshotReason::Peak), (20_000_000, SnapshotReason::Exit)] {
        let begin = Begin { reason, at_ns, live_bytes: 14_500 };
        snapshot(&mut w, begin, node);
        w.tick(at_ns / 1_000_000 + 5).flush();
    }
    w.end(40).bytes()
}

/// Forty objects: modules, dicts, lists that hold each other, strings that are there twice.
fn snapshot(w: &mut Writer, begin: Begin, node: NodeId) {
    let mut put = |record| {
        w.put(Record::Snapshot(record));
    };
    put(SnapshotRecord::Begin(begin));
    put(SnapshotRecord::Root(Root { kind: RootKind::Modules, target: ObjectId(0) }));
    let (function, file, name) = (b"load".as_slice(), b"/work/orders.py".as_slice(), b"rows".as_slice());
    let kind = RootKind::Local { function, file, line: 11, name };
    put(SnapshotRecord::Root(Root { kind, target: ObjectId(2) }));
    put(SnapshotRecord::Root(Root { kind: RootKind::Frame, target: ObjectId(3) }));
    for name in ["dict", "module", "list", "str", "bytes", "int", "orders.Order", "set"] {
        put(SnapshotRecord::ObjectType(name.as_bytes()));
    }
    for word in ["__dict__", "args"] {
        put(SnapshotRecord::Word(word.as_bytes()));
    }
    for number in 0..40u32 {
        let hash = u64::from(number % 6);
        let content = match number % 8 {
            3 => Content::Text { text: b"orders", hash, interned: number < 8 },
            4 => Content::Bytes { start: b"\x00\xff\x1b[1m", hash },
            5 => Content::Int(i64::from(number) - 20),
            _ => Content::Unknown,
        };
        put(SnapshotRecord::Object(Object {
            type_id: TypeId(number % 8),
            address: 0x7f00_0000_0000 + u64::from(number) * 64,
            references: (number != 9).then_some(u64::from(number % 5)),
            tracked: number % 2 == 0,
            content,
        }));
        if number % 8 < 3 || number % 8 > 5 {
            let labels = [
                Label::Value(ObjectId(3)),
                Label::Attribute(ObjectId(11)),
                Label::Field(WordId(number % 2)),
                Label::Item(u64::from(number)),
                Label::Key,
                Label::Local(ObjectId(19)),
                Label::Type,
                Label::Unknown,
            ];
            for (at, label) in (1..).zip(labels) {
                let target = ObjectId((number * 7 + at * at) % 40);
                put(SnapshotRecord::Edge(Edge { label, target }));
            }
        }
    }
    for number in 0..40 {
        let node = NodeId(node.0 + number % 6);
        let bytes = ObjectBytes { node, block: 64, buffers: u64::from(number) * 8 };
        put(SnapshotRecord::ObjectBytes(bytes));
    }
    put(SnapshotRecord::LooseBlocks(LooseBlocks { node, domain: Domain::Mem, blocks: 2, bytes: 900 }));
    for number in 0..3 {
        let (bytes, pool_bytes) = (1 << 20, 16 << 10);
        let address = 0x7f00_0000_0000 + number * bytes;
        let arena = Arena { address, bytes, pool_bytes, free_pools: 3, fresh_pools: 50 };
        put(SnapshotRecord::Arena(arena));
        for place in 0..11 {
            let pool = Pool { place, block_bytes: 64, blocks: 255, used: 40, recorded: 39, asked: 2400 };
            put(SnapshotRecord::Pool(pool));
        }
        put(SnapshotRecord::ArenaBlocks(ArenaBlocks { node, blocks: 3, bytes: 190 }));
    }
    let (elsewhere_blocks, elsewhere_bytes) = (4, 500);
    put(SnapshotRecord::ArenasEnd(ArenasEnd { elsewhere_blocks, elsewhere_bytes, missing: b"" }));
    put(SnapshotRecord::End(SnapshotEnd { objects: 40, paused_ns: 900_000, missing: b"a type" }));
}

/// Shows the object graph in every way. Whether it could be read.
fn show(path: &Path, intact: (&Snapshot, &Program)) -> bool {
    let Ok(program) = Program::load(path, &|_, _, _| {}) else { return false };
    let look = Look { width: 80, color: false };
    let mut shown = heap_gc(&program, &look, None) + &heap_snapshots(&program, &look);
    let count = program.first().recording.snapshots.len();
    let mut series = Series::new(count);
    for number in series.numbers().to_vec() {
        if let Ok(snapshot) = Snapshot::read_number(path, Some(number), Follow::Usual) {
            series.add(&snapshot);
        }
    }
    shown += &series.text(&program, &look, None);
    let mut read = false;
    for (follow, number) in [(Follow::Usual, None), (Follow::Everything, Some(1))] {
        let Ok(snapshot) = Snapshot::read_number(path, number, follow) else { continue };
        read = true;
        let heap = Heap::new(&snapshot, &program);
        shown += &show_heap(&heap, &look);
        shown += &heap_diff(&Heap::new(intact.0, intact.1), &heap, &look, None);
        let held = HeldBySite::new(&snapshot, &program);
        shown += &text::leaks(&program, Some(&held), &look, None);
        shown += &text::view(&program, Moment::End, Default::default(), &look, None).unwrap_or_default();
        let view = View::leaks(&program, Some(&held), None);
        shown += &json::report(&program, Outcome::default(), None, Some(view)).expect("JSON");
        let dominators = Dominators::of(&snapshot.graph, &Reach::of(&snapshot.graph));
        let mut exported = Vec::new();
        heapsnapshot::write(&snapshot.graph, &dominators, &mut exported).expect("memory to write to");
        shown += std::str::from_utf8(&exported).expect("JSON is UTF-8");
    }
    assert!(!shown.contains('\u{1b}'), "a capture's names reach the terminal as they are");
    read
}

fn show_heap(heap: &Heap<'_>, look: &Look) -> String {
    let mut shown = heap::overview(heap, look, None);
    shown += &heap::cycles_text(heap, look, None);
    shown += &heap::json(heap, None);
    shown += &heap_duplicates(heap, look, None);
    shown += &heap_private(heap, look, Some(1000));
    shown += &heap_loose(heap, look, None);
    shown += &heap_loose_json(heap, None);
    let graph = heap.graph();
    for of in graph.types().take(4) {
        let targets: Vec<_> = graph.nodes().filter(|&node| graph.type_of(node) == of).collect();
        shown += &heap::who_holds(heap, &targets, graph.type_name(of), look, None);
    }
    shown
}

#[test]
fn a_damaged_object_graph_is_shown_or_refused() {
    damage::damage_and(whole(), |path| {
        let program = Program::load(path, &|_, _, _| {}).expect("the capture to begin from is whole");
        let snapshot = Snapshot::read(path, Follow::Usual).expect("its object graph is whole");
        move |damaged: &Path| show(damaged, (&snapshot, &program))
    });
}

#[test]
fn a_long_chain_of_objects_is_shown_on_a_small_stack() {
    const LENGTH: u32 = 4000;
    let mut w = Writer::new(start());
    w.tick(10);
    let mut put = |record| {
        w.put(Record::Snapshot(record));
    };
    put(SnapshotRecord::Begin(Begin { reason: SnapshotReason::Exit, at_ns: 1, live_bytes: 1 }));
    put(SnapshotRecord::Root(Root { kind: RootKind::Frame, target: ObjectId(0) }));
    put(SnapshotRecord::ObjectType(b"orders.Order"));
    put(SnapshotRecord::ObjectType(b"orders.Other"));
    for number in 0..LENGTH {
        let (type_id, address) = (TypeId(number % 2), 64 * u64::from(number + 1));
        let (references, content) = (Some(1), Content::Unknown);
        put(SnapshotRecord::Object(Object { type_id, address, references, tracked: true, content }));
        put(SnapshotRecord::Edge(Edge { label: Label::Item(0), target: ObjectId(number + 1) }));
    }
    for number in 0..LENGTH {
        let block = if number + 1 == LENGTH { 1 << 30 } else { 64 };
        put(SnapshotRecord::ObjectBytes(ObjectBytes { node: NodeId(0), block, buffers: 0 }));
    }
    put(SnapshotRecord::End(SnapshotEnd { objects: LENGTH.into(), paused_ns: 0, missing: b"" }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.msight");
    w.end(20).save(&path);
    let show = move || {
        let program = Program::load(&path, &|_, _, _| {}).expect("a whole capture");
        let snapshot = Snapshot::read(&path, Follow::Usual).expect("a whole graph");
        Heap::new(&snapshot, &program).tree(LENGTH as usize).iter().map(|row| row.depth).max()
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(show).unwrap();
    assert_eq!(thread.join().expect("no panic"), Some(LENGTH as usize - 1));
}
