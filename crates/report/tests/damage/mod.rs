//! Damages captures at random, and tries something with each of them for a while.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use memsight_insight::testing::reframed;

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

/// Damages a capture again and again, and has each looked at. `look` is given the path of one
/// that is whole and makes what looks at the damaged ones, which says whether they could be read.
pub(crate) fn damage_and<Look: FnMut(&Path) -> bool>(
    whole: Vec<u8>,
    look: impl FnOnce(&Path) -> Look + Send,
) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let clock = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_nanos() as u64 | 1);
    let seed = number("MEMSIGHT_FUZZ_SEED").unwrap_or_else(clock);
    let lasts = Duration::from_secs(number("MEMSIGHT_FUZZ_SECONDS").unwrap_or(2));
    let original = match std::env::var_os("MEMSIGHT_FUZZ_CAPTURE") {
        Some(path) => std::fs::read(path).expect("the capture to begin from"),
        None => whole,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("intact.msight");
    std::fs::write(&path, &original).unwrap();
    let (done, began) = (AtomicU64::new(0), Instant::now());
    let read = std::thread::scope(|scope| {
        let (done, damaged) = (&done, folder.path().join("damaged.msight"));
        let work = scope.spawn(move || {
            let mut look = look(&path);
            let (mut random, mut read) = (Random(seed), 0);
            while began.elapsed() < lasts {
                let round = done.load(Ordering::Relaxed);
                let mut bytes = original.clone();
                if random.below(4) == 0 {
                    random.damage(&mut bytes);
                } else {
                    // Of a long capture some chunks alone, or little of it could be read.
                    bytes = reframed(&bytes, |records| {
                        if random.below(3) == 0 {
                            random.damage(records);
                        }
                    });
                }
                std::fs::write(&damaged, &bytes).unwrap();
                let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(&damaged)));
                read += u64::from(looked.unwrap_or_else(|_| {
                    keep(&bytes);
                    panic!("seed {seed}, round {round}")
                }));
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

/// Keeps what was found, where somebody wants it: the file that `MEMSIGHT_FUZZ_KEEP` names.
fn keep(bytes: &[u8]) {
    if let Some(path) = std::env::var_os("MEMSIGHT_FUZZ_KEEP") {
        std::fs::write(path, bytes).expect("the file to keep it in");
    }
}
