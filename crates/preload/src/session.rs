//! The recording of this process: how it begins, what its state is, how it ends.
//!
//! `memsight run` says by the environment what to do; the library reads that
//! in its constructor and takes it out again, so that the program sees the
//! environment it would have had. [`hooks::process`](crate::hooks) puts it back
//! for the programs that this one starts.

use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use memsight_capture::{ChildKind, EndReason, Track};
use memsight_recorder::thread::Within;
use memsight_recorder::{Recorder, SpinLock, Thread, sys, syscall};

use crate::hooks::signals;
use crate::python::{self, Python};
use crate::steps::{self, Wanted};
use crate::text::{Buffer, errno_text};
use crate::tls::{self, Local};
use crate::writer;

pub(crate) use config::{Config, VARIABLES};
use config::{Heap, configure};
use threads::{FIRST_ROUND, note_stack, thread_ends};

mod config;
mod fork;
mod standing;
mod threads;

/// A path, as long as the kernel takes them.
pub(crate) type Path = Buffer<4096>;

/// Children of one process that are remembered by pid.
pub(crate) const CHILDREN: usize = 4096;

/// Allocations of a forked child before it gets a writer. One that execs at
/// once stays below, and leaves no capture of its own.
const FORKED_CHILD_GRACE: u32 = 1000;
/// Or as many live bytes: a worker may hold much in few blocks.
const FORKED_CHILD_GRACE_BYTES: u64 = 256 << 10;
/// Or so long: a worker that waits for its work has come to stay.
const FORKED_CHILD_GRACE_NS: u64 = 50_000_000;

/// Recording has one of these states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum State {
    /// Not recorded: not asked for, or given up.
    Off = 0,
    /// A forked child that has no writer yet.
    Forked = 1,
    /// Recording, with a writer.
    Recording = 2,
    /// Over.
    Ended = 3,
}

/// What the program's threads and the writer say to each other.
pub(crate) struct Control {
    /// 0, or the reason to end plus one. A futex.
    pub(crate) command: AtomicU32,
    /// What the writer has come to. A futex; see [`writer`].
    pub(crate) answer: AtomicU32,
    /// The writer's errno, if it failed.
    pub(crate) errno: AtomicU32,
    /// The writer's process id; the kernel makes it 0 when the writer ends.
    pub(crate) writer: AtomicU32,
    /// Not 0 while the program is about to become another by `exec`.
    pub(crate) exec: AtomicU32,
    /// Where the thread that waits for the writer has its thread-local storage.
    pub(crate) waiting_fs: AtomicUsize,
    /// Whether a thread is to stand still, and does. A futex; see `standing`.
    standstill: AtomicU32,
    standing_since_ns: AtomicU64,
    /// How often the signal came that asks for a snapshot.
    pub(crate) signalled: AtomicU32,
    /// Whether the thread that stands still was refused memory.
    pub(crate) out_of_memory: AtomicBool,
}

/// The recording of this process.
pub(crate) struct Session {
    recorder: AtomicPtr<Recorder>,
    state: AtomicU32,
    /// Not 0 if allocations must see to something first.
    attention: AtomicU32,
    pub(crate) pid: AtomicU32,
    pub(crate) parent: AtomicU32,
    forked_allocations: AtomicU32,
    pub(crate) started_ns: AtomicU64,
    pub(crate) control: Control,
    pub(crate) python: Python,
    config: UnsafeCell<Config>,
    late: AtomicPtr<Thread>,
    late_lock: SpinLock,
    /// Whether there was a snapshot since memory was refused.
    had_out_of_memory: AtomicBool,
    /// The thread that has taken the locks for `fork`, and where it is to be afterwards.
    forking: AtomicUsize,
    after_fork: UnsafeCell<Option<Local>>,
    key: AtomicU32,
    stderr: [AtomicU64; 2],
    pub(crate) children: [AtomicU64; CHILDREN],
    pub(crate) child_count: AtomicU32,
    ending: AtomicBool,
    nested: AtomicU32,
}

