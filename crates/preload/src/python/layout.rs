//! Where CPython keeps things: the byte offsets, inside CPython's own
//! structures, of the few fields memsight reads, for 3.9 to 3.13.
//!
//! It is a table and nothing else. It reads no memory, knows no interpreter
//! that is running and decides nothing about safety: whether a pointer found
//! at one of these offsets may be followed is for the reader to settle. The
//! stack walker, the code-object resolver and the collector watch beside this
//! module are its callers.
//!
//! The table holds for 64-bit release builds with the GIL. A `--with-trace-refs`
//! build (to 3.12) and a free-threaded build (3.13) put other fields in the
//! object header, so nothing here is true of them. Offsets in the public
//! structures, the frame and the code object are stable within a minor
//! version. Those into `PyInterpreterState` (the [`Gc`] group) are private to
//! CPython and could move in a patch release, so a reader should first find
//! [`Gc::startup_thresholds`] (or what `gc.get_threshold()` says) at
//! [`Gc::threshold`], and do without the collector's numbers otherwise. On
//! 3.13 the interpreter publishes many of its own offsets at run time, and
//! [`DEBUG_OFFSETS_3_13`] says where.
//!
//! Everything from `LAYOUTS` down is printed by `xtask/layout/offsets.c`, which
//! is compiled once against each version's headers; `xtask/layout/README.md`
//! has the command line. Change the program and paste its output; don't edit
//! the numbers by hand.

/// The layout of one minor version of CPython.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The minor version: 9 for CPython 3.9.
    pub minor: u32,
    /// The full version whose headers the row was measured on.
    pub measured: &'static str,
    /// Offsets in `PyThreadState`.
    pub thread: ThreadState,
    /// Offsets in the frame that the evaluation loop runs.
    pub frame: Frame,
    /// Offsets in `PyCodeObject`.
    pub code: Code,
    /// Offsets in a `str` object.
    pub str: Str,
    /// Offsets in a `bytes` object.
    pub bytes: Bytes,
    /// Offsets in any object and in its type.
    pub object: Object,
    /// Offsets of the cyclic collector's state.
    pub gc: Gc,
    /// Offsets of what refers to objects.
    pub references: References,
    /// Offsets of what a trace reads step by step.
    pub steps: Steps,
}

/// Byte offsets in `PyThreadState` (`cpython/pystate.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadState {
    /// `interp`: pointer to the thread's `PyInterpreterState`.
    pub interp: usize,
    /// `thread_id`: the `pthread_t` as an `unsigned long` of 8 bytes. It is not
    /// the kernel's thread id.
    pub thread_id: usize,
    /// The way to the innermost frame. 3.9 and 3.10: `frame`, a pointer to it.
    /// 3.11 and 3.12: `cframe`, a pointer to a `_PyCFrame` on the C stack that
    /// points to it (see `cframe_current_frame`). 3.13: `current_frame`, a
    /// pointer to it. The frame's pointer is null when no Python code runs.
    pub frame: usize,
    /// `_PyCFrame.current_frame`, in the structure that `frame` leads to; `None`
    /// where `frame` is already the frame's pointer.
    pub cframe_current_frame: Option<usize>,
    /// `tracing`: a C `int`, not 0 while a trace or profile function runs. From
    /// 3.11, where frames can be marked.
    pub tracing: Option<usize>,
}

/// Byte offsets in the evaluation loop's frame: `PyFrameObject`
/// (`cpython/frameobject.h`) in 3.9 and 3.10, `_PyInterpreterFrame`
/// (`internal/pycore_frame.h`) from 3.11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Pointer to the caller's frame, or null: `f_back`, `previous` from 3.11.
    pub previous: usize,
    /// Pointer to the code object: `f_code`; 3.13 `f_executable`, which leads to
    /// the `None` object in a shim (see `owned_by_cstack`), so the owner has to
    /// be looked at first.
    pub code: usize,
    /// The position in the bytecode: `f_lasti`, `prev_instr`, `instr_ptr`. What
    /// is stored there is told by `instruction_form`.
    pub instruction: usize,
    /// How to read `instruction`.
    pub instruction_form: InstructionForm,
    /// `owner`, a `char`: who owns the frame's memory. `None` before 3.11.
    pub owner: Option<usize>,
    /// The value of `owner` (not an offset) in a generator's or coroutine's
    /// frame: such a frame lies inside the generator object. From 3.11.
    pub owned_by_generator: Option<u8>,
    /// The value of `owner` (not an offset) in the shim that each entry from C
    /// into the evaluation loop puts below its first frame. A shim is no Python
    /// call and has to be skipped: 3.12 gives it a code object of its own, named
    /// `<interpreter trampoline>`, and 3.13 none. From 3.12.
    pub owned_by_cstack: Option<u8>,
    /// Where a frame keeps its values. From 3.11.
    pub values: Option<Values>,
    /// What tells whether a frame is new and whose it is. Up to 3.10.
    pub flags: Option<Flags>,
}

