//! Several threads at work while another writes the ledger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use memsight_capture::Domain;

use super::capture::Capture;
use super::frames::{Program, Running, Stack, StackId};
use super::naive::Sum;
use crate::ledger::Ledger;
use crate::recorder::Recorder;
use crate::thread::Thread;

/// What a thread counted itself: what it allocated, and whose blocks it freed.
#[derive(Default)]
struct Counted {
    sums: HashMap<(Stack, Domain), Sum>,
    temporary: HashMap<Stack, (u64, u64)>,
    /// The most that the thread's own blocks ever came to.
    peak: u64,
}

/// A block on its way to the thread that frees it.
struct Parcel {
    address: usize,
    stack: Stack,
    domain: Domain,
    bytes: u64,
}

/// A generator of numbers that is the same each time (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize
    }
}

struct Worker<'a> {
    recorder: &'a Recorder,
    gil: &'a Mutex<()>,
    row: &'a Thread,
    program: Program,
    running: Running,
    random: Random,
    free: Vec<usize>,
    mine: Vec<Parcel>,
    counted: Counted,
    last: Option<usize>,
    live: u64,
}

impl<'a> Worker<'a> {
    fn new(recorder: &'a Recorder, gil: &'a Mutex<()>, number: usize) -> Self {
        let base = 0x1000_0000 * (number + 1);
        let mut program = Program::default();
        (0..6).for_each(|slot| program.compile(slot, slot as u32));
        Worker {
            recorder,
            gil,
            row: recorder.attach(number as u32).unwrap(),
            program,
            running: Running::default(),
            random: Random(number as u64 * 77 + 1),
            free: (0..64).map(|i| base + i * 24).collect(),
            mine: Vec::new(),
            counted: Counted::default(),
            last: None,
            live: 0,
        }
    }

    fn move_about(&mut self) {
        let (kind, slot, offset) = (self.random.next() % 8, self.random.next() % 6, self.random.next() % 8);
        match kind {
            0..3 if self.running.frames.len() < 6 => {
                self.running.call(&mut self.program, slot, offset as u32)
            }
            3 => self.running.ret(&mut self.program),
            4 if self.running.top() != 0 => self.program.go_to(self.running.top(), offset as u32),
            _ => {}
        }
    }

    fn allocate(&mut self) {
        let Some(address) = self.free.pop() else { return };
        let domain = Domain::ALL[self.random.next() % 4];
        let bytes = match self.random.next() % 50 {
            0 => 1 << 33,
            1 => 0,
            _ => self.random.next() as u64 % 500,
        };
        assert!(self.row.enter());
        let gil = self.gil(domain);
        // SAFETY: it is this thread's row, it is inside, and the frames are this thread's.
        unsafe {
            let node = self.recorder.stack(self.row, self.running.top(), &self.program);
            self.recorder.allocated(self.row, node, domain, address, bytes as usize, gil.is_some());
        }
        drop(gil);
        self.row.leave();
        let stack = self.program.walk(self.row.index().0, self.running.top());
        let sum = self.counted.sums.entry((stack.clone(), domain)).or_default();
        sum.allocations += 1;
        sum.allocated_bytes += bytes;
        self.last = Some(address);
        self.live += bytes;
        self.counted.peak = self.counted.peak.max(self.live);
        self.mine.push(Parcel { address, stack, domain, bytes });
    }

    /// What CPython's own allocators are called with.
    fn gil(&self, domain: Domain) -> Option<MutexGuard<'a, ()>> {
        matches!(domain, Domain::Object | Domain::Mem).then(|| self.gil.lock().unwrap())
    }

    /// Frees a block, its own or another's.
    fn release(&mut self, block: &Parcel) {
        assert!(self.row.enter());
        let gil = self.gil(block.domain);
        self.recorder.freed(Some(self.row), block.address, gil.is_some());
        drop(gil);
        self.row.leave();
        let sum = self.counted.sums.entry((block.stack.clone(), block.domain)).or_default();
        sum.frees += 1;
        sum.freed_bytes += block.bytes;
        if self.last == Some(block.address) {
            self.last = None;
            let temporary = self.counted.temporary.entry(block.stack.clone()).or_default();
            *temporary = (temporary.0 + 1, temporary.1 + block.bytes);
        }
    }

    fn run(
        mut self,
        events: usize,
        to_next: Sender<Parcel>,
        from_other: Receiver<Parcel>,
        back: &Sender<usize>,
        given_back: Receiver<usize>,
    ) -> Counted {
        for _ in 0..events {
            self.move_about();
            self.free.extend(given_back.try_iter());
            match self.random.next() % 8 {
                0..4 => self.allocate(),
                4..6 if !self.mine.is_empty() => {
                    // The newest as often as any: those are the temporary ones.
                    let at = match self.random.next() % 2 {
                        0 => self.mine.len() - 1,
                        _ => self.random.next() % self.mine.len(),
                    };
                    let block = self.mine.swap_remove(at);
                    self.release(&block);
                    self.live -= block.bytes;
                    self.free.push(block.address);
                }
                6 if !self.mine.is_empty() => {
                    let at = self.random.next() % self.mine.len();
                    let block = self.mine.swap_remove(at);
                    self.live -= block.bytes;
                    // Another thread frees it: it cannot be this one's last any more.
                    if self.last == Some(block.address) {
                        self.last = None;
                    }
                    let _ = to_next.send(block);
                }
                _ => {
                    if let Ok(block) = from_other.try_recv() {
                        self.release(&block);
                        let _ = back.send(block.address);
                    }
                }
            }
        }
        drop(to_next);
        for block in from_other {
            self.release(&block);
        }
        self.counted
    }
}