// SAFETY: `config` is written in the constructor and in a forked child, while
// there is one thread, `after_fork` under the locks; everything else is atomic.
unsafe impl Sync for Session {}

/// Attention: allocators that Python may have replaced are to be looked at.
pub(crate) const WATCH_PYTHON: u32 = 1;
/// Attention: a forked child has no writer yet.
const FORKED: u32 = 2;
/// Attention: the writer has failed.
pub(crate) const WRITER_FAILED: u32 = 4;
/// Attention: whoever has the GIL is to stand still for a snapshot.
const SNAPSHOT: u32 = 8;
/// Attention: threads of Python are to be traced.
pub(crate) const STEPS: u32 = 16;

static SESSION: Session = Session {
    recorder: AtomicPtr::new(core::ptr::null_mut()),
    state: AtomicU32::new(State::Off as u32),
    attention: AtomicU32::new(0),
    pid: AtomicU32::new(0),
    parent: AtomicU32::new(0),
    forked_allocations: AtomicU32::new(0),
    started_ns: AtomicU64::new(0),
    control: Control {
        command: AtomicU32::new(0),
        answer: AtomicU32::new(0),
        errno: AtomicU32::new(0),
        writer: AtomicU32::new(0),
        exec: AtomicU32::new(0),
        waiting_fs: AtomicUsize::new(0),
        standstill: AtomicU32::new(0),
        standing_since_ns: AtomicU64::new(0),
        signalled: AtomicU32::new(0),
        out_of_memory: AtomicBool::new(false),
    },
    python: Python::new(),
    config: UnsafeCell::new(Config {
        root: Buffer::new(),
        capture: Buffer::new(),
        run: Buffer::new(),
        library: Buffer::new(),
        follow: false,
        track: Track::Objects,
        image: 0,
        check: false,
        heap: Heap::NEVER,
        steps: Wanted::nothing(),
        patience_ns: 0,
    }),
    late: AtomicPtr::new(core::ptr::null_mut()),
    late_lock: SpinLock::new(),
    had_out_of_memory: AtomicBool::new(false),
    forking: AtomicUsize::new(0),
    after_fork: UnsafeCell::new(None),
    key: AtomicU32::new(u32::MAX),
    stderr: [AtomicU64::new(0), AtomicU64::new(0)],
    children: [const { AtomicU64::new(0) }; CHILDREN],
    child_count: AtomicU32::new(0),
    ending: AtomicBool::new(false),
    nested: AtomicU32::new(0),
};

/// The session of this process.
#[inline(always)]
pub(crate) fn session() -> &'static Session {
    &SESSION
}

/// A thread inside the recorder; leaves it when dropped.
pub(crate) struct Inside {
    // One word, so that it travels in a register.
    pub(crate) thread: &'static Thread,
}

impl Drop for Inside {
    #[inline(always)]
    fn drop(&mut self) {
        self.thread.leave();
    }
}

/// Enters the recorder, unless nothing is recorded or the thread is inside.
#[inline(always)]
pub(crate) fn enter() -> Option<Inside> {
    let recorder = SESSION.recorder()?;
    if !recorder.is_on() {
        return None;
    }
    let thread = match tls::get() {
        Local::Row(thread) => thread,
        Local::Ended => return SESSION.enter_late(recorder),
        other => SESSION.attach(recorder, other)?,
    };
    // Not `then_some`: a value made and dropped would leave for the one inside.
    if thread.enter() {
        return Some(Inside { thread });
    }
    SESSION.note_nested(thread);
    None
}

/// Like [`enter`], for an event that allocates: sees to what needs attention.
#[inline(always)]
pub(crate) fn enter_to_allocate(with_gil: bool) -> Option<Inside> {
    let inside = enter()?;
    if SESSION.attention.load(Ordering::Relaxed) != 0 {
        return inside.attend(with_gil);
    }
    Some(inside)
}

