//! CPython: found by its symbols, wrapped at its allocators, read at its frames.
//!
//! Nothing of Python is linked. If the process has an interpreter its symbols
//! are found by name, its version says which row of [`layout`] holds, and one
//! careful walk of the first stack shows whether it really does. An
//! interpreter that is too old, too new or built otherwise is recorded without
//! Python stacks, and the capture says so.

mod allocators;
mod code;
mod frames;
mod gc;
mod known;
pub(crate) mod layout;
mod published;

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use memsight_capture::{EndReason, NodeId, Track};
use memsight_recorder::{sys, syscall};

use crate::session::{Inside, Session, session};
use crate::text::leading_number;
use layout::{InstructionForm, Layout};

pub(crate) use code::is_code;
pub(crate) use gc::Collector;
pub(crate) use known::Known;

/// What is known of the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum State {
    /// There is none.
    Absent = 0,
    /// Found; no frame was seen yet.
    Found = 1,
    /// Its frames can be read.
    Readable = 2,
    /// Its frames cannot be read.
    Unreadable = 3,
}

type GetState = unsafe extern "C" fn() -> *const c_void;
type GetFlag = unsafe extern "C" fn() -> c_int;

/// The interpreter of this process.
pub(crate) struct Python {
    state: AtomicU32,
    version: AtomicPtr<c_char>,
    layout: AtomicPtr<Layout>,
    current_state: AtomicUsize,
    this_threads_state: AtomicUsize,
    is_initialized: AtomicUsize,
    is_finalizing: AtomicUsize,
    code_type: AtomicUsize,
    type_type: AtomicUsize,
    known: UnsafeCell<Known>,
    /// The first interpreter seen, and whether there was another.
    interpreter: AtomicUsize,
    subinterpreters: AtomicBool,
    /// Whether the first interpreter's collector is where its version keeps it.
    has_collector: AtomicBool,
    /// The way to the innermost frame was walked with care, and there was none yet.
    no_frame_yet: AtomicBool,
    mismatches: AtomicU32,
}

/// The symbol's address, or 0.
pub(crate) fn symbol(name: &CStr) -> usize {
    // SAFETY: dlsym takes a handle and a name.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) as usize }
}

/// Whether this process has an interpreter.
pub(crate) fn is_present(session: &Session) -> bool {
    session.python.state() != State::Absent
}

/// Reads a word of the program's memory.
///
/// # Safety
/// `address` is the address of eight readable bytes.
#[inline(always)]
pub(crate) unsafe fn word(address: usize) -> usize {
    // SAFETY: the caller says that it is readable.
    unsafe { (address as *const usize).read() }
}

/// Reads a word that may not be there, by way of the kernel.
pub(crate) fn careful_word(address: usize) -> Option<usize> {
    let mut value = 0usize;
    careful_read(address, (&raw mut value).cast(), size_of::<usize>()).then_some(value)
}

/// Copies memory that may not be there, by way of the kernel. `false` if it is not.
pub(crate) fn careful_read(address: usize, to: *mut u8, bytes: usize) -> bool {
    let local = [to as usize, bytes];
    let remote = [address, bytes];
    // SAFETY: the kernel checks the remote address; the local one holds `bytes`.
    let read = unsafe { syscall!(PROCESS_VM_READV, sys::pid(), local.as_ptr(), 1, remote.as_ptr(), 1, 0) };
    if read == -(libc::EPERM as isize) || read == -(libc::ENOSYS as isize) {
        return read_in_sandbox(address, to, bytes);
    }
    read == bytes as isize
}

/// The same where a sandbox forbids the call: asks for each page whether it is there, then reads.
#[cold]
fn read_in_sandbox(address: usize, to: *mut u8, bytes: usize) -> bool {
    const NO_SUCH_CHANGE: usize = usize::MAX;
    let Some(end) = address.checked_add(bytes) else { return false };
    let is_there = |place: usize| {
        // SAFETY: the kernel copies a mask of eight bytes, and then refuses to do anything with it.
        let result = unsafe { syscall!(RT_SIGPROCMASK, NO_SUCH_CHANGE, place, 0, 8) };
        result == -(libc::EINVAL as isize)
    };
    let first = address & !7;
    let mut pages = (first..end).step_by(4096).chain([end.saturating_sub(1) & !7]);
    if first == 0 || !pages.all(is_there) {
        return false;
    }
    // SAFETY: its pages were just there, and `to` holds `bytes`.
    unsafe { core::ptr::copy_nonoverlapping(address as *const u8, to, bytes) };
    true
}

