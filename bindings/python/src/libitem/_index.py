# SPDX-License-Identifier: Apache-2.0
"""An index of whole folders: scanned once, kept in a file, and asked (docs/folders.md)."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, NamedTuple, TypeVar

from . import _abi, errors
from ._calls import Cancel, Progress, bar, interruptible, own
from ._context import Context
from ._find import COLUMNS, Filters, Path, Row, flat, query, row
from ._library import Closing, call, encode, encode_path, encode_text, library
from ._result import frame

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")
_AT_ONCE = 1000  # rows that are imported or refused together


class ScanCounts(NamedTuple):
    """What a scan met. A file counts once in unchanged, answered, copies, failed and other."""

    unchanged: int  # answered before, and the answer holds
    answered: int  # checked now
    copies: int  # the same bytes as another file: took its answer
    moved: int  # of these: had another name before, which is gone
    failed: int  # pictures that could not be read or checked
    other: int  # files that are no pictures
    missing: int  # answered before, and gone now
    unreadable: int  # folders that could not be read


# ---- the open file ----


class _File:
    """An open index, of an Index and the Rows that it gave.

    One thread at a time uses it, others wait. What is closed, or dropped by a collection in
    whatever thread, is freed when nobody uses the file, rows before their index.
    """

    def __init__(self, path: bytes, flags: int) -> None:
        self._index: int | None = None
        out = ctypes.c_void_p()
        self._free, self._free_rows = library().item_index_free, library().item_index_rows_free
        call("item_index_open", path, flags, ctypes.byref(out))
        self._index = out.value
        self._process = os.getpid()
        self._turn = threading.RLock()  # a callback within a scan may ask as well
        self._state = threading.RLock()  # a collection may begin where it is held
        self._users = 0
        self._rows: set[int] = set()
        self._dropped: list[int] = []
        self.closed = False

    def _open(self) -> int:
        if self.closed or self._index is None:
            raise errors.ClosedError("the index is closed")
        return self._index

    def use(self, work: Callable[[int], T]) -> T:
        """Runs work(address)."""
        if self._process != os.getpid():  # the locks may be another thread's of the parent
            return work(self._open())  # which libitem refuses
        with self._state:
            index = self._open()
            self._users += 1
        try:
            with self._turn:
                return work(index)
        finally:
            with self._state:
                self._users -= 1
            self._tidy()

    def find(self, wanted: _abi.item_index_query) -> int:
        """Address of rows; drop() them."""

        def work(index: int) -> int:
            out = ctypes.c_void_p()
            call("item_index_find", index, wanted, ctypes.byref(out))
            assert out.value is not None
            self._rows.add(out.value)
            return out.value

        return self.use(work)

    def drop(self, rows: int) -> None:
        self._dropped.append(rows)
        self._tidy()

    def close(self) -> None:
        self.closed = True
        self._tidy()

    def _tidy(self) -> None:
        if self._process != os.getpid():
            return
        with self._state:
            if self._users:
                return  # the last of them does it
            while self._dropped:
                self._forget(self._dropped.pop())
            if self.closed and self._index is not None:
                while self._rows:
                    self._free_rows(self._rows.pop())
                index, self._index = self._index, None
                self._free(index)

    def _forget(self, rows: int) -> None:
        if rows in self._rows:
            self._rows.remove(rows)
            self._free_rows(rows)

    def __del__(self) -> None:
        if self._index is not None:
            self.close()


class Rows(Closing, Iterator[Row]):
    """What a question found, row by row: those of one moment, but for what the same Index
    imports meanwhile."""

    def __init__(self, file: _File, wanted: _abi.item_index_query) -> None:
        self._address: int | None = None
        self._file = file
        self._found = _abi.item_index_row.new()
        self._address = file.find(wanted)

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> Row:
        def work(_index: int) -> Row | None:
            if self._address is None:
                return None
            call("item_index_next", self._address, ctypes.byref(self._found))
            return row(self._found) if self._found.path is not None else None

        found = self._file.use(work)
        if found is None:
            self.close()
            raise StopIteration
        return found

    def close(self) -> None:
        """Lets go of what was not read; happens by itself behind the last row."""
        address, self._address = self._address, None
        if address is not None:
            self._file.drop(address)

    def __enter__(self) -> Rows:
        return self

    def __del__(self) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("Rows cannot be pickled: make a list of them")

    def to_frame(self) -> Any:
        """A pandas DataFrame of the rows that were not read yet. pandas must be installed."""
        return frame(map(flat, self), COLUMNS)


class Index(Closing):
    """An index of pictures, an SQLite file: whole folders are checked once, and can be asked.

    `create` makes the file if it is not there and opens it for writing, as scan() and
    import_rows() need. One thread at a time uses it, others wait; open the file twice to ask
    while a scan runs.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        name = encode_path(path)
        self._name = os.fsdecode(name)
        self._file = _File(name, _abi.INDEX_CREATE if create else 0)

    # ---- life ----

    def close(self) -> None:
        """Closes it, once calls in other threads have ended, with all rows. May be called twice."""
        self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed

    @property
    def path(self) -> str:
        """The name that it was opened by."""
        return self._name

    def __enter__(self) -> Index:
        self._file.use(lambda _index: None)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("an Index cannot be pickled: open it in each process")

    def __repr__(self) -> str:
        return f"<libitem.Index {self._name!r}{', closed' if self.closed else ''}>"

    # ---- filling ----

    def scan(
        self,
        context: Context,
        folders: Path | Iterable[Path] = (),
        *,
        hash: bool = False,
        progress: bool | Callable[[int, int], Any] = False,
        trouble: Callable[[str, errors.Error], Any] | None = None,
        cancel: Cancel | None = None,
    ) -> ScanCounts:
        """Brings the index up to date with folders and files; without any, with all known ones.

        What has not changed is not checked again; a scan that was cancelled or killed is gone on
        with by the next one. `trouble` receives (path, error) of a file or folder that could not
        be answered; `hash` reads every file, whatever its size and time say. `progress` shows a
        bar of tqdm, or is a function of (done, total) files that are new or have changed.
        """
        if not isinstance(context, Context):
            raise TypeError(f"scan() takes a Context, not {type(context).__name__}")
        if isinstance(folders, (str, bytes, os.PathLike)):
            folders = [folders]
        names = [encode_path(folder, "a folder") for folder in folders]
        mine = own(cancel)
        told = Progress(bar(progress), mine)

        def tell(_user: int | None, path: bytes, why: Any) -> None:
            if trouble is not None:
                told.run(trouble, os.fsdecode(path), errors.make(why.contents))

        options = _abi.item_scan_options.new(
            flags=_abi.SCAN_HASH if hash else 0,
            progress=told.function,
            trouble=_abi.trouble_fn(tell) if trouble else _abi.trouble_fn(),
        )
        counts = _abi.item_scan_counts.new()

        def work(address: int, cancel: Cancel) -> None:
            options.cancel = cancel._handle.address
            many = (ctypes.c_char_p * len(names))(*names)
            what = address, many, len(names), options, counts
            self._file.use(lambda index: call("item_index_scan", index, *what))

        with told.raising():
            context._run(work, mine)
        return ScanCounts(*(getattr(counts, name) for name in ScanCounts._fields))

    def import_rows(self, rows: Iterable[Mapping[str, Any] | str | bytes]) -> int:
        """Brings in answers that were given elsewhere, and tells how many.

        A row is a dict, or a line of JSON, as item_index_import() takes it: path, bytes, mtime_ns,
        sha256, answer, and taken if it is known. A thousand at a time are taken or refused.
        """
        given, done = iter(rows), 0
        while group := [_line(line) for line in itertools.islice(given, _AT_ONCE)]:
            many = (ctypes.c_char_p * len(group))(*group)
            try:
                self._file.use(lambda index: call("item_index_import", index, many, len(many)))
            except errors.Error as error:
                if not done:
                    raise
                message = f"after row {done}: {error.message}"
                raise type(error)(message, error.code, error.system) from None
            done += len(group)
        return done

    # ---- asking ----

    def find(self, **filters: Unpack[Filters]) -> Rows:
        """Looks for pictures: state, verdict, claim, least, most, caption, object, folder, since,
        until, order, limit (libitem.Filters); without any, every answered one, by name."""
        return Rows(self._file, query(filters))

    def write_html(
        self,
        path: Path,
        *,
        title: str | None = None,
        progress: bool | Callable[[int, int], Any] = False,
        cancel: Cancel | None = None,
        **filters: Unpack[Filters],
    ) -> None:
        """Writes what find() finds as one web page that loads nothing; whole or not at all."""
        name = encode_path(path)
        mine = own(cancel)
        told = Progress(bar(progress), mine)
        options = _abi.item_page_options.new(
            title=encode(title, "title"), cancel=mine._handle.address, progress=told.function
        )
        what = query(filters), options, name

        def work() -> None:
            self._file.use(lambda index: call("item_index_write_html", index, *what))

        with told.raising():
            interruptible(work, mine)


def _line(given: Mapping[str, Any] | str | bytes) -> bytes:
    """A row to import, as text."""
    if isinstance(given, Mapping):
        given = json.dumps(dict(given), allow_nan=False)
    if isinstance(given, str):
        return encode_text(given, "a row")
    if not isinstance(given, bytes):
        raise TypeError(f"a row is a dict, or a line of JSON, not {type(given).__name__}")
    if b"\0" in given:
        raise ValueError("a row holds a NUL character")
    return given
