//! A made-up interpreter: frames and code objects at addresses that are used
//! again, as CPython's are. Reading a frame that is gone fails the test, since
//! in a program it would be a wild read.

use core::cell::{Cell, RefCell};
use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

use memsight_capture::LineTable;

use crate::stack::{Described, Frames};
use crate::tree::CodeText;

/// A stack as a person would write it: the thread's index, then text and
/// offset of each visible frame, outermost first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Stack {
    pub(super) thread: u32,
    pub(super) places: Vec<(u32, u32)>,
}

#[derive(Clone, Debug)]
struct Frame {
    alive: bool,
    previous: u64,
    /// The code's slot, or none for a frame without code.
    code: Option<usize>,
    offset: u32,
    /// Whether it was suspended before, and may be resumed by another caller.
    is_generator: bool,
}

struct Code {
    alive: bool,
    text: u32,
    lines: Vec<u8>,
}

/// Frames and code objects.
#[derive(Default)]
pub(super) struct Program {
    frames: Vec<Frame>,
    unused: Vec<u64>,
    codes: Vec<Code>,
    /// Marks by frame, which stay behind in a frame's memory when it ends.
    marks: RefCell<Vec<bool>>,
    /// Whether frames can be marked. Then only the innermost may go to another line.
    pub(super) has_marks: bool,
    /// How often a frame was described: what the cache is there to avoid.
    pub(super) described: Cell<usize>,
}

const FRAMES: u64 = 0x7000_0000;
const FRAME: u64 = 96;
const CODES: u64 = 0x10_0000;
const CODE: u64 = 0x1000;

/// Frames of a text have begun from this offset on.
fn begins(text: u32) -> u32 {
    text % 3 * 2
}

/// Every seventh text cannot be read.
fn is_readable(text: u32) -> bool {
    text % 7 != 6
}

impl Program {
    pub(super) fn code_address(slot: usize) -> u64 {
        CODES + slot as u64 * CODE
    }

    /// Puts a code object into a slot, if it has none.
    pub(super) fn compile(&mut self, slot: usize, text: u32) {
        while self.codes.len() <= slot {
            self.codes.push(Code { alive: false, text: 0, lines: Vec::new() });
        }
        let code = &mut self.codes[slot];
        if !code.alive {
            *code = Code { alive: true, text, lines: vec![text as u8; text as usize % 5] };
        }
    }

    /// Takes the code out of a slot if no frame runs it, and gives its address.
    pub(super) fn let_code_die(&mut self, slot: usize) -> Option<u64> {
        let code = self.codes.get_mut(slot).filter(|code| code.alive)?;
        if self.frames.iter().any(|frame| frame.alive && frame.code == Some(slot)) {
            return None;
        }
        code.alive = false;
        code.lines = Vec::new();
        Some(Self::code_address(slot))
    }

    /// A new frame, at an address used before where there is one.
    pub(super) fn frame(&mut self, code: Option<usize>, offset: u32) -> u64 {
        let frame = Frame { alive: true, previous: 0, code, offset, is_generator: false };
        match self.unused.pop() {
            Some(address) => {
                self.frames[Self::index(address)] = frame;
                address
            }
            None => {
                self.frames.push(frame);
                self.marks.get_mut().push(false);
                FRAMES + (self.frames.len() as u64 - 1) * FRAME
            }
        }
    }

    pub(super) fn end(&mut self, frame: u64) {
        let index = Self::index(frame);
        assert!(self.frames[index].alive);
        self.frames[index].alive = false;
        self.unused.push(frame);
    }

    /// From now on it fails the test to read the frame.
    pub(super) fn forbid(&mut self, frame: u64) {
        self.frames[Self::index(frame)].alive = false;
    }

    pub(super) fn set_caller(&mut self, frame: u64, caller: u64) {
        self.frames[Self::index(frame)].previous = caller;
    }

    pub(super) fn go_to(&mut self, frame: u64, offset: u32) {
        self.frames[Self::index(frame)].offset = offset;
    }

    /// The place of a frame's mark is written: it calls a function, or one returns to it.
    fn overwrite_mark(&mut self, frame: u64) {
        if frame != 0 {
            self.marks.get_mut()[Self::index(frame)] = false;
        }
    }

    fn is_plain_call(&self, frame: u64, above: u64) -> bool {
        let is_plain = |frame: &Frame| frame.code.is_some() && !frame.is_generator;
        self.has_marks && is_plain(self.live(frame)) && is_plain(self.live(above))
    }

    /// The stack, walked in full.
    pub(super) fn walk(&self, thread: u32, top: u64) -> Stack {
        let mut places = Vec::new();
        let mut next = top;
        while next != 0 {
            let frame = self.live(next);
            if let Some(slot) = frame.code {
                let text = self.codes[slot].text;
                if frame.offset >= begins(text) && is_readable(text) {
                    places.push((text, frame.offset));
                }
            }
            next = frame.previous;
        }
        places.reverse();
        Stack { thread, places }
    }

