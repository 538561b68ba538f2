# SPDX-License-Identifier: Apache-2.0
"""Data sets, and training, calibrating and evaluating of heads."""

from __future__ import annotations

import ctypes
import json
import os
import threading
from typing import Any, Callable, Iterator, Literal, Sequence, TypeVar

import numpy as np

from . import _abi, errors
from ._calls import Cancel, Progress, bar, interruptible, own
from ._context import Context
from ._images import view
from ._library import (
    Closing,
    Handle,
    call,
    encode,
    encode_path,
    encode_text,
    library,
    lines,
    make,
    refuse_text,
    text,
)
from ._result import Floats

T = TypeVar("T")
Known = Literal["refuse", "keep", "drop"]
_COLUMNS = {
    "named": _abi.EXTRACT_NAMED,
    "prior": _abi.EXTRACT_PRIOR,
    "layers": _abi.EXTRACT_LAYERS,
}
_KNOWN = {"refuse": _abi.KNOWN_REFUSE, "keep": _abi.KNOWN_KEEP, "drop": _abi.KNOWN_DROP}
_LABELS = ("real", "ai")


class _Owned(Closing):
    """A handle that may be closed, and is not while calls use it: any number may read it."""

    _what = ""

    def __init__(self, handle: Handle) -> None:
        self._handle: Handle | None = handle
        self._changing = threading.RLock()  # held for moments, but by _change()
        self._readers = 0

    def close(self) -> None:
        """Frees it, once no call uses it. May be called twice."""
        self._handle = None

    def _share(self) -> Handle:
        handle = self._handle
        if handle is None:
            raise errors.ClosedError(f"the {self._what} is closed")
        return handle

    def _use(self, work: Callable[[int], T]) -> T:
        """Runs work(address)."""
        with self._changing:
            handle = self._share()
            self._readers += 1
        try:
            return work(handle.address)
        finally:
            with self._changing:
                self._readers -= 1

    def _change(self, work: Callable[[int], None]) -> None:
        """Runs work(address), and nothing else meanwhile."""
        with self._changing:
            handle = self._share()
            if self._readers:  # to wait for them could be to wait for oneself, in a callback
                raise errors.ArgumentError(f"the {self._what} is used by a call that runs")
            work(handle.address)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(f"a {type(self).__name__} cannot be pickled: write it to a file")


