/* Prints one row of the table in crates/preload/src/python/layout.rs: the byte
 * offsets of CPython's structures, for the one version whose headers this file
 * is compiled against. On 3.13 `./offsets debug` prints the second table.
 *
 * It is not linked with CPython and starts no interpreter: every number comes
 * from offsetof/sizeof or, for bitfields, from setting one and looking where
 * the ones went. The only exceptions are the start-up thresholds of the
 * collector, which no header of 3.9 and 3.10 states; README.md says how they
 * are checked.
 *
 * The command line is in README.md beside this file.
 */
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <frameobject.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_pystate.h>
#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_frame.h>
#endif
#if PY_VERSION_HEX >= 0x030B0000
#include <internal/pycore_dict.h>
#endif
#if PY_VERSION_HEX >= 0x030D0000
#include <internal/pycore_runtime.h>
#endif

#if PY_VERSION_HEX < 0x03090000 || PY_VERSION_HEX >= 0x030E0000
#error "rows exist for CPython 3.9 to 3.13"
#endif
#if defined(Py_DEBUG) || defined(Py_TRACE_REFS) || defined(Py_GIL_DISABLED)
#error "the table describes the release build with the GIL"
#endif
_Static_assert(sizeof(void *) == 8, "the table describes 64-bit builds");
_Static_assert(sizeof(_Py_CODEUNIT) == 2, "a code unit is two bytes");

static void row(const char *field, size_t value) {
    printf("            %s: %zu,\n", field, value);
}

/* Not every version uses both of these. */
static inline void some(const char *field, size_t value) {
    printf("            %s: Some(%zu),\n", field, value);
}

static inline void none(const char *field) { printf("            %s: None,\n", field); }

static void open_group(const char *field, const char *type) {
    printf("        %s: %s {\n", field, type);
}

static void close_group(void) { printf("        },\n"); }

#if PY_VERSION_HEX >= 0x030C0000
#define PY_LONG_DIGITS long_value.ob_digit
#else
#define PY_LONG_DIGITS ob_digit
#endif

/* In a variable, because the compiler warns when a constant is cut to a field. */
static volatile unsigned int all_ones = ~0u;

/* Where a bitfield of PyASCIIObject.state lies in the 32-bit word. */
#define STATE_BITS(field, shift, width)                                        \
    do {                                                                       \
        PyASCIIObject probe;                                                   \
        uint32_t word;                                                         \
        memset(&probe, 0, sizeof probe);                                       \
        probe.state.field = all_ones;                                            \
        memcpy(&word, (char *)&probe + offsetof(PyASCIIObject, state), 4);     \
        (shift) = (size_t)__builtin_ctz(word);                                 \
        (width) = (size_t)__builtin_popcount(word);                            \
    } while (0)

static void print_thread_state(void) {
    open_group("thread", "ThreadState");
    row("interp", offsetof(PyThreadState, interp));
    row("thread_id", offsetof(PyThreadState, thread_id));
#if PY_VERSION_HEX >= 0x030D0000
    row("frame", offsetof(PyThreadState, current_frame));
    none("cframe_current_frame");
#elif PY_VERSION_HEX >= 0x030B0000
    row("frame", offsetof(PyThreadState, cframe));
    some("cframe_current_frame", offsetof(_PyCFrame, current_frame));
#else
    row("frame", offsetof(PyThreadState, frame));
    none("cframe_current_frame");
#endif
#if PY_VERSION_HEX >= 0x030B0000
    some("tracing", offsetof(PyThreadState, tracing));
#else
    none("tracing");
#endif
    close_group();
}

