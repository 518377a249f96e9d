//! A thread that stands still, so that the writer can copy the process.
//!
//! While a thread of Python's has the GIL and waits, no object changes. The
//! writer says that it wants a snapshot; the next thread that allocates with
//! the GIL stops at that allocation, until the writer has made a copy of the
//! process. The walk itself is the copy's business.
//!
//! ```text
//! NONE ──writer──▶ WANTED ──thread──▶ COMING ──thread──▶ STANDING ──writer──▶ TAKEN ──writer──▶ NONE
//!   ▲                                                       │ thread, after a second
//!   └───────────────────────────────────────────────────────┘
//! ```
//!
//! A writer that somebody has stopped, or that still walks a copy, does not take the
//! thread up, and the program does not wait for that.

use core::sync::atomic::Ordering;

use memsight_recorder::sys;

use super::{SNAPSHOT, Session, State};
use crate::tls;
use crate::writer::{futex_wait, futex_wake};

const NONE: u32 = 0;
const WANTED: u32 = 1;
/// A thread has taken it up and says where it is.
const COMING: u32 = 2;
const STANDING: u32 = 3;
/// The writer is about to copy the process.
const TAKEN: u32 = 4;

/// For so long a thread stands that the writer does not take up.
const PATIENCE_NS: u64 = 1_000_000_000;

impl Session {
    /// Has the next thread that allocates with the GIL stand still.
    pub(crate) fn want_standstill(&self) {
        let word = &self.control.standstill;
        if word.compare_exchange(NONE, WANTED, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            self.call_attention(SNAPSHOT);
        }
    }

    /// Whether a thread stands still. If so it stays until [`Session::go_on`].
    pub(crate) fn takes_up_standstill(&self) -> bool {
        let word = &self.control.standstill;
        word.compare_exchange(STANDING, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Waits until a thread comes to stand still, if one is to, or for the time.
    pub(crate) fn wait_for_standstill(&self, timeout_ns: u64) {
        let known = self.control.standstill.load(Ordering::Acquire);
        if known != STANDING {
            futex_wait(&self.control.standstill, known, timeout_ns);
        }
    }

    /// For how long the thread has been standing, in nanoseconds.
    pub(crate) fn standing_ns(&self) -> u64 {
        sys::monotonic_ns().saturating_sub(self.control.standing_since_ns.load(Ordering::Relaxed))
    }

    /// Lets the thread go on, if there is one.
    pub(crate) fn go_on(&self) {
        let word = &self.control.standstill;
        for from in [TAKEN, STANDING] {
            if word.compare_exchange(from, NONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                futex_wake(word);
            }
        }
    }

    /// In a child of `fork`: nobody stands, nobody is to, and nobody has asked.
    pub(super) fn forget_standstill(&self) {
        self.control.standstill.store(NONE, Ordering::Relaxed);
        self.control.signalled.store(0, Ordering::Relaxed);
        self.control.out_of_memory.store(false, Ordering::Relaxed);
        self.had_out_of_memory.store(false, Ordering::Relaxed);
        self.forget(SNAPSHOT);
    }

    /// A thread that is inside and has the GIL was refused memory: one snapshot of that, if
    /// any were asked for.
    #[cold]
    pub(crate) fn note_out_of_memory(&self) {
        if self.config().heap.is_any()
            && self.state() == State::Recording
            && self.python.can_be_walked().is_ok()
            && !self.had_out_of_memory.swap(true, Ordering::Relaxed)
        {
            self.control.out_of_memory.store(true, Ordering::Relaxed);
            // In place of what was wanted: that waits for the next that allocates.
            let stood = self.stand_still(NONE) | self.stand_still(WANTED);
            self.control.out_of_memory.store(false, Ordering::Relaxed);
            // Not while the collector runs; then there is one at the next refusal.
            self.had_out_of_memory.store(stood, Ordering::Relaxed);
        }
    }

    /// Stands still if that is wanted. For a thread that is inside and has the GIL.
    #[cold]
    pub(super) fn stand_still_if_wanted(&self) {
        let _ = self.stand_still(WANTED);
    }

    /// Stands still, unless this is no moment for it. Whether it did.
    #[cold]
    fn stand_still(&self, from: u32) -> bool {
        let control = &self.control;
        let word = &control.standstill;
        // A child of `vfork` shares this word and must go on. And while the collector runs, its
        // lists are in pieces.
        if self.python.collector().is_none_or(|collector| collector.is_collecting())
            || !self.is_this_process()
            || word.compare_exchange(from, COMING, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return false;
        }
        self.forget(SNAPSHOT);
        control.standing_since_ns.store(sys::monotonic_ns(), Ordering::Relaxed);
        control.waiting_fs.store(tls::base(), Ordering::Relaxed);
        word.store(STANDING, Ordering::Release);
        futex_wake(word);
        futex_wake(&control.command);
        loop {
            let now = word.load(Ordering::Acquire);
            let is_over = match now {
                STANDING => self.standing_ns() > PATIENCE_NS,
                TAKEN => false,
                _ => return true,
            };
            if is_over {
                // The writer may take it up at this very moment; then this changes nothing.
                let _ = word.compare_exchange(STANDING, NONE, Ordering::AcqRel, Ordering::Relaxed);
            } else if control.writer.load(Ordering::Acquire) == 0 || !self.is_this_process() {
                // Not this process if a signal handler forked it, past the C library.
                self.go_on();
            } else {
                futex_wait(word, now, 20_000_000);
            }
        }
    }
}
