//! The recording of this process: how it begins, what its state is, how it ends.
//!
//! `memsight run` says by the environment what to do; the library reads that
//! in its constructor and takes it out again, so that the program sees the
//! environment it would have had. [`hooks::process`](crate::hooks) puts it back
//! for the programs that this one starts.

use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use memsight_capture::{ChildKind, EndReason, Track};
use memsight_recorder::{Recorder, SpinLock, Thread, sys, syscall};

use crate::python::{self, Python};
use crate::text::{Buffer, env, errno_text, leading_number};
use crate::tls::{self, Local};
use crate::writer;

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

/// What the environment asked for.
pub(crate) struct Config {
    /// The first process's capture; others are named after it.
    pub(crate) root: Path,
    /// This process's capture.
    pub(crate) capture: Path,
    /// 32 hexadecimal digits.
    pub(crate) run: Buffer<33>,
    /// Path of this library.
    pub(crate) library: Path,
    pub(crate) follow: bool,
    pub(crate) track: Track,
    /// How many programs this process id had been before.
    pub(crate) image: u32,
    /// Whether stacks are walked twice and compared.
    pub(crate) check: bool,
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
    key: AtomicU32,
    stderr: [AtomicU64; 2],
    pub(crate) children: [AtomicU64; CHILDREN],
    pub(crate) child_count: AtomicU32,
    ending: AtomicBool,
}

// SAFETY: `config` is written in the constructor and in a forked child, while
// there is one thread; everything else is atomic.
unsafe impl Sync for Session {}

/// Attention: allocators that Python may have replaced are to be looked at.
pub(crate) const WATCH_PYTHON: u32 = 1;
/// Attention: a forked child has no writer yet.
const FORKED: u32 = 2;
/// Attention: the writer has failed.
pub(crate) const WRITER_FAILED: u32 = 4;

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
    }),
    late: AtomicPtr::new(core::ptr::null_mut()),
    late_lock: SpinLock::new(),
    key: AtomicU32::new(u32::MAX),
    stderr: [AtomicU64::new(0), AtomicU64::new(0)],
    children: [const { AtomicU64::new(0) }; CHILDREN],
    child_count: AtomicU32::new(0),
    ending: AtomicBool::new(false),
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
        other => SESSION.attach(recorder, other)?,
    };
    // Not `then_some`: a value made and dropped would leave for the one inside.
    if thread.enter() { Some(Inside { thread }) } else { None }
}

/// Like [`enter`], for an event that allocates: sees to what needs attention.
#[inline(always)]
pub(crate) fn enter_to_allocate() -> Option<Inside> {
    let inside = enter()?;
    if SESSION.attention.load(Ordering::Relaxed) != 0 {
        return inside.attend();
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
    fn attend(self) -> Option<Self> {
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
        if self.recorder().is_on() { Some(self) } else { None }
    }
}

impl Session {
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
            Local::Attaching => None,
            Local::Ended => self.late_thread(recorder),
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
    fn late_thread(&self, recorder: &'static Recorder) -> Option<&'static Thread> {
        let held = self.late_lock.lock();
        let mut row = self.late.load(Ordering::Relaxed);
        if row.is_null() {
            row = core::ptr::from_ref(recorder.attach(0).ok()?).cast_mut();
            self.late.store(row, Ordering::Relaxed);
        }
        drop(held);
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

    /// Ends the recording and waits until it is written. Only the first call counts.
    pub(crate) fn finish(&'static self, reason: EndReason) {
        if !self.is_this_process() || self.ending.swap(true, Ordering::AcqRel) {
            return;
        }
        if self.state() == State::Forked {
            self.start_writer();
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
        // SAFETY: writes the line's bytes.
        unsafe { syscall!(WRITE, 2, line.as_ptr(), line.as_bytes().len()) };
    }

    /// Before `fork`: no other thread may be in the tables.
    fn before_fork(&self) {
        if let Some(recorder) = self.recorder() {
            self.late_lock.acquire();
            recorder.before_fork();
        }
    }

    fn after_fork_in_parent(&self) {
        if let Some(recorder) = self.recorder() {
            recorder.after_fork_in_parent();
            self.late_lock.release();
        }
    }

    fn after_fork_in_child(&'static self) {
        let Some(recorder) = self.recorder() else { return };
        self.late_lock.release();
        let survivor = match tls::get() {
            Local::Row(thread) => Some(thread),
            _ => None,
        };
        // SAFETY: this is the only thread, and its row is the survivor.
        unsafe { recorder.after_fork_in_child(survivor, sys::tid()) };
        self.note_process();
        self.started_ns.store(sys::monotonic_ns(), Ordering::Relaxed);
        self.late.store(core::ptr::null_mut(), Ordering::Relaxed);
        self.child_count.store(0, Ordering::Relaxed);
        self.ending.store(false, Ordering::Relaxed);
        self.control.command.store(0, Ordering::Relaxed);
        self.control.exec.store(0, Ordering::Relaxed);
        self.forget(WRITER_FAILED);
        let recorded = matches!(self.state(), State::Recording | State::Forked) && recorder.is_on();
        // SAFETY: there is one thread.
        let config = unsafe { &mut *self.config.get() };
        if !recorded || !config.follow {
            recorder.turn_off();
            self.state.store(State::Off as u32, Ordering::Release);
            return;
        }
        config.image = 0;
        name_capture(config);
        self.forked_allocations.store(0, Ordering::Relaxed);
        self.state.store(State::Forked as u32, Ordering::Release);
        self.call_attention(FORKED);
    }
}

/// Device and inode behind a descriptor.
fn identity(descriptor: usize) -> Option<(u64, u64)> {
    let mut stat = [0u64; 18];
    // SAFETY: fstat writes a stat structure of 144 bytes.
    let result = unsafe { syscall!(FSTAT, descriptor, stat.as_mut_ptr()) };
    (result == 0).then_some((stat[0], stat[1]))
}

/// Writes the name of this process's capture: the first one's with the process
/// id, and the number of the program if the process had others before.
fn name_capture(config: &mut Config) {
    let root = config.root.as_bytes();
    let name_at = root.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let dot = root[name_at..].iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0);
    let (stem, suffix) = root.split_at(dot.map_or(root.len(), |at| name_at + at));
    let capture = &mut config.capture;
    capture.clear();
    capture.push(stem);
    capture.push(b".");
    capture.push_number(sys::pid().into());
    if config.image > 0 {
        capture.push(b".");
        capture.push_number(config.image.into());
    }
    capture.push(suffix);
}

/// Reads what the environment asks for and takes it out of the environment.
fn configure(config: &mut Config) -> bool {
    let (Some(capture), Some(run)) = (env(c"MEMSIGHT_CAPTURE"), env(c"MEMSIGHT_RUN")) else { return false };
    config.run.push(run);
    config.track = if env(c"MEMSIGHT_TRACK") == Some(b"heap") { Track::Heap } else { Track::Objects };
    config.follow = env(c"MEMSIGHT_FOLLOW") != Some(b"0");
    config.check = env(c"MEMSIGHT_CHECK").is_some();
    if let Some(image) = env(c"MEMSIGHT_IMAGE") {
        let (pid, count) = split_once(image, b'.');
        if leading_number(pid) == Some(sys::pid().into()) {
            config.image = leading_number(count).unwrap_or(0) as u32;
        }
        config.root.push(capture);
        name_capture(config);
    } else {
        let (before, after) = split_pid(capture);
        config.root.push(before);
        if let Some(after) = after {
            config.root.push_number(sys::pid().into());
            config.root.push(after);
        }
        config.capture.push(config.root.as_bytes());
    }
    let preload = env(c"LD_PRELOAD").unwrap_or_default();
    let (library, rest) = split_once(preload, b':');
    config.library.push(library);
    restore_environment(rest);
    true
}

fn split_once(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == at) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, &[]),
    }
}

