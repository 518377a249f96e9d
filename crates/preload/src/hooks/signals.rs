//! The signal by which a user asks for a snapshot: `run --heap-on-signal`.
//!
//! Our handler counts, and the writer sees the count. The program does not see the
//! handler: asked what it has for this signal, it is told what it would have without
//! us. As soon as it sets a handler of its own, that one holds, and this is said.

use core::ffi::{c_int, c_void};
use core::mem;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use crate::real;
use crate::session::session;

/// The signal that our handler is in place for, or 0.
static OURS: AtomicI32 = AtomicI32::new(0);
/// What the program would have had for it: `SIG_DFL` or `SIG_IGN`.
static BEFORE: AtomicUsize = AtomicUsize::new(libc::SIG_DFL);

extern "C" fn count(_signal: c_int) {
    session().control.signalled.fetch_add(1, Ordering::Relaxed);
}

/// Puts our handler in place. For the constructor.
pub(crate) fn listen(signal: u32) {
    let (Some(real), Ok(signal)) = (real::sigaction(), c_int::try_from(signal)) else { return };
    let handler: extern "C" fn(c_int) = count;
    // SAFETY: zeroes are valid actions; the handler only raises a counter.
    unsafe {
        let (mut action, mut before) = (mem::zeroed::<libc::sigaction>(), mem::zeroed::<libc::sigaction>());
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        if real(signal, (&raw const action).cast(), (&raw mut before).cast()) == 0 {
            BEFORE.store(before.sa_sigaction, Ordering::Relaxed);
            OURS.store(signal, Ordering::Relaxed);
        }
    }
}

/// Takes our handler away, in a child that is not recorded.
pub(crate) fn stop_listening() {
    let (Some(real), signal @ 1..) = (real::sigaction(), OURS.swap(0, Ordering::Relaxed)) else { return };
    // SAFETY: zeroes are a valid action.
    unsafe {
        let mut action = mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = BEFORE.load(Ordering::Relaxed);
        real(signal, (&raw const action).cast(), core::ptr::null_mut());
    }
}

/// The program has set something of its own. A child of `vfork` has for itself alone.
#[cold]
fn give_way() {
    if !session().is_this_process() {
        return;
    }
    OURS.store(0, Ordering::Relaxed);
    session().say(&[
        b"memsight: the program handles the signal of --heap-on-signal itself; ",
        b"it takes no snapshots from here on\n",
    ]);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(signal: c_int, action: *const c_void, old: *mut c_void) -> c_int {
    let Some(real) = real::sigaction() else { return -1 };
    // SAFETY: the caller's own arguments.
    let result = unsafe { real(signal, action, old) };
    if signal != 0 && signal == OURS.load(Ordering::Relaxed) && result == 0 {
        if !old.is_null() {
            // SAFETY: the call above wrote an action there.
            unsafe {
                let mut shown = mem::zeroed::<libc::sigaction>();
                shown.sa_sigaction = BEFORE.load(Ordering::Relaxed);
                old.cast::<libc::sigaction>().write(shown);
            }
        }
        if !action.is_null() {
            give_way();
        }
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn signal(signal: c_int, handler: usize) -> usize {
    let Some(real) = real::signal() else { return libc::SIG_ERR };
    // SAFETY: the caller's own arguments.
    let before = unsafe { real(signal, handler) };
    if signal != 0 && signal == OURS.load(Ordering::Relaxed) && before != libc::SIG_ERR {
        give_way();
        return BEFORE.load(Ordering::Relaxed);
    }
    before
}
