# SPDX-License-Identifier: Apache-2.0
"""Captioners, detectors and embedders written in Python, in the place of the pack's.

Any object with the methods of a protocol below will do; one object may serve several stages. What
a method raises becomes an error of the call, with its text. docs/backends.md has the contract: what
it says of tables and pointers is done here, the rest holds.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, NamedTuple, Protocol, Sequence, Union

import numpy as np
import numpy.typing as npt

from . import _abi, errors
from ._images import Image, borrowed
from ._library import call as call_library
from ._library import encode_text, text


class Caption(NamedTuple):
    """A caption with what the captioner knows of it; a str alone means these defaults."""

    text: str
    logprob: float = 0.0
    margin: float = 1.0
    tokens: Sequence[int] = ()


class Box(NamedTuple):
    """An object: place of its phrase, x0, y0, x1, y1 in pixels, score from 0 to 1."""

    phrase: int
    box: Sequence[float]
    score: float


class Crop(NamedTuple):
    """A picture, or a part of one, to embed."""

    image: Image
    box: tuple[float, float, float, float]

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The pixels that the box touches."""
        x0, y0, x1, y1 = self.box
        rows = slice(math.floor(y0), max(math.ceil(y1), math.floor(y0) + 1))
        columns = slice(math.floor(x0), max(math.ceil(x1), math.floor(x0) + 1))
        return self.image.pixels[rows, columns]


class Call:
    """What a backend is asked, and what it may use of its host until it returns."""

    #: of a captioner: 0, 0, "", 0.0 and 0 stand for the model's own habits
    beams = 0
    max_tokens = 0
    prompt = ""
    temperature = 0.0
    seed = 0
    #: of a detector: boxes a phrase, 0: as many as the model gives; NaN: the model's own limit
    max_boxes = 0
    least_score = math.nan
    #: of a detector: head nouns of the phrases of each picture, None where they are not known
    heads: Sequence[Sequence[str | None]] = ()

    def __init__(self, host: _abi.item_call, width: int = 0) -> None:
        self._width = width  # that an embedder was registered with: libitem's array has no more
        self._host: _abi.item_call | None = host

    def _end(self) -> None:
        """The host is gone from now on."""
        self._host = None

    def _live(self) -> _abi.item_call:
        host = self._host
        if host is None:
            raise errors.ClosedError("the call is over: a backend may use it until it returns")
        return host

    @property
    def cancelled(self) -> bool:
        """True: stop now. Ask at least every 200 ms."""
        host = self._live()
        return bool(host.cancelled(host.host))

    def stop_if_cancelled(self) -> None:
        """Raises CancelledError then, which ends the call as it should."""
        if self.cancelled:
            raise errors.CancelledError("cancelled")

    def log(self, level: int, line: str) -> None:
        """A line for the context's log; level 1 (error) to 4 (debug)."""
        host = self._live()
        host.log(host.host, level, encode_text(line, "a line"))

    def warn(self, line: str) -> None:
        """A line for the result's warnings."""
        host = self._live()
        host.warn(host.host, encode_text(line, "a line"))


class Captioner(Protocol):
    """Says in a sentence what a picture shows.

    Optional: score(pictures, texts, call), close(), and serial = False for one that may be called
    from several threads at once.
    """

    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...

    def caption(self, pictures: list[Image], call: Call) -> Sequence[Union[str, Caption]]: ...


class Detector(Protocol):
    """Finds what phrases name: for picture i boxes of phrases[i], best first.

    Optional: close(), serial as above, and raw_boxes = True (ITEM_BACKEND_RAW_BOXES).
    """

    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...

    def detect(
        self, pictures: list[Image], phrases: list[list[str]], call: Call
    ) -> Sequence[Sequence[Union[Box, tuple[int, Sequence[float], float]]]]: ...


class Embedder(Protocol):
    """Pictures and texts as unit vectors of one space, `width` numbers each.

    Optional: close(), serial as above.
    """

    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def width(self) -> int: ...

    def embed_images(self, crops: list[Crop], call: Call) -> npt.ArrayLike: ...

    def embed_texts(self, texts: list[str], call: Call) -> npt.ArrayLike: ...


# ---- what libitem calls ----