/// Byte offsets of what an older frame says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `f_trace_lines`: a `char`, 1 in a new frame and true or false after that.
    pub trace_lines: usize,
    /// `f_gen`: pointer to the generator or coroutine that the frame is of, or null.
    pub generator: usize,
}

/// Byte offsets of what a frame computes with: its variables and, above them,
/// the stack of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Values {
    /// `stacktop`: a C `int`, how many values there are, counted from `first`,
    /// while the frame waits for a Python function that it called; else -1.
    pub height: usize,
    /// As [`Frame::owner`].
    pub owner: usize,
    /// `localsplus`: the first value.
    pub first: usize,
}

/// The value of `owner` (not an offset) in a frame of a plain call, from 3.11.
pub(crate) const OWNED_BY_THREAD: u8 = 0;

/// What is stored at [`Frame::instruction`]. In every form a new frame that has
/// not run an instruction lies before the first one (-1, or one unit before
/// [`Code::code_start`]), except in 3.13 where it lies at the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstructionForm {
    /// 3.9: a C `int`, the index of the last instruction in bytes, or -1.
    IndexInBytes,
    /// 3.10: a C `int`, the index of the last instruction in code units of two
    /// bytes, or -1.
    IndexInUnits,
    /// 3.11 and 3.12: a pointer into the code object to the unit before the
    /// next one to run. It is the running instruction or, in a frame that waits
    /// for a Python call, the last of that instruction's inline caches.
    PreviousUnit,
    /// 3.13: a pointer into the code object to the running instruction, also in
    /// a frame that waits for a call.
    CurrentUnit,
}

/// Byte offsets in `PyCodeObject` (`cpython/code.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// `co_filename`: pointer to a `str`.
    pub filename: usize,
    /// `co_name`: pointer to a `str`.
    pub name: usize,
    /// `co_firstlineno`: a C `int` of 4 bytes.
    pub first_line: usize,
    /// `co_linetable` (3.9: `co_lnotab`): pointer to a `bytes`, in a format of
    /// its own in 3.9, in 3.10 and from 3.11.
    pub line_table: usize,
    /// `co_qualname`: pointer to a `str`. From 3.11.
    pub qualname: Option<usize>,
    /// `_co_firsttraceable`: a C `int` of 4 bytes, the index in code units of
    /// the first instruction that belongs to the source. From 3.11.
    ///
    /// A frame whose position is before it, and whose owner is not a generator,
    /// is no Python call yet and CPython itself leaves it out of tracebacks. In
    /// 3.13 this is also what gives away the shim (named `__init__`, owner 0)
    /// that a specialised call of a class puts between `__init__` and the
    /// caller.
    pub first_traceable: Option<usize>,
    /// `co_code_adaptive`: the first byte of the bytecode, which lies inside
    /// the object from 3.11 on. Before, it is a separate `bytes`.
    pub code_start: Option<usize>,
    /// `sizeof(PyCodeObject)`, which counts a part of the bytecode from 3.11.
    pub size: usize,
}

/// Byte offsets in a `str`, and the bits of its state word
/// (`cpython/unicodeobject.h`).
///
/// The kind is 1, 2 or 4, the bytes of a character. The characters follow the
/// structure when the compact bit is set: at `ascii_data` when the ascii bit is
/// set too, at `compact_data` otherwise. When the compact bit is clear, the
/// pointer at `loose_data` leads to them, which happens in every version for
/// instances of subclasses of `str`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Str {
    /// `PyASCIIObject.length`: a `Py_ssize_t`, in characters.
    pub length: usize,
    /// `PyASCIIObject.state`: a word of 4 bytes that holds the bits below.
    pub state: usize,
    /// Lowest bit (not an offset) of the interning state in the state word.
    pub interned_shift: u32,
    /// Width of the interning state in bits.
    pub interned_width: u32,
    /// Lowest bit (not an offset) of the kind in the state word.
    pub kind_shift: u32,
    /// Width of the kind in bits.
    pub kind_width: u32,
    /// The compact bit's position (not an offset) in the state word.
    pub compact_shift: u32,
    /// The ascii bit's position (not an offset) in the state word.
    pub ascii_shift: u32,
    /// The characters of a compact ascii string: `sizeof(PyASCIIObject)`.
    pub ascii_data: usize,
    /// The characters of another compact string:
    /// `sizeof(PyCompactUnicodeObject)`.
    pub compact_data: usize,
    /// `PyUnicodeObject.data`: pointer to the characters of a string that is
    /// not compact. It may be null.
    pub loose_data: usize,
    /// Whether a "legacy, not ready" string can exist (to 3.11): its kind is 0,
    /// `length` says nothing and `loose_data` is null.
    pub may_be_unready: bool,
}

