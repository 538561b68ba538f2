# SPDX-License-Identifier: Apache-2.0
"""Answers as a folder of Parquet files, a row a picture: libitem.dask writes and reads them.

Files are named so that newer ones sort behind older ones, and appear whole or not at all.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import json
import os
import sqlite3
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple
from urllib.parse import quote

COLUMNS = {
    "path": "string", "bytes": "int64", "mtime_ns": "int64", "sha256": "string",
    "error": "string", "message": "string", "verdict": "string", "probability": "float64",
    "reason": "string", "caption": "string", "width": "int32", "height": "int32",
    "fingerprint": "string", "json": "string",
}  # fmt: skip
# What the bytes are to blame for; other failures are worth another try.
_OF_THE_BYTES = ("ITEM_E_FORMAT", "ITEM_E_UNSUPPORTED")


class Facts(NamedTuple):
    """What tells whether a picture is the one that was answered; of a file 0, 0: not there."""

    path: str
    bytes: int
    mtime_ns: int  # 0: the bytes were given, not a file
    sha256: str | None = None


def need(name: str) -> Any:
    """A module that is asked for at its first use, as it may not be there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        want = 'pip install "dask[distributed]" pyarrow'
        raise ImportError(f"libitem.dask needs {name}: {want}") from None


def parts(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("part-*.parquet"))


def write(path: Path, rows: Any) -> None:
    """Rows, or a table of them, beside and renamed; a second try writes the same name."""
    pa, parquet = need("pyarrow"), need("pyarrow.parquet")
    if isinstance(rows, list):
        kinds = {name: getattr(pa, kind)() for name, kind in COLUMNS.items()}
        rows = pa.Table.from_pylist(rows, schema=pa.schema(kinds))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        parquet.write_table(rows, beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def rows(folder: str, columns: list[str]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Oldest first, each with its file."""
    for part in parts(folder):
        file = need("pyarrow.parquet").ParquetFile(part)
        for batch in file.iter_batches(columns=columns, batch_size=4096):
            for row in batch.to_pylist():
                yield part, row


class Known:
    """What a folder has, as a file that all workers can ask: it may be millions of names."""

    def __init__(self, file: str) -> None:
        self._base = sqlite3.connect(f"file:{quote(file)}?mode=ro&immutable=1", uri=True)

    def close(self) -> None:
        self._base.close()

    def has(self, facts: Facts) -> bool:
        """Whether there is an answer to exactly this, or was nothing to read then as now."""
        ask = "SELECT bytes, mtime_ns, sha256, holds FROM known WHERE path = ?"
        row = self._base.execute(ask, (facts.path,)).fetchone()
        if row is None or (facts.sha256 or row[2]) != row[2]:
            return False
        gone = not (facts.bytes or facts.mtime_ns or facts.sha256)
        return row[:2] == facts[1:3] and bool(row[3] or gone)


def _learn(folder: str, base: sqlite3.Connection, fingerprint: str | None) -> dict[Path, set[str]]:
    """Fills the table; gives the rows that newer ones stand for, by file."""
    base.execute(
        "CREATE TABLE known (path TEXT PRIMARY KEY, bytes INT, mtime_ns INT, sha256 TEXT, "
        "holds INT, answered INT, part TEXT) WITHOUT ROWID"
    )
    old: dict[Path, set[str]] = defaultdict(set)
    columns = ["path", "bytes", "mtime_ns", "sha256", "error", "fingerprint"]
    for part, row in rows(folder, columns):
        answered = row["error"] is None or row["error"] in _OF_THE_BYTES
        ask = "SELECT part, answered FROM known WHERE path = ?"
        before = base.execute(ask, (row["path"],)).fetchone()
        if before and before[1] and not answered:  # a failure that may pass takes no answer away
            old[part].add(row["path"])
            continue
        if before:
            old[Path(before[0])].add(row["path"])
        holds = answered and fingerprint in (None, row["fingerprint"])
        facts = (row["path"], row["bytes"], row["mtime_ns"], row["sha256"])
        base.execute(
            "REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?)", (*facts, holds, answered, str(part))
        )
    return old


def _drop(old: dict[Path, set[str]]) -> None:
    """Takes rows out of files; a file that has none left goes."""
    pa, parquet = need("pyarrow"), need("pyarrow.parquet")
    for part, paths in old.items():
        table = parquet.read_table(part)
        kept = table.filter(pa.array(path not in paths for path in table["path"].to_pylist()))
        if kept.num_rows:
            write(part, kept)
        else:
            part.unlink()


@contextlib.contextmanager
def known(folder: str, fingerprint: str | None = None) -> Iterator[str]:
    """A file for Known, removed at the end. Rows that newer ones stand for are dropped first.

    With a fingerprint only answers of it hold, else all.
    """
    for left in itertools.chain(*map(Path(folder).glob, (".known-*", ".part-*"))):
        left.unlink()  # of a run or a worker that was killed
    file = os.path.join(folder, f".known-{os.getpid()}")
    try:
        base = sqlite3.connect(file)
        with contextlib.closing(base):
            base.execute("PRAGMA journal_mode = OFF")
            with base:
                old = _learn(folder, base, fingerprint)
        _drop(old)
        yield file
    finally:
        Path(file).unlink(missing_ok=True)


def tidy(folder: str) -> None:
    """Drops the rows that newer ones stand for."""
    with known(folder):
        pass


def next_number(folder: str) -> int:
    """Of files that sort behind all others, whatever the clock says."""
    last = max((int(part.name.split("-")[1]) for part in parts(folder)), default=0)
    return max(time.time_ns(), last + 1)


def lines(folder: str) -> Iterable[str]:
    """What `item find --import` and item_index_import() take: of files, by absolute names."""
    names = ["path", "bytes", "mtime_ns", "sha256", "json"]
    for _, row in rows(folder, names):
        if os.path.isabs(row["path"]):
            answer = json.loads(row.pop("json"))
            yield json.dumps({**row, "answer": answer}, ensure_ascii=False)