static void print_frame(void) {
    open_group("frame", "Frame");
#if PY_VERSION_HEX >= 0x030B0000
    typedef _PyInterpreterFrame F;
    row("previous", offsetof(F, previous));
#if PY_VERSION_HEX >= 0x030D0000
    row("code", offsetof(F, f_executable));
    row("instruction", offsetof(F, instr_ptr));
    printf("            instruction_form: InstructionForm::CurrentUnit,\n");
#else
    row("code", offsetof(F, f_code));
    row("instruction", offsetof(F, prev_instr));
    printf("            instruction_form: InstructionForm::PreviousUnit,\n");
#endif
    some("owner", offsetof(F, owner));
    some("owned_by_generator", FRAME_OWNED_BY_GENERATOR);
#if PY_VERSION_HEX >= 0x030C0000
    some("owned_by_cstack", FRAME_OWNED_BY_CSTACK);
#else
    none("owned_by_cstack");
#endif
    printf("            values: Some(Values { height: %zu, owner: %zu, first: %zu }),\n",
           offsetof(F, stacktop), offsetof(F, owner), offsetof(F, localsplus));
    none("flags");
#else
    row("previous", offsetof(PyFrameObject, f_back));
    row("code", offsetof(PyFrameObject, f_code));
    row("instruction", offsetof(PyFrameObject, f_lasti));
#if PY_VERSION_HEX >= 0x030A0000
    printf("            instruction_form: InstructionForm::IndexInUnits,\n");
#else
    printf("            instruction_form: InstructionForm::IndexInBytes,\n");
#endif
    none("owner");
    none("owned_by_generator");
    none("owned_by_cstack");
    none("values");
    printf("            flags: Some(Flags { trace_lines: %zu, generator: %zu }),\n",
           offsetof(PyFrameObject, f_trace_lines), offsetof(PyFrameObject, f_gen));
#endif
    close_group();
}

static void print_code(void) {
    open_group("code", "Code");
    row("filename", offsetof(PyCodeObject, co_filename));
    row("name", offsetof(PyCodeObject, co_name));
    row("first_line", offsetof(PyCodeObject, co_firstlineno));
#if PY_VERSION_HEX >= 0x030A0000
    row("line_table", offsetof(PyCodeObject, co_linetable));
#else
    row("line_table", offsetof(PyCodeObject, co_lnotab));
#endif
#if PY_VERSION_HEX >= 0x030B0000
    some("qualname", offsetof(PyCodeObject, co_qualname));
    some("first_traceable", offsetof(PyCodeObject, _co_firsttraceable));
    some("code_start", offsetof(PyCodeObject, co_code_adaptive));
#else
    none("qualname");
    none("first_traceable");
    none("code_start");
#endif
    row("size", sizeof(PyCodeObject));
    close_group();
}

static void print_string(void) {
    size_t shift, width;
    open_group("str", "Str");
    row("length", offsetof(PyASCIIObject, length));
    row("state", offsetof(PyASCIIObject, state));
    STATE_BITS(interned, shift, width);
    row("interned_shift", shift);
    row("interned_width", width);
    STATE_BITS(kind, shift, width);
    row("kind_shift", shift);
    row("kind_width", width);
    STATE_BITS(compact, shift, width);
    row("compact_shift", shift);
    STATE_BITS(ascii, shift, width);
    row("ascii_shift", shift);
    row("ascii_data", sizeof(PyASCIIObject));
    row("compact_data", sizeof(PyCompactUnicodeObject));
    row("loose_data", offsetof(PyUnicodeObject, data));
    printf("            may_be_unready: %s,\n",
           PY_VERSION_HEX < 0x030C0000 ? "true" : "false");
    close_group();
}

static void print_objects(void) {
    open_group("bytes", "Bytes");
    row("len", offsetof(PyBytesObject, ob_base.ob_size));
    row("data", offsetof(PyBytesObject, ob_sval));
    close_group();

    open_group("object", "Object");
    row("ob_type", offsetof(PyObject, ob_type));
    row("tp_name", offsetof(PyTypeObject, tp_name));
    row("tp_basicsize", offsetof(PyTypeObject, tp_basicsize));
    row("tp_dealloc", offsetof(PyTypeObject, tp_dealloc));
    row("tp_flags", offsetof(PyTypeObject, tp_flags));
    close_group();
}

static void print_collector(void) {
    typedef struct gc_generation_stats S;
    _Static_assert(sizeof(((PyInterpreterState *)0)->gc.generation_stats) ==
                       3 * sizeof(S), "three generations");
    open_group("gc", "Gc");
    row("base", offsetof(PyInterpreterState, gc));
    row("stats", offsetof(PyInterpreterState, gc.generation_stats));
    row("stats_stride", sizeof(S));
    row("collections", offsetof(S, collections));
    row("collected", offsetof(S, collected));
    row("uncollectable", offsetof(S, uncollectable));
    row("collecting", offsetof(PyInterpreterState, gc.collecting));
    row("threshold", offsetof(PyInterpreterState, gc.generations[0].threshold));
    row("generation_stride", sizeof(struct gc_generation));
    printf("            startup_thresholds: [%d, 10, 10],\n",
           PY_VERSION_HEX >= 0x030D0000 ? 2000 : 700);
    close_group();
}