_registered: dict[int, Any] = {}  # by the number that libitem hands back as `self`
_tables: dict[int, Any] = {}
_numbers = itertools.count(1)
_stages_of: dict[int, set[int]] = {}  # by id() of the backend: its numbers
_lock = threading.RLock()  # a collection while it is held may close other contexts
_thread = threading.local()


@contextmanager
def blame() -> Iterator[None]:
    """A BackendError that comes out of here has what a backend in Python raised as its cause."""
    _thread.raised = None
    try:
        yield
    except errors.BackendError as error:
        if _thread.raised is not None:
            raise error from _thread.raised
        raise
    finally:
        _thread.raised = None


def _tell(raised: BaseException, error: Any) -> int:
    """Status and line of an exception."""
    _thread.raised = raised
    try:
        said = str(raised)
    except Exception:  # its own __str__ may be anything
        said = "it cannot be told"
    code, line = _abi.E_BACKEND, f"{type(raised).__name__}: {said}"
    if isinstance(raised, errors.Error) and errors.known(raised.code):
        code, line = raised.code, said
    elif isinstance(raised, MemoryError):
        code = _abi.E_MEMORY
    data = " ".join(line.split()).encode("utf-8", "replace")[: _abi.item_error.message.size - 1]
    error.contents.message = data.decode("utf-8", "ignore").encode()
    error.contents.code = code
    return code


def _answering(answer: Callable[..., int | None]) -> Callable[..., int]:
    """A function for a table: answer(backend, call, ...), with the item_error left out."""

    def function(self: int, host: Any, *arguments: Any) -> int:
        call = Call(host.contents, getattr(_tables.get(self), "width", 0))
        try:
            status = answer(_registered[self], call, *arguments[:-1])
            return status or _abi.OK
        except BaseException as raised:  # no exception may reach C
            return _tell(raised, arguments[-1])
        finally:
            call._end()

    return function


def _same_number(what: str, found: Sequence[Any], n: int) -> None:
    if len(found) != n:
        raise ValueError(f"{what} gave {len(found)} answers for {n} pictures")


def _write_caption(found: str | Caption, out: Any) -> None:
    caption = Caption(found) if isinstance(found, str) else Caption(*found)
    data = caption.text.encode()
    if b"\0" in data or len(data) >= out.capacity:
        raise ValueError(f"a caption of {len(data)} bytes, at most {out.capacity - 1} without NUL")
    ctypes.memmove(out.text, data + b"\0", len(data) + 1)
    out.logprob = caption.logprob
    out.margin = caption.margin
    # a host of 0.1 has no room for tokens, and its struct ends before them
    if out.struct_size >= ctypes.sizeof(_abi.item_caption_out) and out.tokens:
        ids = caption.tokens[: out.token_room]
        for i, token in enumerate(ids):
            out.tokens[i] = token
        out.token_count = len(ids)


def _read_options(call: Call, options: Any) -> None:
    call.beams = options.beams
    call.max_tokens = options.max_tokens
    if options.struct_size >= ctypes.sizeof(_abi.item_caption_options):
        call.prompt = text(options.prompt)
        call.temperature = options.temperature
        call.seed = options.seed


def _caption(backend: Captioner, call: Call, images: Any, n: int, options: Any, out: Any) -> None:
    _read_options(call, options.contents)
    found = backend.caption([borrowed(images[i]) for i in range(n)], call)
    _same_number("caption()", found, n)
    for i in range(n):
        _write_caption(found[i], out[i].contents)


def _score(
    backend: Any, call: Call, images: Any, texts: Any, n: int, options: Any, out: Any
) -> None:
    _read_options(call, options.contents)
    pictures = [borrowed(images[i]) for i in range(n)]
    _fill(out, backend.score(pictures, [text(texts[i]) for i in range(n)], call), (n,))


def _detect(
    backend: Detector,
    call: Call,
    images: Any,
    n: int,
    phrases: Any,
    heads: Any,
    counts: Any,
    options: Any,
    sinks: Any,
) -> int:
    call.max_boxes = options.contents.max_boxes
    call.least_score = options.contents.least_score
    words = [[text(phrases[i][j]) for j in range(counts[i])] for i in range(n)]
    call.heads = [
        [None if heads[i][j] is None else text(heads[i][j]) for j in range(counts[i])]
        for i in range(n)
    ]
    found = backend.detect([borrowed(images[i]) for i in range(n)], words, call)
    _same_number("detect()", found, n)
    for i in range(n):
        sink = sinks[i].contents
        for phrase, box, score in found[i]:
            if len(box) != 4:
                raise ValueError(f"a box has four numbers, not {len(box)}")
            status = sink.add(sink.host, phrase, (ctypes.c_double * 4)(*box), score)
            if status != _abi.OK:
                return int(status)
    return _abi.OK