/// Byte offsets in a `bytes` (`cpython/bytesobject.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// `ob_size`: a `Py_ssize_t`, the length in bytes.
    pub len: usize,
    /// `ob_sval`: the first byte.
    pub data: usize,
}

/// Byte offsets in `PyObject` (`object.h`) and `PyTypeObject`
/// (`cpython/object.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object {
    /// `PyObject.ob_type`: pointer to the object's type.
    pub ob_type: usize,
    /// `PyTypeObject.tp_name`: a `const char *`, ended by a zero byte.
    pub tp_name: usize,
    /// `PyTypeObject.tp_basicsize`: a `Py_ssize_t`, in bytes.
    pub tp_basicsize: usize,
    /// `PyTypeObject.tp_dealloc`: pointer to a function.
    pub tp_dealloc: usize,
    /// `PyTypeObject.tp_flags`: an `unsigned long` of 8 bytes.
    pub tp_flags: usize,
}

/// Byte offsets of the cyclic collector's state, all but the strides and the
/// three fields of an entry counted from the start of `PyInterpreterState`
/// (`internal/pycore_interp.h`, `internal/pycore_gc.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gc {
    /// `gc`: the start of `struct _gc_runtime_state`.
    pub base: usize,
    /// `gc.generation_stats`: an array of three entries, youngest first.
    pub stats: usize,
    /// Bytes from one entry of `stats` to the next.
    pub stats_stride: usize,
    /// `collections` in an entry: a `Py_ssize_t`, collections so far.
    pub collections: usize,
    /// `collected` in an entry: a `Py_ssize_t`, objects collected so far.
    pub collected: usize,
    /// `uncollectable` in an entry: a `Py_ssize_t`, objects put into
    /// `gc.garbage` so far.
    pub uncollectable: usize,
    /// `gc.collecting`: a C `int`, not 0 while a collection runs.
    pub collecting: usize,
    /// `gc.generations[0].threshold`: a C `int`.
    pub threshold: usize,
    /// Bytes from one generation's `threshold` to the next one's.
    pub generation_stride: usize,
    /// The three thresholds (not offsets) of an interpreter where nobody has
    /// called `gc.set_threshold`.
    pub startup_thresholds: [i32; 3],
}

/// Byte offsets of what refers to objects, for the snapshot of the object graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct References {
    /// `PyVarObject.ob_size`: a `Py_ssize_t`.
    pub size: usize,
    /// `PyTypeObject.tp_itemsize`: a `Py_ssize_t`.
    pub itemsize: usize,
    /// `PyTypeObject.tp_traverse`: pointer to a function, or null.
    pub traverse: usize,
    /// `PyTypeObject.tp_members`: pointer to `PyMemberDef`s, or null.
    pub members: usize,
    /// `PyTypeObject.tp_base`: pointer to a type, or null.
    pub base: usize,
    /// `PyTypeObject.tp_dict`: pointer to a `dict`, or null.
    pub type_dict: usize,
    /// `PyTypeObject.tp_dictoffset`: where an instance has its `__dict__`, in bytes; 0 if
    /// nowhere, negative if counted from the end or kept before the object.
    pub dict_offset: usize,
    /// `PyHeapTypeObject.ht_qualname`: pointer to a `str`.
    pub qualname: usize,
    /// `PyHeapTypeObject.ht_cached_keys`: pointer to the keys that instances share, or null.
    pub cached_keys: usize,
    /// `PyListObject.ob_item`: pointer to the items.
    pub list_items: usize,
    /// `PyTupleObject.ob_item`: the first item.
    pub tuple_items: usize,
    /// `PyBaseExceptionObject.args`, `traceback`, `context` and `cause`: pointers to objects, or null.
    pub exception: [usize; 4],
    /// `PyTracebackObject.tb_next`: pointer to another, or null.
    pub traceback_next: usize,
    /// `PyDictObject.ma_keys`: pointer to the table of keys, which may be shared.
    pub dict_keys: usize,
    /// `PyCellObject.ob_ref`: pointer to an object, or null.
    pub cell_content: usize,
    /// `PyFunctionObject.func_code`, `func_name`, `func_qualname`, `func_defaults` and
    /// `func_kwdefaults`: pointers to objects, or null.
    pub function: [usize; 5],
    /// `PyThreadState.next`: pointer to another thread's state, or null.
    pub next_thread: usize,
    /// `PyInterpreterState.threads.head` (before 3.11 `tstate_head`): pointer to a thread's state.
    pub first_thread: usize,
    /// `PyInterpreterState.gc.generations[0].head`: a ring of the collector's headers.
    pub generations: usize,
    /// `PyInterpreterState.gc.permanent_generation.head`: the same of frozen objects.
    pub permanent: usize,
    /// `PyFrameObject.f_frame`: pointer to the evaluation loop's frame. From 3.11; before, the
    /// frame object is that frame.
    pub frame_data: usize,
    /// `PyGenObject.gi_iframe`: the evaluation loop's frame, inside the generator. From 3.11.
    pub generator_frame: Option<usize>,
    /// The first local variable, from the evaluation loop's frame: `localsplus`, `f_localsplus`.
    pub frame_locals: usize,
    /// `PyCodeObject.co_localsplusnames`: pointer to a `tuple`. From 3.11.
    pub local_names: Option<usize>,
    /// Up to 3.10 `co_varnames`, `co_cellvars` and `co_freevars`: pointers to `tuple`s, whose
    /// names are those of the local variables in that order.
    pub old_local_names: Option<[usize; 3]>,
    /// Keys that instances share. From 3.11; before, the instances have a `dict` each.
    pub keys: Option<Keys>,
}

