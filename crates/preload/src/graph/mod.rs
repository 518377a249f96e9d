//! A snapshot of the object graph, taken by a copy of this process.
//!
//! The writer forks, with the program waiting for that moment alone; a program that
//! ends waits until the copy is walked. The copy has the interpreter as it was, memory
//! of its own, and the thread-local storage of the thread that had the GIL. So it can
//! call CPython: `tp_traverse` tells every reference, whatever the type, and
//! `PyDict_Next` and the like do not depend on the version. Nothing that it does, not
//! even a crash in an extension's code, is seen by the program. A type that made it
//! crash or hang is named, and left out by the next copy.
//!
//! ```text
//! program ── waits ──▶ writer ── fork ──▶ copy ── walk ──▶ records of the capture
//!            goes on ◀──        waits ◀── ends
//! ```

use core::sync::atomic::Ordering;

use memsight_capture::ask::COPY;
use memsight_capture::{Record, Snapshot, SnapshotEnd, SnapshotReason, SnapshotRecord};
use memsight_recorder::ledger::{Ledger, Sink, Stopped};
use memsight_recorder::{Recorder, memory, sys, syscall};

use crate::session::Session;
use crate::text::Buffer;
use progress::{At, DONE, Ended, Progress, TRIES};
use walk::Walk;

mod arenas;
mod blocks;
pub(crate) mod content;
mod held;
mod names;
mod numbers;
mod object_arrays;
pub(crate) mod progress;
mod references;
pub(crate) mod types;
pub(crate) mod walk;

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
    /// Whether the program goes on as soon as there is a copy, or waits until that is walked.
    pub(crate) goes_on: bool,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The snapshot is in the capture.
    Taken,
    /// The copy crashed or hung; the next one leaves out where.
    Crashed,
    /// There can be no snapshot; the capture says why.
    Refused,
}

/// How copies and the writer speak to each other, and how many failed.
pub(crate) struct Copies {
    progress: Option<&'static Progress>,
    failed: usize,
}

impl Copies {
    pub(crate) const fn new() -> Self {
        Copies { progress: None, failed: 0 }
    }
}

/// Takes a snapshot of a program that stands still until `go_on` is called, once there
/// is a copy; or says why there is none.
pub(crate) fn take<D: Destination>(
    session: &'static Session,
    recorder: &'static Recorder,
    ledger: &Ledger,
    destination: &mut D,
    moment: Moment,
    copies: &mut Copies,
) -> Result<Outcome, Stopped> {
    let begin = Snapshot { reason: moment.reason, at_ns: moment.at_ns, live_bytes: recorder.live.bytes() };
    if let Err(why) = session.python.can_be_walked() {
        return refuse(destination, begin, &[why]);
    }
    destination.flush()?;
    if copies.progress.is_none() {
        copies.progress = Progress::share();
    }
    let Some(progress) = copies.progress else {
        return refuse(destination, begin, &[NO_MEMORY]);
    };
    let before = destination.written();
    progress.begin();
    let writer = sys::pid();
    let copy = fork();
    if copy == 0 {
        keep_apart(writer);
        let outcome = match write(session, recorder, ledger, destination, moment, begin, progress) {
            Ok(()) => DONE,
            Err(Stopped::OutOfMemory) => libc::ENOMEM as u32,
            Err(Stopped::Io(errno)) => errno as u32,
        };
        progress.end(outcome, destination.written());
        exit();
    }
    if moment.goes_on {
        session.go_on();
    }
    if copy < 0 {
        return refuse(destination, begin, &[NO_COPY, reason_of(-copy as i32)]);
    }
    let death = wait(copy as usize, progress, session.config().patience_ns);
    let at = match progress.outcome() {
        Ended::Done => {
            destination.resume(progress.written())?;
            return Ok(Outcome::Taken);
        }
        Ended::Failed(libc::ENOMEM) => {
            destination.resume(before)?;
            return refuse(destination, begin, &[NO_MEMORY]);
        }
        Ended::Failed(errno) => {
            destination.resume(before)?;
            return Err(Stopped::Io(errno));
        }
        Ended::Crashed(at) => at,
    };
    destination.resume(before)?;
    // Its type is not to blame, and another copy would need as much memory.
    if death == Death::Killed {
        return refuse(destination, begin, &[KILLED]);
    }
    // Where nothing can be left out another copy would end alike.
    if at == At::Else || progress.avoids(at) {
        return refuse(destination, begin, &[if death == Death::Hung { HUNG } else { CRASHED }]);
    }
    if copies.failed == TRIES {
        return refuse(destination, begin, &[b"the objects of too many types cannot be read"]);
    }
    progress.avoid(copies.failed, at);
    copies.failed += 1;
    Ok(Outcome::Crashed)
}

const NO_MEMORY: &[u8] = b"there was not enough memory for it";
const NO_COPY: &[u8] = b"the system refused a copy of the process: ";
const CRASHED: &[u8] = b"the copy of the process that reads the objects crashed";
const KILLED: &[u8] =
    b"the copy of the process that reads the objects was killed: there may be too little memory for it";
const HUNG: &[u8] = b"the copy of the process that reads the objects came no further";