/// The innermost frame of a thread that waits, or 0.
pub(crate) fn frames_of_thread(layout: &Layout, thread_state: usize) -> usize {
    Python::innermost(layout, thread_state)
}

// SAFETY: `known` is written in the constructor, while there is one thread; the rest is atomic.
unsafe impl Sync for Python {}

impl Python {
    pub(crate) const fn new() -> Self {
        Python {
            state: AtomicU32::new(State::Absent as u32),
            version: AtomicPtr::new(core::ptr::null_mut()),
            layout: AtomicPtr::new(core::ptr::null_mut()),
            current_state: AtomicUsize::new(0),
            this_threads_state: AtomicUsize::new(0),
            is_initialized: AtomicUsize::new(0),
            is_finalizing: AtomicUsize::new(0),
            code_type: AtomicUsize::new(0),
            type_type: AtomicUsize::new(0),
            known: UnsafeCell::new(Known::NOTHING),
            interpreter: AtomicUsize::new(0),
            subinterpreters: AtomicBool::new(false),
            has_collector: AtomicBool::new(false),
            no_frame_yet: AtomicBool::new(false),
            mismatches: AtomicU32::new(0),
        }
    }

    #[inline(always)]
    fn state(&self) -> State {
        match self.state.load(Ordering::Relaxed) {
            1 => State::Found,
            2 => State::Readable,
            3 => State::Unreadable,
            _ => State::Absent,
        }
    }

