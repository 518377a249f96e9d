//! What the program writes to its standard output and error, kept for the next step.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use memsight_capture::StepStream;

use super::{Stage, stage};

/// Bytes that are kept between two steps.
const ROOM: usize = 32 << 10;
/// Bytes that are kept of a whole run.
const MOST: usize = 256 << 10;

struct Kept {
    bytes: [[u8; ROOM]; 2],
    len: [usize; 2],
    sum: usize,
    lost: bool,
}

struct Place(UnsafeCell<Kept>);

// SAFETY: it is touched by whoever has set `BUSY` alone.
unsafe impl Sync for Place {}

static KEPT: Place = Place(UnsafeCell::new(Kept { bytes: [[0; ROOM]; 2], len: [0; 2], sum: 0, lost: false }));
static BUSY: AtomicBool = AtomicBool::new(false);

/// Calls `with` unless another thread, or what a signal interrupted, is at it.
fn alone<R>(with: impl FnOnce(&mut Kept) -> R) -> Option<R> {
    for _ in 0..1000 {
        if !BUSY.swap(true, Ordering::Acquire) {
            // SAFETY: `BUSY` was not set, and is now.
            let result = with(unsafe { &mut *KEPT.0.get() });
            BUSY.store(false, Ordering::Release);
            return Some(result);
        }
        memsight_recorder::sys::yield_now();
    }
    None
}

/// Keeps what was written.
#[cold]
pub(crate) fn wrote(descriptor: i32, bytes: &[u8]) {
    let stream = match descriptor {
        1 => 0,
        2 => 1,
        _ => return,
    };
    if stage() != Stage::On {
        return;
    }
    alone(|kept| {
        let len = bytes.len().min(ROOM - kept.len[stream]).min(MOST - kept.sum);
        let from = kept.len[stream];
        kept.bytes[stream][from..from + len].copy_from_slice(&bytes[..len]);
        kept.len[stream] += len;
        kept.sum += len;
        kept.lost |= len < bytes.len();
    });
}

/// Calls `take` with what was kept, and forgets it; with nothing where not all was kept.
pub(crate) fn take(mut take: impl FnMut(StepStream, &[u8])) {
    alone(|kept| {
        for (at, stream) in [StepStream::Stdout, StepStream::Stderr].into_iter().enumerate() {
            for part in kept.bytes[at][..kept.len[at]].chunks(1024) {
                take(stream, part);
            }
            kept.len[at] = 0;
        }
        if core::mem::take(&mut kept.lost) {
            take(StepStream::Stdout, b"");
        }
    });
}
