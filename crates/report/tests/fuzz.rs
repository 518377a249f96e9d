//! Damaged captures: whatever their bytes, they are read to an end and shown, or
//! refused with words. Never a panic and never a hang.
//!
//! `MEMSIGHT_FUZZ_SECONDS` says for how long (else for two seconds),
//! `MEMSIGHT_FUZZ_CAPTURE` names a real capture to begin from, and
//! `MEMSIGHT_FUZZ_SEED` repeats a run.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use memsight_capture::{
    Child, ChildKind, Domain, NodeId, Peak, PeakShare, Record, Temporary, ThreadEnd, ThreadIndex, TickIndex,
    TypeId, TypeShare,
};
use memsight_insight::testing::{Writer, counts, reframed, start};
use memsight_insight::{By, Moment, Program, diff};
use memsight_report::text::{self, Look, Outcome};
use memsight_report::{diff_json, json, view::View};

/// A capture with every kind of record.
fn whole() -> Vec<u8> {
    let mut w = Writer::new(start());
    for index in 0..2 {
        let thread = w.thread(index, b"worker");
        let mut node = thread;
        for line in 1..6 {
            node = w.frame(node, "/work/orders.py", "load", line * 10);
            w.birth(node, Some(index * 10 + line), counts(3, 300, 1, 100));
            w.birth(node, None, counts(5, 500, 5, 500));
            w.put(Record::Temporary(Temporary { node, allocations: 2, bytes: 200 }));
        }
        w.tick(10 + u64::from(index));
        w.change(index * 10 + 1, false, counts(2, 50, 3, 150));
        w.change(index * 10 + 2, true, counts(0, 0, 2, 200));
        w.flush();
    }
    w.tick(30);
    w.put(Record::TypeName(b"dict"));
    let (node, type_id) = (NodeId(3), TypeId(0));
    w.put(Record::TypeShare(TypeShare { node, type_id, blocks: 2, bytes: 64 }));
    w.put(Record::Peak(Peak { tick: TickIndex(1), bytes: 1400, blocks: 12 }));
    let (domain, birth) = (Domain::Object, TickIndex(0));
    w.put(Record::PeakShare(PeakShare { node, domain, birth, blocks: 12, bytes: 1400 }));
    w.put(Record::Child(Child { pid: 4712, kind: ChildKind::Fork }));
    let (thread, stack_bytes_high_water) = (ThreadIndex(1), Some(8192));
    w.put(Record::ThreadEnd(ThreadEnd { thread, stack_bytes_high_water }));
    w.end(40).bytes()
}

/// Numbers that are as good as random (Vigna's xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound.max(1)
    }

    /// Flips bits, overwrites, takes out, repeats, puts in and cuts off.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let some = (at + self.below(20)).min(bytes.len());
            match self.below(8) {
                0..3 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                3 if !bytes.is_empty() => bytes[at] = [0, 1, 127, 128, 255][self.below(5)],
                4 => drop(bytes.drain(at..some)),
                5 => {
                    let again = bytes[at..some].to_vec();
                    bytes.splice(at..at, again);
                }
                6 => {
                    let random: Vec<u8> = (0..self.below(12)).map(|_| self.next() as u8).collect();
                    bytes.splice(at..at, random);
                }
                _ if self.below(20) == 0 => bytes.truncate(at),
                _ => {}
            }
        }
    }
}

/// Reads the capture and shows it in every way. Whether it could be read.
fn show(path: &Path, intact: &Program) -> bool {
    let Ok(program) = Program::load(path, &|_, _, _| {}) else { return false };
    let look = Look { width: 80, color: false };
    let mut shown = text::report(&program, &look, Some(5));
    shown += &text::summary(&program, Outcome::default(), None, &look);
    shown += &text::leaks(&program, None, &look, None);
    shown += &text::temporary(&program, &look, None);
    let moments = [Moment::Peak, Moment::End, Moment::At(15_000_000), Moment::Between(5_000_000, 25_000_000)];
    for moment in moments {
        shown += &text::tree(&program, moment, &look, None).unwrap_or_default();
        for by in [By::Site, By::Function, By::File, By::Module, By::Thread, By::Process, By::Type] {
            shown += &text::view(&program, moment, by, &look, None).unwrap_or_default();
            let view = View::at(&program, moment, by, None).ok();
            shown += &json::report(&program, Outcome::default(), None, view).expect("JSON");
        }
    }
    let changes = diff(intact, &program);
    shown += &text::diff(intact, &program, &changes, &look, None);
    shown += &diff_json(&changes).expect("JSON");
    assert!(!shown.contains('\u{1b}'), "a capture's names reach the terminal as they are");
    true
}

#[test]
fn a_damaged_capture_is_shown_or_refused() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_nanos() as u64 | 1);
    let seed = number("MEMSIGHT_FUZZ_SEED").unwrap_or_else(clock);
    let lasts = Duration::from_secs(number("MEMSIGHT_FUZZ_SECONDS").unwrap_or(2));
    let original = match std::env::var_os("MEMSIGHT_FUZZ_CAPTURE") {
        Some(path) => std::fs::read(path).expect("the capture to begin from"),
        None => whole(),
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("intact.msight");
    std::fs::write(&path, &original).unwrap();
    let (done, began) = (AtomicU64::new(0), Instant::now());
    let read = std::thread::scope(|scope| {
        let (done, damaged) = (&done, folder.path().join("damaged.msight"));
        let work = scope.spawn(move || {
            let intact = Program::load(&path, &|_, _, _| {}).expect("the capture to begin from is whole");
            let (mut random, mut read) = (Random(seed), 0);
            while began.elapsed() < lasts {
                let round = done.load(Ordering::Relaxed);
                let mut bytes = original.clone();
                if random.below(4) == 0 {
                    random.damage(&mut bytes);
                } else {
                    bytes = reframed(&bytes, |records| random.damage(records));
                }
                std::fs::write(&damaged, &bytes).unwrap();
                let shown =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| show(&damaged, &intact)));
                read += u64::from(shown.unwrap_or_else(|_| panic!("seed {seed}, round {round}")));
                done.store(round + 1, Ordering::Relaxed);
            }
            read
        });
        let (mut before, mut asked) = (u64::MAX, Instant::now());
        while !work.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
            if asked.elapsed() > Duration::from_secs(60) {
                let now = done.load(Ordering::Relaxed);
                if now == before {
                    // No panic: it would wait for the thread that hangs.
                    eprintln!("seed {seed}, round {now}: no end in a minute");
                    std::process::abort();
                }
                (before, asked) = (now, Instant::now());
            }
        }
        work.join().expect("no panic")
    });
    let done = done.into_inner();
    println!("seed {seed}: {done} damaged captures, {read} of them could be read");
    assert!(read > 10 && done > read, "{done} captures, {read} read: the damage is not what it should be");
}
