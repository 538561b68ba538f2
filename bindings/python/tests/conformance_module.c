/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module for item-conformance whose backends are written in Python: it puts an interpreter into
 * the program. `--settings module:Class` names the class; docs/python.md says how to use it. Define
 * NO_CAPTIONER, NO_DETECTOR or NO_EMBEDDER where the class has no such stage.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <dlfcn.h>
#include <item/sys/module.h>
#include <stdio.h>
#include <string.h>

/* The table and its `self` as two numbers. */
static const char code[] = "def table(stage, settings):\n"
                           "    import ctypes, importlib\n"
                           "    from libitem import backends, load\n"
                           "    load()\n"
                           "    module, _, name = settings.partition(':')\n"
                           "    made = getattr(importlib.import_module(module), name)()\n"
                           "    ops, number = backends.table(stage, made)\n"
                           "    return ctypes.addressof(ops), number\n";

static const void *fail(item_error *err)
{
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *said = text ? PyUnicode_AsUTF8(text) : NULL;
    err->code = ITEM_E_BACKEND;
    snprintf(err->message, sizeof err->message, "%s", said ? said : "no reason");
    Py_XDECREF(text);
    Py_XDECREF(kind);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return NULL;
}

static const void *ask(const char *stage, const char *settings, void **self, item_error *err)
{
    PyObject *names = PyDict_New();
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    PyObject *ran = PyRun_String(code, Py_file_input, names, names);
    PyObject *found = ran ? PyObject_CallFunction(PyDict_GetItemString(names, "table"), "ss", stage,
                                                  settings ? settings : "")
                          : NULL;
    unsigned long long ops = 0, number = 0;
    const void *table = NULL;
    if (found && PyArg_ParseTuple(found, "KK", &ops, &number)) {
        *self = (void *)(uintptr_t)number;
        table = (const void *)(uintptr_t)ops;
    } else {
        table = fail(err);
    }
    Py_XDECREF(found);
    Py_XDECREF(ran);
    Py_XDECREF(names);
    return table;
}

static const void *open_stage(const char *stage, const char *settings, void **self, item_error *err)
{
    Dl_info python;
    if (!Py_IsInitialized()) {
        /* modules of Python find its functions in the program */
        if (dladdr((void *)&PyType_Type, &python))
            (void)dlopen(python.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
        Py_InitializeEx(0);        /* 0: signals stay the program's */
        (void)PyEval_SaveThread(); /* whoever calls takes the interpreter's lock */
    }
    PyGILState_STATE state = PyGILState_Ensure();
    const void *table = ask(stage, settings, self, err);
    PyGILState_Release(state);
    return table;
}

#ifndef NO_CAPTIONER
ITEM_API item_module_captioner_fn item_module_captioner;
const item_captioner_ops *item_module_captioner(const char *settings, void **self, item_error *err)
{
    return open_stage("captioner", settings, self, err);
}
#endif

#ifndef NO_DETECTOR
ITEM_API item_module_detector_fn item_module_detector;
const item_detector_ops *item_module_detector(const char *settings, void **self, item_error *err)
{
    return open_stage("detector", settings, self, err);
}
#endif

#ifndef NO_EMBEDDER
ITEM_API item_module_embedder_fn item_module_embedder;
const item_embedder_ops *item_module_embedder(const char *settings, void **self, item_error *err)
{
    return open_stage("embedder", settings, self, err);
}
#endif
