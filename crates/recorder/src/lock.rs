//! A lock for the few tables that are changed off the fast path.
//!
//! It is only ever taken inside a hook (so a thread never meets its own) and
//! held for the time of a table insert, never across a call into the program,
//! the C library or Python. Waiting therefore cannot deadlock. The exception is
//! `fork`, which holds it while the C library waits for locks of its own.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::sys;

/// A spin lock that yields.
#[derive(Debug, Default)]
pub struct SpinLock(AtomicU32);

/// Unlocks when dropped.
pub struct Held<'a>(&'a SpinLock);

impl SpinLock {
    /// A free lock.
    pub const fn new() -> Self {
        SpinLock(AtomicU32::new(0))
    }

    /// Takes the lock.
    pub fn lock(&self) -> Held<'_> {
        self.acquire();
        Held(self)
    }

    /// Takes the lock, or gives up if `in_vain` becomes true while another has it.
    pub fn lock_unless(&self, in_vain: impl Fn() -> bool) -> Option<Held<'_>> {
        while self.0.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            if in_vain() {
                return None;
            }
            sys::yield_now();
        }
        Some(Held(self))
    }

    /// Takes the lock without a guard: for `fork`, which gives it back in two processes.
    pub fn acquire(&self) {
        let mut spins = 0u32;
        while self.0.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spins = spins.wrapping_add(1);
            if spins & 63 == 0 {
                sys::yield_now();
            } else {
                core::hint::spin_loop();
            }
        }
    }

    /// Gives the lock back.
    pub fn release(&self) {
        self.0.store(0, Ordering::Release);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}