class Dataset(_Owned):
    """Pictures as unit vectors, with label, source, generator and scene."""

    _what = "data set"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Dataset:
        """Reads what save() wrote."""
        return cls(make("item_dataset_load", encode_path(path), release="item_dataset_free"))

    def __enter__(self) -> Dataset:
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a safetensors file, which appears whole or not at all."""
        name = encode_path(path)
        self._use(lambda address: call("item_dataset_save", address, name))

    def remove(self, column: str, value: str) -> int:
        """Takes out every picture with a value in a column; tells how many went. ArgumentError
        while another call uses the data set."""
        removed = ctypes.c_uint64()
        key, wanted = encode_text(column, "column"), encode_text(value, "value")
        self._change(
            lambda address: call(
                "item_dataset_remove", address, key, wanted, ctypes.byref(removed)
            )
        )
        return removed.value

    @property
    def info(self) -> dict[str, Any]:
        """Facts and counts: rows, ai, real, sources, failed, width, embedder and others."""

        def work(address: int) -> dict[str, Any]:
            info = _abi.item_dataset_info.new()
            call("item_dataset_get_info", address, ctypes.byref(info))
            return {
                name: text(getattr(info, name)) if kind is ctypes.c_char_p else getattr(info, name)
                for name, kind, *_ in info._fields_
                if name != "struct_size"
            }

        return self._use(work)

    def __len__(self) -> int:
        return int(self.info["rows"])

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A row: texts, numbers, and copies of its vectors of the width of the data set."""
        info = self.info
        place = index + info["rows"] if index < 0 else index
        if not 0 <= place < info["rows"]:
            raise IndexError(f"row {index} of {info['rows']}")

        def work(address: int) -> dict[str, Any]:
            row = _abi.item_row.new()
            call("item_dataset_get", address, place, ctypes.byref(row))
            return _row(row, info["width"])

        return self._use(work)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why pictures were left out."""
        return self._use(lambda a: lines(lambda i: library().item_dataset_warning(a, i)))

    @property
    def notices(self) -> tuple[str, ...]:
        """What else should be known: pictures that are there twice, and the like."""
        return self._use(lambda a: lines(lambda i: library().item_dataset_notice(a, i)))

    def __repr__(self) -> str:
        if self._handle is None:
            return "<libitem.Dataset, closed>"
        info = self.info
        return f"<libitem.Dataset of {info['ai']} ai and {info['real']} real pictures>"


def _vectors(pointer: Any, shape: tuple[int, ...]) -> Floats:
    if not pointer or not all(shape):
        return np.zeros(shape, dtype=np.float32)
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    assert address is not None
    return view(address, shape, np.float32, None).copy()


def _row(row: _abi.item_row, width: int) -> dict[str, Any]:
    texts = ("name", "source", "generator", "scene", "caption")
    numbers = ("picture_width", "picture_height", "file_bytes", "caption_logprob", "flags")
    return {
        **{name: text(getattr(row, name)) for name in texts},
        "label": _LABELS[row.label],
        **{name: getattr(row, name) for name in numbers},
        "image": _vectors(row.image, (width,)),
        "text": _vectors(row.text, (width,)),
        "crops": _vectors(row.crops, (row.objects, width)),
        "phrases": _vectors(row.phrases, (row.objects, width)),
    }


class Report(_Owned):
    """What a training, calibration or evaluation found. It does not change."""

    _what = "report"

    def __enter__(self) -> Report:
        return self

    @property
    def json(self) -> str:
        return self._use(lambda address: text(library().item_report_json(address)))

    def to_dict(self) -> dict[str, Any]:
        """The keys of docs/evaluation.md."""
        found: dict[str, Any] = json.loads(self.json)
        return found

    @property
    def markdown(self) -> str:
        return self._use(lambda address: text(library().item_report_markdown(address)))

    @property
    def html(self) -> str:
        """One web page."""
        return self._use(lambda address: text(library().item_report_html(address)))

    def number(self, path: str) -> float:
        """One number, such as "headline.auc"; NaN where there is none."""
        key = encode_text(path, "path")
        return self._use(lambda a: float(library().item_report_number(a, key)))

    def write_head(self, path: str | os.PathLike[str]) -> None:
        """Writes the head that train() or calibrate() made."""
        name = encode_path(path)
        self._use(lambda address: call("item_report_write_head", address, name))

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        if self._handle is None:
            return "<libitem.Report, closed>"
        return f"<libitem.Report: {self.markdown.strip().splitlines()[0]}>"


def _list(texts: Sequence[str | bytes]) -> Any:
    data = [v if isinstance(v, bytes) else encode_text(v, "a text") for v in texts]
    return (ctypes.c_char_p * len(data))(*data) if data else None


def _expect(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a libitem.{kind.__name__}, not {type(value).__name__}")


def _one_of(known: dict[str, int], value: str, name: str) -> int:
    if value not in known:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(known)}")
    return known[value]


def _whole(value: int) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**32:
        raise ValueError(f"hidden must be whole numbers from 0 to {2**32 - 1}, not {value!r}")
    return value


def _fill(options: Any, given: dict[str, Any]) -> None:
    """Members of an options struct by their names."""
    names = {name for name, *_ in options._fields_}
    for name, value in given.items():
        if name not in names or name in ("struct_size", "reserved", "cancel", "progress"):
            raise TypeError(f"there is no option {name}")
    options.refuse_cut(given)
    for name, value in given.items():
        setattr(options, name, encode(value, name) if isinstance(value, str) else value)


def extract(
    context: Context,
    pictures: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    label: Literal["ai", "real"] | None = None,
    split: str | None = None,
    columns: Sequence[Literal["named", "prior", "layers"]] = (),
    views: int = 0,
    max_failures: int = 100,
    progress: bool | Callable[[int, int], Any] = False,
    cancel: Cancel | None = None,
) -> Dataset:
    """Makes a data set: of a manifest or a folder with ai/ and real/ in it, or, with a `label`,
    of a list of files."""
    one = isinstance(pictures, (str, bytes, os.PathLike))
    if one == (label is not None):
        raise TypeError("extract() takes a manifest or folder, or a list of files and their label")
    _expect(context, Context, "context")
    mine = own(cancel)
    told = Progress(bar(progress), mine)
    options = _abi.item_extract_options.new(
        max_failures=max_failures,
        split=encode(split, "split"),
        progress=told.function,
        columns=sum(_one_of(_COLUMNS, name, "columns") for name in set(columns)),
        views=views,
    )
    if isinstance(pictures, (str, os.PathLike)):
        what: tuple[Any, ...] = ("item_dataset_extract", encode_path(pictures))
    else:
        files = [encode_path(file) for file in pictures]
        number = _one_of({name: i for i, name in enumerate(_LABELS)}, str(label), "label")
        what = ("item_dataset_extract_files", _list(files), len(files), number)

    def work(address: int, cancel: Cancel) -> Handle:
        options.cancel = cancel._handle.address
        name, *inputs = what
        return make(name, address, *inputs, options, release="item_dataset_free")

    with told.raising():
        return Dataset(context._run(work, mine))


def train(
    data: Dataset,
    *,
    layout: str | None = None,
    hidden: Sequence[int] = (32,),
    candidates: Sequence[str] = (),
    progress: Callable[[int, int], Any] | None = None,
    cancel: Cancel | None = None,
    **options: str | int | float,
) -> Report:
    """Trains and calibrates a head. Other arguments are members of item_train_options: penalty,
    seed, folds, epochs, threshold_rule, controls ... (item/train.h)."""
    _expect(data, Dataset, "data")
    refuse_text(hidden, "hidden")
    refuse_text(candidates, "candidates")
    mine = own(cancel)
    told = Progress(progress, mine)
    units = (tuple(hidden) + (0, 0, 0))[: max(3, len(hidden))]
    if len(units) > 3:
        raise ValueError(f"at most 3 hidden layers, not {len(hidden)}")
    how = _abi.item_train_options.new(
        hidden=tuple(_whole(n) for n in units),
        layout=encode(layout, "layout"),
        candidates=_list(candidates),
        candidate_count=len(candidates),
        progress=told.function,
        cancel=mine._handle.address,
    )
    _fill(how, options)

    def work() -> Report:
        return data._use(
            lambda a: Report(make("item_train", a, how, release="item_report_free"))
        )

    with told.raising():
        return interruptible(work, mine)


def _head(head: Context | str | os.PathLike[str]) -> tuple[bytes | None, Handle | None]:
    """Of a context, or of a file."""
    if isinstance(head, Context):
        return None, head._share()
    return encode_path(head, "head"), None


def evaluate(
    data: Dataset,
    head: Context | str | os.PathLike[str],
    *,
    threshold: str | float | None = None,
    rivals: Sequence[str | os.PathLike[str]] = (),
    controls: Dataset | None = None,
    known_sources: Known = "refuse",
    cancel: Cancel | None = None,
    **options: int | float,
) -> Report:
    """Evaluates a head, a context's or a file's, on pictures that it was not trained on. Other
    arguments are members of item_eval_options: draws, bins, level, seed."""
    _expect(data, Dataset, "data")
    refuse_text(rivals, "rivals")
    if controls is not None:
        _expect(controls, Dataset, "controls")
    mine = own(cancel)
    file, shared = _head(head)
    how = _abi.item_eval_options.new(
        threshold=encode(None if threshold is None else str(threshold), "threshold"),
        rivals=_list([encode_path(rival, "rival") for rival in rivals]),
        rival_count=len(rivals),
        known_sources=_one_of(_KNOWN, known_sources, "known_sources"),
        cancel=mine._handle.address,
    )
    _fill(how, dict(options))

    def judge(address: int) -> Report:
        context = shared.address if shared else None
        return Report(
            make("item_evaluate", address, file, context, how, release="item_report_free")
        )

    def work() -> Report:
        if controls is None:
            return data._use(judge)

        def with_controls(address: int) -> Report:
            how.controls = address
            return data._use(judge)

        return controls._use(with_controls)

    return interruptible(work, mine)


def calibrate(
    data: Dataset,
    head: Context | str | os.PathLike[str],
    *,
    confidence: float = 0.95,
    pictures: str | None = None,
) -> Report:
    """Sets the thresholds of a head by photographs of your own; `pictures` says what they are."""
    _expect(data, Dataset, "data")
    file, shared = _head(head)
    how = _abi.item_calibrate_options.new(
        confidence=confidence, pictures=encode(pictures, "pictures")
    )

    def judge(address: int) -> Report:
        context = shared.address if shared else None
        return Report(
            make("item_calibrate", address, file, context, how, release="item_report_free")
        )

    return interruptible(lambda: data._use(judge), Cancel())