    #[inline(always)]
    fn layout(&self) -> Option<&'static Layout> {
        // SAFETY: it points to a row of a static table, or is null.
        unsafe { self.layout.load(Ordering::Relaxed).as_ref() }
    }

    /// The version as `Py_GetVersion` gives it, up to its first space, and
    /// whether stacks can be read.
    pub(crate) fn version(&self) -> Option<(&'static [u8], bool)> {
        let version = self.version.load(Ordering::Acquire);
        if version.is_null() {
            return None;
        }
        // SAFETY: CPython's version is a static NUL-ended string.
        let text = unsafe { CStr::from_ptr(version) }.to_bytes();
        let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
        Some((&text[..end], self.state() != State::Unreadable && self.layout().is_some()))
    }

    /// Whether frames were seen, so that [`Python::version`] will not change.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.state(), State::Readable | State::Unreadable)
    }

    /// The first interpreter's state, for the collector's counters.
    pub(crate) fn interpreter(&self) -> Option<usize> {
        Some(self.interpreter.load(Ordering::Acquire)).filter(|&address| address != 0)
    }

    /// Whether all threads of the interpreter share one GIL: not known of a build without
    /// one, nor where there are several interpreters, which may have one each.
    #[inline(always)]
    pub(crate) fn has_one_gil(&self) -> bool {
        self.state() == State::Readable && !self.subinterpreters.load(Ordering::Relaxed)
    }

    /// The address of `type`.
    pub(crate) fn type_type(&self) -> usize {
        self.type_type.load(Ordering::Relaxed)
    }

    /// How often the check mode found another stack than the recorder.
    pub(crate) fn mismatches(&self) -> u32 {
        self.mismatches.load(Ordering::Relaxed)
    }

    /// Looks for an interpreter and wraps it.
    pub(crate) fn find(&self, session: &'static Session) {
        let get_version = symbol(c"Py_GetVersion");
        if get_version == 0 || symbol(c"PyMem_SetAllocator") == 0 {
            return;
        }
        // SAFETY: Py_GetVersion may be called before the interpreter is initialised.
        let version =
            unsafe { mem::transmute::<usize, unsafe extern "C" fn() -> *const c_char>(get_version)() };
        self.version.store(version.cast_mut(), Ordering::Release);
        // SAFETY: as in `version`.
        let text = unsafe { CStr::from_ptr(version) }.to_bytes();
        let minor = text.strip_prefix(b"3.").and_then(leading_number).unwrap_or(0);
        let free_threaded = text.windows(13).any(|part| part == b"free-threadin");
        let row = layout::for_version(minor as u32).filter(|_| !free_threaded).and_then(published::correct);
        if let Some(row) = row {
            self.layout.store(core::ptr::from_ref(row).cast_mut(), Ordering::Release);
        }
        for (place, names) in [
            (&self.current_state, [c"PyThreadState_GetUnchecked", c"_PyThreadState_UncheckedGet"]),
            (&self.this_threads_state, [c"PyGILState_GetThisThreadState", c""]),
            (&self.is_initialized, [c"Py_IsInitialized", c""]),
            (&self.is_finalizing, [c"Py_IsFinalizing", c"_Py_IsFinalizing"]),
            (&self.code_type, [c"PyCode_Type", c""]),
            (&self.type_type, [c"PyType_Type", c""]),
        ] {
            let found = names.iter().map(|name| symbol(name)).find(|&address| address != 0);
            place.store(found.unwrap_or(0), Ordering::Relaxed);
        }
        // SAFETY: the constructor runs before there is a second thread.
        unsafe { *self.known.get() = Known::find() };
        let usable = row.is_some()
            && [&self.current_state, &self.this_threads_state, &self.code_type]
                .iter()
                .all(|place| place.load(Ordering::Relaxed) != 0);
        self.state.store(if usable { State::Found } else { State::Unreadable } as u32, Ordering::Release);
        if usable {
            code::watch_deaths(self.code_type.load(Ordering::Relaxed));
        }
        self.wrap(session);
    }

    fn wrap(&self, session: &Session) {
        if session.config().track == Track::Objects {
            allocators::wrap(session.config().steps.max_steps > 0);
        }
    }

    /// Until the interpreter is initialised, `PYTHONMALLOC` and `-X dev` may
    /// put other allocators in place of ours. Wraps those; `true` once it is
    /// settled.
    pub(crate) fn watch(&self, session: &Session) -> bool {
        if self.state() == State::Absent || self.is_initialized.load(Ordering::Relaxed) == 0 {
            return true;
        }
        self.wrap(session);
        self.is_initialized()
    }

    /// The node of the calling thread's Python stack.
    #[inline(always)]
    pub(crate) fn node(&self, inside: &Inside, with_gil: bool) -> NodeId {
        let state = self.state();
        if state != State::Readable && (state != State::Found || !self.probe(with_gil)) {
            return inside.thread.root();
        }
        let Some(layout) = self.layout() else { return inside.thread.root() };
        let thread_state = self.thread_state(layout, with_gil);
        let top = Self::innermost(layout, thread_state);
        if top == 0 {
            if with_gil {
                self.see_whether_it_ends();
            }
            return inside.thread.root();
        }
        let node = if layout.minor >= 11 {
            let may_mark = !Self::is_tracing(layout, thread_state);
            let frames = frames::Internal::new(layout, self.code_type.load(Ordering::Relaxed), may_mark);
            // SAFETY: the thread's own chain of frames, which changes only when it runs Python.
            unsafe { inside.recorder().stack(inside.thread, top as u64, &frames) }
        } else {
            let frames = frames::Objects::new(layout, self.code_type.load(Ordering::Relaxed));
            // SAFETY: as above.
            unsafe { inside.recorder().stack(inside.thread, top as u64, &frames) }
        };
        if inside.session().config().check && !inside.recorder().tree.is_folding() {
            self.check(inside, layout, top, node);
        }
        node
    }

    /// The innermost frame of a thread, or 0.
    #[inline(always)]
    fn innermost(layout: &Layout, thread_state: usize) -> usize {
        if thread_state == 0 {
            return 0;
        }
        // SAFETY: a thread state is readable as long as its thread runs.
        unsafe {
            let first = word(thread_state + layout.thread.frame);
            match layout.thread.cframe_current_frame {
                Some(offset) if first != 0 => word(first + offset),
                _ => first,
            }
        }
    }

    /// Whether a trace or profile function runs, in which case frames wait
    /// where they called nothing.
    #[inline(always)]
    fn is_tracing(layout: &Layout, thread_state: usize) -> bool {
        // SAFETY: as above.
        layout
            .thread
            .tracing
            .is_none_or(|offset| unsafe { ((thread_state + offset) as *const i32).read() } != 0)
    }

    #[inline(always)]
    fn thread_state(&self, layout: &'static Layout, with_gil: bool) -> usize {
        let call = |function: &AtomicUsize| {
            // SAFETY: both functions may be called without the GIL and at any time.
            unsafe { mem::transmute::<usize, GetState>(function.load(Ordering::Relaxed))() as usize }
        };
        if with_gil {
            let current = call(&self.current_state);
            self.note_interpreter(layout, current);
            return current;
        }
        if layout.minor >= 12 {
            // It is the thread's own, and NULL without the GIL.
            let current = call(&self.current_state);
            return if current != 0 { current } else { call(&self.this_threads_state) };
        }
        // Up to 3.11 the current state is whoever has the GIL.
        let own = call(&self.this_threads_state);
        if !self.subinterpreters.load(Ordering::Relaxed) {
            return own;
        }
        let current = call(&self.current_state);
        // SAFETY: pthread_self has no arguments.
        let me = unsafe { libc::pthread_self() } as usize;
        let is_ours = current != 0 && careful_word(current + layout.thread.thread_id) == Some(me);
        if is_ours { current } else { own }
    }

    #[inline(always)]
    fn note_interpreter(&self, layout: &'static Layout, state: usize) {
        if self.subinterpreters.load(Ordering::Relaxed) || state == 0 {
            return;
        }
        // SAFETY: a thread state is readable as long as its thread runs.
        let interpreter = unsafe { word(state + layout.thread.interp) };
        if interpreter != self.interpreter.load(Ordering::Relaxed) {
            self.note_new_interpreter(layout, interpreter);
        }
    }

    #[cold]
    fn note_new_interpreter(&self, layout: &'static Layout, interpreter: usize) {
        if self.interpreter.load(Ordering::Relaxed) != 0 {
            return self.subinterpreters.store(true, Ordering::Relaxed);
        }
        self.has_collector.store(Collector::is_here(interpreter, layout), Ordering::Relaxed);
        self.interpreter.store(interpreter, Ordering::Release);
    }

    /// An allocation without any Python frame comes before the program begins
    /// and after it ended. Where the interpreter shuts down, the run is over:
    /// what is still alive now is what the program left alive.
    #[cold]
    fn see_whether_it_ends(&self) {
        let is_finalizing = self.is_finalizing.load(Ordering::Relaxed);
        if is_finalizing == 0 {
            return;
        }
        // SAFETY: it reads one word of the runtime's state.
        if unsafe { mem::transmute::<usize, GetFlag>(is_finalizing)() } != 0 {
            session().finish(EndReason::Exit);
        }
    }

    /// Walks the first stack by way of the kernel, which survives a wrong
    /// offset, and settles whether frames can be read.
    #[cold]
    fn probe(&self, with_gil: bool) -> bool {
        let Some(layout) = self.layout() else { return false };
        let state = self.thread_state(layout, with_gil);
        if state == 0 {
            return false;
        }
        if self.no_frame_yet.load(Ordering::Relaxed) && Self::innermost(layout, state) == 0 {
            return false;
        }
        let chain = || -> Option<usize> {
            let first = careful_word(state + layout.thread.frame)?;
            let mut frame = match layout.thread.cframe_current_frame {
                Some(offset) if first != 0 => careful_word(first + offset)?,
                _ => first,
            };
            let mut seen = 0;
            while frame != 0 && seen < 10_000 {
                let owner = match layout.frame.owner {
                    Some(offset) => {
                        Some(careful_word((frame + offset) & !7)?.to_le_bytes()[(frame + offset) & 7])
                    }
                    None => None,
                };
                let is_shim = owner.is_some() && owner == layout.frame.owned_by_cstack;
                let code = careful_word(frame + layout.frame.code)?;
                if !is_shim
                    && careful_word(code + layout.object.ob_type)? != self.code_type.load(Ordering::Relaxed)
                {
                    return None;
                }
                frame = careful_word(frame + layout.frame.previous)?;
                seen += 1;
            }
            (frame == 0).then_some(seen)
        };
        match chain() {
            // No frame yet: nothing was proven.
            Some(0) => {
                self.no_frame_yet.store(true, Ordering::Relaxed);
                false
            }
            Some(_) => {
                self.state.store(State::Readable as u32, Ordering::Release);
                true
            }
            None => {
                self.state.store(State::Unreadable as u32, Ordering::Release);
                session().say(&[
                    b"memsight: this Python's frames are not where its version keeps them (a debug build?); ",
                    b"allocations are recorded without Python stacks\n",
                ]);
                false
            }
        }
    }

    /// Check mode: walks the whole chain anew and compares it to the node's path.
    #[cold]
    fn check(&self, inside: &Inside, layout: &'static Layout, top: usize, node: NodeId) {
        let code_type = self.code_type.load(Ordering::Relaxed);
        let same = if layout.minor >= 11 {
            frames::agrees(&frames::Internal::new(layout, code_type, false), inside, top, node)
        } else {
            frames::agrees(&frames::Objects::new(layout, code_type), inside, top, node)
        };
        if !same {
            self.mismatches.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How the instruction of a frame is stored.
    fn instruction_unit(layout: &Layout) -> u32 {
        if layout.frame.instruction_form == InstructionForm::IndexInUnits { 2 } else { 1 }
    }

    /// The collector of the first interpreter, where its state is where the version keeps it.
    pub(crate) fn collector(&self) -> Option<Collector> {
        let interpreter = self.interpreter().filter(|_| self.has_collector.load(Ordering::Relaxed))?;
        Some(Collector::at(interpreter, self.layout()?))
    }

    /// What a snapshot of the object graph needs of the interpreter.
    pub(crate) fn known(&self) -> &Known {
        // SAFETY: written in the constructor alone.
        unsafe { &*self.known.get() }
    }

    /// The layout, where the interpreter's own lists are where the version keeps them.
    pub(crate) fn graph_layout(&self) -> Option<&'static Layout> {
        self.layout().filter(|_| self.state() == State::Readable && self.collector().is_some())
    }

    /// Whether there is an interpreter.
    pub(crate) fn was_found(&self) -> bool {
        self.state() != State::Absent
    }

    /// Whether a snapshot of the object graph can be taken; if not, why.
    pub(crate) fn can_be_walked(&self) -> Result<(), &'static [u8]> {
        if self.graph_layout().is_none() || !self.known().is_whole() {
            return Err(b"the objects of this interpreter cannot be read");
        }
        if self.subinterpreters.load(Ordering::Relaxed) {
            return Err(b"the program has several interpreters");
        }
        Ok(())
    }

    /// Whether a snapshot of the object graph can be taken, now or once Python runs.
    pub(crate) fn may_come_to_be_walked(&self) -> bool {
        match self.state() {
            State::Absent | State::Unreadable => false,
            State::Found => self.known().is_whole(),
            State::Readable => self.interpreter().is_none() || self.can_be_walked().is_ok(),
        }
    }

    /// The state of the calling thread, which has the GIL; 0 if it has none.
    pub(crate) fn current_thread_state(&self) -> usize {
        let current = self.current_state.load(Ordering::Relaxed);
        // SAFETY: the function may be called at any time.
        if current == 0 { 0 } else { unsafe { mem::transmute::<usize, GetState>(current)() as usize } }
    }

    /// Whether the interpreter has started.
    pub(crate) fn is_initialized(&self) -> bool {
        let is_initialized = self.is_initialized.load(Ordering::Relaxed);
        // SAFETY: Py_IsInitialized may be called at any time.
        is_initialized != 0 && unsafe { mem::transmute::<usize, GetFlag>(is_initialized)() != 0 }
    }

    /// The offset of an object's type, for the walk over what is alive at the end.
    pub(crate) fn object_layout(&self) -> Option<&'static layout::Object> {
        self.layout().filter(|_| self.state() == State::Readable).map(|layout| &layout.object)
    }
}
