// An extension whose types misbehave when they are asked, outside the process that made them,
// what they refer to, or own memory that nobody may read.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static pid_t home;

typedef struct {
    PyObject_HEAD
    PyObject *held;
    void *wall;
} Awkward;

static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *held;
    if (!PyArg_ParseTuple(args, "O", &held)) return NULL;
    Awkward *self = (Awkward *)type->tp_alloc(type, 0);
    if (self) {
        Py_INCREF(held);
        self->held = held;
    }
    return (PyObject *)self;
}

static int clear(PyObject *self) {
    Py_CLEAR(((Awkward *)self)->held);
    return 0;
}

static void dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    clear(self);
    void *wall = ((Awkward *)self)->wall;
    if (wall) {
        mprotect(wall, 4096, PROT_READ | PROT_WRITE);
        free(wall);
    }
    Py_TYPE(self)->tp_free(self);
}

static PyObject *make_walled(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Awkward *self = (Awkward *)make(type, args, kwargs);
    if (self && posix_memalign(&self->wall, 4096, 4096) == 0) mprotect(self->wall, 4096, PROT_NONE);
    return (PyObject *)self;
}

static int is_fine(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(((Awkward *)self)->held);
    return 0;
}

static int crashes(PyObject *self, visitproc visit, void *arg) {
    if (getpid() != home) *(volatile int *)8 = 1;
    Py_VISIT(((Awkward *)self)->held);
    return 0;
}

static int hangs(PyObject *self, visitproc visit, void *arg) {
    while (getpid() != home) pause();
    Py_VISIT(((Awkward *)self)->held);
    return 0;
}

static int lies(PyObject *self, visitproc visit, void *arg) {
    static long nothing[8] = {1, 0x1234560, -1};
    Py_VISIT(((Awkward *)self)->held);
    if (getpid() != home) {
        visit((PyObject *)0x12345678, arg);
        visit((PyObject *)0x7001, arg);
        visit((PyObject *)-16, arg);
        visit((PyObject *)nothing, arg);
        visit(NULL, arg);
    }
    return 0;
}

#define TYPE(name, make, traverse)                                                                        \
    static PyTypeObject name = {                                                                    \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "awkward." #name,                                  \
        .tp_basicsize = sizeof(Awkward),                                                            \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,                  \
        .tp_new = make,                                                                             \
        .tp_dealloc = dealloc,                                                                      \
        .tp_traverse = traverse,                                                                    \
        .tp_clear = clear,                                                                          \
    }

TYPE(Crashes, make, crashes);
TYPE(Hangs, make, hangs);
TYPE(Lies, make, lies);
TYPE(Walled, make_walled, is_fine);

static int add(PyObject *module, const char *name, PyTypeObject *type) {
    if (PyType_Ready(type)) return -1;
    Py_INCREF(type);
    return PyModule_AddObject(module, name, (PyObject *)type);
}

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "awkward", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_awkward(void) {
    home = getpid();
    PyObject *made = PyModule_Create(&module);
    if (!made || add(made, "Crashes", &Crashes) || add(made, "Hangs", &Hangs) || add(made, "Lies", &Lies) || add(made, "Walled", &Walled))
        return NULL;
    return made;
}
