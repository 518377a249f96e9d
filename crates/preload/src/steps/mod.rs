//! A trace of a Python program for `memsight view`: at each line, call and return the
//! stack, the names and the objects that they lead to.
//!
//! CPython calls [`events`] with the GIL, so there is one at a time. What was asked for
//! is in [`wanted`]; [`tracer`] walks from the program's frames to the objects
//! ([`shape`] says what of an object is looked at), compares each with what was said
//! of it before ([`lives`]) and puts what differs into [`region`], from where the
//! writer takes it. Looking makes no object and changes no reference count.
//!
//! ```text
//! event ──▶ frames, names ──▶ objects ──▶ what differs ──▶ region ──▶ writer ──▶ capture
//!                              allocations and frees ──▶ lives
//! ```

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

pub(crate) mod events;
pub(crate) mod output;
pub(crate) mod region;

mod blocks;
mod code;
mod encode;
mod frames;
mod in_place;
mod lives;
mod shape;
mod size;
mod temporaries;
mod tracer;
mod value;
mod wanted;
mod words;

pub(crate) use wanted::Wanted;

use tracer::Tracer;

/// Where a trace is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Stage {
    /// Nobody asked.
    Off = 0,
    /// Asked for; the program has not begun.
    Wanted = 1,
    /// Steps are taken.
    On = 2,
    /// No more are taken.
    Over = 3,
}

static STAGE: AtomicU32 = AtomicU32::new(Stage::Off as u32);

#[inline(always)]
pub(crate) fn stage() -> Stage {
    match STAGE.load(Ordering::Relaxed) {
        1 => Stage::Wanted,
        2 => Stage::On,
        3 => Stage::Over,
        _ => Stage::Off,
    }
}

pub(crate) fn set_stage(stage: Stage) {
    STAGE.store(stage as u32, Ordering::Relaxed);
}

struct Place(UnsafeCell<Option<Tracer>>);

// SAFETY: it is touched by the thread that has the GIL alone.
unsafe impl Sync for Place {}

static TRACER: Place = Place(UnsafeCell::new(None));

/// The tracer, once it was made.
///
/// # Safety
/// The calling thread has the GIL, and is not inside another call of this.
unsafe fn tracer() -> Option<&'static mut Tracer> {
    // SAFETY: passed on from the caller.
    unsafe { (*TRACER.0.get()).as_mut() }
}

/// A block was allocated by a thread that has the GIL.
#[cold]
pub(crate) fn allocated(block: usize, bytes: usize) {
    if stage() == Stage::On
        && block != 0
        // SAFETY: its caller has the GIL; the tracer itself allocates from the system.
        && let Some(tracer) = unsafe { tracer() }
    {
        tracer.allocated(block, bytes);
    }
}

/// A block is about to be freed by a thread that has the GIL.
#[cold]
pub(crate) fn freed(block: usize, in_objects: bool) {
    if stage() == Stage::On
        && block != 0
        // SAFETY: as above.
        && let Some(tracer) = unsafe { tracer() }
    {
        tracer.freed(block, in_objects);
    }
}

/// A block was given another size, and perhaps another place.
#[cold]
pub(crate) fn reallocated(old: usize, new: usize, bytes: usize) {
    if stage() == Stage::On
        && new != 0
        // SAFETY: as above.
        && let Some(tracer) = unsafe { tracer() }
    {
        tracer.reallocated(old, new, bytes);
    }
}
