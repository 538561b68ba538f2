# SPDX-License-Identifier: Apache-2.0
"""Finds and loads libitem, once a process; and calls it so that a failure is an exception."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from typing import Any, Callable

from . import _abi, errors
from ._torch import OWN

ABI = "0.2"
SONAME = f"libitem.so.{ABI}"
_lock = threading.Lock()
_loaded: ctypes.CDLL | None = None
_loaded_from = ""


def _candidates() -> list[str]:
    """Where libitem may be: the file that is named, the wheel's own, or the system's loader."""
    named = os.environ.get("LIBITEM_LIBRARY")
    if named:
        return [named]
    own = OWN / SONAME
    return [str(own)] if own.exists() else [SONAME]


def _open(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
        library.item_version.restype = ctypes.c_char_p
        version = library.item_version().decode()
    except (OSError, AttributeError) as reason:
        raise errors.LibraryError(
            f"libitem cannot be loaded: {reason}. Install it, or name its file: "
            f"LIBITEM_LIBRARY=/path/to/{SONAME}, or libitem.load(path)"
        ) from None
    if not version.startswith(ABI + "."):
        raise errors.LibraryError(f"{path} is libitem {version}: this package takes {ABI}")
    try:
        _abi.declare(library)
    except AttributeError as reason:
        raise errors.LibraryError(f"{path} is too old for this package: {reason}") from None
    return library


def load(path: str | os.PathLike[str] | None = None) -> str:
    """Loads libitem now, of this file or as it is found; returns the file.

    Nothing needs to call it: the first use loads libitem. A process has one.
    """
    global _loaded, _loaded_from
    with _lock:
        if _loaded is None:
            tried = [os.fspath(path)] if path is not None else _candidates()
            _loaded = _open(tried[0])
            _loaded_from = tried[0]
        elif path is not None and os.fspath(path) != _loaded_from:
            raise errors.LibraryError(f"{_loaded_from} is loaded already, and {path} cannot be")
        return _loaded_from


def library() -> ctypes.CDLL:
    """libitem, loaded at the first call."""
    if _loaded is None:
        load()
    assert _loaded is not None
    return _loaded


def call(name: str, *arguments: Any) -> None:
    """Calls a function that returns a status, with an item_error behind the arguments."""
    error = _abi.item_error.new()
    status = getattr(library(), name)(*arguments, ctypes.byref(error))
    if status != _abi.OK:
        raise errors.make(error, status)


class Closing:
    """What the end of `with` closes."""

    def close(self) -> None:
        raise NotImplementedError

    def __exit__(self, *_raised: object) -> None:
        self.close()


class Handle:
    """A handle of libitem, released when nobody has it any more.

    Whoever uses the address keeps the Handle meanwhile, so that no collection ends a call.
    `keep` is what libitem may call until then: it goes after the handle.
    """

    __slots__ = ("address", "_keep", "_release", "__weakref__")

    def __init__(self, address: int, release: str, keep: object = None) -> None:
        self.address = address
        self._keep = keep
        self._release = weakref.finalize(self, getattr(library(), release), address)
        self._release.atexit = False  # the process takes it along

    def __reduce__(self) -> str:
        raise TypeError("it belongs to this process, and cannot be pickled")

    def release(self) -> None:
        """Releases it now; later calls do nothing."""
        self._release()


def make(name: str, *arguments: Any, release: str, keep: object = None) -> Handle:
    """Calls a function that gives a handle, `out` before the item_error."""
    out = ctypes.c_void_p()
    call(name, *arguments, ctypes.byref(out))
    assert out.value is not None
    return Handle(out.value, release, keep)


def text(value: bytes | None) -> str:
    """A text of libitem."""
    return "" if value is None else value.decode("utf-8", "replace")


def encode(value: str | None, what: str) -> bytes | None:
    """A text for libitem, or NULL."""
    return None if value is None else encode_text(value, what)


def refuse_text(value: object, name: str) -> None:
    """Python takes a text for a list of its letters."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a list, not one {type(value).__name__}")


def encode_text(value: str, what: str) -> bytes:
    """A text for libitem."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    data = value.encode("utf-8", "surrogatepass")  # libitem refuses what is no UTF-8
    if b"\0" in data:
        raise errors.ArgumentError(f"{what} holds a NUL character: {value!r}")
    return data


def encode_path(value: str | bytes | os.PathLike[Any], what: str = "path") -> bytes:
    """A file name for libitem."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"{what} must be a str or a path, not {type(value).__name__}")
    try:
        data = os.fsencode(value)
    except UnicodeEncodeError as reason:
        raise errors.ArgumentError(f"{what} cannot be encoded: {reason}") from None
    if b"\0" in data:
        raise errors.ArgumentError(f"{what} holds a NUL character: {value!r}")
    return data


def lines(get: Callable[[int], bytes | None]) -> tuple[str, ...]:
    """What a function gives for 0, 1, 2 ... until it gives NULL."""
    found: list[str] = []
    while (line := get(len(found))) is not None:
        found.append(text(line))
    return tuple(found)