def _fill(out: Any, found: npt.ArrayLike, shape: tuple[int, ...]) -> None:
    rows = np.asarray(found, dtype=np.float64 if len(shape) == 1 else np.float32)
    if rows.shape != shape:
        raise ValueError(f"numbers of the shape {rows.shape}, and {shape} is wanted")
    np.ctypeslib.as_array(out, shape=shape)[...] = rows


def _embed_images(backend: Any, call: Call, crops: Any, n: int, out: Any) -> None:
    given = [crops[i].contents for i in range(n)]
    parts = [Crop(borrowed(crop.image), tuple(crop.box)) for crop in given]
    _fill(out, backend.embed_images(parts, call), (n, call._width))


def _embed_texts(backend: Any, call: Call, texts: Any, n: int, out: Any) -> None:
    words = [text(texts[i]) for i in range(n)]
    _fill(out, backend.embed_texts(words, call), (n, call._width))


def _forget(number: int) -> tuple[Any, bool]:
    """The backend, and whether this was the last stage of it; True once alone."""
    with _lock:
        backend = _registered.pop(number)
        _tables.pop(number)
        numbers = _stages_of.get(id(backend), set())
        numbers.discard(number)
        return backend, not numbers and _stages_of.pop(id(backend), None) is not None


def _close(self: int) -> None:
    backend, last = _forget(self)
    if last and hasattr(backend, "close"):
        backend.close()


# They live as long as the process: libitem may call them at any time.
_close_function = _abi.close_fn(_close)
_functions: dict[str, Any] = {
    "caption": _abi.caption_fn(_answering(_caption)),
    "score": _abi.score_fn(_answering(_score)),
    "detect": _abi.detect_fn(_answering(_detect)),
    "embed_images": _abi.embed_images_fn(_answering(_embed_images)),
    "embed_texts": _abi.embed_texts_fn(_answering(_embed_texts)),
}
_STAGES: dict[str, tuple[Any, tuple[str, ...], tuple[str, ...]]] = {
    "captioner": (_abi.item_captioner_ops, ("caption",), ("score",)),
    "detector": (_abi.item_detector_ops, ("detect",), ()),
    "embedder": (_abi.item_embedder_ops, ("embed_images", "embed_texts"), ()),
}


def table(stage: str, backend: Any) -> tuple[Any, int]:
    """The table of a backend, and the `self` that goes with it, until libitem closes it.

    For hosts that take a table themselves, such as a module of item-conformance.
    """
    ops, required, optional = _STAGES[stage]
    for method in required:
        if not callable(getattr(backend, method, None)):
            raise TypeError(f"{type(backend).__name__} is no {stage}: it has no {method}()")
    for attribute in ("name", "id"):
        if not isinstance(getattr(backend, attribute, None), str):
            raise TypeError(f"{type(backend).__name__} has no {attribute}, which must be a str")
    flags = _abi.BACKEND_SERIAL if getattr(backend, "serial", True) else 0
    if stage == "detector" and getattr(backend, "raw_boxes", False):
        flags |= _abi.BACKEND_RAW_BOXES
    made = ops.new(
        version=_abi.BACKEND_VERSION,
        capabilities=flags,
        name=backend.name.encode(),
        id=backend.id.encode(),
        close=_close_function,
    )
    if stage == "embedder":
        made.width = backend.width
    for method in (*required, *(m for m in optional if hasattr(backend, m))):
        setattr(made, method, _functions[method])
    with _lock:
        number = next(_numbers)
        _registered[number], _tables[number] = backend, made
        _stages_of.setdefault(id(backend), set()).add(number)
    return made, number


def register(config: int, stage: str, backend: Any) -> None:
    """Sets a stage of a configuration."""
    made, number = table(stage, backend)
    try:
        call_library(f"item_config_set_{stage}", config, ctypes.byref(made), number)
    except BaseException:
        _forget(number)  # it stays the caller's
        raise
