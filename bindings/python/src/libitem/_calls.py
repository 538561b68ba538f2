# SPDX-License-Identifier: Apache-2.0
"""Long calls: cancelled by a handle, by Ctrl-C, or by what a callback raises."""

from __future__ import annotations

import contextlib
import importlib
import threading
from typing import Any, Callable, Generic, Iterator, TypeVar

from . import _abi, errors
from ._library import Handle, library, make

T = TypeVar("T")
# After Ctrl-C libitem ends within 200 ms, but for the loading of an engine: that goes on alone.
PATIENCE = 0.5


class Cancel:
    """Ends the calls that it is given to, from any thread; it cannot be taken back."""

    def __init__(self) -> None:
        self._handle = make("item_cancel_new", release="item_cancel_unref")
        self._set = False

    def set(self) -> None:
        """Ends every running and future call that has this handle: CancelledError."""
        self._set = True
        library().item_cancel_set(self._handle.address)

    @property
    def is_set(self) -> bool:
        return self._set


def own(cancel: Cancel | None) -> Cancel:
    """The caller's handle, or a new one."""
    if cancel is not None and not isinstance(cancel, Cancel):
        raise TypeError(f"cancel must be a libitem.Cancel, not {type(cancel).__name__}")
    return cancel or Cancel()


class _Outcome(Generic[T]):
    value: T
    error: BaseException | None = None


def interruptible(work: Callable[[], T], cancel: Cancel) -> T:
    """Runs work(); in the main thread so that a signal's handler runs, and may end it.

    Python runs handlers of signals in the main thread alone, and not while that is inside of a C
    function: so the call is made in a thread of its own, and the main one waits.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: _Outcome[T] = _Outcome()
    done = threading.Lock()
    done.acquire()

    def run(_kept: Cancel) -> None:
        try:
            outcome.value = work()
        except BaseException as error:  # raised in the main thread, below
            outcome.error = error
        finally:
            done.release()

    started = True
    try:
        try:
            # the call looks at the handle to its end, also where nobody waits for that
            threading.Thread(target=run, args=(cancel,), name="libitem", daemon=True).start()
        except RuntimeError:  # at the system's limit, or when the process ends
            started = False
        else:
            done.acquire()
    except BaseException:
        cancel.set()
        done.acquire(timeout=PATIENCE)
        raise
    if not started:
        return work()
    error, outcome.error = outcome.error, None
    if error is None:
        return outcome.value
    try:
        raise error
    finally:
        del error  # it knows this frame, which must not know it: a ring waits for a collection


class Progress:
    """A progress function of Python's for one call. What it raises ends the call."""

    def __init__(self, tell: Callable[[int, int], Any] | None, cancel: Cancel) -> None:
        self._tell = tell
        self._cancel = cancel
        self.raised: BaseException | None = None
        self.function = _abi.progress_fn(self._call) if tell else _abi.progress_fn()

    def _call(self, _user: int | None, done: int, total: int) -> None:
        assert self._tell is not None
        self.run(self._tell, done, total)

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Runs a function of the caller's within the call, this one or another."""
        try:
            if self.raised is None:
                function(*arguments)
        except BaseException as error:
            self.raised = error
            self._cancel.set()

    @contextlib.contextmanager
    def raising(self) -> Iterator[None]:
        """Around the call: what the function raised is raised, also where it came too late."""
        try:
            yield
        except errors.CancelledError:
            if self.raised is None:
                raise
        if self.raised is not None:
            raise self.raised


def bar(wanted: bool | Callable[[int, int], Any] | None) -> Callable[[int, int], Any] | None:
    """A progress function: the caller's own, one of tqdm's where that is there, or none."""
    if not wanted:
        return None
    if callable(wanted):
        return wanted
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return None
    shown: list[Any] = []

    def tell(done: int, total: int) -> None:
        if not shown:
            shown.append(tqdm(total=total or None, unit=" pictures"))
        shown[0].update(done - shown[0].n)
        if done == total:
            shown[0].close()

    return tell


__all__ = ["Cancel", "Handle", "Progress", "bar", "interruptible", "own"]