/// Splits at `%p`, which stands for the process id.
fn split_pid(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.windows(2).rposition(|pair| pair == b"%p") {
        Some(at) => (&text[..at], Some(&text[at + 2..])),
        None => (text, None),
    }
}

/// The variables that `memsight run` sets and the program does not see.
pub(crate) const VARIABLES: [&core::ffi::CStr; 6] = [
    c"MEMSIGHT_CAPTURE",
    c"MEMSIGHT_RUN",
    c"MEMSIGHT_TRACK",
    c"MEMSIGHT_FOLLOW",
    c"MEMSIGHT_IMAGE",
    c"MEMSIGHT_CHECK",
];

fn restore_environment(users_preload: &[u8]) {
    for name in VARIABLES {
        // SAFETY: unsetenv takes a name; there is one thread.
        unsafe { libc::unsetenv(name.as_ptr()) };
    }
    if users_preload.is_empty() {
        // SAFETY: as above.
        unsafe { libc::unsetenv(c"LD_PRELOAD".as_ptr()) };
        return;
    }
    let mut value = Path::new();
    value.push(users_preload);
    // SAFETY: setenv copies a NUL-ended value; there is one thread.
    unsafe { libc::setenv(c"LD_PRELOAD".as_ptr(), value.as_ptr(), 1) };
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
    recorder.turn_on();
    if python::is_present(&SESSION) {
        SESSION.call_attention(WATCH_PYTHON);
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

/// The first of the rounds in which the C library runs destructors of thread
/// data. Ours puts itself off to the last, so that what the others allocate
/// and free is recorded as the thread's own.
const FIRST_ROUND: usize = 1;
const LAST_ROUND: usize = 4;

unsafe extern "C" fn thread_ends(round: *mut c_void) {
    let round = round as usize;
    if round < LAST_ROUND {
        // SAFETY: the key was made in the constructor.
        unsafe { libc::pthread_setspecific(SESSION.key.load(Ordering::Relaxed), (round + 1) as *const c_void) };
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
fn note_stack(thread: &Thread) {
    if thread.tid() == SESSION.pid.load(Ordering::Relaxed) || !thread.enter() {
        return;
    }
    if let Some((low, high)) = stack_bounds() {
        let lowest = lowest_resident(low, high);
        thread.note_stack_high_water((high - lowest) as u64);
    }
    thread.leave();
}

fn stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: pthread_getattr_np fills the attributes of a running thread, which
    // are destroyed again; what it allocates passes by, the thread being inside.
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

/// A path as the kernel takes it.
pub(crate) fn path_pointer(path: &Path) -> *const c_char {
    path.as_ptr()
}

/// The type that the C library gives exit codes.
pub(crate) type ExitCode = c_int;
