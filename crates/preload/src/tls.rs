//! One word for each thread: its row in the recorder.
//!
//! The hooks run where the C library's own thread-local machinery may not be
//! used: `__tls_get_addr` can call `malloc`. Only the *initial-exec* model
//! never does, and stable Rust has no way to ask for it. So the variable is
//! made in assembly: eight bytes in the thread's static block, found through
//! the register `fs` and an offset that the dynamic linker fills in once. That
//! is two loads, inlined into each hook.

use core::arch::{asm, global_asm};

use memsight_recorder::Thread;

global_asm!(
    ".pushsection .tbss.memsight_thread, \"awT\", @nobits",
    ".globl memsight_thread",
    ".hidden memsight_thread",
    ".type memsight_thread, @object",
    ".size memsight_thread, 8",
    ".balign 8",
    "memsight_thread:",
    ".zero 8",
    ".popsection",
);

/// What the word says: a small number, or the address of the row.
#[derive(Clone, Copy)]
pub(crate) enum Local {
    /// The thread has not been here before.
    New,
    /// The thread is being attached; what it allocates meanwhile is ours.
    Attaching,
    /// The thread has ended but for destructors that run after ours.
    Ended,
    /// The thread's row.
    Row(&'static Thread),
}

const NEW: usize = 0;
const ATTACHING: usize = 1;
const ENDED: usize = 2;

/// Reads the calling thread's word.
#[inline(always)]
pub(crate) fn get() -> Local {
    let word: usize;
    // SAFETY: reads eight bytes of this thread's static block, which lives as long as the thread.
    unsafe {
        asm!(
            "mov {offset}, qword ptr [rip + memsight_thread@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{offset}]",
            offset = out(reg) _,
            word = out(reg) word,
            options(nostack, preserves_flags, readonly),
        );
    }
    match word {
        NEW => Local::New,
        ATTACHING => Local::Attaching,
        ENDED => Local::Ended,
        // SAFETY: any other value is the address of a row, and rows live for ever.
        row => Local::Row(unsafe { &*(row as *const Thread) }),
    }
}

/// Writes the calling thread's word.
pub(crate) fn set(local: Local) {
    let word = match local {
        Local::New => NEW,
        Local::Attaching => ATTACHING,
        Local::Ended => ENDED,
        Local::Row(row) => core::ptr::from_ref(row) as usize,
    };
    // SAFETY: writes eight bytes of this thread's static block.
    unsafe {
        asm!(
            "mov {offset}, qword ptr [rip + memsight_thread@GOTTPOFF]",
            "mov qword ptr fs:[{offset}], {word}",
            offset = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}

/// Where the calling thread's thread-local storage is: its control block begins with
/// its own address (x86-64 psABI, TLS).
pub(crate) fn base() -> usize {
    let base: usize;
    // SAFETY: reads the first word of the control block.
    unsafe {
        asm!("mov {base}, qword ptr fs:[0]", base = out(reg) base, options(nostack, preserves_flags, readonly));
    }
    base
}
