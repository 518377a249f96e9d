//! A program, its recorder and the naive model, side by side.

use memsight_capture::{Domain, NodeId, NodeKind, ThreadIndex};

use super::capture::Capture;
use super::frames::{Program, Running, Stack, StackId};
use super::naive::{self, Event, Key, Naive, PAGE};
use crate::ledger::Ledger;
use crate::maps::Purpose;
use crate::recorder::Recorder;
use crate::shadow::Slot;
use crate::thread::Thread;

/// Where fake blocks lie. Every address is handed out again and again.
const BLOCKS: usize = 0x5555_0000_0000;
/// Where fake maps lie.
const MAPS: usize = 0x7fff_0000_0000;
/// Pages that are used for maps.
const PAGES: usize = 64;

/// One of the program's threads.
pub(super) struct Task<'a> {
    pub(super) row: &'a Thread,
    pub(super) running: Running,
    /// It entered the recorder and has not left it yet.
    pub(super) stays_inside: bool,
}

/// All of it.
pub(super) struct World<'a> {
    pub(super) recorder: &'a Recorder,
    ledger: &'a mut Ledger,
    pub(super) capture: Capture<'a>,
    pub(super) program: Program,
    pub(super) tasks: Vec<Task<'a>>,
    /// Frames of generators that nobody runs now.
    generators: Vec<u64>,
    free: Vec<usize>,
    /// Live blocks, also those of before a fork.
    live: Vec<usize>,
    arenas_and_files: [Option<Purpose>; PAGES],
    events: Vec<Event>,
    naive: Naive,
    first_tick: u32,
}

/// What CPython calls with the GIL.
fn has_gil(domain: Domain) -> bool {
    matches!(domain, Domain::Object | Domain::Mem)
}