fn hammer(threads: usize, events: usize) {
    let recorder = Recorder::create().unwrap();
    let ledger = Ledger::create().unwrap();
    let mut capture = Capture::default();
    let running = AtomicUsize::new(threads);
    let gil = Mutex::new(());
    let mut ticks = 0;
    let (mut to, from): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel::<Parcel>()).unzip();
    let (mut back, given): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel::<usize>()).unzip();
    to.rotate_left(1);
    // Worker i gets its blocks from the one before, and gives the places back to it.
    back.rotate_right(1);
    let counted: Vec<Counted> = thread::scope(|scope| {
        let links = to.into_iter().zip(from).zip(back).zip(given).enumerate();
        let handles: Vec<_> = links
            .map(|(i, (((to, from), back), given))| {
                let (running, gil) = (&running, &gil);
                scope.spawn(move || {
                    let counted = Worker::new(recorder, gil, i).run(events, to, from, &back, given);
                    running.fetch_sub(1, Ordering::SeqCst);
                    counted
                })
            })
            .collect();
        while running.load(Ordering::SeqCst) > 0 && handles.iter().any(|handle| !handle.is_finished()) {
            ledger.tick(recorder, &mut capture).unwrap();
            ticks += 1;
            thread::yield_now();
        }
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    for index in 0..recorder.thread_count() {
        recorder.detach(recorder.thread(memsight_capture::ThreadIndex(index)).unwrap());
    }
    ledger.finish(recorder, &mut capture).unwrap();
    compare(recorder, &capture, &counted);
    let nodes = recorder.tree.node_count();
    println!(
        "{ticks} ticks, {} groups, {nodes} nodes, peak {:?} of {:?}",
        recorder.groups.made(),
        capture.peak,
        recorder.live.peak()
    );
}

fn compare(recorder: &Recorder, capture: &Capture<'_>, counted: &[Counted]) {
    let mut sums: HashMap<_, Sum> = HashMap::new();
    let mut temporary: HashMap<_, (u64, u64)> = HashMap::new();
    for thread in counted {
        for ((stack, domain), one) in &thread.sums {
            let sum = sums.entry((StackId::of(stack.clone()), *domain)).or_default();
            sum.allocations += one.allocations;
            sum.allocated_bytes += one.allocated_bytes;
            sum.frees += one.frees;
            sum.freed_bytes += one.freed_bytes;
        }
        for (stack, one) in &thread.temporary {
            let sum = temporary.entry(StackId::of(stack.clone())).or_default();
            *sum = (sum.0 + one.0, sum.1 + one.1);
        }
    }
    assert_eq!(capture.sums.len(), sums.len());
    for (key, sum) in &sums {
        assert_eq!(capture.sums.get(key), Some(sum), "{key:?}");
    }
    assert_eq!(capture.temporary.len(), temporary.len());
    for (stack, sum) in &temporary {
        assert_eq!(capture.temporary.get(stack), Some(sum), "{stack:?}");
    }
    assert_eq!(capture.open_but_dead(), 0);
    assert_eq!(recorder.live.bytes(), capture.live().1);
    assert_eq!(recorder.lost_events(), 0);
    let peak = capture.peak.unwrap();
    let most = counted.iter().map(|thread| thread.peak).max().unwrap();
    assert!(recorder.live.peak().0 >= most && recorder.live.peak().0 >= capture.live().1);
    assert_eq!(capture.shares.values().map(|share| share.1).sum::<u64>(), peak.bytes);
}

#[test]
fn four_threads_at_once_lose_nothing() {
    hammer(4, 10_000);
}

#[test]
fn many_short_lived_threads_lose_nothing() {
    (0..20).for_each(|_| hammer(3, 300));
}

#[test]
fn the_recorder_turns_off_for_every_thread() {
    let recorder = Recorder::create().unwrap();
    let seen = AtomicBool::new(true);
    recorder.turn_on();
    thread::scope(|scope| {
        scope.spawn(|| {
            while recorder.is_on() {
                thread::yield_now();
            }
            seen.store(false, Ordering::Relaxed);
        });
        recorder.turn_off();
    });
    assert!(!seen.load(Ordering::Relaxed));
}
