//! The stack cache against a full walk at every event.

use memsight_capture::{NodeId, ThreadIndex};
use proptest::prelude::*;

use super::frames::{Program, Running};
use super::world::stack_of;
use crate::memory;
use crate::recorder::Recorder;
use crate::stack::StackCache;
use crate::tree::Tree;

struct Walker<'a> {
    tree: &'a Tree,
    root: NodeId,
    cache: StackCache,
}

impl Walker<'_> {
    fn new() -> Self {
        let tree = &Recorder::create().unwrap().tree;
        let root = tree.root(ThreadIndex(0)).unwrap();
        // SAFETY: an empty cache is all zeroes.
        Walker { tree, root, cache: unsafe { core::mem::zeroed() } }
    }

    fn node(&mut self, program: &Program, top: u64) -> NodeId {
        match top {
            0 => self.root,
            _ => self.cache.node(top, self.root, self.tree, program).unwrap(),
        }
    }

    /// The cached walk and the full one say the same.
    fn compare(&mut self, program: &Program, running: &Running) {
        let node = self.node(program, running.top());
        assert_eq!(stack_of(self.tree, node), program.walk(0, running.top()));
    }

    /// How many frames have to be looked up.
    fn described(&mut self, program: &Program, running: &Running) -> usize {
        program.described.set(0);
        self.compare(program, running);
        program.described.get()
    }
}

#[test]
fn a_stack_of_5000_frames_is_walked_and_kept() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    (0..4).for_each(|slot| program.compile(slot, slot as u32));
    for depth in 0..5000 {
        running.call(&mut program, depth % 4, depth as u32 % 11);
    }
    assert_eq!(walker.described(&program, &running), 5000);
    assert_eq!(walker.described(&program, &running), 0);
    // Another line in the middle: everything above it is another node.
    program.go_to(running.frames[2500], 77);
    assert_eq!(walker.described(&program, &running), 2500);
    // And back: the nodes are remembered.
    program.go_to(running.frames[2500], 2500 % 11);
    assert_eq!(walker.described(&program, &running), 0);
    for _ in 0..4999 {
        running.ret(&mut program);
    }
    assert_eq!(walker.described(&program, &running), 0);
    for _ in 0..4999 {
        running.call(&mut program, 0, 0);
    }
    walker.compare(&program, &running);
}

#[test]
fn two_calls_from_two_lines_are_two_stacks() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    (0..2).for_each(|slot| program.compile(slot, slot as u32));
    running.call(&mut program, 0, 0);
    let mut tops = Vec::new();
    for line in [0, 1, 0] {
        program.go_to(running.top(), line);
        running.call(&mut program, 1, 2);
        tops.push(running.top());
        walker.compare(&program, &running);
        running.ret(&mut program);
    }
    assert!(tops.iter().all(|top| *top == tops[0]), "the frame is at the same address each time");
}

#[test]
fn recursion_through_one_code_object_is_told_apart() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    program.compile(0, 3);
    for depth in 1..=300 {
        running.call(&mut program, 0, 5);
        walker.compare(&program, &running);
        if depth % 3 == 0 {
            running.ret(&mut program);
            walker.compare(&program, &running);
        }
    }
}

#[test]
fn a_generator_resumed_by_another_caller_is_found_under_it() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    (0..3).for_each(|slot| program.compile(slot, slot as u32));
    running.call(&mut program, 0, 0);
    running.call(&mut program, 1, 3);
    let generator = program.frame(Some(2), 5);
    for caller in [None, Some(4), None, Some(3)] {
        if let Some(offset) = caller {
            running.call(&mut program, 0, offset);
        }
        running.enter(&mut program, generator);
        walker.compare(&program, &running);
        running.leave(&mut program);
        if caller.is_some() {
            running.ret(&mut program);
        }
    }
}