impl World<'_> {
    pub(super) fn new() -> Self {
        let recorder = Recorder::create().unwrap();
        recorder.turn_on();
        // Two neighbours share the 16 bytes of a slot; some lie past the shadow's end.
        let mut free: Vec<usize> = (0..24).map(|i| BLOCKS + i * 32).collect();
        free.extend((0..12).map(|i| BLOCKS + i * 32 + 8));
        free.extend((0..4).map(|i| BLOCKS + (i << 20)).skip(1));
        free.extend([1 << 47, (1 << 56) + 16, (1 << 47) - 16, 16]);
        World {
            recorder,
            ledger: Ledger::create().unwrap(),
            capture: Capture::default(),
            program: Program::default(),
            tasks: Vec::new(),
            generators: Vec::new(),
            free,
            live: Vec::new(),
            arenas_and_files: [None; PAGES],
            events: Vec::new(),
            naive: Naive::new(0),
            first_tick: 0,
        }
    }

    pub(super) fn attach(&mut self) {
        let tid = 100 + self.recorder.thread_count();
        let row = self.recorder.attach(tid).unwrap();
        assert_eq!(row.index().0 + 1, self.recorder.thread_count());
        self.tasks.push(Task { row, running: Running::default(), stays_inside: false });
    }

    fn note(&mut self, event: Event) {
        self.naive.apply(&event);
        self.events.push(event);
    }

    /// The naive stack of a thread.
    fn key(&self, task: usize, domain: Domain) -> Key {
        let task = &self.tasks[task];
        (StackId::of(self.program.walk(task.row.index().0, task.running.top())), domain)
    }

    /// Calls into a code slot, with new code there if it has none.
    pub(super) fn call(&mut self, task: usize, slot: usize, text: u32, offset: u32) {
        self.program.compile(slot, text);
        self.tasks[task].running.call(&mut self.program, slot, offset);
    }

    /// A frame without code, as those that CPython puts between C and Python.
    pub(super) fn call_shim(&mut self, task: usize) {
        let frame = self.program.frame(None, 0);
        self.tasks[task].running.enter(&mut self.program, frame);
    }

    pub(super) fn ret(&mut self, task: usize) {
        self.tasks[task].running.ret(&mut self.program);
    }

    pub(super) fn go_to(&mut self, task: usize, offset: u32) {
        let top = self.tasks[task].running.top();
        if top != 0 {
            self.program.go_to(top, offset);
        }
    }

    /// The innermost frame becomes a generator that yields.
    pub(super) fn yield_(&mut self, task: usize) {
        self.generators.extend(self.tasks[task].running.leave(&mut self.program));
    }

    /// A generator runs on, under whoever is running now.
    pub(super) fn resume(&mut self, task: usize, choice: usize, offset: u32) {
        if self.generators.is_empty() {
            return;
        }
        let frame = self.generators.swap_remove(choice % self.generators.len());
        self.program.go_to(frame, offset);
        self.tasks[task].running.enter(&mut self.program, frame);
    }

    pub(super) fn end_generator(&mut self) {
        if let Some(frame) = self.generators.pop() {
            self.program.end(frame);
        }
    }

    pub(super) fn code_dies(&mut self, slot: usize) {
        if let Some(address) = self.program.let_code_die(slot) {
            self.recorder.tree.code_died(address);
        }
    }

    pub(super) fn malloc(&mut self, task: usize, domain: Domain, choice: usize, bytes: u64) {
        if self.free.is_empty() || !self.tasks[task].row.enter() {
            return;
        }
        let address = self.free.swap_remove(choice % self.free.len());
        self.allocated(task, domain, address, bytes);
        self.tasks[task].row.leave();
    }

    /// Inside the recorder.
    fn allocated(&mut self, task: usize, domain: Domain, address: usize, bytes: u64) {
        let Task { row, running, .. } = &self.tasks[task];
        // SAFETY: it is the thread's row, it is inside, and the frames stand still.
        unsafe {
            let node = self.recorder.stack(row, running.top(), &self.program);
            self.recorder.allocated(row, node, domain, address, bytes as usize, has_gil(domain));
        }
        self.live.push(address);
        let key = self.key(task, domain);
        let thread = row.index().index();
        self.note(Event::Allocated { thread, key, address, bytes });
    }

    /// Frees a block; by a thread that the recorder does not know if `unknown`.
    pub(super) fn free(&mut self, task: usize, choice: usize, unknown: bool) {
        if self.live.is_empty() || !self.tasks[task].row.enter() {
            return;
        }
        let row = self.tasks[task].row;
        let address = self.live.swap_remove(choice % self.live.len());
        let with_gil = self.recorder.shadow.peek(address).is_some_and(|slot| {
            self.recorder.groups.try_get(slot.group).is_some_and(|group| has_gil(group.domain()))
        });
        self.recorder.freed((!unknown).then_some(row), address, with_gil);
        row.leave();
        self.free.push(address);
        let thread = (!unknown).then_some(row.index().index());
        self.note(Event::Freed { thread, address });
    }

    /// Frees what was never allocated.
    pub(super) fn free_unknown(&mut self, task: usize, choice: usize) {
        let row = self.tasks[task].row;
        if !self.free.is_empty() && row.enter() {
            self.recorder.freed(Some(row), self.free[choice % self.free.len()], false);
            row.leave();
        }
    }

    pub(super) fn realloc(&mut self, task: usize, domain: Domain, choice: usize, bytes: u64, how: usize) {
        if self.live.is_empty() || !self.tasks[task].row.enter() {
            return;
        }
        let row = self.tasks[task].row;
        let at = choice % self.live.len();
        let old = self.live[at];
        let block = self.recorder.take(old);
        if how.is_multiple_of(3) {
            if let Some(block) = block {
                self.recorder.restore(old, block);
            }
        } else {
            self.live.swap_remove(at);
            self.free.push(old);
            // In place, or elsewhere.
            let to = if how % 3 == 1 { self.free.len() - 1 } else { how % self.free.len() };
            let new = self.free.swap_remove(to);
            if let Some(block) = block {
                let group = self.recorder.groups.try_get(block.group);
                let with_gil = group.is_some_and(|group| has_gil(group.domain()));
                self.recorder.release(Some(row), old, block, with_gil);
            }
            self.note(Event::Freed { thread: Some(row.index().index()), address: old });
            self.allocated(task, domain, new, bytes);
        }
        row.leave();
    }

    pub(super) fn mmap(&mut self, task: usize, page: usize, pages: usize, purpose: usize) {
        let row = self.tasks[task].row;
        let (page, pages) = range(page, pages);
        if !row.enter() {
            return;
        }
        self.unmap_inside(page, pages);
        let (address, bytes) = (MAPS + page * PAGE, pages * PAGE);
        let noted = match purpose % 5 {
            0 => Some(Purpose::Arena),
            1 => Some(Purpose::File),
            _ => None,
        };
        match noted {
            Some(Purpose::Arena) => self.recorder.mapped_arena(address, bytes),
            Some(_) => self.recorder.mapped_file(address, bytes),
            None => {
                let running = &self.tasks[task].running;
                // SAFETY: it is the thread's row, it is inside, and the frames stand still.
                unsafe {
                    let node = self.recorder.stack(row, running.top(), &self.program);
                    self.recorder.mapped_block(node, address, bytes);
                }
                let key = self.key(task, Domain::Mmap);
                self.note(Event::Mapped { key, address, bytes });
            }
        }
        self.arenas_and_files[page..page + pages].fill(noted);
        row.leave();
    }

    pub(super) fn munmap(&mut self, task: usize, page: usize, pages: usize) {
        let row = self.tasks[task].row;
        let (page, pages) = range(page, pages);
        if row.enter() {
            self.unmap_inside(page, pages);
            row.leave();
        }
    }

    fn unmap_inside(&mut self, page: usize, pages: usize) {
        let (address, bytes) = (MAPS + page * PAGE, pages * PAGE);
        self.recorder.unmapped(address, bytes);
        self.arenas_and_files[page..page + pages].fill(None);
        self.note(Event::Unmapped { address, bytes });
    }

    /// A thread enters the recorder and stays there, or leaves it again.
    pub(super) fn linger(&mut self, task: usize) {
        let task = &mut self.tasks[task];
        if task.stays_inside {
            task.row.leave();
            task.stays_inside = false;
        } else {
            task.stays_inside = task.row.enter();
        }
    }

    pub(super) fn tick(&mut self) {
        let over = self.ledger.tick(self.recorder, &mut self.capture).unwrap();
        assert_eq!(over.0, self.naive.tick);
        self.note(Event::Tick);
        assert!(self.ledger.is_idle(self.recorder));
        self.compare_sums();
        let (blocks, bytes) = self.naive.shares().values().fold((0, 0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
        assert_eq!(self.capture.live(), (blocks, bytes));
        assert_eq!(self.capture.open_but_dead(), 0);
    }

    /// `fork`: from here on this is the child, with one of the threads.
    pub(super) fn fork(&mut self, survivor: usize) {
        if !self.tasks[survivor].row.enter() {
            return;
        }
        let mut survivor = self.tasks.swap_remove(survivor);
        self.recorder.before_fork();
        // SAFETY: no other thread of this program goes on.
        unsafe { self.recorder.after_fork_in_child(Some(survivor.row), 999) };
        survivor.row.leave();
        for task in &mut self.tasks {
            while task.running.top() != 0 {
                task.running.ret(&mut self.program);
            }
        }
        survivor.stays_inside = false;
        self.tasks = vec![survivor];
        self.ledger = Ledger::create().unwrap();
        self.capture = Capture::default();
        self.first_tick = self.recorder.tick().0;
        self.naive = Naive::new(self.first_tick);
        self.events.clear();
    }

    fn compare_sums(&self) {
        if self.capture.sums != self.naive.sums {
            for (key, sum) in &self.naive.sums {
                assert_eq!(self.capture.sums.get(key), Some(sum), "{key:?}");
            }
            panic!("the capture has more: {:?}", self.capture.sums);
        }
        assert_eq!(self.capture.temporary, self.naive.temporary);
        assert_eq!(self.recorder.live.bytes(), self.naive.live_bytes);
        let of = |purpose| self.arenas_and_files.iter().filter(|p| **p == Some(purpose)).count() * PAGE;
        assert_eq!(self.recorder.mapped(), (of(Purpose::Arena) as u64, of(Purpose::File) as u64));
    }

    /// Ends the recording and compares everything.
    pub(super) fn finish(mut self) {
        self.ledger.finish(self.recorder, &mut self.capture).unwrap();
        self.compare_sums();
        assert_eq!(self.capture.open_but_dead(), 0);
        assert_eq!(self.recorder.lost_events(), 0);
        self.compare_peak();
        if self.events.len().is_multiple_of(16) {
            self.compare_shadow();
        }
        self.compare_addresses();
        let running: Vec<u32> = self.tasks.iter().map(|task| task.row.index().0).collect();
        for thread in self.capture.sums.keys().map(|key| key.0.get().thread).chain(running.iter().copied()) {
            assert!(
                self.capture.started.iter().any(|start| start.0 == thread),
                "thread {thread} not started"
            );
        }
        let mut ended = self.capture.ended.clone();
        ended.sort();
        assert_eq!(ended.len(), self.capture.started.len());
    }

    fn compare_peak(&self) {
        let naive = naive::peak(self.first_tick, &self.events);
        let peak = self.capture.peak.unwrap();
        let (bytes, tick) = self.recorder.live.peak();
        assert_eq!((peak.bytes, bytes), (naive.bytes, naive.bytes));
        if naive.bytes > 0 {
            assert_eq!((peak.tick.0, tick.0), (naive.tick, naive.tick));
        }
        assert_eq!(peak.blocks, naive.shares.values().map(|share| share.0).sum::<u64>());
        assert_eq!(self.capture.shares, naive.shares);
    }

    fn compare_addresses(&self) {
        for address in &self.live {
            assert!(self.recorder.take(*address).is_some(), "{address:#x} is not noted");
        }
        for address in self.live.iter().chain(&self.free) {
            assert!(self.recorder.take(*address).is_none(), "{address:#x} is noted twice or still");
        }
    }

    /// The shadow's own list of blocks. Slow, so not for every history.
    fn compare_shadow(&self) {
        let inherited = self.recorder.inherited_groups();
        let mut noted = Vec::new();
        self.recorder.shadow.for_each(|address, slot| {
            if slot.group > inherited {
                noted.push(address);
            }
        });
        let mut expected: Vec<usize> = self
            .naive
            .addresses()
            .filter(|address| self.recorder.shadow.peek(*address).is_some_and(|_| Slot::fits(*address, 0)))
            .collect();
        expected.sort();
        assert_eq!(noted, expected);
    }
}

/// A node's stack, climbed up the tree.
pub(super) fn stack_of(tree: &crate::tree::Tree, node: NodeId) -> Stack {
    let (mut places, mut next) = (Vec::new(), node);
    loop {
        match tree.describe(next) {
            Some((parent, NodeKind::Python { code, offset })) => {
                places.push((tree.code(code).unwrap().first_line, offset));
                next = parent;
            }
            Some((_, NodeKind::Thread(ThreadIndex(thread)))) => {
                places.reverse();
                return Stack { thread, places };
            }
            other => panic!("{other:?}"),
        }
    }
}

fn range(page: usize, pages: usize) -> (usize, usize) {
    let page = page % PAGES;
    (page, (pages % 12 + 1).min(PAGES - page))
}
