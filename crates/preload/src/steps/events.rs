//! What CPython calls: the trace function, and the way to it.
//!
//! The main thread's is set by a pending call, at a moment when CPython allows any code
//! to run; another thread's as it allocates for the first time, when events are on already.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memsight_capture::{StepEvent, StepsOver};
use memsight_recorder::memory::OutOfMemory;
use memsight_recorder::sys;

use super::shape::Landmarks;
use super::tracer::{Moment, Tracer};
use super::value::Numbers;
use super::{Stage, TRACER, set_stage, stage, tracer};
use crate::python::{symbol, word};
use crate::session::{Session, enter, session};

type TraceFunction = unsafe extern "C" fn(usize, usize, c_int, usize) -> c_int;
type SetTrace = unsafe extern "C" fn(Option<TraceFunction>, usize);
type AddPendingCall = unsafe extern "C" fn(unsafe extern "C" fn(*mut c_void) -> c_int, *mut c_void) -> c_int;
type LineOfFrame = unsafe extern "C" fn(usize) -> c_int;
type GetObject = unsafe extern "C" fn(*const c_char) -> usize;
type NewName = unsafe extern "C" fn(*const c_char) -> usize;
type CallMethod = unsafe extern "C" fn(usize, *const usize, usize, usize) -> usize;
type Plain = unsafe extern "C" fn();
type OfObject = unsafe extern "C" fn(usize);

macro_rules! functions {
    ($($name:ident = $symbol:literal;)*) => {
        /// Functions of CPython, by address.
        #[allow(non_snake_case)]
        struct Functions { $($name: AtomicUsize,)* }
        static FUNCTIONS: Functions = Functions { $($name: AtomicUsize::new(0),)* };
        impl Functions {
            /// Whether all were found.
            fn find(&self) -> bool {
                $(self.$name.store(symbol($symbol), Ordering::Relaxed);)*
                [$(&self.$name,)*].iter().all(|place| place.load(Ordering::Relaxed) != 0)
            }
        }
    };
}

functions! {
    set_trace = c"PyEval_SetTrace";
    add_pending_call = c"Py_AddPendingCall";
    line_of_frame = c"PyFrame_GetLineNumber";
    get_object = c"PySys_GetObject";
    new_name = c"PyUnicode_InternFromString";
    call_method = c"PyObject_VectorcallMethod";
    clear_error = c"PyErr_Clear";
    let_go = c"Py_DecRef";
}

/// A function of CPython; it has had this type since 3.9. Its caller is in an unsafe block.
macro_rules! function {
    ($name:ident as $type:ty) => {
        mem::transmute::<usize, $type>(FUNCTIONS.$name.load(Ordering::Relaxed))
    };
}

/// The name of `flush`, as an object.
static FLUSH: AtomicUsize = AtomicUsize::new(0);
/// Whether the trace ended because there is another interpreter. The writer says so: the tracer
/// may be at work in another thread.
static HAS_OTHERS: AtomicBool = AtomicBool::new(false);
static IS_CALL_PENDING: AtomicBool = AtomicBool::new(false);

/// Before the interpreter starts: a trace was asked for.
pub(crate) fn prepare() {
    if FUNCTIONS.find() {
        set_stage(Stage::Wanted);
    } else {
        session().say(&[b"memsight: this Python lacks functions that a trace needs\n"]);
    }
}

/// Whether the trace ended because the program made another interpreter.
pub(crate) fn has_other_interpreters() -> bool {
    HAS_OTHERS.load(Ordering::Acquire)
}

