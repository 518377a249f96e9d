//! `fork`: the child's capture holds what happened in the child alone.

use memsight_capture::Domain;

use super::capture::Capture;
use super::frames::{Program, Running, Stack, StackId};
use crate::ledger::Ledger;
use crate::recorder::Recorder;
use crate::thread::Thread;

fn allocate(recorder: &Recorder, thread: &Thread, address: usize, bytes: usize) {
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.allocated(thread, thread.root(), Domain::Malloc, address, bytes, false) };
}

fn fork(recorder: &Recorder, survivor: &Thread) {
    assert!(survivor.enter());
    recorder.before_fork();
    // SAFETY: there is one system thread, and its row is inside.
    unsafe { recorder.after_fork_in_child(Some(survivor), 77) };
    survivor.leave();
}

#[test]
fn the_child_counts_from_zero_and_passes_inherited_blocks_by() {
    let recorder = Recorder::create().unwrap();
    let (one, two) = (recorder.attach(1).unwrap(), recorder.attach(2).unwrap());
    for i in 0..10 {
        allocate(recorder, if i % 2 == 0 { one } else { two }, 0x1000 + i * 16, 100);
    }
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.mapped_block(one.root(), 0x10_0000, 0x4000) };
    recorder.mapped_arena(0x20_0000, 0x1000);
    // Temporary, but in the parent.
    allocate(recorder, one, 0x3000, 5);
    recorder.freed(Some(one), 0x3000, false);
    allocate(recorder, one, 0x3008, 5);
    two.enter();
    fork(recorder, one);

    assert_eq!((recorder.live.bytes(), recorder.live.peak().0), (0, 0));
    assert_eq!(recorder.mapped().0, 0x1000, "the arena is mapped in the child too");
    let ledger = Ledger::create().unwrap();
    assert!(ledger.is_idle(recorder));
    (0..5).for_each(|i| recorder.freed(Some(one), 0x1000 + i * 16, false));
    recorder.freed(Some(one), 0x3008, false);
    recorder.unmapped(0x10_0000, 0x1000);
    recorder.unmapped(0x20_0000, 0x1000);
    assert_eq!((recorder.live.bytes(), recorder.mapped().0), (0, 0));
    assert!(ledger.is_idle(recorder));

    // An inherited block is moved: the child's from then on.
    let block = recorder.take(0x1050).unwrap();
    recorder.release(Some(one), 0x1050, block, false);
    allocate(recorder, one, 0x2000, 7);
    let three = recorder.attach(3).unwrap();
    assert_eq!(three.index().0, 2, "the row of a thread of the parent's is not used again");
    allocate(recorder, three, 0x2010, 8);
    recorder.freed(Some(three), 0x2010, false);

    let mut capture = Capture::default();
    ledger.tick(recorder, &mut capture).unwrap();
    ledger.finish(recorder, &mut capture).unwrap();
    let root = |thread| StackId::of(Stack { thread, places: Vec::new() });
    assert_eq!(capture.sums.len(), 2);
    assert_eq!(capture.sums[&(root(0), Domain::Malloc)].allocated_bytes, 7);
    assert_eq!(capture.live(), (1, 7));
    assert_eq!(capture.temporary.len(), 1);
    assert_eq!(capture.temporary[&root(2)], (1, 8));
    assert_eq!(capture.peak.unwrap().bytes, 15);
    assert_eq!(capture.shares.len(), 2);
    assert_eq!(capture.started, [(0, 77), (2, 3)]);
    assert_eq!(recorder.lost_events(), 0);
}

#[test]
fn a_node_of_the_parents_is_defined_anew_in_the_childs_capture() {
    let recorder = Recorder::create().unwrap();
    let thread = recorder.attach(1).unwrap();
    let (mut program, mut running) = (Program::default(), Running::default());
    program.compile(0, 3);
    (0..3).for_each(|offset| running.call(&mut program, 0, offset));
    let allocate = |address| {
        // SAFETY: one system thread, and the frames stand still.
        unsafe {
            let node = recorder.stack(thread, running.top(), &program);
            recorder.allocated(thread, node, Domain::Object, address, 1, false);
        }
    };
    allocate(0x1000);
    let mut parent = Capture::default();
    Ledger::create().unwrap().tick(recorder, &mut parent).unwrap();
    fork(recorder, thread);
    allocate(0x1010);
    let mut child = Capture::default();
    Ledger::create().unwrap().finish(recorder, &mut child).unwrap();
    assert_eq!(child.sums, parent.sums);
}

#[test]
fn groups_that_waited_to_be_used_again_are_not_the_childs() {
    let recorder = Recorder::create().unwrap();
    let thread = recorder.attach(1).unwrap();
    let ledger = Ledger::create().unwrap();
    allocate(recorder, thread, 0x1000, 1);
    recorder.freed(Some(thread), 0x1000, false);
    for _ in 0..3 {
        ledger.tick(recorder, &mut Capture::default()).unwrap();
    }
    fork(recorder, thread);
    allocate(recorder, thread, 0x1000, 1);
    assert!(recorder.shadow.peek(0x1000).unwrap().group > recorder.inherited_groups());
    assert_eq!(recorder.live.bytes(), 1);
}

#[test]
fn the_parent_goes_on_as_before() {
    let recorder = Recorder::create().unwrap();
    let thread = recorder.attach(1).unwrap();
    allocate(recorder, thread, 0x1000, 9);
    recorder.before_fork();
    recorder.after_fork_in_parent();
    assert_eq!(recorder.live.bytes(), 9);
    recorder.attach(2).unwrap();
    recorder.freed(Some(thread), 0x1000, false);
    assert_eq!(recorder.live.bytes(), 0);
}

#[test]
fn a_child_of_a_child_counts_from_zero_too() {
    let recorder = Recorder::create().unwrap();
    let thread = recorder.attach(1).unwrap();
    for generation in 0..3u32 {
        let address = 0x1000 + generation as usize * 16;
        allocate(recorder, thread, address, 10);
        assert_eq!(recorder.live.bytes(), 10);
        let mut capture = Capture::default();
        Ledger::create().unwrap().finish(recorder, &mut capture).unwrap();
        assert_eq!(capture.live(), (1, 10));
        fork(recorder, thread);
    }
    recorder.freed(Some(thread), 0x1000, false);
    assert_eq!(recorder.live.bytes(), 0);
}