/* What the snapshot of the object graph reads. */
static void print_references(void) {
    open_group("references", "References");
    row("size", offsetof(PyVarObject, ob_size));
    row("itemsize", offsetof(PyTypeObject, tp_itemsize));
    row("traverse", offsetof(PyTypeObject, tp_traverse));
    row("members", offsetof(PyTypeObject, tp_members));
    row("base", offsetof(PyTypeObject, tp_base));
    row("type_dict", offsetof(PyTypeObject, tp_dict));
    row("dict_offset", offsetof(PyTypeObject, tp_dictoffset));
    row("qualname", offsetof(PyHeapTypeObject, ht_qualname));
    row("cached_keys", offsetof(PyHeapTypeObject, ht_cached_keys));
    row("list_items", offsetof(PyListObject, ob_item));
    row("tuple_items", offsetof(PyTupleObject, ob_item));
    printf("            exception: [%zu, %zu, %zu, %zu],\n", offsetof(PyBaseExceptionObject, args),
           offsetof(PyBaseExceptionObject, traceback), offsetof(PyBaseExceptionObject, context),
           offsetof(PyBaseExceptionObject, cause));
    row("traceback_next", offsetof(PyTracebackObject, tb_next));
    row("dict_keys", offsetof(PyDictObject, ma_keys));
    row("cell_content", offsetof(PyCellObject, ob_ref));
    printf("            function: [%zu, %zu, %zu, %zu, %zu],\n", offsetof(PyFunctionObject, func_code),
           offsetof(PyFunctionObject, func_name), offsetof(PyFunctionObject, func_qualname),
           offsetof(PyFunctionObject, func_defaults), offsetof(PyFunctionObject, func_kwdefaults));
    row("next_thread", offsetof(PyThreadState, next));
#if PY_VERSION_HEX >= 0x030B0000
    row("first_thread", offsetof(PyInterpreterState, threads.head));
#else
    row("first_thread", offsetof(PyInterpreterState, tstate_head));
#endif
    row("generations", offsetof(PyInterpreterState, gc.generations[0].head));
    row("permanent", offsetof(PyInterpreterState, gc.permanent_generation.head));
#if PY_VERSION_HEX >= 0x030B0000
    row("frame_data", offsetof(PyFrameObject, f_frame));
    some("generator_frame", offsetof(PyGenObject, gi_iframe));
    row("frame_locals", offsetof(_PyInterpreterFrame, localsplus));
    some("local_names", offsetof(PyCodeObject, co_localsplusnames));
    none("old_local_names");
    printf("            keys: Some(Keys { log2_index_bytes: %zu, kind: %zu, entries: %zu, indices: %zu }),\n",
           offsetof(struct _dictkeysobject, dk_log2_index_bytes), offsetof(struct _dictkeysobject, dk_kind),
           offsetof(struct _dictkeysobject, dk_nentries), offsetof(struct _dictkeysobject, dk_indices));
#else
    row("frame_data", 0);
    none("generator_frame");
    row("frame_locals", offsetof(PyFrameObject, f_localsplus));
    none("local_names");
    printf("            old_local_names: Some([%zu, %zu, %zu]),\n", offsetof(PyCodeObject, co_varnames),
           offsetof(PyCodeObject, co_cellvars), offsetof(PyCodeObject, co_freevars));
    none("keys");
#endif
    close_group();
}

