# SPDX-License-Identifier: Apache-2.0
"""The check on many machines: a Dask bag of pictures in, a folder of Parquet files out.

    libitem.dask.check(dask.bag.from_sequence(paths, npartitions=1000), "answers")
    python -m libitem.dask lines answers | item find --index pictures.item --import -

Dask and pyarrow are optional: pip install "dask[distributed]" pyarrow.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any, Iterable, Iterator, NamedTuple

import numpy as np

from . import _context, _parquet
from ._parquet import Facts
from ._result import Result
from ._tools import set_threads
from .errors import (
    ArgumentError,
    BackendError,
    CancelledError,
    Error,
    FileError,
    ForkedError,
    MismatchError,
    NoEngineError,
    PackError,
)

_Settings = tuple[tuple[str, Any], ...]
# Not a picture's fault: the run ends, instead of a row for each picture.
_FATAL = (CancelledError, ForkedError, MismatchError, NoEngineError, PackError)
_opening = threading.Lock()


class _Picture(NamedTuple):
    source: Any  # a file's name, or bytes
    facts: Facts
    error: Error | None = None


@functools.lru_cache(maxsize=1)
def _opened(settings: _Settings) -> tuple[_context.Context, str]:
    options = dict(settings)
    with contextlib.suppress(ArgumentError):  # the engine computes already: then as it does
        set_threads(options.pop("threads"))
    context = _context.open(**options)
    # libitem tells a fingerprint with an answer alone
    return context, context.check(np.zeros((64, 64, 3), np.uint8)).fingerprint


def _open(settings: _Settings) -> tuple[_context.Context, str]:
    """The process's one context, opened for its first partition, and its fingerprint."""
    with _opening:
        return _opened(settings)


def _file_error(path: str, why: str, system: int | None = None) -> FileError:
    return FileError(f"{path}: {why}", system=system or 0)


def _stat(path: str) -> os.stat_result:
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(0, "not a regular file")
    return found


def _utf_8(name: str) -> str:
    """As Parquet and JSON can hold it; the same where they can."""
    return name.encode("utf-8", "backslashreplace").decode()


def _look(item: Any) -> _Picture:
    """A picture before anything of its file was read."""
    if isinstance(item, (str, os.PathLike)):
        path = os.path.abspath(os.fspath(item))
        name = _utf_8(path)
        if name != path:
            return _Picture(path, Facts(name, 0, 0), _file_error(name, "its name is no UTF-8"))
        try:
            found = _stat(path)
        except (OSError, ValueError) as why:
            said = getattr(why, "strerror", None) or str(why)
            error = _file_error(path, said, getattr(why, "errno", None))
            return _Picture(path, Facts(path, 0, 0), error)
        return _Picture(path, Facts(path, found.st_size, found.st_mtime_ns))
    try:
        name, data = item
        data = bytes(memoryview(data))
    except (TypeError, ValueError):
        raise TypeError(f"a path, or (name, bytes), is wanted, not {type(item).__name__}") from None
    return _Picture(data, Facts(_utf_8(str(name)), len(data), 0, hashlib.sha256(data).hexdigest()))


def _read(picture: _Picture) -> _Picture:
    """The same with the hash of its bytes."""
    if picture.error or picture.facts.sha256:
        return picture
    path = picture.facts.path
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as why:
        return picture._replace(error=_file_error(path, why.strerror or str(why), why.errno))
    return picture._replace(facts=picture.facts._replace(sha256=digest.hexdigest()))


def _changed(facts: Facts) -> bool:
    """Whether the bytes of the answer may be others than those of the hash."""
    return bool(facts.mtime_ns) and _look(facts.path).facts != facts._replace(sha256=None)


def _answer(picture: _Picture, results: Iterator[Result]) -> Result:
    result = Result._failed(picture.error) if picture.error else next(results)
    if isinstance(result.error, _FATAL):
        raise result.error
    if not picture.error and _changed(picture.facts):
        result = Result._failed(_file_error(picture.facts.path, "changed while it was read"))
    return result


def _row(facts: Facts, result: Result, fingerprint: str) -> dict[str, Any]:
    """A row of the output; of a picture that failed what it says is null."""
    error, odds = result.error, result.probability
    row = {
        **facts._asdict(),
        "width": result.width,
        "height": result.height,
        "fingerprint": fingerprint,
        "json": json.dumps({**json.loads(result.json), "file": facts.path}, ensure_ascii=False),
    }
    if error:
        return {**row, "error": error.name, "message": error.message}
    return {
        **row,
        "verdict": result.verdict,
        "probability": None if odds != odds else odds,
        "reason": result.reason,
        "caption": result.caption,
    }


def _rows(todo: list[_Picture], settings: _Settings) -> Iterator[dict[str, Any]]:
    """Answers, as many together as the context's batch."""
    context, fingerprint = _open(settings)
    size = int(context.info["batch"])
    for start in range(0, len(todo), size):
        group = [_read(picture) for picture in todo[start : start + size]]
        good = [picture.source for picture in group if not picture.error]
        results = iter(context.check_many(good))
        for picture in group:
            yield _row(picture.facts, _answer(picture, results), fingerprint)


