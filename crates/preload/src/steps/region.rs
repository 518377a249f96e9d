//! Memory between the tracer and the writer: whole steps, one after the other.
//!
//! The tracer appends to the last segment and says how far when a step is whole; the
//! writer, which shares this memory, reads up to there. A record stands behind its
//! length in two bytes and never crosses a segment.

use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use memsight_recorder::memory::{self, OutOfMemory};

const SEGMENT: usize = 4 << 20;
const SEGMENTS: usize = 128;
/// The longest record, with room to spare.
pub(crate) const LONGEST: usize = 2048;

struct Segment {
    memory: AtomicPtr<u8>,
    /// Bytes that are ready to be read.
    ready: AtomicUsize,
}

static REGION: [Segment; SEGMENTS] =
    [const { Segment { memory: AtomicPtr::new(core::ptr::null_mut()), ready: AtomicUsize::new(0) } };
        SEGMENTS];

/// The end that the tracer writes.
pub(super) struct Tail {
    segment: usize,
    at: usize,
}

impl Tail {
    pub(super) const fn new() -> Self {
        Tail { segment: 0, at: 0 }
    }

    /// Appends bytes that consist of whole records.
    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), OutOfMemory> {
        let len = record.len().min(LONGEST);
        if self.at + 2 + len > SEGMENT {
            self.publish();
            self.segment += 1;
            self.at = 0;
        }
        let segment = REGION.get(self.segment).ok_or(OutOfMemory)?;
        let mut memory = segment.memory.load(Ordering::Relaxed);
        if memory.is_null() {
            memory = memory::map(SEGMENT)?;
            segment.memory.store(memory, Ordering::Release);
        }
        // SAFETY: there is room in the segment, beyond what the writer reads.
        unsafe {
            let place = memory.add(self.at);
            place.cast::<[u8; 2]>().write((len as u16).to_le_bytes());
            core::ptr::copy_nonoverlapping(record.as_ptr(), place.add(2), len);
        }
        self.at += 2 + len;
        Ok(())
    }

    /// Says that everything so far may be read.
    pub(super) fn publish(&self) {
        if let Some(segment) = REGION.get(self.segment) {
            segment.ready.store(self.at, Ordering::Release);
        }
    }
}

/// The end that the writer reads.
#[derive(Default)]
pub(crate) struct Head {
    segment: usize,
    at: usize,
}

impl Head {
    /// Calls `take` with each record that is ready and was not taken.
    pub(crate) fn take<E>(&mut self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        while let Some(segment) = REGION.get(self.segment) {
            let ready = segment.ready.load(Ordering::Acquire);
            let memory = segment.memory.load(Ordering::Acquire);
            while self.at < ready && !memory.is_null() {
                // SAFETY: a record that is ready, behind its length.
                let record = unsafe {
                    let place = memory.add(self.at);
                    let len = u16::from_le_bytes(place.cast::<[u8; 2]>().read());
                    core::slice::from_raw_parts(place.add(2), len.into())
                };
                self.at += 2 + record.len();
                take(record)?;
            }
            let next = REGION.get(self.segment + 1);
            if next.is_none_or(|next| next.memory.load(Ordering::Acquire).is_null())
                || segment.ready.load(Ordering::Acquire) > self.at
            {
                return Ok(());
            }
            self.segment += 1;
            self.at = 0;
        }
        Ok(())
    }
}
