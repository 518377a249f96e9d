//! Groups are used again, but never while a thread could still hold one.

use std::cell::Cell;
use std::collections::HashSet;

use memsight_capture::{Domain, NodeId, Record};

use super::capture::Capture;
use super::frames::{Program, Running};
use crate::group::CountAs;
use crate::ledger::Ledger;
use crate::recorder::Recorder;
use crate::thread::Thread;

struct Churn<'a> {
    recorder: &'a Recorder,
    ledger: &'a mut Ledger,
    capture: Capture<'a>,
}

impl<'a> Churn<'a> {
    fn new() -> Self {
        Churn {
            recorder: Recorder::create().unwrap(),
            ledger: Ledger::create().unwrap(),
            capture: Capture::default(),
        }
    }

    fn tick(&mut self) {
        self.ledger.tick(self.recorder, &mut self.capture).unwrap();
    }

    /// Nodes of `count` functions called by the thread.
    fn nodes(&self, thread: &Thread, count: u32) -> Vec<NodeId> {
        let (mut program, mut running) = (Program::default(), Running::default());
        program.compile(0, 0);
        let node = |offset| {
            running.call(&mut program, 0, offset);
            // SAFETY: one system thread, and the frames stand still.
            let node = unsafe { self.recorder.stack(thread, running.top(), &program) };
            running.ret(&mut program);
            node
        };
        (0..count).map(node).collect()
    }
}

/// A peak that nothing later reaches: no other group is kept for its share.
fn a_peak_first(recorder: &Recorder, thread: &Thread) {
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.allocated(thread, thread.root(), Domain::Malloc, 0x8000, 1 << 20, false) };
    recorder.freed(Some(thread), 0x8000, false);
}

/// Allocates and frees at once.
fn churn(recorder: &Recorder, thread: &Thread, node: NodeId, address: usize) {
    assert!(thread.enter());
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.allocated(thread, node, Domain::Object, address, 16, false) };
    recorder.freed(Some(thread), address, false);
    thread.leave();
}

fn group_of(recorder: &Recorder, thread: &Thread, node: NodeId, address: usize) -> u32 {
    // SAFETY: one system thread, and the node is the thread's.
    unsafe { recorder.allocated(thread, node, Domain::Object, address, 16, false) };
    recorder.shadow.peek(address).unwrap().group
}

#[test]
fn ticks_of_the_same_churn_need_no_more_groups() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    let nodes = c.nodes(thread, 50);
    for tick in 0..300 {
        nodes.iter().for_each(|node| churn(c.recorder, thread, *node, 0x1000));
        c.tick();
        assert!(c.recorder.groups.made() <= 4 * 50, "{} in tick {tick}", c.recorder.groups.made());
    }
    c.ledger.finish(c.recorder, &mut c.capture).unwrap();
    assert_eq!(c.capture.sums.values().map(|sum| sum.frees).sum::<u64>(), 300 * 50);
}

#[test]
fn blocks_that_live_for_a_few_ticks_need_no_more_groups() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    let nodes = c.nodes(thread, 20);
    for tick in 0..300usize {
        for (i, node) in nodes.iter().enumerate() {
            let address = |tick: usize| 0x1000 + (tick % 4 * 32 + i) * 16;
            assert!(thread.enter());
            recorder_freed(c.recorder, thread, address(tick));
            // SAFETY: one system thread, and the node is the thread's.
            unsafe { c.recorder.allocated(thread, *node, Domain::Mem, address(tick), 16, false) };
            thread.leave();
        }
        c.tick();
        assert!(c.recorder.groups.made() <= 12 * 20, "{} in tick {tick}", c.recorder.groups.made());
    }
}

fn recorder_freed(recorder: &Recorder, thread: &Thread, address: usize) {
    recorder.freed(Some(thread), address, false);
}

#[test]
fn a_thread_that_stays_inside_keeps_its_group() {
    let mut c = Churn::new();
    let (slow, busy) = (c.recorder.attach(1).unwrap(), c.recorder.attach(2).unwrap());
    let (mine, theirs) = (c.nodes(slow, 1)[0], c.nodes(busy, 20));
    a_peak_first(c.recorder, slow);
    assert!(slow.enter());
    let group = group_of(c.recorder, slow, mine, 0x1000);
    c.recorder.freed(Some(busy), 0x1000, false);
    // It has the group's number in its hand; the group is dead.
    for _ in 0..30 {
        theirs.iter().for_each(|node| churn(c.recorder, busy, *node, 0x2000));
        c.tick();
        assert_eq!(c.recorder.groups.try_get(group).unwrap().node(), mine);
    }
    slow.leave();
    let mut seen = HashSet::new();
    for _ in 0..30 {
        theirs.iter().for_each(|node| churn(c.recorder, busy, *node, 0x2000));
        c.tick();
        seen.insert(c.recorder.groups.made());
    }
    assert_ne!(c.recorder.groups.try_get(group).unwrap().node(), mine, "the group is used again");
    assert!(seen.len() <= 2, "the churn goes on with the groups that there are: {seen:?}");
}

/// What a thread does while a tick is being written, after the next has begun.
fn while_the_threads_are_written<'a>(capture: &mut Capture<'a>, mut act: impl FnMut() + 'a) {
    let done = Cell::new(false);
    capture.meanwhile = Some(Box::new(move |record| {
        if matches!(record, Record::ThreadStart(_)) && !done.replace(true) {
            act();
        }
    }));
}