def _todo(items: Iterable[Any], known: str) -> list[_Picture]:
    """What has no answer yet, each name once."""
    pictures = {picture.facts.path: picture for picture in map(_look, items)}
    with contextlib.closing(_parquet.Known(known)) as before:
        return [picture for picture in pictures.values() if not before.has(picture.facts)]


def _partition(items: Iterable[Any], part: str, known: str, settings: _Settings) -> int:
    """Checks a partition and writes its file; how many rows it has."""
    todo = _todo(items, known)
    if todo:
        _parquet.write(Path(part), list(_rows(todo, settings)))
    return len(todo)


def _give_up(items: Iterable[Any], part: str, known: str) -> int:
    """The rows of pictures that no process lives through."""
    todo = _todo(items, known)
    died = BackendError("the process that checked it died")
    rows = [_row(_read(picture).facts, Result._failed(died), "") for picture in todo]
    _parquet.write(Path(part), rows)
    return len(todo)


def _pick(items: list[Any], place: int) -> list[Any]:
    return items[place : place + 1]


def _compute(tasks: list[Any]) -> list[int | None]:
    """Their results; None: workers died of it until Dask gave up."""
    dask = _parquet.need("dask")
    client = getattr(dask.base.get_scheduler(), "__self__", None)
    if client is None:  # in this process, or in a pool: these raise
        return list(dask.compute(*tasks))
    distributed = _parquet.need("distributed")
    futures = client.compute(tasks)
    for future in distributed.as_completed(futures):
        killed = isinstance(future.exception(), distributed.KilledWorker)
        if future.status != "finished" and not killed:
            future.result()  # raises; the others end
    return [f.result() if f.status == "finished" else None for f in futures]


def _one_by_one(items: Any, part: str, known: str, settings: _Settings) -> int:
    """A partition that workers died of: each picture by itself, so that one is to blame."""
    dask, checked = _parquet.need("dask"), 0
    (kept,) = dask.persist(dask.delayed(list)(items))  # loaded once
    for place in range(dask.delayed(len)(kept).compute()):
        one, name = dask.delayed(_pick)(kept, place), f"{part}-{place:06}.parquet"
        (done,) = _compute([dask.delayed(_partition)(one, name, known, settings)])
        if done is None:
            (done,) = _compute([dask.delayed(_give_up)(one, name, known)])
        if done is None:
            raise BackendError(f"{part}: processes die of picture {place} before it is checked")
        checked += done
    return checked


def _fingerprint(settings: _Settings) -> str:
    return _open(settings)[1]


def check(
    pictures: Any,
    output: str | os.PathLike[str],
    *,
    threads: int = 1,
    same_fingerprint: bool = True,
    **options: str | int | float | bool | None,
) -> int:
    """Checks a Dask bag of paths, or of (name, bytes), into a folder of Parquet files.

    A picture that fails is a row with `error`, also one that ends its process each time. What
    `output` has is skipped: the same path, size and time, or the same name and bytes, with the
    same fingerprint (any, unless same_fingerprint).
    What is answered anew takes the place of the older row. `threads` are those of each worker;
    other arguments those of libitem.open(). Returns how many pictures got a row, those that failed
    among them. Workers must be processes that were spawned, and `output` a folder that all of them
    see; one run at a time.
    """
    dask = _parquet.need("dask")
    _parquet.need("pyarrow.parquet")
    if not hasattr(pictures, "to_delayed"):
        raise TypeError(f"a Dask bag is wanted, not {type(pictures).__name__}")
    folder = os.path.abspath(os.fspath(output))
    os.makedirs(folder, exist_ok=True)
    settings = tuple(sorted({**options, "threads": threads}.items()))
    fingerprint = None
    if same_fingerprint and _parquet.parts(folder):
        fingerprint = dask.delayed(_fingerprint)(settings).compute()
    run = f"{folder}/part-{_parquet.next_number(folder):020}"
    with _parquet.known(folder, fingerprint) as known:
        parts = [(items, f"{run}-{i:06}") for i, items in enumerate(pictures.to_delayed())]
        work = dask.delayed(_partition)
        done = _compute([work(items, f"{p}.parquet", known, settings) for items, p in parts])
        checked = sum(
            _one_by_one(items, part, known, settings) if count is None else count
            for count, (items, part) in zip(done, parts)
        )
    _parquet.tidy(folder)
    return checked


def lines(output: str | os.PathLike[str]) -> Iterable[str]:
    """The JSON lines that `item find --import` takes."""
    return _parquet.lines(os.fspath(output))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "lines":
        sys.exit("usage: python -m libitem.dask lines OUTPUT")
    if not _parquet.parts(sys.argv[2]):
        sys.exit(f"{sys.argv[2]}: no answers are there")
    for line in lines(sys.argv[2]):
        print(line)