/// A snapshot without objects, that says why.
fn refuse(destination: &mut impl Destination, begin: Snapshot, why: &[&[u8]]) -> Result<Outcome, Stopped> {
    let mut missing = Buffer::<160>::new();
    for part in why {
        missing.push(part);
    }
    destination.record(&Record::Snapshot(SnapshotRecord::Begin(begin)))?;
    let end = SnapshotEnd { objects: 0, paused_ns: 0, missing: missing.as_bytes() };
    destination.record(&Record::Snapshot(SnapshotRecord::End(end)))?;
    Ok(Outcome::Refused)
}

/// Why a fork fails.
fn reason_of(errno: i32) -> &'static [u8] {
    match errno {
        libc::EAGAIN => b"too many processes (EAGAIN)",
        libc::ENOMEM => b"not enough memory (ENOMEM)",
        libc::EPERM => b"it is forbidden (EPERM)",
        libc::ENOSYS => b"it is forbidden (ENOSYS)",
        _ => b"clone failed",
    }
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

/// What ended a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// It came to its end, or crashed.
    Own,
    /// It came no further, and was killed here.
    Hung,
    /// Somebody else killed it: the system, where memory is short.
    Killed,
}

/// Waits until the copy has ended, and ends it if it comes no further.
fn wait(copy: usize, progress: &Progress, patience_ns: u64) -> Death {
    /// Who sleeps for longer than that was stopped or not given the processor, and so was the copy.
    const LONGEST_NAP_NS: u64 = 50_000_000;
    const SIGNAL: u32 = 0x7f;
    let (mut steps, mut waited_ns, mut looked_ns) = (0, 0, sys::monotonic_ns());
    let (mut status, mut is_hung) = (0u32, false);
    loop {
        // SAFETY: a child without an exit signal; an int is written.
        let ended = unsafe { syscall!(WAIT4, copy, &raw mut status, libc::__WALL | libc::WNOHANG, 0) };
        if ended != 0 {
            return match status & SIGNAL == libc::SIGKILL as u32 {
                true if is_hung => Death::Hung,
                true => Death::Killed,
                false => Death::Own,
            };
        }
        let before_ns = core::mem::replace(&mut looked_ns, sys::monotonic_ns());
        waited_ns += (looked_ns - before_ns).min(LONGEST_NAP_NS);
        let now = progress.steps();
        if now != steps {
            (steps, waited_ns) = (now, 0);
        } else if waited_ns > patience_ns {
            is_hung = true;
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
    ledger: &Ledger,
    destination: &mut D,
    moment: Moment,
    begin: Snapshot,
    progress: &'static Progress,
) -> Result<(), Stopped> {
    let paused_ns = moment.goes_on.then(|| session.standing_ns());
    // SAFETY: the thread waits, so its thread-local storage is as the interpreter left it.
    unsafe { syscall!(ARCH_PRCTL, ARCH_SET_FS, session.control.waiting_fs.load(Ordering::Relaxed)) };
    destination.record(&Record::Snapshot(SnapshotRecord::Begin(begin)))?;
    let Some(mut walk) = Walk::new(session, recorder, destination, progress) else {
        return Err(Stopped::OutOfMemory);
    };
    walk.seed()?;
    walk.run()?;
    let mut owned = blocks::Owned::default();
    walk.write_blocks(&mut owned, ledger)?;
    let left = walk.find_held()?;
    walk.run()?;
    walk.write_blocks(&mut owned, ledger)?;
    walk.write_loose(&left, ledger)?;
    walk.write_arenas(recorder, ledger)?;
    walk.end(paused_ns.unwrap_or_else(|| {
        let now_ns = sys::monotonic_ns() - session.started_ns.load(Ordering::Relaxed);
        now_ns.saturating_sub(moment.at_ns)
    }))?;
    destination.flush()
}

const ARCH_SET_FS: usize = 0x1002;

/// In the copy: it has a name of its own, ends with its writer, is the first to go where
/// memory is short, and leaves no core.
fn keep_apart(writer: u32) {
    let mut name = Buffer::<16>::new();
    name.push(COPY.as_bytes());
    // SAFETY: they read a NUL-ended name of 16 bytes at the most, and a number.
    unsafe {
        syscall!(PRCTL, libc::PR_SET_NAME, name.as_ptr());
        syscall!(PRCTL, libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
    // It may have ended before that was said.
    // SAFETY: it takes nothing.
    if unsafe { syscall!(GETPPID) } != writer as isize {
        exit();
    }
    let (path, most) = (c"/proc/self/oom_score_adj", b"1000");
    // SAFETY: open takes a NUL-ended path; the bytes are written to the file that it gave.
    unsafe {
        let file = syscall!(OPEN, path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file >= 0 {
            syscall!(WRITE, file, most.as_ptr(), most.len());
            syscall!(CLOSE, file);
        }
    }
    leave_no_core();
}

/// A copy that crashes is no news to anybody. One byte is too little for a file, and a
/// handler that takes cores by a pipe is not called (`fs/coredump.c`).
fn leave_no_core() {
    const CORE: usize = 4;
    let limit = [1u64, 1u64];
    // SAFETY: reads two 64-bit numbers; the limit is this process's alone.
    unsafe { syscall!(PRLIMIT64, 0, CORE, limit.as_ptr(), 0) };
}

/// Memory for the walk, which is the copy's alone.
pub(crate) type Array<T> = memory::PageVec<T>;
