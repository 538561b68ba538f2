# SPDX-License-Identifier: Apache-2.0
"""Exceptions: a class for each status of libitem, and those of the binding itself."""

from __future__ import annotations

from typing import Any

from . import _abi


class Error(Exception):
    """A call of libitem that failed. `message` is its one line, `code` its status."""

    code: int = -1

    def __init__(self, message: str, code: int | None = None, system: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.code, self.system)

    @property
    def name(self) -> str:
        """Name of the status, such as "ITEM_E_FORMAT"."""
        return _NAMES.get(self.code, "ITEM_E_?")


class ArgumentError(Error, ValueError):
    """A value that is out of range, or an option that does not exist."""

    code = _abi.E_ARGUMENT


class OutOfMemoryError(Error, MemoryError):
    """An allocation failed."""

    code = _abi.E_MEMORY


class FileError(Error):
    """The system refused to open, read or write; `system` is its errno."""

    code = _abi.E_IO


class FormatError(Error, ValueError):
    """The bytes are broken, or not what they claim to be."""

    code = _abi.E_FORMAT


class UnsupportedError(Error):
    """Valid, but of a kind that libitem does not read."""

    code = _abi.E_UNSUPPORTED


class LimitError(Error):
    """Larger than a limit of the context."""

    code = _abi.E_LIMIT


class CancelledError(Error):
    """The Cancel of the call was set."""

    code = _abi.E_CANCELLED


class BackendError(Error):
    """An engine or a backend failed; what a backend in Python raised is its __cause__."""

    code = _abi.E_BACKEND


class NoEngineError(Error):
    """Networks are needed, and there is no engine, or none that may be loaded."""

    code = _abi.E_NO_ENGINE


class PackError(Error):
    """The pack is incomplete, changed or too new."""

    code = _abi.E_PACK


class MismatchError(Error, ValueError):
    """Head, layout or width do not fit the embedder."""

    code = _abi.E_MISMATCH


class ForkedError(Error):
    """Used in a forked child: start processes by spawn."""

    code = _abi.E_FORKED


class InternalError(Error):
    """A bug of libitem: please report it."""

    code = _abi.E_INTERNAL


class ClosedError(Error, ValueError):
    """A context, data set or report was used after it was closed."""

    code = _abi.E_ARGUMENT


class LibraryError(ImportError):
    """libitem itself cannot be loaded."""


def of_picture(reason: Exception) -> Error:
    """An error of a picture that Python could not give, such as a file object's."""
    if isinstance(reason, Error):
        return reason
    said = " ".join(str(reason).split()) or type(reason).__name__
    system = reason.errno or 0 if isinstance(reason, OSError) else 0
    made = FileError(f"cannot read the picture: {said}", system=system)
    made.__cause__ = reason
    return made


_CLASSES: dict[int, type[Error]] = {
    cls.code: cls
    for cls in (
        ArgumentError,
        OutOfMemoryError,
        FileError,
        FormatError,
        UnsupportedError,
        LimitError,
        CancelledError,
        BackendError,
        NoEngineError,
        PackError,
        MismatchError,
        ForkedError,
        InternalError,
    )
}
_NAMES = {
    value: "ITEM_" + name for name, value in vars(_abi).items() if name.startswith("E_")
}
def known(code: object) -> bool:
    """Whether it is a failure's status of libitem."""
    return isinstance(code, int) and code in _CLASSES


_SPAWN = (
    '; with multiprocessing, start the processes by spawn: multiprocessing.get_context("spawn")'
)


def make(error: _abi.item_error, status: int | None = None) -> Error:
    """The exception of a status and what libitem wrote about it."""
    code = error.code if status is None else status
    text = error.message.decode("utf-8", "replace")
    if code == _abi.E_FORKED:
        text += _SPAWN
    return of(code, text, error.system)


def of(code: int, message: str, system: int = 0) -> Error:
    """The exception of a status."""
    return _CLASSES.get(code, Error)(message, code, system)