/* What a trace reads step by step, beyond what the snapshot does. */
static void print_steps(void) {
    open_group("steps", "Steps");
#if PY_VERSION_HEX >= 0x030B0000
    typedef _PyInterpreterFrame F;
#else
    typedef PyFrameObject F;
#endif
    row("globals", offsetof(F, f_globals));
    row("locals", offsetof(F, f_locals));
    row("code_flags", offsetof(PyCodeObject, co_flags));
    row("stack_size", offsetof(PyCodeObject, co_stacksize));
#if PY_VERSION_HEX >= 0x030B0000
    printf("            value_stack: ValueStack::AboveLocals { locals: %zu },\n",
           offsetof(PyCodeObject, co_nlocalsplus));
    some("generator_state", offsetof(PyGenObject, gi_frame_state));
    none("generator_frame_object");
#elif PY_VERSION_HEX >= 0x030A0000
    printf("            value_stack: ValueStack::Counted { bottom: %zu, height: %zu },\n",
           offsetof(PyFrameObject, f_valuestack), offsetof(PyFrameObject, f_stackdepth));
    none("generator_state");
    some("generator_frame_object", offsetof(PyGenObject, gi_frame));
#else
    printf("            value_stack: ValueStack::Bounded { bottom: %zu, top: %zu },\n",
           offsetof(PyFrameObject, f_valuestack), offsetof(PyFrameObject, f_stacktop));
    none("generator_state");
    some("generator_frame_object", offsetof(PyGenObject, gi_frame));
#endif
    row("generator_name", offsetof(PyGenObject, gi_qualname));
    row("closure", offsetof(PyFunctionObject, func_closure));
    row("digits", offsetof(PyLongObject, PY_LONG_DIGITS));
    row("float_value", offsetof(PyFloatObject, ob_fval));
    row("complex_value", offsetof(PyComplexObject, cval));
    row("bytearray_start", offsetof(PyByteArrayObject, ob_start));
    row("method_definition", offsetof(PyCFunctionObject, m_ml));
    row("method_function", offsetof(PyMethodObject, im_func));
    row("method_self", offsetof(PyMethodObject, im_self));
    row("trace_function", offsetof(PyThreadState, c_tracefunc));
    row("type_order", offsetof(PyTypeObject, tp_mro));
    close_group();
}

static void print_layout(void) {
    printf("    Layout {\n");
    printf("        minor: %d,\n", PY_MINOR_VERSION);
    printf("        measured: \"%s\",\n", PY_VERSION);
    print_thread_state();
    print_frame();
    print_code();
    print_string();
    print_objects();
    print_collector();
    print_references();
    print_steps();
    printf("    },\n");
}

static int debug_offsets(void) {
#if PY_VERSION_HEX >= 0x030D0000
    printf("pub static DEBUG_OFFSETS_3_13: DebugOffsets = DebugOffsets {\n");
#define AT(name, member)                                                       \
    printf("    %s: %zu,\n", name, offsetof(_Py_DebugOffsets, member))
    printf("    in_runtime: %zu,\n", offsetof(_PyRuntimeState, debug_offsets));
    printf("    size: %zu,\n", sizeof(_Py_DebugOffsets));
    AT("cookie", cookie);
    AT("version", version);
    AT("free_threaded", free_threaded);
    AT("runtime_finalizing", runtime_state.finalizing);
    AT("interp_gc", interpreter_state.gc);
    AT("gc_collecting", gc.collecting);
    AT("thread_interp", thread_state.interp);
    AT("thread_current_frame", thread_state.current_frame);
    AT("thread_id", thread_state.thread_id);
    AT("frame_previous", interpreter_frame.previous);
    AT("frame_executable", interpreter_frame.executable);
    AT("frame_instr_ptr", interpreter_frame.instr_ptr);
    AT("frame_owner", interpreter_frame.owner);
    AT("code_filename", code_object.filename);
    AT("code_name", code_object.name);
    AT("code_qualname", code_object.qualname);
    AT("code_linetable", code_object.linetable);
    AT("code_firstlineno", code_object.firstlineno);
    AT("code_co_code_adaptive", code_object.co_code_adaptive);
    AT("object_ob_type", pyobject.ob_type);
    AT("type_tp_name", type_object.tp_name);
    AT("type_tp_flags", type_object.tp_flags);
    AT("bytes_ob_size", bytes_object.ob_size);
    AT("bytes_ob_sval", bytes_object.ob_sval);
    AT("str_state", unicode_object.state);
    AT("str_length", unicode_object.length);
    AT("str_asciiobject_size", unicode_object.asciiobject_size);
    printf("};\n");
    return 0;
#else
    fprintf(stderr, "offsets: _Py_DebugOffsets appeared in 3.13\n");
    return 1;
#endif
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "debug") == 0)
        return debug_offsets();
    print_layout();
    return 0;
}
