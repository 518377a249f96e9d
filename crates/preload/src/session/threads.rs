//! What the end of a thread needs: its row given back, its stack measured.

use core::ffi::c_void;
use core::sync::atomic::Ordering;

use memsight_recorder::{Thread, syscall};

use super::SESSION;
use crate::tls::{self, Local};

/// The first of the rounds in which the C library runs destructors of thread
/// data. Ours puts itself off to the last, so that what the others allocate
/// and free is recorded as the thread's own.
pub(super) const FIRST_ROUND: usize = 1;
const LAST_ROUND: usize = 4;

pub(super) unsafe extern "C" fn thread_ends(round: *mut c_void) {
    let round = round as usize;
    if round < LAST_ROUND {
        // SAFETY: the key was made in the constructor.
        unsafe {
            libc::pthread_setspecific(SESSION.key.load(Ordering::Relaxed), (round + 1) as *const c_void)
        };
        return;
    }
    if let Local::Row(thread) = tls::get() {
        note_stack(thread);
        tls::set(Local::Ended);
        if let Some(recorder) = SESSION.recorder() {
            recorder.detach(thread);
        }
    }
}

/// Notes how much of the calling thread's stack was ever touched: from its top
/// down to its lowest resident page. The main thread's is not known this way.
pub(super) fn note_stack(thread: &Thread) {
    if thread.tid() == SESSION.pid.load(Ordering::Relaxed) || !thread.enter() {
        return;
    }
    // In no hook of an allocation: the C library may allocate here, and that passes by.
    if let Some((low, high)) = thread.within_real(stack_bounds) {
        let lowest = lowest_resident(low, high);
        thread.note_stack_high_water((high - lowest) as u64);
    }
    thread.leave();
}

fn stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: pthread_getattr_np fills the attributes of a running thread, which
    // are destroyed again.
    unsafe {
        let mut attributes = core::mem::zeroed::<libc::pthread_attr_t>();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let (mut start, mut bytes) = (core::ptr::null_mut(), 0);
        let found = libc::pthread_attr_getstack(&attributes, &mut start, &mut bytes) == 0;
        libc::pthread_attr_destroy(&mut attributes);
        found.then_some((start as usize, start as usize + bytes))
    }
}

fn lowest_resident(low: usize, high: usize) -> usize {
    let mut pages = [0u8; 256];
    let mut from = low & !4095;
    while from < high {
        let bytes = (high - from).min(pages.len() * 4096);
        // SAFETY: mincore writes one byte for each page of the thread's own stack.
        if unsafe { syscall!(MINCORE, from, bytes, pages.as_mut_ptr()) } == 0
            && let Some(page) = pages[..bytes.div_ceil(4096)].iter().position(|page| page & 1 != 0)
        {
            return from + page * 4096;
        }
        from += bytes;
    }
    high
}
