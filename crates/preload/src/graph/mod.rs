//! A snapshot of the object graph, taken by a copy of this process.
//!
//! The writer forks, with the program waiting for that moment alone. The copy
//! has the interpreter as it was, memory of its own, and the thread-local
//! storage of the thread that had the GIL. So it can call CPython: `tp_traverse`
//! tells every reference, whatever the type, and `PyDict_Next` and the like do
//! not depend on the version. Nothing that it does, not even a crash in an
//! extension's code, is seen by the program. A type that made it crash or hang
//! is named, and left out by the next copy.
//!
//! ```text
//! program ── waits ──▶ writer ── fork ──▶ copy ── walk ──▶ records of the capture
//!            goes on ◀──        waits ◀── ends
//! ```

use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use memsight_capture::{Record, Snapshot, SnapshotReason, SnapshotRecord};
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::{Recorder, memory, sys, syscall};

use crate::session::Session;
use walk::Walk;

mod blocks;
mod content;
mod names;
mod numbers;
mod references;
mod types;
mod walk;

/// Copies that may fail before a snapshot is given up.
const TRIES: usize = 8;

/// A copy that comes no further in this time hangs.
const PATIENCE_NS: u64 = 10_000_000_000;

/// What a copy tells the writer, in memory that they share.
pub(crate) struct Progress {
    /// Raised with everything that is done.
    steps: AtomicU64,
    /// The type of the object that is being read.
    type_at: AtomicUsize,
    /// Length of the capture as far as the copy has written it.
    written: AtomicUsize,
    /// What stopped it: 0, an errno, or [`DONE`].
    outcome: AtomicU32,
    /// Types that made copies fail.
    avoided: [AtomicUsize; TRIES],
}

const DONE: u32 = u32::MAX;

/// Where the records go: the capture, which another process may have written on.
pub(crate) trait Destination: Sink {
    /// Ends the current chunk.
    fn flush(&mut self) -> Result<(), Stopped>;
    /// Length of the capture.
    fn written(&self) -> usize;
    /// Goes on after what another process wrote, cut to `written`.
    fn resume(&mut self, written: usize) -> Result<(), Stopped>;
}

/// When and what for.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) reason: SnapshotReason,
    pub(crate) at_ns: u64,
}

