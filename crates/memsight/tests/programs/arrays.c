// An array that is laid out as numpy's, and like it says nothing of what it holds.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

typedef struct {
    PyObject_HEAD
    PyTypeObject *scalar;
    char kind, type, order, flags;
    int number;
} Descr;

typedef struct {
    PyObject_HEAD
    PyObject **data;
    int nd;
    Py_ssize_t *dimensions, *strides;
    PyObject *base;
    Descr *descr;
    int flags;
    PyObject *weak;
} Array;

enum { OWNS_DATA = 4 };

static PyTypeObject DescrType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "numpy.dtype",
    .tp_basicsize = sizeof(Descr),
    .tp_flags = Py_TPFLAGS_DEFAULT,
};

static PyTypeObject ArrayType;

// ndarray(kind, list) owns what the list has; of another kind the numbers are all it keeps.
// ndarray(kind, array) is a view.
static PyObject *make(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    const char *kind;
    PyObject *source;
    if (!PyArg_ParseTuple(args, "sO", &kind, &source)) return NULL;
    Array *self = (Array *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->descr = PyObject_New(Descr, &DescrType);
    self->descr->kind = kind[0];
    self->dimensions = PyMem_RawMalloc(2 * sizeof(Py_ssize_t));
    self->nd = 2;
    self->dimensions[0] = 1;
    if (PyObject_TypeCheck(source, &ArrayType)) {
        Array *base = (Array *)source;
        Py_INCREF(source);
        self->base = source;
        self->data = base->data;
        self->dimensions[1] = base->dimensions[1];
        return (PyObject *)self;
    }
    Py_ssize_t count = PyList_Size(source);
    self->dimensions[1] = count;
    self->flags = OWNS_DATA;
    // Longer than the array, with what is no reference behind it.
    self->data = malloc((count + 8) * sizeof(PyObject *));
    memset(self->data, 0x55, (count + 8) * sizeof(PyObject *));
    for (Py_ssize_t at = 0; at < count; at++) {
        self->data[at] = PyList_GetItem(source, at);
        if (kind[0] == 'O') Py_INCREF(self->data[at]);
    }
    return (PyObject *)self;
}

static Py_ssize_t length(PyObject *self) {
    return ((Array *)self)->dimensions[1];
}

static PySequenceMethods sequence = {.sq_length = length};

static PyTypeObject ArrayType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "numpy.ndarray",
    .tp_basicsize = sizeof(Array),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_as_sequence = &sequence,
    .tp_new = make,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "arrays", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_arrays(void) {
    PyObject *made = PyModule_Create(&module);
    if (!made || PyType_Ready(&DescrType) || PyType_Ready(&ArrayType)) return NULL;
    Py_INCREF(&ArrayType);
    return PyModule_AddObject(made, "ndarray", (PyObject *)&ArrayType) ? NULL : made;
}