/// A thread that has the GIL allocates: it may be one that is not traced yet.
#[cold]
pub(crate) fn see_to_thread(session: &'static Session, state: usize) {
    let Some(layout) = session.python.graph_layout() else { return };
    if !session.python.has_one_gil() {
        // Threads of another interpreter may run at the same moment as those that are traced.
        if stage() == Stage::On {
            set_stage(Stage::Over);
            HAS_OTHERS.store(true, Ordering::Release);
        }
        return;
    }
    // SAFETY: a live thread's state.
    let function = if state == 0 { return } else { unsafe { word(state + layout.steps.trace_function) } };
    if function != 0 {
        if function != on_event as *const () as usize && stage() == Stage::On {
            is_replaced();
        }
        return;
    }
    let is_main = sys::tid() == sys::pid();
    match stage() {
        Stage::Wanted if is_main && !IS_CALL_PENDING.swap(true, Ordering::Relaxed) => {
            // SAFETY: the function lives as long as the process.
            let refused =
                unsafe { function!(add_pending_call as AddPendingCall)(begin, core::ptr::null_mut()) };
            IS_CALL_PENDING.store(refused == 0, Ordering::Relaxed);
        }
        // SAFETY: the thread has the GIL, and another is traced already.
        Stage::On if !is_main => unsafe { function!(set_trace as SetTrace)(Some(on_event), 0) },
        _ => {}
    }
}

/// The program traces itself: steps from then on would not be whole.
#[cold]
fn is_replaced() {
    set_stage(Stage::Over);
    // SAFETY: its caller has the GIL, in the allocator and not in the tracer.
    if let Some(tracer) = unsafe { tracer() } {
        tracer.end(StepsOver::Replaced);
    }
}

/// At a moment when any code may run, in the main thread.
unsafe extern "C" fn begin(_: *mut c_void) -> c_int {
    let session = session();
    let Some(_inside) = enter() else { return 0 };
    let Some(recorder) = session.recorder() else { return 0 };
    let none = symbol(c"_Py_NoneStruct");
    let layout = session.python.graph_layout();
    let landmarks = Landmarks {
        module: symbol(c"PyModule_Type"),
        method: symbol(c"PyMethod_Type"),
        builtin: symbol(c"PyCFunction_Type"),
        none: layout.filter(|_| none != 0).map_or(0, |layout| {
            // SAFETY: `None` is a live object.
            unsafe { word(none + layout.object.ob_type) }
        }),
        str: symbol(c"PyUnicode_Type"),
        deque: b"collections.deque",
    };
    let numbers = Numbers {
        float: symbol(c"PyFloat_Type"),
        complex: symbol(c"PyComplex_Type"),
        bytearray: symbol(c"PyByteArray_Type"),
    };
    let wanted = &session.config().steps;
    let made = Tracer::new(session, recorder, wanted, landmarks, numbers);
    if made.is_none() {
        session.say(&[b"memsight: the objects of this Python cannot be read\n"]);
        set_stage(Stage::Over);
        return 0;
    }
    // SAFETY: this thread has the GIL, and there was no tracer before.
    unsafe {
        *TRACER.0.get() = made;
        FLUSH.store(function!(new_name as NewName)(c"flush".as_ptr()), Ordering::Relaxed);
    }
    set_stage(Stage::On);
    // SAFETY: the function may be set at any safe moment, and this is one.
    unsafe { function!(set_trace as SetTrace)(Some(on_event), 0) };
    0
}

/// CPython's `PyTrace_*` (`Include/cpython/pystate.h`).
fn event_of(what: c_int) -> Option<StepEvent> {
    Some(match what {
        0 => StepEvent::Call,
        1 => StepEvent::Exception,
        2 => StepEvent::Line,
        3 => StepEvent::Return,
        _ => return None,
    })
}