/// Takes a snapshot. The program waits: its heap stands still.
pub(crate) fn take<D: Destination>(
    session: &'static Session,
    recorder: &'static Recorder,
    ledger: &mut Ledger,
    destination: &mut D,
    moment: Moment,
) -> Result<(), Stopped> {
    if !session.python.can_be_walked() {
        return Ok(());
    }
    destination.flush()?;
    let progress = share()?;
    let before = destination.written();
    for attempt in 0..TRIES {
        progress.written.store(before, Ordering::Relaxed);
        progress.outcome.store(0, Ordering::Relaxed);
        let copy = fork();
        if copy == 0 {
            let result = write(session, recorder, ledger, destination, moment, progress);
            let outcome = match result {
                Ok(()) => DONE,
                Err(Stopped::OutOfMemory) => libc::ENOMEM as u32,
                Err(Stopped::Io(errno)) => errno as u32,
            };
            progress.outcome.store(outcome, Ordering::Release);
            exit();
        }
        if copy < 0 {
            return Ok(());
        }
        wait(copy as usize, progress);
        match progress.outcome.load(Ordering::Acquire) {
            DONE => return destination.resume(progress.written.load(Ordering::Relaxed)),
            0 => {
                destination.resume(before)?;
                progress.avoided[attempt].store(progress.type_at.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            errno => {
                destination.resume(before)?;
                return if errno == libc::ENOMEM as u32 { Ok(()) } else { Err(Stopped::Io(errno as i32)) };
            }
        }
    }
    Ok(())
}

/// A page that is shared with the copies.
fn share() -> Result<&'static Progress, Stopped> {
    const READ_WRITE: usize = 3;
    const SHARED_ANONYMOUS: usize = 0x1 | 0x20;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let page = unsafe { syscall!(MMAP, 0, 4096, READ_WRITE, SHARED_ANONYMOUS, usize::MAX, 0) };
    if page <= 0 {
        return Err(Stopped::OutOfMemory);
    }
    // SAFETY: a page of zeroes is a `Progress`, and it is never unmapped.
    Ok(unsafe { &*(page as *const Progress) })
}

/// Copies this process, with memory of its own. 0 in the copy.
fn fork() -> isize {
    // SAFETY: without CLONE_VM and a stack it is fork; there is one thread here.
    unsafe { syscall!(CLONE, 0, 0, 0, 0, 0) }
}

fn exit() -> ! {
    // SAFETY: ends this process alone.
    unsafe { syscall!(EXIT_GROUP, 0) };
    // SAFETY: the call above does not return.
    unsafe { core::hint::unreachable_unchecked() }
}

/// Waits until the copy has ended, and ends it if it comes no further.
fn wait(copy: usize, progress: &Progress) {
    let (mut steps, mut since) = (0, sys::monotonic_ns());
    loop {
        // SAFETY: a child without an exit signal; nothing is written.
        let ended = unsafe { syscall!(WAIT4, copy, 0, libc::__WALL | libc::WNOHANG, 0) };
        if ended != 0 {
            return;
        }
        let now = progress.steps.load(Ordering::Relaxed);
        if now != steps {
            (steps, since) = (now, sys::monotonic_ns());
        } else if sys::monotonic_ns() - since > PATIENCE_NS {
            // SAFETY: the copy is our own child.
            unsafe { syscall!(KILL, copy, libc::SIGKILL) };
        }
        nap();
    }
}

fn nap() {
    let time = [0u64, 500_000];
    // SAFETY: nanosleep reads a timespec.
    unsafe { syscall!(NANOSLEEP, time.as_ptr(), 0) };
}

/// In the copy: walks the graph and writes it.
fn write<D: Destination>(
    session: &'static Session,
    recorder: &'static Recorder,
    ledger: &mut Ledger,
    destination: &mut D,
    moment: Moment,
    progress: &'static Progress,
) -> Result<(), Stopped> {
    leave_no_core();
    // SAFETY: the thread waits, so its thread-local storage is as the interpreter left it.
    unsafe { syscall!(ARCH_PRCTL, ARCH_SET_FS, session.control.waiting_fs.load(Ordering::Relaxed)) };
    let begin = Snapshot { reason: moment.reason, at_ns: moment.at_ns, live_bytes: recorder.live.bytes() };
    destination.record(&Record::Snapshot(SnapshotRecord::Begin(begin)))?;
    let Some(mut walk) = Walk::new(session, destination, progress) else { return Ok(()) };
    walk.seed()?;
    walk.run()?;
    walk.write_blocks(recorder, ledger)?;
    walk.end()?;
    destination.flush()?;
    progress.written.store(destination.written(), Ordering::Relaxed);
    Ok(())
}

const ARCH_SET_FS: usize = 0x1002;

/// A copy that crashes is no news to anybody. One byte is too little for a file, and a
/// handler that takes cores by a pipe is not called (`fs/coredump.c`).
fn leave_no_core() {
    const CORE: usize = 4;
    let limit = [1u64, 1u64];
    // SAFETY: reads two 64-bit numbers; the limit is this process's alone.
    unsafe { syscall!(PRLIMIT64, 0, CORE, limit.as_ptr(), 0) };
}

impl Progress {
    fn step(&self, type_at: usize) {
        self.type_at.store(type_at, Ordering::Relaxed);
        self.steps.store(self.steps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    fn avoided(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.avoided.iter().map(|avoided| avoided.load(Ordering::Relaxed)).filter(|&avoided| avoided != 0)
    }

    fn avoids(&self, type_at: usize) -> bool {
        self.avoided().any(|avoided| avoided == type_at)
    }
}

/// Memory for the walk, which is the copy's alone.
pub(crate) type Array<T> = memory::PageVec<T>;
