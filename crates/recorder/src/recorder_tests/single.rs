//! Single cases, most of them bugs that were found.

use memsight_capture::{Domain, NodeId};

use super::capture::Capture;
use super::frames::{Program, Running, Stack, StackId};
use super::world::{World, stack_of};
use crate::ledger::Ledger;
use crate::recorder::Recorder;
use crate::thread::Thread;

/// A recorder with one thread.
fn one_thread() -> (&'static Recorder, &'static Thread) {
    let recorder = Recorder::create().unwrap();
    (recorder, recorder.attach(1).unwrap())
}

fn allocate(recorder: &Recorder, thread: &Thread, node: NodeId, address: usize, bytes: usize) {
    // SAFETY: these tests have one system thread, and the node is the thread's.
    unsafe { recorder.allocated(thread, node, Domain::Malloc, address, bytes, false) };
}

#[test]
fn a_block_off_a_multiple_of_16_is_not_its_neighbour() {
    let (recorder, thread) = one_thread();
    allocate(recorder, thread, thread.root(), 0x1000, 1);
    assert_eq!(recorder.take(0x1008), None);
    assert_eq!(recorder.shadow.peek(0x1008), None);
    allocate(recorder, thread, thread.root(), 0x1008, 2);
    assert_eq!(recorder.take(0x1008).map(|block| block.bytes), Some(2));
    assert_eq!(recorder.take(0x1000).map(|block| block.bytes), Some(1));
}

#[test]
fn a_block_freed_before_the_peak_is_not_in_it() {
    let (recorder, thread) = one_thread();
    allocate(recorder, thread, thread.root(), 0x1000, 100);
    recorder.freed(Some(thread), 0x1000, false);
    allocate(recorder, thread, thread.root(), 0x2000, 101);
    recorder.freed(Some(thread), 0x2000, false);
    let mut capture = Capture::default();
    Ledger::create().unwrap().finish(recorder, &mut capture).unwrap();
    let peak = capture.peak.unwrap();
    assert_eq!((peak.bytes, peak.blocks), (101, 1));
    assert_eq!(capture.shares.values().copied().collect::<Vec<_>>(), [(1, 101)]);
}

#[test]
fn code_that_was_never_seen_running_is_noticed_when_it_dies() {
    let (recorder, thread) = one_thread();
    let (mut program, mut running) = (Program::default(), Running::default());
    let node = |program: &Program, running: &Running| {
        // SAFETY: one system thread, and the frames stand still.
        unsafe { recorder.stack(thread, running.top(), program) }
    };
    // Text 1 has not begun at offset 0; text 3, at the same address, has.
    program.compile(0, 1);
    running.call(&mut program, 0, 0);
    assert_eq!(node(&program, &running), thread.root());
    running.ret(&mut program);
    recorder.tree.code_died(program.let_code_die(0).unwrap());
    program.compile(0, 3);
    running.call(&mut program, 0, 0);
    assert_eq!(stack_of(&recorder.tree, node(&program, &running)).places, [(3, 0)]);
}

#[test]
fn a_thread_that_frees_what_another_allocated_at_the_same_place_counts_no_temporary() {
    let recorder = Recorder::create().unwrap();
    let (one, two) = (recorder.attach(1).unwrap(), recorder.attach(2).unwrap());
    let ledger = Ledger::create().unwrap();
    let mut capture = Capture::default();
    // A peak that nothing later reaches: no other group is kept for its share.
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.allocated(one, one.root(), Domain::Mem, 0x8000, 1000, false) };
    recorder.freed(Some(two), 0x8000, false);
    allocate(recorder, one, one.root(), 0x1000, 8);
    recorder.freed(Some(two), 0x1000, false);
    for _ in 0..3 {
        ledger.tick(recorder, &mut capture).unwrap();
    }
    // The group that the first block was in is used again, for another thread.
    allocate(recorder, two, two.root(), 0x1000, 8);
    assert_eq!(recorder.groups.made(), 2);
    recorder.freed(Some(one), 0x1000, false);
    ledger.finish(recorder, &mut capture).unwrap();
    assert_eq!(capture.temporary.len(), 0);
}