impl Inside {
    /// The session.
    #[inline(always)]
    pub(crate) fn session(&self) -> &'static Session {
        &SESSION
    }

    /// The recorder.
    #[inline(always)]
    pub(crate) fn recorder(&self) -> &'static Recorder {
        // SAFETY: a thread can only be inside once there is a recorder, which lives for ever.
        unsafe { &*SESSION.recorder.load(Ordering::Relaxed) }
    }

    #[cold]
    fn attend(self, with_gil: bool) -> Option<Self> {
        let attention = self.session().attention.load(Ordering::Relaxed);
        if attention & WRITER_FAILED != 0 {
            self.session().say_writer_failed();
            return None;
        }
        if attention & WATCH_PYTHON != 0 && self.session().python.watch(self.session()) {
            self.session().forget(WATCH_PYTHON);
        }
        if attention & FORKED != 0 && self.session().is_past_grace(self.recorder()) {
            self.session().start_writer();
        }
        if attention & STEPS != 0 && with_gil && self.session().python.is_initialized() {
            steps::events::see_to_thread(self.session(), self.session().python.current_thread_state());
        }
        if attention & SNAPSHOT != 0 && with_gil {
            self.session().stand_still_if_wanted();
        }
        if self.recorder().is_on() { Some(self) } else { None }
    }
}

