//! What the recorder does when the system gives no more memory (`ulimit -v`):
//! it loses events and says so, what it counts stays right, and once there is
//! memory again it goes on. In a process of its own, since the limit is the
//! process's; nothing under the limit may allocate.

use memsight_capture::{Domain, LineTable, Record};
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::tree::CodeText;
use memsight_recorder::{Described, Frames, Recorder, Thread, sys};

const DEPTH: u64 = 1500;
const BLOCKS: usize = 250;
const PAGE: usize = 4096;

/// A stack of frames, each called by the one 16 bytes before.
struct Chain;

impl Frames for Chain {
    fn previous(&self, frame: u64) -> u64 {
        if frame == 16 { 0 } else { frame - 16 }
    }

    fn key(&self, frame: u64) -> u64 {
        frame / 16 % 7 * 256 + frame / 16 % 5
    }

    fn describe(&self, frame: u64) -> Described {
        Described { code: 0x1_0000 + frame / 16 % 7 * 256, offset: (frame / 16 % 5) as u32, visible: true }
    }

    fn read_code(&self, code: u64, text: &mut CodeText) -> bool {
        text.file.clear();
        text.name.clear();
        text.name.push(char::from(b'a' + (code / 256 % 7) as u8));
        text.first_line = 1;
        text.table = LineTable::Locations311;
        text.lines = (0, 0);
        true
    }
}

#[derive(Default)]
struct Sums {
    live_blocks: u64,
    live_bytes: u64,
    nodes: u64,
}

impl Sink for Sums {
    fn record(&mut self, record: &Record<'_>) -> Result<(), Stopped> {
        let counts = match record {
            Record::GroupBirth(birth) => birth.counts,
            Record::GroupChange(change) => change.counts,
            Record::Node(_) => {
                self.nodes += 1;
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.live_blocks = self.live_blocks.wrapping_add(counts.allocations).wrapping_sub(counts.frees);
        self.live_bytes =
            self.live_bytes.wrapping_add(counts.allocated_bytes).wrapping_sub(counts.freed_bytes);
        Ok(())
    }

    fn thread_name(&mut self, _: u32, _: &mut [u8; 16]) -> usize {
        0
    }
}

fn limit_address_space(bytes: u64) {
    const PRLIMIT64: usize = 302;
    const AS: usize = 9;
    let limit = [bytes, u64::MAX];
    // SAFETY: prlimit64 reads two 64-bit integers.
    let result = unsafe { sys::syscall(PRLIMIT64, [0, AS, limit.as_ptr() as usize, 0, 0, 0]) };
    assert_eq!(result, 0);
}

fn address_space() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<u64>().unwrap() * PAGE as u64
}

fn address(i: usize) -> usize {
    // Over several chunks of the shadow, every third one off a multiple of 16.
    0x5000_0000 + i * 3000 / 16 * 16 + if i.is_multiple_of(3) { 8 } else { 0 }
}

fn begin(recorder: &Recorder, thread: &Thread) {
    for i in 0..BLOCKS {
        let top = (i as u64 * 7 % DEPTH + 1) * 16;
        // SAFETY: this is the thread of the row, and the chain never changes.
        unsafe {
            let node = recorder.stack(thread, top, &Chain);
            recorder.allocated(thread, node, Domain::Malloc, address(i), 10, false);
            recorder.mapped_block(node, 0x7000_0000 + i * 4 * PAGE, 3 * PAGE);
        }
    }
}

fn end(recorder: &Recorder, thread: &Thread) {
    for i in 0..BLOCKS {
        recorder.freed(Some(thread), address(i), false);
        recorder.unmapped(0x7000_0000 + i * 4 * PAGE, 3 * PAGE);
    }
}

#[test]
fn without_memory_events_are_lost_and_counted_and_the_rest_is_right() {
    let mut some_lost = 0;
    let mut ledger_stopped = 0;
    for step in 0..32 {
        let recorder = Recorder::create().unwrap();
        let mut ledger = Ledger::create().unwrap();
        limit_address_space(address_space() + step * 60_000);
        let attached = recorder.attach(1);
        if let Ok(thread) = attached {
            begin(recorder, thread);
            ledger_stopped += u32::from(ledger.tick(recorder, &mut Sums::default()).is_err());
        }
        limit_address_space(u64::MAX);

        let lost = recorder.lost_events();
        some_lost += u32::from(attached.is_ok() && lost > 0);
        let thread = attached.or_else(|_| recorder.attach(1)).unwrap();
        end(recorder, thread);
        assert_eq!(recorder.live.bytes(), 0, "with {step} steps of memory");
        begin(recorder, thread);
        assert_eq!(recorder.lost_events(), lost, "there is memory again");
        ledger = Ledger::create().unwrap();
        let mut sums = Sums::default();
        ledger.finish(recorder, &mut sums).unwrap();
        let blocks = BLOCKS as u64;
        assert_eq!(sums.live_blocks, 2 * blocks);
        assert_eq!(sums.live_bytes, blocks * (10 + 3 * PAGE as u64));
        assert_eq!(recorder.live.bytes(), sums.live_bytes);
        end(recorder, thread);
        assert_eq!(recorder.live.bytes(), 0);
    }
    assert!(some_lost > 10, "the limits were too wide: {some_lost}");
    assert!(ledger_stopped > 0);
}
