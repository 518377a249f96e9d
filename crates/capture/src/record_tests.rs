use super::*;
use crate::start::{Start, Track};

fn bytes_of(record: &Record<'_>) -> Vec<u8> {
    let mut buffer = [0; 512];
    let mut out = Out::new(&mut buffer);
    record.encode(&mut out).unwrap();
    out.written().to_vec()
}

fn examples() -> Vec<Record<'static>> {
    let counts = Group { allocations: 3, allocated_bytes: 300, frees: 1, freed_bytes: 100 };
    vec![
        Record::Start(Start {
            run_id: *b"0123456789abcdef",
            pid: 4711,
            parent: 1,
            image: 0,
            started_unix_ns: 1_700_000_000_000_000_000,
            track: Track::Heap,
            native: false,
            machine_total_bytes: 1 << 34,
            cgroup_limit_bytes: Some(0),
            executable: b"/bin/true",
            cwd: b"/",
            command: Strings::from_nul_ended(b"true\0--help\0"),
        }),
        Record::Interpreter(Interpreter { version: b"3.11.7", stacks: true }),
        Record::Code(CodeDef {
            file: b"a.py",
            name: b"f",
            first_line: 7,
            table: LineTable::Locations311,
            lines: &[0x80, 1],
        }),
        Record::Node(NodeDef { parent: NodeId(0), kind: NodeKind::Thread(ThreadIndex(2)) }),
        Record::Node(NodeDef { parent: NodeId(1), kind: NodeKind::Python { code: CodeId(0), offset: 300 } }),
        Record::Node(NodeDef { parent: NodeId(1), kind: NodeKind::Native { address: u64::MAX } }),
        Record::ThreadStart(ThreadStart { thread: ThreadIndex(0), tid: 5, name: b"main" }),
        Record::ThreadEnd(ThreadEnd { thread: ThreadIndex(0), stack_bytes_high_water: Some(8192) }),
        Record::GroupBirth(GroupBirth {
            node: NodeId(2),
            domain: Domain::Mmap,
            slot: None,
            counts: Group { frees: 3, freed_bytes: 300, ..counts },
        }),
        Record::GroupBirth(GroupBirth {
            node: NodeId(2),
            domain: Domain::Mem,
            slot: Some(GroupSlot(9)),
            counts,
        }),
        Record::GroupChange(GroupChange { slot: GroupSlot(9), closed: false, counts }),
        Record::GroupChange(GroupChange {
            slot: GroupSlot(9),
            closed: true,
            counts: Group { frees: 1, freed_bytes: 100, ..Group::default() },
        }),
        Record::Temporary(Temporary { node: NodeId(2), allocations: 4, bytes: 64 }),
        Record::Tick(Tick { gc: Some(Gc { collections: [9, 3, 1], ..Gc::default() }), ..Tick::default() }),
        Record::Tick(Tick { index: TickIndex(1), live_bytes: 200, ..Tick::default() }),
        Record::Peak(Peak { tick: TickIndex(0), bytes: 300, blocks: 3 }),
        Record::PeakShare(PeakShare {
            node: NodeId(2),
            domain: Domain::Raw,
            birth: TickIndex(0),
            blocks: 3,
            bytes: 300,
        }),
        Record::TypeName(b"collections.OrderedDict"),
        Record::TypeShare(TypeShare { node: NodeId(2), type_id: TypeId(0), blocks: 1, bytes: 200 }),
        Record::Child(Child { pid: 4712, kind: ChildKind::Spawn }),
        Record::End(End { reason: EndReason::Failed, at_ns: 5, detail: b"no space left on device" }),
    ]
}

#[test]
fn every_record_comes_back() {
    for record in examples() {
        let bytes = bytes_of(&record);
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(Record::decode(&mut cursor), Ok(record));
        assert!(cursor.at_end());
    }
}

#[test]
fn every_record_cut_short_is_malformed() {
    for record in examples() {
        let bytes = bytes_of(&record);
        for end in 0..bytes.len() {
            assert!(Record::decode(&mut Cursor::new(&bytes[..end])).is_err(), "{record:?} cut at {end}");
        }
    }
}

