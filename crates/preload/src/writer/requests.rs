//! When snapshots of the object graph are taken: who asks, and what becomes of it.

use core::sync::atomic::Ordering;

use memsight_capture::ask::{Answer, NAME};
use memsight_capture::{SnapshotReason, Track};
use memsight_recorder::ledger::Stopped;
use memsight_recorder::syscall;

use super::{Writer, system};
use crate::graph::{self, Copies, Moment, Outcome};
use crate::text::Buffer;

/// Near the peak the next snapshot is taken when live bytes have risen by this part of what
/// they were at the last one, and by [`LEAST_STEP`]. Each is larger than the one before by
/// a tenth, so all of them together are no more than eleven times the last.
const STEP_PARTS: u64 = 10;
const LEAST_STEP: u64 = 2 << 20;

/// What was asked for so far.
pub(super) struct Requests {
    /// By `memsight heap PID`: so many times.
    asked: u32,
    /// What the last of these has come to.
    answer: Answer,
    /// What a snapshot is wanted for that was not taken yet.
    waiting: Option<SnapshotReason>,
    copies: Copies,
    /// How often the user's signal had come at the last look.
    signalled: u32,
    /// From so many live bytes on the next snapshot near the peak is taken.
    next_peak_bytes: u64,
    /// Snapshots that could not be taken.
    failed: u32,
}

impl Default for Requests {
    fn default() -> Self {
        Requests {
            asked: 0,
            answer: Answer::Taken,
            waiting: None,
            copies: Copies::new(),
            signalled: 0,
            next_peak_bytes: LEAST_STEP,
            failed: 0,
        }
    }
}

impl Requests {
    /// Whether a snapshot is wanted that was not taken yet.
    pub(super) fn is_any(&self) -> bool {
        self.waiting.is_some()
    }

    /// Whether somebody still waits for a snapshot.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting == Some(SnapshotReason::Asked)
    }

    /// Says by the writer's name what became of the last request.
    fn answer(&mut self, answer: Answer) {
        if self.asked == 0 || self.answer == answer && answer != Answer::Asked {
            return;
        }
        self.answer = answer;
        let mut name = Buffer::<16>::new();
        name.push(NAME.as_bytes());
        name.push(b" ");
        name.push(answer.word().as_bytes());
        name.push_number((self.asked % 10).into());
        // SAFETY: it reads a NUL-ended name of 16 bytes at the most.
        unsafe { syscall!(PRCTL, libc::PR_SET_NAME, name.as_ptr()) };
    }
}

impl Writer {
    /// Sees who wants a snapshot, and has the program stand still for it.
    pub(super) fn look_for_requests(&mut self) {
        if system::is_asked() {
            self.requests.asked += 1;
            self.requests.answer(Answer::Asked);
            self.requests.waiting = Some(SnapshotReason::Asked);
        }
        let signalled = self.session.control.signalled.load(Ordering::Relaxed);
        if signalled != self.requests.signalled {
            self.requests.signalled = signalled;
            self.requests.waiting = Some(SnapshotReason::Asked);
        }
        let heap = self.session.config().heap;
        if self.requests.waiting.is_none() {
            if !heap.peak || self.recorder.live.bytes() < self.requests.next_peak_bytes {
                return;
            }
            self.requests.waiting = Some(SnapshotReason::Peak);
        }
        let python = &self.session.python;
        if self.session.config().track == Track::Heap || !python.may_come_to_be_walked() {
            self.requests.waiting = None;
            self.requests.answer(Answer::Never);
        } else if python.can_be_walked().is_ok() {
            self.session.want_standstill();
        }
    }

    /// Takes the snapshot that a thread stands still for.
    pub(super) fn take_snapshot(&mut self) -> Result<(), Stopped> {
        let reason = if self.session.control.out_of_memory.swap(false, Ordering::Relaxed) {
            SnapshotReason::OutOfMemory
        } else {
            self.requests.waiting.unwrap_or(SnapshotReason::Asked)
        };
        let live_bytes = self.recorder.live.bytes();
        if reason == SnapshotReason::Peak && live_bytes < self.requests.next_peak_bytes {
            // It has fallen again: the snapshot before is nearer to the peak.
            self.requests.waiting = None;
            self.session.go_on();
            return Ok(());
        }
        self.requests.answer(Answer::Walks);
        // Whatever allocated an object is known to the capture before the object is.
        self.tick()?;
        let moment = Moment { reason, at_ns: self.elapsed_ns(), goes_on: true };
        let outcome = self.copy(moment)?;
        // Where it failed before there was a copy.
        self.session.go_on();
        match outcome {
            // The heap is another by now, so another thread must stand still for the next copy.
            Outcome::Crashed => self.requests.waiting = Some(reason),
            outcome => {
                let next = live_bytes.saturating_add((live_bytes / STEP_PARTS).max(LEAST_STEP));
                self.requests.next_peak_bytes = self.requests.next_peak_bytes.max(next);
                self.settle(outcome);
            }
        }
        Ok(())
    }

    /// Takes a snapshot of a program that has ended, if anybody wants one.
    pub(super) fn take_last_snapshot(&mut self, at_ns: u64) -> Result<(), Stopped> {
        let heap = self.session.config().heap;
        let is_peak = heap.peak && self.recorder.live.bytes() >= self.requests.next_peak_bytes;
        let reason = if heap.exit || self.requests.is_waiting() {
            SnapshotReason::Exit
        } else if is_peak {
            // There was no time for it while the program ran.
            SnapshotReason::Peak
        } else {
            return Ok(());
        };
        if !self.session.python.was_found() {
            self.requests.answer(Answer::Never);
            return Ok(());
        }
        let moment = Moment { reason, at_ns, goes_on: false };
        self.requests.answer(Answer::Walks);
        let mut outcome = Outcome::Crashed;
        // Each copy leaves out more than the one before, up to a number.
        while outcome == Outcome::Crashed {
            outcome = self.copy(moment)?;
        }
        self.settle(outcome);
        Ok(())
    }

    fn copy(&mut self, moment: Moment) -> Result<Outcome, Stopped> {
        let copies = &mut self.requests.copies;
        graph::take(self.session, self.recorder, self.ledger, &mut self.output, moment, copies)
    }

    /// Says in the capture what could not be taken.
    pub(super) fn failed_snapshots(&self) -> u32 {
        self.requests.failed
    }

    fn settle(&mut self, outcome: Outcome) {
        let requests = &mut self.requests;
        requests.failed += u32::from(outcome != Outcome::Taken);
        requests.waiting = None;
        requests.answer(if outcome == Outcome::Taken { Answer::Taken } else { Answer::Fails });
    }
}