unsafe extern "C" fn on_event(_: usize, frame: usize, what: c_int, argument: usize) -> c_int {
    let Some(event) = event_of(what) else { return 0 };
    if stage() != Stage::On || !session().is_this_process() {
        // SAFETY: a trace function may take itself away.
        unsafe { function!(set_trace as SetTrace)(None, 0) };
        return 0;
    }
    // SAFETY: a live frame object.
    let line = || unsafe { function!(line_of_frame as LineOfFrame)(frame) }.max(0) as u32;
    let Some(_inside) = enter() else { return 0 };
    // SAFETY: the thread has the GIL and nothing below lets go of it but `flush`.
    let is_own = unsafe { tracer() }.is_some_and(|tracer| tracer.is_own_frame(frame));
    if !is_own {
        return 0;
    }
    flush();
    // SAFETY: as above; another thread's use of it is over.
    let Some(tracer) = (unsafe { tracer() }) else { return 0 };
    let thread_state = session().python.current_thread_state();
    let done = step(tracer, thread_state, event, argument, line);
    if event == StepEvent::Line && matches!(done, Ok(true)) {
        tracer.pause_for_growth(thread_state, tracer.walk.frame_of(frame));
    }
    let why = match done {
        Ok(true) => return 0,
        Ok(false) => StepsOver::Enough,
        Err(OutOfMemory) => StepsOver::OutOfMemory,
    };
    tracer.end(why);
    set_stage(Stage::Over);
    0
}

/// Takes a step, if it is within what was asked for. `false` if there were enough.
fn step(
    tracer: &mut Tracer,
    state: usize,
    event: StepEvent,
    argument: usize,
    line: impl Fn() -> u32,
) -> Result<bool, OutOfMemory> {
    let thread = tracer.thread(state)?;
    tracer.follow(thread, event == StepEvent::Call)?;
    tracer.note_height(thread, event)?;
    let value = match event {
        StepEvent::Return if argument != 0 => Some(argument),
        StepEvent::Exception => tracer.raised(argument),
        _ => None,
    };
    let moment = Moment { event, thread, line: line(), value };
    if tracer.is_part_of_line(&moment)? {
        return Ok(true);
    }
    if !tracer.is_wanted(&moment)? {
        return Ok(true);
    }
    if tracer.step >= tracer.wanted.max_steps {
        return Ok(false);
    }
    tracer.take(&moment)?;
    Ok(true)
}

/// Has `sys.stdout` write what it keeps, so that it is seen at its step.
fn flush() {
    // SAFETY: borrowed references to live objects; the thread has the GIL and no error is set.
    unsafe {
        let get = function!(get_object as GetObject);
        let (current, original) = (get(c"stdout".as_ptr()), get(c"__stdout__".as_ptr()));
        let name = FLUSH.load(Ordering::Relaxed);
        if current == 0 || current != original || name == 0 || !is_text_file(current) {
            return;
        }
        let result = function!(call_method as CallMethod)(name, &raw const current, 1, 0);
        if result == 0 {
            function!(clear_error as Plain)();
        } else {
            function!(let_go as OfObject)(result);
        }
    }
}

/// Whether an object is a plain text file, whose methods are C code.
///
/// # Safety
/// `object` is a live object.
unsafe fn is_text_file(object: usize) -> bool {
    let Some(layout) = session().python.graph_layout() else { return false };
    // SAFETY: a live object's type, whose name is a C string.
    let name = unsafe {
        CStr::from_ptr(word(word(object + layout.object.ob_type) + layout.object.tp_name) as *const _)
    };
    matches!(name.to_bytes(), b"_io.TextIOWrapper" | b"TextIOWrapper")
}

impl Tracer {
    /// Whether a frame object is of the program's own code.
    fn is_own_frame(&mut self, frame: usize) -> bool {
        let frame = self.walk.frame_of(frame);
        // SAFETY: the frame of an event runs code.
        let code = unsafe { word(frame + self.walk.layout.frame.code) };
        self.code(code).is_ok_and(|code| code.is_own)
    }

    /// The exception of an event's argument: a tuple of its type, itself and its traceback.
    fn raised(&self, argument: usize) -> Option<usize> {
        if argument == 0 {
            return None;
        }
        let (items, count) = self.walk.tuple_items(argument);
        // SAFETY: a live tuple of three.
        (count == 3).then(|| unsafe { word(items + size_of::<usize>()) }).filter(|&raised| raised != 0)
    }
}
