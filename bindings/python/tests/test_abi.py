# SPDX-License-Identifier: Apache-2.0
"""What _abi.py declares is what the compiler says; structs of other versions are taken."""

import ctypes as c

import libitem
import pytest
from conftest import ROOT
from libitem import _abi, _library, errors

PLAIN = {
    "uint32_t": c.c_uint32,
    "int32_t": c.c_int32,
    "uint64_t": c.c_uint64,
    "int64_t": c.c_int64,
    "uint8_t": c.c_uint8,
    "size_t": c.c_size_t,
    "double": c.c_double,
    "float": c.c_float,
    "item_status": c.c_int32,
    "void": None,
}
STRUCTS = {
    name: value
    for name, value in vars(_abi).items()
    if name.startswith("item_") and isinstance(value, type)
}


def agree(declared, kind, types):
    """True where a ctypes type can stand for a type of the headers; c_void_p for any pointer."""
    kind = kind.replace("const ", "").replace(" const", "")
    kind = types.get(kind, kind)
    if "(*)" in kind:
        result, _, parameters = kind[:-1].partition(" (*)(")
        return function(declared, result, parameters.split(", "), types)
    if kind.endswith("]"):
        inside = kind[: kind.index("[")]
        return agree(declared._type_, inside, types)  # a member, or a pointer to the first
    if kind.endswith("*"):
        return points(declared, kind[:-1].strip(), types)
    if kind == "char":
        return declared is c.c_char
    return declared is (PLAIN[kind] if kind in PLAIN else STRUCTS.get(kind, "no such type"))


def points(declared, to, types):
    if declared is c.c_void_p:
        return not to.endswith("*")
    if to == "char":
        return declared is c.c_char_p
    inside = getattr(declared, "_type_", "")
    return not isinstance(inside, str) and agree(inside, to, types)


def function(declared, result, parameters, types):
    parameters = [] if parameters == ["void"] else parameters
    return (
        hasattr(declared, "_restype_")
        and agree(declared._restype_, result, types)
        and len(declared._argtypes_) == len(parameters)
        and all(agree(d, p, types) for d, p in zip(declared._argtypes_, parameters))
    )


@pytest.mark.parametrize("name", STRUCTS)
def test_structs_have_the_compilers_layout(name, layout):
    wanted = layout["structs"][name]
    declared = STRUCTS[name]
    members = dict((n, k) for n, k, *_ in declared._fields_)
    if name != "item_engine_ops":  # only its beginning is declared
        assert c.sizeof(declared) == wanted["size"]
        assert list(members) == list(wanted["members"])
    for member, kind in members.items():
        offset, size, said = wanted["members"][member]
        at = getattr(declared, member)
        assert (at.offset, at.size) == (offset, size), member
        assert agree(kind, said, layout["types"]), (member, kind, said)


@pytest.mark.parametrize("name", STRUCTS)
def test_start_values_are_those_of_the_headers(name, layout):
    if name in layout["defaults"]:
        assert bytes(STRUCTS[name].new()).hex() == layout["defaults"][name]


def test_functions_are_declared_as_in_the_headers(layout):
    for name, (result, parameters) in _abi.FUNCTIONS.items():
        wanted_result, wanted = layout["functions"][name]
        assert agree(result, wanted_result, layout["types"]), name
        assert len(parameters) == len(wanted), name
        for declared, kind in zip(parameters, wanted):
            assert agree(declared, kind, layout["types"]), (name, declared, kind)


def test_the_comparison_can_fail(layout):
    types = layout["types"]
    assert agree(c.c_uint32, "uint32_t", types)
    for declared, kind in (
        (c.c_int32, "uint32_t"),
        (c.c_float, "double"),
        (c.c_char_p, "const float *"),
        (c.POINTER(c.c_double), "const float *"),
        (c.c_void_p, "const char * const *"),
        (c.POINTER(c.c_void_p), "item_error *"),
        (_abi.progress_fn, "item_log_fn"),
        (_abi.close_fn, "item_status (*)(void *)"),
    ):
        assert not agree(declared, kind, types), (declared, kind)


def test_constants_have_the_values_of_the_headers(layout):
    mine = {
        "ITEM_" + name: value
        for name, value in vars(_abi).items()
        if name.isupper() and isinstance(value, int)
    }
    assert len(mine) > 40
    for name, value in mine.items():
        assert layout["constants"][name] == value, name


def test_package_and_library_have_one_version():
    said = (ROOT / "bindings" / "python" / "pyproject.toml").read_text()
    assert libitem.__version__ == libitem.version() and f'version = "{libitem.version()}"' in said


def test_every_status_has_an_exception(layout):
    for name, value in layout["constants"].items():
        if name.startswith("ITEM_E_"):
            assert errors._CLASSES[value].code == value
            assert errors._CLASSES[value]("").name == name
    assert _library.ABI == "{ITEM_VERSION_MAJOR}.{ITEM_VERSION_MINOR}".format(
        **layout["constants"]
    )


# ---- a struct of the previous and of the next version ----


class Older(c.Structure):
    """item_check_options as release 0.1 had it."""

    _fields_ = _abi.item_check_options._fields_[:7]


class Newer(c.Structure):
    """With a member that this libitem does not know."""

    _fields_ = [*_abi.item_check_options._fields_, ("later", c.c_uint64)]


class NewerSummary(c.Structure):
    _fields_ = [*_abi.item_result_summary._fields_, ("later", c.c_double)]


def tokens_of(context, options):
    """A call with such options; how it ended."""
    out, error = c.c_void_p(), _abi.item_error.new()
    function = _library.library().item_check_file
    function.argtypes = None  # it would refuse another class than its own
    try:
        status = function(
            c.c_void_p(context._share().address),
            b"no such file",
            c.byref(options),
            c.byref(out),
            c.byref(error),
        )
    finally:
        function.argtypes = _abi.FUNCTIONS["item_check_file"][1]
    return status, error.message.decode()


def test_options_of_the_previous_version_are_taken(fakes):
    status, said = tokens_of(fakes, Older(struct_size=c.sizeof(Older)))
    assert (status, "no such file" in said) == (_abi.E_IO, True)


def test_options_of_the_next_version_are_taken_until_they_ask_for_more(fakes):
    status, said = tokens_of(fakes, Newer(struct_size=c.sizeof(Newer)))
    assert (status, "no such file" in said) == (_abi.E_IO, True)
    status, said = tokens_of(fakes, Newer(struct_size=c.sizeof(Newer), later=1))
    assert (status, "item_check_options" in said) == (_abi.E_ARGUMENT, True)


def test_a_summary_of_the_next_version_is_filled_as_far_as_it_is_known(fakes):
    import numpy as np

    result = fakes.check(np.zeros((40, 50, 3), np.uint8))
    summary = NewerSummary(struct_size=c.sizeof(NewerSummary), later=7.0)
    function = _library.library().item_result_get_summary
    function.argtypes = None
    try:
        status = function(c.c_void_p(result._handle.address), c.byref(summary), None)
    finally:
        function.argtypes = _abi.FUNCTIONS["item_result_get_summary"][1]
    assert (status, summary.width, summary.height) == (_abi.OK, 50, 40)
    assert summary.later in (0.0, 7.0)  # never beyond what it knows