/// Byte offsets of what a trace reads step by step, beyond what a snapshot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steps {
    /// From the evaluation loop's frame, `f_globals`: pointer to a `dict`.
    pub globals: usize,
    /// From the evaluation loop's frame, `f_locals`: pointer to a mapping, or null.
    pub locals: usize,
    /// `co_flags`: a C `int`.
    pub code_flags: usize,
    /// `co_stacksize`: a C `int`, the most values that a frame's stack holds.
    pub stack_size: usize,
    /// Where a frame's stack of values is.
    pub value_stack: ValueStack,
    /// `PyGenObject.gi_frame_state`: a signed byte. From 3.11.
    pub generator_state: Option<usize>,
    /// `PyGenObject.gi_frame`: pointer to a frame object, null when it is over. Up to 3.10.
    pub generator_frame_object: Option<usize>,
    /// `PyGenObject.gi_qualname`: pointer to a `str`.
    pub generator_name: usize,
    /// `PyFunctionObject.func_closure`: pointer to a `tuple`, or null.
    pub closure: usize,
    /// `PyLongObject.ob_digit`: digits of 30 bits, in four bytes each.
    pub digits: usize,
    /// `PyFloatObject.ob_fval`: a C `double`.
    pub float_value: usize,
    /// `PyComplexObject.cval`: two C `double`s.
    pub complex_value: usize,
    /// `PyByteArrayObject.ob_start`: pointer to the first byte.
    pub bytearray_start: usize,
    /// `PyCFunctionObject.m_ml`: pointer to a `PyMethodDef`, which begins with a C string.
    pub method_definition: usize,
    /// `PyMethodObject.im_func`: pointer to an object.
    pub method_function: usize,
    /// `PyMethodObject.im_self`: pointer to an object.
    pub method_self: usize,
    /// `PyThreadState.c_tracefunc`: pointer to a function, or null.
    pub trace_function: usize,
    /// `PyTypeObject.tp_mro`: pointer to a `tuple` that begins with the type itself, or null.
    pub type_order: usize,
}

/// Where a frame keeps the values that it computes with, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueStack {
    /// 3.9: two pointers in the frame, `f_valuestack` and `f_stacktop`; the second is null while it runs.
    Bounded {
        /// `f_valuestack`.
        bottom: usize,
        /// `f_stacktop`.
        top: usize,
    },
    /// 3.10: a pointer, `f_valuestack`, and a C `int`, `f_stackdepth`, -1 while it runs.
    Counted {
        /// `f_valuestack`.
        bottom: usize,
        /// `f_stackdepth`.
        height: usize,
    },
    /// From 3.11: they follow the local variables, and [`Values::height`] counts both.
    AboveLocals {
        /// `co_nlocalsplus` in the code object: a C `int`.
        locals: usize,
    },
}

/// Byte offsets in `struct _dictkeysobject` (`internal/pycore_dict.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keys {
    /// `dk_log2_index_bytes`: a byte.
    pub log2_index_bytes: usize,
    /// `dk_kind`: a byte.
    pub kind: usize,
    /// `dk_nentries`: a `Py_ssize_t`.
    pub entries: usize,
    /// `dk_indices`: the first byte of the index, which the entries follow.
    pub indices: usize,
}