#[test]
fn a_temporary_counted_after_its_group_was_written_is_in_the_capture() {
    let (recorder, thread) = one_thread();
    let ledger = Ledger::create().unwrap();
    let mut capture = Capture::default();
    allocate(recorder, thread, thread.root(), 0x1000, 8);
    recorder.freed(Some(thread), 0x1000, false);
    // SAFETY: the root is a node of the tree.
    let row = unsafe { recorder.tree.node(thread.root()) };
    row.temporary_blocks.store(0, core::sync::atomic::Ordering::Relaxed);
    ledger.tick(recorder, &mut capture).unwrap();
    row.temporary_blocks.store(1, core::sync::atomic::Ordering::Relaxed);
    ledger.finish(recorder, &mut capture).unwrap();
    let root = StackId::of(Stack { thread: 0, places: Vec::new() });
    assert_eq!(capture.temporary.get(&root), Some(&(1, 8)));
}

#[test]
fn threads_that_began_after_the_last_tick_are_in_the_capture() {
    let (recorder, _) = one_thread();
    let two = recorder.attach(2).unwrap();
    recorder.detach(two);
    let mut capture = Capture::default();
    Ledger::create().unwrap().finish(recorder, &mut capture).unwrap();
    assert_eq!(capture.started, [(0, 1), (1, 2)]);
    capture.ended.sort();
    assert_eq!(capture.ended, [0, 1]);
}

#[test]
fn a_thread_inside_the_recorder_does_not_enter_it_again() {
    let (_, thread) = one_thread();
    assert!(thread.enter());
    assert!(!thread.enter());
    thread.leave();
    assert!(thread.enter());
}

#[test]
fn after_256_threads_the_rows_of_ended_ones_are_used_again() {
    let (recorder, _) = one_thread();
    for tid in 2..=300 {
        recorder.detach(recorder.attach(tid).unwrap());
    }
    assert_eq!(recorder.thread_count(), 256);
    let row = recorder.attach(1000).unwrap();
    assert_eq!((row.tid(), row.index().0), (1000, 1));
}

#[test]
fn a_block_of_4_gib_or_more_keeps_its_size() {
    let (recorder, thread) = one_thread();
    for bytes in [u32::MAX as usize - 1, u32::MAX as usize, 1 << 32, 1 << 46] {
        allocate(recorder, thread, thread.root(), 0x1000, bytes);
        assert_eq!(recorder.take(0x1000).map(|block| block.bytes), Some(bytes as u64));
    }
}

#[test]
fn a_map_where_another_was_unmapped_unseen_ends_that_part_of_it() {
    let (recorder, thread) = one_thread();
    let map = |address, bytes| {
        // SAFETY: the node is of this thread.
        unsafe { recorder.mapped_block(thread.root(), address, bytes) };
        recorder.live.bytes()
    };
    assert_eq!(map(0x10_0000, 0xa000), 0xa000);
    assert_eq!(map(0x10_8000, 0x4000), 0x8000 + 0x4000);
    assert_eq!(map(0x10_0000, 0x8000), 0x8000 + 0x4000);
    assert_eq!(recorder.lost_events(), 2);
    recorder.unmapped(0x10_0000, 0xc000);
    assert_eq!(recorder.live.bytes(), 0);
}

#[test]
fn thousands_of_odd_blocks_are_all_found_again() {
    let (recorder, thread) = one_thread();
    let address = |i: usize| 0x1008 + i * 16;
    for round in 0..2 {
        for i in 0..5000 {
            allocate(recorder, thread, thread.root(), address(i), i + round);
        }
        for i in (0..5000).rev() {
            assert_eq!(recorder.take(address(i)).map(|block| block.bytes), Some((i + round) as u64));
            assert_eq!(recorder.take(address(i)), None);
        }
    }
}

#[test]
fn a_realloc_that_fails_changes_nothing() {
    let mut world = World::new();
    world.attach();
    world.malloc(0, Domain::Raw, 0, 7);
    world.realloc(0, Domain::Raw, 0, 9, 0);
    world.tick();
    assert_eq!(world.capture.live(), (1, 7));
    world.realloc(0, Domain::Raw, 0, 9, 1);
    world.tick();
    assert_eq!(world.capture.live(), (1, 9));
    world.finish();
}

#[test]
fn lost_events_are_counted_and_nothing_is_left_alive_by_them() {
    let (recorder, thread) = one_thread();
    assert_eq!(recorder.lost_events(), 0);
    // A table of groups that is full.
    recorder.groups.pretend_full();
    allocate(recorder, thread, thread.root(), 0x1000, 8);
    recorder.freed(Some(thread), 0x1000, false);
    assert_eq!((recorder.lost_events(), recorder.live.bytes()), (1, 0));
    for _ in 0..10 {
        allocate(recorder, thread, thread.root(), 0x1000, 8);
    }
    let full = recorder.groups.made();
    assert_eq!(full as usize, 16384 * 16384 - 1);
}