#[test]
fn a_group_born_and_dead_while_a_tick_is_written_is_closed_and_used_again() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    let node = c.nodes(thread, 1)[0];
    let recorder = c.recorder;
    a_peak_first(recorder, thread);
    while_the_threads_are_written(&mut c.capture, move || churn(recorder, thread, node, 0x1000));
    c.tick();
    for _ in 0..4 {
        c.tick();
    }
    assert_eq!(c.capture.open_but_dead(), 0);
    churn(recorder, thread, node, 0x1000);
    assert_eq!(recorder.groups.made(), 2);
}

#[test]
fn a_group_is_not_used_again_under_a_thread_that_came_in_after_it_first_died() {
    let mut c = Churn::new();
    let (owner, slow) = (c.recorder.attach(1).unwrap(), c.recorder.attach(2).unwrap());
    let (node, others) = (c.nodes(owner, 1)[0], c.nodes(slow, 20));
    let recorder = c.recorder;
    a_peak_first(recorder, owner);
    assert!(slow.enter());
    // Born in the next tick already, and dead: seen while this tick is written.
    while_the_threads_are_written(&mut c.capture, move || churn(recorder, owner, node, 0x1000));
    c.tick();
    let group = group_of(recorder, owner, node, 0x1000);
    recorder.freed(Some(owner), 0x1000, false);
    // Its owner comes in, finds the group, and is held up.
    assert!(owner.enter());
    c.tick();
    slow.leave();
    for _ in 0..5 {
        c.tick();
        others.iter().for_each(|node| churn(recorder, slow, *node, 0x2000));
        assert_eq!(recorder.groups.try_get(group).unwrap().node(), node);
    }
}

#[test]
fn a_group_that_comes_back_to_life_after_it_was_closed_is_written_again() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    a_peak_first(c.recorder, thread);
    let node = c.nodes(thread, 1)[0];
    assert!(thread.enter());
    let group = group_of(c.recorder, thread, node, 0x1000);
    c.recorder.freed(Some(thread), 0x1000, false);
    let recorder = c.recorder;
    // The thread read the tick before it ended, and goes on in its group now.
    let row = recorder.groups.try_get(group).unwrap();
    c.tick();
    let late = || {
        row.add(16, 1);
        recorder.live.add(16, 0, CountAs::OnlyThread);
        recorder.groups.changed(group, row);
        recorder.shadow.set(0x1000, group, 16).unwrap();
    };
    late();
    c.tick();
    c.tick();
    assert_eq!(c.capture.live(), (1, 16));
    recorder.freed(Some(thread), 0x1000, false);
    c.tick();
    late();
    recorder.freed(Some(thread), 0x1000, false);
    for _ in 0..5 {
        c.tick();
    }
    thread.leave();
    assert_eq!(c.capture.live(), (0, 0));
    assert_eq!(c.capture.open_but_dead(), 0);
    assert_eq!(recorder.groups.try_get(group).unwrap().node(), node);
    for _ in 0..3 {
        c.tick();
        churn(recorder, thread, node, 0x1000);
    }
    assert!(recorder.groups.made() <= 4);
    c.ledger.finish(recorder, &mut c.capture).unwrap();
    let sum = c.capture.sums.iter().find(|(key, _)| key.1 == Domain::Object).unwrap().1;
    assert_eq!((sum.allocations, sum.frees), (6, 6));
}

#[test]
fn a_late_change_of_a_group_that_waits_to_be_used_again_does_no_harm() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    let nodes = c.nodes(thread, 2);
    a_peak_first(c.recorder, thread);
    let group = group_of(c.recorder, thread, nodes[0], 0x1000);
    c.recorder.freed(Some(thread), 0x1000, false);
    (0..3).for_each(|_| c.tick());
    // A thread without a row, which nothing waits for, ends its free only now.
    c.recorder.groups.changed(group, c.recorder.groups.try_get(group).unwrap());
    (0..5).for_each(|_| c.tick());
    let groups =
        [group_of(c.recorder, thread, nodes[0], 0x1000), group_of(c.recorder, thread, nodes[1], 0x2000)];
    assert_ne!(groups[0], groups[1], "two nodes have one group");
}

#[test]
fn shares_of_the_peak_are_right_long_after_their_groups_died() {
    let mut c = Churn::new();
    let thread = c.recorder.attach(1).unwrap();
    let nodes = c.nodes(thread, 40);
    let address = |i: usize| 0x1000 + i * 16;
    for round in 1..=2usize {
        for (i, node) in nodes.iter().enumerate() {
            // SAFETY: one system thread, and the node is the thread's.
            unsafe { c.recorder.allocated(thread, *node, Domain::Raw, address(i), 1000 * round + i, false) };
        }
        (0..nodes.len()).for_each(|i| c.recorder.freed(Some(thread), address(i), false));
        for _ in 0..50 {
            nodes.iter().for_each(|node| churn(c.recorder, thread, *node, 0x9000));
            c.tick();
        }
        // The groups of the first peak are given back after the second.
        assert!(c.recorder.groups.made() <= 5 * 40);
    }
    c.ledger.finish(c.recorder, &mut c.capture).unwrap();
    let expected: u64 = (0..40).map(|i| 2000 + i).sum();
    let peak = c.capture.peak.unwrap();
    assert_eq!((peak.bytes, peak.blocks, peak.tick.0), (expected, 40, 50));
    assert_eq!(c.capture.shares.len(), 40);
    for ((key, birth), share) in &c.capture.shares {
        assert_eq!(*share, (1, 2000 + u64::from(key.0.get().places[0].1)));
        assert_eq!((key.1, *birth), (Domain::Raw, 50));
    }
}