    fn index(address: u64) -> usize {
        ((address - FRAMES) / FRAME) as usize
    }

    fn live(&self, address: u64) -> &Frame {
        let frame = &self.frames[Self::index(address)];
        assert!(frame.alive, "the frame at {address:#x} is gone");
        frame
    }
}

impl Frames for Program {
    fn previous(&self, frame: u64) -> u64 {
        self.live(frame).previous
    }

    fn key(&self, frame: u64) -> u64 {
        let frame = self.live(frame);
        frame.code.map_or(0, |slot| Self::code_address(slot) + u64::from(frame.offset))
    }

    fn describe(&self, frame: u64) -> Described {
        self.described.set(self.described.get() + 1);
        let frame = self.live(frame);
        match frame.code {
            None => Described { code: 0, offset: 0, visible: false },
            Some(slot) => Described {
                code: Self::code_address(slot),
                offset: frame.offset,
                visible: frame.offset >= begins(self.codes[slot].text),
            },
        }
    }

    fn is_marked(&self, frame: u64, above: u64) -> bool {
        self.is_plain_call(frame, above) && self.marks.borrow()[Self::index(frame)]
    }

    fn mark(&self, frame: u64, above: u64) {
        if self.is_plain_call(frame, above) {
            self.marks.borrow_mut()[Self::index(frame)] = true;
        }
    }

    fn read_code(&self, code: u64, text: &mut CodeText) -> bool {
        let code = &self.codes[((code - CODES) / CODE) as usize];
        assert!(code.alive, "dead code is read");
        text.file.clear();
        text.name.clear();
        format!("file{}.py", code.text).chars().for_each(|c| text.file.push(c));
        format!("name{}", code.text).chars().for_each(|c| text.name.push(c));
        text.first_line = code.text;
        text.table = LineTable::Locations311;
        text.lines = (code.lines.as_ptr() as u64, code.lines.len());
        is_readable(code.text)
    }
}

/// One thread's stack in a program.
#[derive(Default)]
pub(super) struct Running {
    pub(super) frames: Vec<u64>,
}

impl Running {
    pub(super) fn top(&self) -> u64 {
        self.frames.last().copied().unwrap_or(0)
    }

    /// Calls: `frame` runs on top of this stack.
    pub(super) fn enter(&mut self, program: &mut Program, frame: u64) {
        program.set_caller(frame, self.top());
        self.frames.push(frame);
    }

    /// Leaves the innermost frame with an exception; it stays alive.
    fn unwind(&mut self, program: &mut Program) -> Option<u64> {
        let frame = self.frames.pop()?;
        program.set_caller(frame, 0);
        Some(frame)
    }

    /// Suspends the innermost frame, a generator's, which gives its caller a value.
    pub(super) fn leave(&mut self, program: &mut Program) -> Option<u64> {
        let frame = self.unwind(program)?;
        program.frames[Program::index(frame)].is_generator = true;
        program.overwrite_mark(self.top());
        Some(frame)
    }

    /// Calls a function.
    pub(super) fn call(&mut self, program: &mut Program, code: usize, offset: u32) {
        program.overwrite_mark(self.top());
        let frame = program.frame(Some(code), offset);
        self.enter(program, frame);
    }

    /// Returns from the innermost frame.
    pub(super) fn ret(&mut self, program: &mut Program) {
        self.raise(program);
        program.overwrite_mark(self.top());
    }

    /// Ends the innermost frame by an exception: its caller is given no value.
    pub(super) fn raise(&mut self, program: &mut Program) {
        if let Some(frame) = self.unwind(program) {
            program.end(frame);
        }
    }
}

/// A stack that was met, by number: thousands of histories are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StackId(u32);

#[derive(Default)]
struct Stacks {
    numbers: Map<Stack, u32>,
    all: Vec<Stack>,
}

thread_local! {
    static STACKS: RefCell<Stacks> = RefCell::default();
}

impl StackId {
    /// The number of a stack, the same as of any equal one.
    pub(super) fn of(stack: Stack) -> Self {
        STACKS.with_borrow_mut(|stacks| {
            if let Some(&number) = stacks.numbers.get(&stack) {
                return StackId(number);
            }
            let number = stacks.all.len() as u32;
            stacks.all.push(stack.clone());
            stacks.numbers.insert(stack, number);
            StackId(number)
        })
    }

    pub(super) fn get(self) -> Stack {
        STACKS.with_borrow(|stacks| stacks.all[self.0 as usize].clone())
    }
}

impl core::fmt::Debug for StackId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.get().fmt(f)
    }
}

/// A table with a hash that is quick in a debug build.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Multiplies and adds.
#[derive(Default)]
pub(super) struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut whole = [0; 8];
            whole[..word.len()].copy_from_slice(word);
            self.write_u64(u64::from_le_bytes(whole));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }
}