#[test]
fn frames_that_are_none_of_the_language_are_left_out() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    // Text 1 begins at offset 2, text 6 cannot be read.
    (0..7).for_each(|slot| program.compile(slot, slot as u32));
    for _ in 0..3 {
        for (slot, offset) in [(0, 0), (1, 0), (1, 2), (6, 3), (2, 3), (0, 9)] {
            running.call(&mut program, slot, offset);
            walker.compare(&program, &running);
            let shim = program.frame(None, 0);
            running.enter(&mut program, shim);
            walker.compare(&program, &running);
        }
        // One in the middle begins.
        program.go_to(running.frames[2], 4);
        walker.compare(&program, &running);
        program.go_to(running.frames[2], 0);
        walker.compare(&program, &running);
        (0..5).for_each(|_| running.ret(&mut program));
        walker.compare(&program, &running);
    }
}

#[test]
fn below_a_marked_frame_nothing_is_looked_at() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    program.has_marks = true;
    program.compile(0, 0);
    (0..1000).for_each(|depth| running.call(&mut program, 0, depth));
    for _ in 0..2 {
        walker.compare(&program, &running);
    }
    running.frames[..990].iter().for_each(|&frame| program.forbid(frame));
    for depth in 0..20 {
        running.call(&mut program, 0, depth);
        walker.node(&program, running.top());
        walker.node(&program, running.top());
        running.ret(&mut program);
        walker.node(&program, running.top());
    }
}

#[test]
fn equal_code_at_two_addresses_is_one_node() {
    let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
    program.compile(0, 9);
    program.compile(1, 9);
    running.call(&mut program, 0, 1);
    let one = walker.node(&program, running.top());
    running.ret(&mut program);
    running.call(&mut program, 1, 1);
    assert_eq!(walker.node(&program, running.top()), one);
}

fn step(program: &mut Program, running: &mut Running, generators: &mut Vec<u64>, tree: &Tree, random: u64) {
    let pick = |shift: u32| (random >> shift) as usize & 0xff;
    let (slot, offset) = (pick(8) % 6, (pick(16) % 5) as u32);
    match random % 16 {
        0..5 => {
            program.compile(slot, (pick(24) % 16) as u32);
            running.call(program, slot, offset);
        }
        5 => {
            let shim = program.frame(None, 0);
            running.enter(program, shim);
        }
        6 => (0..pick(24) % 8).for_each(|_| running.raise(program)),
        7..10 => running.ret(program),
        10 => generators.extend(running.leave(program)),
        11 if !generators.is_empty() => {
            let frame = generators.swap_remove(pick(24) % generators.len());
            running.enter(program, frame);
        }
        12 => {
            if let Some(code) = program.let_code_die(slot) {
                tree.code_died(code);
            }
        }
        13 if !running.frames.is_empty() => {
            let at = pick(24) % running.frames.len();
            if program.has_marks {
                (at + 1..running.frames.len()).for_each(|_| running.ret(program));
            }
            program.go_to(running.frames[at], offset);
        }
        14 if running.top() != 0 => program.go_to(running.top(), offset),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_time: 15_000, ..ProptestConfig::default() })]

    #[test]
    fn the_cached_walk_is_the_full_walk(
        history in proptest::collection::vec(any::<u64>(), 100..300),
        deep in prop_oneof![9 => 0usize..20, 1 => 1000usize..1200],
        has_marks: bool,
    ) {
        let (mut walker, mut program, mut running) = (Walker::new(), Program::default(), Running::default());
        program.has_marks = has_marks;
        let mut generators = Vec::new();
        for i in 0..deep {
            program.compile(i % 6, (i % 16) as u32);
            running.call(&mut program, i % 6, (i % 5) as u32);
        }
        for random in history {
            step(&mut program, &mut running, &mut generators, walker.tree, random);
            // Not at every step: what happens between two events is not seen.
            if random >> 60 < 8 {
                walker.compare(&program, &running);
            }
        }
        walker.compare(&program, &running);
        drop(walker);
        // SAFETY: the walker, whose memory it was, is gone.
        unsafe { memory::of_this_test::unmap_all() };
    }
}
