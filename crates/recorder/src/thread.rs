//! What the recorder keeps of each thread of the program.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use memsight_capture::{NodeId, ThreadIndex};

use crate::memory::Zeroed;
use crate::stack::StackCache;

/// A thread's row has one of these states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Never used.
    Unused,
    /// A thread owns it.
    Running,
    /// Its thread has ended; another may take it.
    Ended,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// In the program.
    Program,
    /// In the recorder, perhaps with a lock.
    Recorder,
    /// In the real function that a hook called.
    RealCall,
}

/// One thread of the program. Owned by that thread but for what is atomic.
pub struct Thread {
    /// Raised when the thread enters the recorder and when it leaves: odd within.
    turns: AtomicU32,
    state: AtomicU32,
    /// Whether, being inside, it is in a real allocation function.
    in_real_call: AtomicU32,
    /// How many threads have had this row.
    pub(crate) tenants: AtomicU32,
    index: AtomicU32,
    tid: AtomicU32,
    root: AtomicU32,
    /// The block allocated last, for temporary allocations: address and node.
    /// The node is this thread's alone, a group's number may be another's by now.
    pub(crate) last_address: AtomicUsize,
    pub(crate) last_node: AtomicU32,
    stack_high_water: AtomicU64,
    pub(crate) stack: UnsafeCell<StackCache>,
}

// SAFETY: zero is `State::Unused`, zeroed atomics are zeroes, a zeroed cache is empty.
unsafe impl Zeroed for Thread {}
// SAFETY: only the thread itself, inside the recorder, touches `stack`.
unsafe impl Sync for Thread {}

impl Thread {
    /// Enters the recorder; `false` if the thread is inside already, so that
    /// what it calls from there (and a signal handler that allocates) passes by.
    #[inline(always)]
    pub fn enter(&self) -> bool {
        let turns = self.turns.load(Ordering::Relaxed);
        if turns & 1 != 0 {
            return false;
        }
        self.turns.store(turns.wrapping_add(1), Ordering::Release);
        // A signal handler on this thread must see the store before what follows.
        core::sync::atomic::compiler_fence(Ordering::SeqCst);
        true
    }

    /// Like [`Thread::enter`], for a row that several threads share.
    pub fn enter_alone(&self) -> bool {
        let turns = self.turns.load(Ordering::Relaxed);
        let next = turns.wrapping_add(1);
        turns & 1 == 0
            && self.turns.compare_exchange(turns, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Leaves the recorder.
    #[inline(always)]
    pub fn leave(&self) {
        core::sync::atomic::compiler_fence(Ordering::SeqCst);
        self.turns.store(self.turns.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    /// Makes the real call of a hook.
    #[inline(always)]
    pub fn within_real<R>(&self, real: impl FnOnce() -> R) -> R {
        self.in_real_call.store(1, Ordering::Relaxed);
        let result = real();
        self.in_real_call.store(0, Ordering::Relaxed);
        result
    }

    /// Comes back from the real call for a moment, to change what has a lock.
    pub fn back_from_real(&self, change: impl FnOnce()) {
        self.in_real_call.store(0, Ordering::Relaxed);
        core::sync::atomic::compiler_fence(Ordering::SeqCst);
        change();
        core::sync::atomic::compiler_fence(Ordering::SeqCst);
        self.in_real_call.store(1, Ordering::Relaxed);
    }

    /// Where the thread is.
    pub fn within(&self) -> Within {
        match (self.turns.load(Ordering::Relaxed) & 1, self.in_real_call.load(Ordering::Relaxed)) {
            (0, _) => Within::Program,
            (_, 0) => Within::Recorder,
            _ => Within::RealCall,
        }
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.turns() & 1 == 1 && self.state() == State::Running
    }

    /// The thread's number in the capture.
    pub fn index(&self) -> ThreadIndex {
        ThreadIndex(self.index.load(Ordering::Relaxed))
    }

    /// The kernel's id.
    pub fn tid(&self) -> u32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// The root of its part of the call tree.
    #[inline(always)]
    pub fn root(&self) -> NodeId {
        NodeId(self.root.load(Ordering::Relaxed))
    }

    /// Notes the most of its stack that was in use, in bytes.
    pub fn note_stack_high_water(&self, bytes: u64) {
        self.stack_high_water.store(bytes, Ordering::Relaxed);
    }

    /// The most of its stack that was in use, in bytes, if noted.
    pub fn stack_high_water(&self) -> Option<u64> {
        Some(self.stack_high_water.load(Ordering::Relaxed)).filter(|&bytes| bytes != 0)
    }

    pub(crate) fn turns(&self) -> u32 {
        self.turns.load(Ordering::Acquire)
    }

    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            0 => State::Unused,
            1 => State::Running,
            _ => State::Ended,
        }
    }

    pub(crate) fn begin(&self, index: ThreadIndex, root: NodeId, tid: u32) {
        self.index.store(index.0, Ordering::Relaxed);
        self.root.store(root.0, Ordering::Relaxed);
        self.tid.store(tid, Ordering::Relaxed);
        self.last_address.store(0, Ordering::Relaxed);
        self.stack_high_water.store(0, Ordering::Relaxed);
        self.in_real_call.store(0, Ordering::Relaxed);
        // A thread cut off inside the recorder by `fork` must not block its successor.
        self.turns.store((self.turns.load(Ordering::Relaxed) + 1) & !1, Ordering::Relaxed);
        self.state.store(1, Ordering::Release);
        // Last: the ledger that sees a new tenant must not see the old one's end.
        self.tenants.fetch_add(1, Ordering::Release);
    }

    /// After `fork` the surviving thread has another id.
    pub(crate) fn renumber(&self, tid: u32) {
        self.tid.store(tid, Ordering::Relaxed);
    }

    /// After `fork`: the row is free, and the child never had its thread.
    pub(crate) fn forget(&self) {
        self.tenants.store(0, Ordering::Relaxed);
        self.end();
    }

    pub(crate) fn end(&self) {
        self.state.store(2, Ordering::Release);
    }
}