/// Where 3.13 publishes its own offsets: byte offsets in `_Py_DebugOffsets`
/// (`internal/pycore_runtime.h`), which lies in the exported `_PyRuntime`.
///
/// At each of them is a `uint64_t`, and from `runtime_finalizing` on its value
/// is the offset of that name in the interpreter that runs. Before it is used,
/// `cookie` must hold the bytes `xdebugpy`, `version` must be a 3.13 and
/// `free_threaded` must be 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DebugOffsets {
    /// `_PyRuntimeState.debug_offsets`: where the structure lies in `_PyRuntime`.
    pub in_runtime: usize,
    /// `sizeof(_Py_DebugOffsets)`.
    pub size: usize,
    /// `cookie`: eight bytes, `xdebugpy`.
    pub cookie: usize,
    /// `version`: the interpreter's `PY_VERSION_HEX`.
    pub version: usize,
    /// `free_threaded`: 1 in a build without the GIL.
    pub free_threaded: usize,
    /// Place of the offset of `_PyRuntimeState._finalizing`.
    pub runtime_finalizing: usize,
    /// Place of the offset of `PyInterpreterState.gc` ([`Gc::base`]).
    pub interp_gc: usize,
    /// Place of the offset of `collecting`, counted from [`Gc::base`].
    pub gc_collecting: usize,
    /// Place of [`ThreadState::interp`].
    pub thread_interp: usize,
    /// Place of [`ThreadState::frame`].
    pub thread_current_frame: usize,
    /// Place of [`ThreadState::thread_id`].
    pub thread_id: usize,
    /// Place of [`Frame::previous`].
    pub frame_previous: usize,
    /// Place of [`Frame::code`].
    pub frame_executable: usize,
    /// Place of [`Frame::instruction`].
    pub frame_instr_ptr: usize,
    /// Place of [`Frame::owner`].
    pub frame_owner: usize,
    /// Place of [`Code::filename`].
    pub code_filename: usize,
    /// Place of [`Code::name`].
    pub code_name: usize,
    /// Place of [`Code::qualname`].
    pub code_qualname: usize,
    /// Place of [`Code::line_table`].
    pub code_linetable: usize,
    /// Place of [`Code::first_line`].
    pub code_firstlineno: usize,
    /// Place of [`Code::code_start`].
    pub code_co_code_adaptive: usize,
    /// Place of [`Object::ob_type`].
    pub object_ob_type: usize,
    /// Place of [`Object::tp_name`].
    pub type_tp_name: usize,
    /// Place of [`Object::tp_flags`].
    pub type_tp_flags: usize,
    /// Place of [`Bytes::len`].
    pub bytes_ob_size: usize,
    /// Place of [`Bytes::data`].
    pub bytes_ob_sval: usize,
    /// Place of [`Str::state`].
    pub str_state: usize,
    /// Place of [`Str::length`].
    pub str_length: usize,
    /// Place of [`Str::ascii_data`].
    pub str_asciiobject_size: usize,
}

/// The layout of CPython 3.`minor`, or `None` when the table has no row for it.
pub(crate) fn for_version(minor: u32) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.minor == minor)
}