impl Session {
    /// A hook was called by a thread that is inside. That the real function calls
    /// another is as it should be; the recorder itself never may.
    #[cold]
    fn note_nested(&self, thread: &Thread) {
        if thread.within() == Within::Recorder {
            self.nested.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a hook was called from inside the recorder: by the recorder, or
    /// by a signal handler that came while its thread was there.
    pub(crate) fn nested_calls(&self) -> u32 {
        self.nested.load(Ordering::Relaxed)
    }

    /// The recorder, if there is one.
    #[inline(always)]
    pub(crate) fn recorder(&self) -> Option<&'static Recorder> {
        // SAFETY: a recorder that was made lives for ever.
        unsafe { self.recorder.load(Ordering::Relaxed).as_ref() }
    }

    /// What the environment asked for.
    pub(crate) fn config(&self) -> &Config {
        // SAFETY: it changes only while there is one thread.
        unsafe { &*self.config.get() }
    }

    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Forked,
            2 => State::Recording,
            3 => State::Ended,
            _ => State::Off,
        }
    }

    /// Whether this is the process that is recorded, and not a child of
    /// `vfork` that shares its memory.
    pub(crate) fn is_this_process(&self) -> bool {
        self.pid.load(Ordering::Relaxed) == sys::pid()
    }

    /// Notes who this process is and who started it.
    fn note_process(&self) {
        self.pid.store(sys::pid(), Ordering::Relaxed);
        // SAFETY: getppid takes nothing and cannot fail.
        self.parent.store(unsafe { libc::getppid() } as u32, Ordering::Relaxed);
    }

    pub(crate) fn call_attention(&self, to: u32) {
        self.attention.fetch_or(to, Ordering::Relaxed);
    }

    fn forget(&self, about: u32) {
        self.attention.fetch_and(!about, Ordering::Relaxed);
    }

    /// Gives the calling thread a row, or none to one that is not to be recorded.
    #[cold]
    fn attach(&self, recorder: &'static Recorder, local: Local) -> Option<&'static Thread> {
        match local {
            Local::Row(thread) => Some(thread),
            Local::Attaching | Local::Ended => None,
            Local::New => {
                tls::set(Local::Attaching);
                let Ok(thread) = recorder.attach(sys::tid()) else {
                    tls::set(Local::Ended);
                    self.give_up(libc::ENOMEM);
                    return None;
                };
                // SAFETY: the key was made in the constructor.
                unsafe {
                    libc::pthread_setspecific(self.key.load(Ordering::Relaxed), FIRST_ROUND as *const c_void);
                }
                tls::set(Local::Row(thread));
                Some(thread)
            }
        }
    }

    /// One row for all threads that allocate after their end. Whoever finds it
    /// taken is not recorded; that is a few blocks of the C library's own.
    #[cold]
    fn enter_late(&self, recorder: &'static Recorder) -> Option<Inside> {
        // As in `attach`: a signal handler must not meet a lock of its own thread's.
        tls::set(Local::Attaching);
        let thread = self.late_thread(recorder);
        tls::set(Local::Ended);
        let thread = thread?;
        if thread.enter_alone() { Some(Inside { thread }) } else { None }
    }

    fn late_thread(&self, recorder: &'static Recorder) -> Option<&'static Thread> {
        let _held = self.late_lock.lock();
        let mut row = self.late.load(Ordering::Relaxed);
        if row.is_null() {
            row = core::ptr::from_ref(recorder.attach(0).ok()?).cast_mut();
            self.late.store(row, Ordering::Relaxed);
        }
        // SAFETY: rows live for ever.
        unsafe { row.as_ref() }
    }

    /// Whether a forked child is to have a writer now; says so once.
    #[cold]
    fn is_past_grace(&self, recorder: &Recorder) -> bool {
        let before = self.forked_allocations.fetch_add(1, Ordering::Relaxed);
        let past = before >= FORKED_CHILD_GRACE
            || recorder.live.bytes() >= FORKED_CHILD_GRACE_BYTES
            || sys::monotonic_ns() - self.started_ns.load(Ordering::Relaxed) >= FORKED_CHILD_GRACE_NS;
        past && self.attention.fetch_and(!FORKED, Ordering::AcqRel) & FORKED != 0
    }

    /// Starts the writer, or gives up.
    fn start_writer(&'static self) {
        self.forget(FORKED);
        match writer::start(self) {
            Ok(()) => self.state.store(State::Recording as u32, Ordering::Release),
            Err(errno) => self.give_up(errno),
        }
    }

    /// Another thread may be starting it at this moment.
    fn start_writer_unless_started(&'static self) {
        const PATIENCE_NS: u64 = 1_000_000_000;
        if self.attention.fetch_and(!FORKED, Ordering::AcqRel) & FORKED != 0 {
            return self.start_writer();
        }
        let began = sys::monotonic_ns();
        // Or this very thread was, when the signal came whose handler ends the program.
        while self.state() == State::Forked && sys::monotonic_ns() - began < PATIENCE_NS {
            sys::yield_now();
        }
    }

    /// Ends the recording and waits until it is written. Only the first call counts.
    pub(crate) fn finish(&'static self, reason: EndReason) {
        if !self.is_this_process() || self.ending.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.state() == State::Forked {
            self.start_writer_unless_started();
        }
        let recording = self.state() == State::Recording;
        self.state.store(State::Ended as u32, Ordering::Release);
        if let Some(recorder) = self.recorder() {
            if let Local::Row(thread) = tls::get() {
                note_stack(thread);
            }
            recorder.turn_off();
        }
        if recording {
            self.control.waiting_fs.store(tls::base(), Ordering::Relaxed);
            writer::stop(self, reason);
            if self.attention.load(Ordering::Relaxed) & WRITER_FAILED != 0 {
                self.say_writer_failed();
            }
        }
    }

    /// Notes a child process.
    pub(crate) fn note_child(&self, pid: u32, kind: ChildKind) {
        let child = u64::from(pid) << 8 | kind as u64 | 0x80;
        let count = self.child_count.load(Ordering::Acquire) as usize;
        let last = count.checked_sub(1).and_then(|last| self.children.get(last));
        // A child of `vfork` that looks for a program along PATH comes here for each folder.
        if last.is_some_and(|last| last.load(Ordering::Relaxed) == child) {
            return;
        }
        let index = self.child_count.fetch_add(1, Ordering::AcqRel);
        if let Some(place) = self.children.get(index as usize) {
            place.store(child, Ordering::Release);
        }
    }

    /// Stops recording for good; the program goes on without it.
    fn give_up(&self, errno: i32) {
        if let Some(recorder) = self.recorder() {
            recorder.turn_off();
        }
        if self.state.swap(State::Off as u32, Ordering::AcqRel) != State::Off as u32 {
            self.say(&[b"memsight: recording stopped: ", errno_text(errno), b"; the program runs on\n"]);
        }
    }

    #[cold]
    fn say_writer_failed(&self) {
        self.forget(WRITER_FAILED);
        self.give_up_after_end(self.control.errno.load(Ordering::Relaxed) as i32);
    }

    fn give_up_after_end(&self, errno: i32) {
        if self.state() == State::Ended {
            self.state.store(State::Recording as u32, Ordering::Relaxed);
        }
        self.give_up(errno);
    }

    /// Writes one line to what was standard error when the process began, if
    /// descriptor 2 still is that. A program may have closed it and opened
    /// something of its own there.
    pub(crate) fn say(&self, parts: &[&[u8]]) {
        let mut line = Buffer::<512>::new();
        for part in parts {
            line.push(part);
        }
        let [device, inode] = &self.stderr;
        if identity(2) != Some((device.load(Ordering::Relaxed), inode.load(Ordering::Relaxed))) {
            return;
        }
        // A pipe that nobody reads any more would send a signal, a full one hold the program up.
        let mut poll = [2, u32::from(libc::POLLOUT as u16)];
        // SAFETY: polls one descriptor (struct pollfd: descriptor, events asked for, events
        // seen) and does not wait; writes the line's bytes.
        unsafe {
            syscall!(POLL, poll.as_mut_ptr(), 1, 0);
            if poll[1] >> 16 == libc::POLLOUT as u32 {
                syscall!(WRITE, 2, line.as_ptr(), line.as_bytes().len());
            }
        }
    }
}

/// Device and inode behind a descriptor.
fn identity(descriptor: usize) -> Option<(u64, u64)> {
    let mut stat = [0u64; 18];
    // SAFETY: fstat writes a stat structure of 144 bytes.
    let result = unsafe { syscall!(FSTAT, descriptor, stat.as_mut_ptr()) };
    (result == 0).then_some((stat[0], stat[1]))
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end;

unsafe extern "C" {
    fn at_quick_exit(function: extern "C" fn()) -> c_int;
}

/// The library's constructor.
extern "C" fn begin() {
    // SAFETY: constructors run before the program, in one thread.
    let config = unsafe { &mut *SESSION.config.get() };
    if !configure(config) {
        return;
    }
    if let Some((device, inode)) = identity(2) {
        SESSION.stderr[0].store(device, Ordering::Relaxed);
        SESSION.stderr[1].store(inode, Ordering::Relaxed);
    }
    SESSION.note_process();
    SESSION.started_ns.store(sys::monotonic_ns(), Ordering::Relaxed);
    SESSION.state.store(State::Recording as u32, Ordering::Release);
    let mut key = 0;
    // SAFETY: registers functions of this library, which is never unloaded.
    unsafe {
        libc::pthread_key_create(&mut key, Some(thread_ends));
        libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
        at_quick_exit(end);
    }
    SESSION.key.store(key, Ordering::Relaxed);
    let Ok(recorder) = Recorder::create() else {
        SESSION.give_up(libc::ENOMEM);
        return;
    };
    SESSION.recorder.store(core::ptr::from_ref(recorder).cast_mut(), Ordering::Release);
    SESSION.start_writer();
    if SESSION.state() != State::Recording {
        return;
    }
    SESSION.python.find(&SESSION);
    if SESSION.config().heap.signal != 0 {
        signals::listen(SESSION.config().heap.signal);
    }
    recorder.turn_on();
    if python::is_present(&SESSION) {
        SESSION.call_attention(WATCH_PYTHON);
        if SESSION.config().steps.max_steps > 0 {
            steps::events::prepare();
            SESSION.call_attention(STEPS);
        }
    }
}

/// The library's destructor: after the program's own exit handlers.
extern "C" fn end() {
    SESSION.finish(EndReason::Exit);
}

extern "C" fn before_fork() {
    SESSION.before_fork();
}

extern "C" fn after_fork_in_parent() {
    SESSION.after_fork_in_parent();
}

extern "C" fn after_fork_in_child() {
    SESSION.after_fork_in_child();
}

/// A path as the kernel takes it.
pub(crate) fn path_pointer(path: &Path) -> *const c_char {
    path.as_ptr()
}

/// The type that the C library gives exit codes.
pub(crate) type ExitCode = c_int;