#[test]
fn a_record_that_does_not_fit_leaves_the_buffer_as_it_was() {
    for record in examples() {
        let len = bytes_of(&record).len();
        let mut buffer = vec![0; len + 1];
        let mut out = Out::new(&mut buffer);
        out.byte(7).unwrap();
        out.byte(7).unwrap();
        assert_eq!(record.encode(&mut out), Err(Full));
        assert_eq!(out.written(), [7, 7]);
    }
}

#[test]
fn groups_are_written_as_drawn() {
    let counts = Group { allocations: 5, allocated_bytes: 300, frees: 5, freed_bytes: 300 };
    let closed = GroupBirth { node: NodeId(3), domain: Domain::Malloc, slot: None, counts };
    assert_eq!(bytes_of(&Record::GroupBirth(closed)), [7 | 3 << 5, 3, 5, 0xac, 2]);
    let open = GroupBirth { slot: Some(GroupSlot(1)), domain: Domain::Object, ..closed };
    assert_eq!(bytes_of(&Record::GroupBirth(open)), [8, 3, 1, 5, 0xac, 2, 5, 0xac, 2]);
    let deaths = Group { frees: 2, freed_bytes: 128, ..Group::default() };
    let change = GroupChange { slot: GroupSlot(1), closed: false, counts: deaths };
    assert_eq!(bytes_of(&Record::GroupChange(change)), [19, 1, 2, 0x80, 1]);
    assert_eq!(bytes_of(&Record::GroupChange(GroupChange { closed: true, ..change }))[0], 20);
    let late = GroupChange { counts, ..change };
    assert_eq!(bytes_of(&Record::GroupChange(late)), [9, 1, 5, 0xac, 2, 5, 0xac, 2]);
    assert_eq!(bytes_of(&Record::GroupChange(GroupChange { closed: true, ..late }))[0], 10);
}

#[test]
fn nodes_and_ticks_are_written_as_drawn() {
    let thread = NodeDef { parent: NodeId(0), kind: NodeKind::Thread(ThreadIndex(2)) };
    assert_eq!(bytes_of(&Record::Node(thread)), [4, 0, 0, 2]);
    let python = NodeDef { parent: NodeId(1), kind: NodeKind::Python { code: CodeId(6), offset: 128 } };
    assert_eq!(bytes_of(&Record::Node(python)), [4, 1, 1, 6, 0x80, 1]);
    let native = NodeDef { parent: NodeId(1), kind: NodeKind::Native { address: 127 } };
    assert_eq!(bytes_of(&Record::Node(native)), [4, 1, 2, 127]);
    let tick = Tick {
        index: TickIndex(1),
        end_ns: 2,
        rss_bytes: 3,
        live_bytes: 4,
        peak_bytes: 5,
        peak_tick: TickIndex(6),
        reserved_bytes: 7,
        file_mapped_bytes: 8,
        recorder_bytes: 9,
        lost_events: 10,
        gc: None,
    };
    assert_eq!(bytes_of(&Record::Tick(tick)), [12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]);
    let gc = Gc { collections: [11, 12, 13], collected: 14, uncollectable: 15, sampled_ns: 16 };
    let bytes = bytes_of(&Record::Tick(Tick { gc: Some(gc), ..tick }));
    assert_eq!(bytes, [12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 11, 12, 13, 14, 15, 16]);
}

#[test]
fn a_command_line_is_its_arguments() {
    let command = Strings::from_nul_ended(b"python\0-c\0\0");
    assert_eq!(command.iter().collect::<Vec<_>>(), [&b"python"[..], b"-c", b""]);
    assert_eq!(Strings::default().iter().count(), 0);
}

proptest::proptest! {
    #[test]
    fn random_bytes_decode_or_are_malformed(bytes in proptest::collection::vec(0u8.., 0..200)) {
        let mut cursor = Cursor::new(&bytes);
        while !cursor.at_end() {
            if Record::decode(&mut cursor).is_err() { break; }
        }
        proptest::prop_assert!(cursor.position() <= bytes.len());
    }
}