/// One row for each version, from 3.9 to 3.13.
#[rustfmt::skip] // As the program prints it.
pub(crate) static LAYOUTS: [Layout; 5] = [
    Layout {
        minor: 9,
        measured: "3.9.18",
        thread: ThreadState {
            interp: 16,
            thread_id: 176,
            frame: 24,
            cframe_current_frame: None,
            tracing: None,
        },
        frame: Frame {
            previous: 24,
            code: 32,
            instruction: 104,
            instruction_form: InstructionForm::IndexInBytes,
            owner: None,
            owned_by_generator: None,
            owned_by_cstack: None,
            values: None,
            flags: Some(Flags { trace_lines: 88, generator: 96 }),
        },
        code: Code {
            filename: 104,
            name: 112,
            first_line: 40,
            line_table: 120,
            qualname: None,
            first_traceable: None,
            code_start: None,
            size: 176,
        },
        str: Str {
            length: 16,
            state: 32,
            interned_shift: 0,
            interned_width: 2,
            kind_shift: 2,
            kind_width: 3,
            compact_shift: 5,
            ascii_shift: 6,
            ascii_data: 48,
            compact_data: 72,
            loose_data: 72,
            may_be_unready: true,
        },
        bytes: Bytes {
            len: 16,
            data: 32,
        },
        object: Object {
            ob_type: 8,
            tp_name: 24,
            tp_basicsize: 32,
            tp_dealloc: 48,
            tp_flags: 168,
        },
        gc: Gc {
            base: 616,
            stats: 744,
            stats_stride: 24,
            collections: 0,
            collected: 8,
            uncollectable: 16,
            collecting: 816,
            threshold: 656,
            generation_stride: 24,
            startup_thresholds: [700, 10, 10],
        },
        references: References {
            size: 16,
            itemsize: 40,
            traverse: 184,
            members: 240,
            base: 256,
            type_dict: 264,
            dict_offset: 288,
            qualname: 856,
            cached_keys: 864,
            list_items: 24,
            tuple_items: 24,
            exception: [24, 32, 40, 48],
            traceback_next: 16,
            dict_keys: 32,
            cell_content: 16,
            function: [16, 64, 104, 32, 40],
            next_thread: 8,
            first_thread: 8,
            generations: 640,
            permanent: 720,
            frame_data: 0,
            generator_frame: None,
            frame_locals: 360,
            local_names: None,
            old_local_names: Some([72, 88, 80]),
            keys: None,
        },
        steps: Steps {
            globals: 48,
            locals: 56,
            code_flags: 36,
            stack_size: 32,
            value_stack: ValueStack::Bounded { bottom: 64, top: 72 },
            generator_state: None,
            generator_frame_object: Some(16),
            generator_name: 56,
            closure: 48,
            digits: 24,
            float_value: 16,
            complex_value: 16,
            bytearray_start: 40,
            method_definition: 16,
            method_function: 16,
            method_self: 24,
            trace_function: 64,
            type_order: 344,
        },
    },
    Layout {
        minor: 10,
        measured: "3.10.13",
        thread: ThreadState {
            interp: 16,
            thread_id: 176,
            frame: 24,
            cframe_current_frame: None,
            tracing: None,
        },
        frame: Frame {
            previous: 24,
            code: 32,
            instruction: 96,
            instruction_form: InstructionForm::IndexInUnits,
            owner: None,
            owned_by_generator: None,
            owned_by_cstack: None,
            values: None,
            flags: Some(Flags { trace_lines: 84, generator: 88 }),
        },
        code: Code {
            filename: 104,
            name: 112,
            first_line: 40,
            line_table: 120,
            qualname: None,
            first_traceable: None,
            code_start: None,
            size: 176,
        },
        str: Str {
            length: 16,
            state: 32,
            interned_shift: 0,
            interned_width: 2,
            kind_shift: 2,
            kind_width: 3,
            compact_shift: 5,
            ascii_shift: 6,
            ascii_data: 48,
            compact_data: 72,
            loose_data: 72,
            may_be_unready: true,
        },
        bytes: Bytes {
            len: 16,
            data: 32,
        },
        object: Object {
            ob_type: 8,
            tp_name: 24,
            tp_basicsize: 32,
            tp_dealloc: 48,
            tp_flags: 168,
        },
        gc: Gc {
            base: 616,
            stats: 744,
            stats_stride: 24,
            collections: 0,
            collected: 8,
            uncollectable: 16,
            collecting: 816,
            threshold: 656,
            generation_stride: 24,
            startup_thresholds: [700, 10, 10],
        },
        references: References {
            size: 16,
            itemsize: 40,
            traverse: 184,
            members: 240,
            base: 256,
            type_dict: 264,
            dict_offset: 288,
            qualname: 864,
            cached_keys: 872,
            list_items: 24,
            tuple_items: 24,
            exception: [24, 32, 40, 48],
            traceback_next: 16,
            dict_keys: 32,
            cell_content: 16,
            function: [48, 32, 40, 56, 64],
            next_thread: 8,
            first_thread: 8,
            generations: 640,
            permanent: 720,
            frame_data: 0,
            generator_frame: None,
            frame_locals: 352,
            local_names: None,
            old_local_names: Some([72, 88, 80]),
            keys: None,
        },
        steps: Steps {
            globals: 48,
            locals: 56,
            code_flags: 36,
            stack_size: 32,
            value_stack: ValueStack::Counted { bottom: 64, height: 80 },
            generator_state: None,
            generator_frame_object: Some(16),
            generator_name: 48,
            closure: 72,
            digits: 24,
            float_value: 16,
            complex_value: 16,
            bytearray_start: 40,
            method_definition: 16,
            method_function: 16,
            method_self: 24,
            trace_function: 64,
            type_order: 344,
        },
    },
    Layout {
        minor: 11,
        measured: "3.11.7",
        thread: ThreadState {
            interp: 16,
            thread_id: 152,
            frame: 56,
            cframe_current_frame: Some(8),
            tracing: Some(44),
        },
        frame: Frame {
            previous: 48,
            code: 32,
            instruction: 56,
            instruction_form: InstructionForm::PreviousUnit,
            owner: Some(69),
            owned_by_generator: Some(1),
            owned_by_cstack: None,
            values: Some(Values { height: 64, owner: 69, first: 72 }),
            flags: None,
        },
        code: Code {
            filename: 112,
            name: 120,
            first_line: 72,
            line_table: 136,
            qualname: Some(128),
            first_traceable: Some(168),
            code_start: Some(184),
            size: 192,
        },
        str: Str {
            length: 16,
            state: 32,
            interned_shift: 0,
            interned_width: 2,
            kind_shift: 2,
            kind_width: 3,
            compact_shift: 5,
            ascii_shift: 6,
            ascii_data: 48,
            compact_data: 72,
            loose_data: 72,
            may_be_unready: true,
        },
        bytes: Bytes {
            len: 16,
            data: 32,
        },
        object: Object {
            ob_type: 8,
            tp_name: 24,
            tp_basicsize: 32,
            tp_dealloc: 48,
            tp_flags: 168,
        },
        gc: Gc {
            base: 648,
            stats: 776,
            stats_stride: 24,
            collections: 0,
            collected: 8,
            uncollectable: 16,
            collecting: 848,
            threshold: 688,
            generation_stride: 24,
            startup_thresholds: [700, 10, 10],
        },
        references: References {
            size: 16,
            itemsize: 40,
            traverse: 184,
            members: 240,
            base: 256,
            type_dict: 264,
            dict_offset: 288,
            qualname: 864,
            cached_keys: 872,
            list_items: 24,
            tuple_items: 24,
            exception: [24, 40, 48, 56],
            traceback_next: 16,
            dict_keys: 32,
            cell_content: 16,
            function: [48, 32, 40, 56, 64],
            next_thread: 8,
            first_thread: 16,
            generations: 672,
            permanent: 752,
            frame_data: 24,
            generator_frame: Some(80),
            frame_locals: 72,
            local_names: Some(96),
            old_local_names: None,
            keys: Some(Keys { log2_index_bytes: 9, kind: 10, entries: 24, indices: 32 }),
        },
        steps: Steps {
            globals: 8,
            locals: 24,
            code_flags: 48,
            stack_size: 68,
            value_stack: ValueStack::AboveLocals { locals: 76 },
            generator_state: Some(75),
            generator_frame_object: None,
            generator_name: 40,
            closure: 72,
            digits: 24,
            float_value: 16,
            complex_value: 16,
            bytearray_start: 40,
            method_definition: 16,
            method_function: 16,
            method_self: 24,
            trace_function: 72,
            type_order: 344,
        },
    },
    Layout {
        minor: 12,
        measured: "3.12.1",
        thread: ThreadState {
            interp: 16,
            thread_id: 136,
            frame: 56,
            cframe_current_frame: Some(0),
            tracing: Some(44),
        },
        frame: Frame {
            previous: 8,
            code: 0,
            instruction: 56,
            instruction_form: InstructionForm::PreviousUnit,
            owner: Some(70),
            owned_by_generator: Some(1),
            owned_by_cstack: Some(3),
            values: Some(Values { height: 64, owner: 70, first: 72 }),
            flags: None,
        },
        code: Code {
            filename: 112,
            name: 120,
            first_line: 68,
            line_table: 136,
            qualname: Some(128),
            first_traceable: Some(176),
            code_start: Some(192),
            size: 200,
        },
        str: Str {
            length: 16,
            state: 32,
            interned_shift: 0,
            interned_width: 2,
            kind_shift: 2,
            kind_width: 3,
            compact_shift: 5,
            ascii_shift: 6,
            ascii_data: 40,
            compact_data: 56,
            loose_data: 56,
            may_be_unready: false,
        },
        bytes: Bytes {
            len: 16,
            data: 32,
        },
        object: Object {
            ob_type: 8,
            tp_name: 24,
            tp_basicsize: 32,
            tp_dealloc: 48,
            tp_flags: 168,
        },
        gc: Gc {
            base: 112,
            stats: 240,
            stats_stride: 24,
            collections: 0,
            collected: 8,
            uncollectable: 16,
            collecting: 312,
            threshold: 152,
            generation_stride: 24,
            startup_thresholds: [700, 10, 10],
        },
        references: References {
            size: 16,
            itemsize: 40,
            traverse: 184,
            members: 240,
            base: 256,
            type_dict: 264,
            dict_offset: 288,
            qualname: 872,
            cached_keys: 880,
            list_items: 24,
            tuple_items: 24,
            exception: [24, 40, 48, 56],
            traceback_next: 16,
            dict_keys: 32,
            cell_content: 16,
            function: [48, 32, 40, 56, 64],
            next_thread: 8,
            first_thread: 72,
            generations: 136,
            permanent: 216,
            frame_data: 24,
            generator_frame: Some(72),
            frame_locals: 72,
            local_names: Some(96),
            old_local_names: None,
            keys: Some(Keys { log2_index_bytes: 9, kind: 10, entries: 24, indices: 32 }),
        },
        steps: Steps {
            globals: 24,
            locals: 40,
            code_flags: 48,
            stack_size: 64,
            value_stack: ValueStack::AboveLocals { locals: 72 },
            generator_state: Some(67),
            generator_frame_object: None,
            generator_name: 32,
            closure: 72,
            digits: 24,
            float_value: 16,
            complex_value: 16,
            bytearray_start: 40,
            method_definition: 16,
            method_function: 16,
            method_self: 24,
            trace_function: 72,
            type_order: 344,
        },
    },
    Layout {
        minor: 13,
        measured: "3.13.0",
        thread: ThreadState {
            interp: 16,
            thread_id: 152,
            frame: 72,
            cframe_current_frame: None,
            tracing: Some(60),
        },
        frame: Frame {
            previous: 8,
            code: 0,
            instruction: 56,
            instruction_form: InstructionForm::CurrentUnit,
            owner: Some(70),
            owned_by_generator: Some(1),
            owned_by_cstack: Some(3),
            values: Some(Values { height: 64, owner: 70, first: 72 }),
            flags: None,
        },
        code: Code {
            filename: 112,
            name: 120,
            first_line: 68,
            line_table: 136,
            qualname: Some(128),
            first_traceable: Some(184),
            code_start: Some(200),
            size: 208,
        },
        str: Str {
            length: 16,
            state: 32,
            interned_shift: 0,
            interned_width: 2,
            kind_shift: 2,
            kind_width: 3,
            compact_shift: 5,
            ascii_shift: 6,
            ascii_data: 40,
            compact_data: 56,
            loose_data: 56,
            may_be_unready: false,
        },
        bytes: Bytes {
            len: 16,
            data: 32,
        },
        object: Object {
            ob_type: 8,
            tp_name: 24,
            tp_basicsize: 32,
            tp_dealloc: 48,
            tp_flags: 168,
        },
        gc: Gc {
            base: 7400,
            stats: 7528,
            stats_stride: 24,
            collections: 0,
            collected: 8,
            uncollectable: 16,
            collecting: 7600,
            threshold: 7440,
            generation_stride: 24,
            startup_thresholds: [2000, 10, 10],
        },
        references: References {
            size: 16,
            itemsize: 40,
            traverse: 184,
            members: 240,
            base: 256,
            type_dict: 264,
            dict_offset: 288,
            qualname: 872,
            cached_keys: 880,
            list_items: 24,
            tuple_items: 24,
            exception: [24, 40, 48, 56],
            traceback_next: 16,
            dict_keys: 32,
            cell_content: 16,
            function: [48, 32, 40, 56, 64],
            next_thread: 8,
            first_thread: 7344,
            generations: 7424,
            permanent: 7504,
            frame_data: 24,
            generator_frame: Some(72),
            frame_locals: 72,
            local_names: Some(96),
            old_local_names: None,
            keys: Some(Keys { log2_index_bytes: 9, kind: 10, entries: 24, indices: 32 }),
        },
        steps: Steps {
            globals: 24,
            locals: 40,
            code_flags: 48,
            stack_size: 64,
            value_stack: ValueStack::AboveLocals { locals: 72 },
            generator_state: Some(67),
            generator_frame_object: None,
            generator_name: 32,
            closure: 72,
            digits: 24,
            float_value: 16,
            complex_value: 16,
            bytearray_start: 40,
            method_definition: 16,
            method_function: 16,
            method_self: 24,
            trace_function: 88,
            type_order: 344,
        },
    },
];

/// Where the offsets of a 3.13 lie; other versions have another structure or none.
#[rustfmt::skip]
pub(crate) static DEBUG_OFFSETS_3_13: DebugOffsets = DebugOffsets {
    in_runtime: 0,
    size: 584,
    cookie: 0,
    version: 8,
    free_threaded: 16,
    runtime_finalizing: 32,
    interp_gc: 80,
    gc_collecting: 576,
    thread_interp: 176,
    thread_current_frame: 184,
    thread_id: 192,
    frame_previous: 232,
    frame_executable: 240,
    frame_instr_ptr: 248,
    frame_owner: 264,
    code_filename: 280,
    code_name: 288,
    code_qualname: 296,
    code_linetable: 304,
    code_firstlineno: 312,
    code_co_code_adaptive: 344,
    object_ob_type: 360,
    type_tp_name: 376,
    type_tp_flags: 392,
    bytes_ob_size: 520,
    bytes_ob_sval: 528,
    str_state: 544,
    str_length: 552,
    str_asciiobject_size: 560,
};
