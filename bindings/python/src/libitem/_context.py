# SPDX-License-Identifier: Apache-2.0
"""Contexts: an open pack, the check, and single stages."""

from __future__ import annotations

import ctypes
import io
import itertools
import os
from numbers import Integral, Real
from typing import Any, Callable, Iterable, Iterator, Literal, Sequence, Sized, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _torch, backends, errors
from ._calls import Cancel, bar, interruptible, own
from ._images import Picture, Source, limits, prepare, read
from ._library import (
    Closing,
    Handle,
    call,
    encode,
    encode_path,
    encode_text,
    library,
    make,
    refuse_text,
    text,
)
from ._result import Doubles, Floats, Result

T = TypeVar("T")


def _value(name: str, value: Any) -> bytes:
    """An option as libitem reads it: text."""
    if isinstance(value, (bool, np.bool_)):
        return b"1" if value else b"0"
    if isinstance(value, Integral):  # NumPy's are
        return str(int(value)).encode()
    if isinstance(value, Real):
        return repr(float(value)).encode()
    if isinstance(value, (str, os.PathLike)):
        return encode_path(value, f"option {name}")
    raise TypeError(f"option {name} is text, a number or a path, not {type(value).__name__}")


class Context(Closing):
    """A pack that is ready to answer; made by open(). Any number of threads may use it at once.

    In the main thread a call ends with KeyboardInterrupt soon after Ctrl-C.
    """

    def __init__(
        self,
        config: Handle,
        pack: str | os.PathLike[str] | None = None,
        needs_engine: bool = True,
        keep: object = None,
    ) -> None:
        self._handle: Handle | None = None
        self._config = config
        self._needs_engine = needs_engine
        folder = None if pack is None else encode_path(pack, "pack")
        self._handle = interruptible(
            lambda: make(
                "item_ctx_open", folder, config.address, release="item_ctx_unref", keep=keep
            ),
            Cancel(),
        )

    # ---- life ----

    def close(self) -> None:
        """Closes it; calls that run in other threads are answered still. May be called twice."""
        self._handle = None  # released when the last of them lets go of it

    @property
    def closed(self) -> bool:
        return self._handle is None

    def __enter__(self) -> Context:
        self._share()
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Context cannot be pickled: open one in each process")

    def __repr__(self) -> str:
        return "<libitem.Context, closed>" if self.closed else f"<libitem.Context {self.pack!r}>"

    def _share(self) -> Handle:
        """What whoever uses its address keeps until then: close() does not take it away.

        No lock, which a forked child, a signal's handler or a collection could find taken.
        """
        handle = self._handle
        if handle is None:
            raise errors.ClosedError("the context is closed")
        return handle

    def _check_engine(self) -> None:
        """Before the first network: two libtorch must not meet."""
        if not self._needs_engine:
            return
        found = ctypes.POINTER(_abi.item_engine_ops)()
        try:
            call("item_engine_find", self._config.address, ctypes.byref(found))
        except errors.Error:
            return  # the call that needs it says why
        _torch.check(text(found.contents.id))
        self._needs_engine = False  # several threads may have found it

    def _run(
        self, work: Callable[[int, Cancel], T], cancel: Cancel | None, networks: bool = True
    ) -> T:
        """Runs work(address of the context, cancel handle), which may take long."""
        mine, handle = own(cancel), self._share()

        def job() -> T:
            if networks:
                self._check_engine()
            with backends.blame():
                return work(handle.address, mine)

        return interruptible(job, mine)

    # ---- facts ----

    @property
    def info(self) -> dict[str, Any]:
        """Facts: width, has_head, working_size, pack, layout, no_verdict, batch and others."""
        info, handle = _abi.item_ctx_info.new(), self._share()
        call("item_ctx_get_info", handle.address, ctypes.byref(info))
        found: dict[str, Any] = {}
        for name, kind, *_ in info._fields_:
            value = getattr(info, name)
            found[name] = text(value) if kind is ctypes.c_char_p else value
            if name.startswith("has_"):
                found[name] = bool(value)
        found["no_verdict"] = found["no_verdict"] or None
        return {n: v for n, v in found.items() if n not in ("struct_size", "reserved")}

    @property
    def pack(self) -> str:
        """Name and version of the pack, or ""."""
        return str(self.info["pack"])

    def engine_info(self, measure: bool = False) -> dict[str, Any]:
        """Facts of the engine, which is loaded; with `measure` also its rate."""
        info = _abi.item_engine_info.new()

        def work(_context: int, _cancel: Cancel) -> None:
            call("item_engine_get_info", self._config.address, int(measure), ctypes.byref(info))

        self._run(work, None)
        return {
            name: text(getattr(info, name)) if kind is ctypes.c_char_p else getattr(info, name)
            for name, kind, *_ in info._fields_
            if name not in ("struct_size", "reserved")
        }

    # ---- checking ----

    def check(
        self,
        picture: Picture,
        *,
        caption: str | None = None,
        max_objects: int = 0,
        sample: float = 0.0,
        sample_seed: int = 0,
        cancel: Cancel | None = None,
    ) -> Result:
        """Checks a picture: caption, objects, similarities, verdict. A failure is raised.

        `caption` is one of your own; the other settings are those of item_check_options.
        """
        source = prepare(picture)
        options = _options(caption, max_objects, sample, sample_seed)

        def work(context: int, cancel: Cancel) -> Handle:
            options.cancel = cancel._handle.address
            if isinstance(source, bytes):
                name, what = "item_check_file", source
                return make(name, context, what, options, release="item_result_unref")
            image = read(source, limits(context, cancel))
            return make(
                "item_check_image", context, image.address, options, release="item_result_unref"
            )

        return Result(self._run(work, cancel), picture)

    def check_many(
        self,
        pictures: Iterable[Picture],
        *,
        captions: Iterable[str | None] | None = None,
        errors: Literal["return", "raise"] = "return",
        progress: bool | Callable[[int, int], Any] = False,
        max_objects: int = 0,
        sample: float = 0.0,
        sample_seed: int = 0,
        cancel: Cancel | None = None,
    ) -> Iterator[Result]:
        """Checks pictures, as many together as the context's `batch`; gives results in order.

        A picture that fails is a result with `.error`, or is raised. `progress` shows a bar of
        tqdm, or is a function of (done, total); total is 0 where `pictures` has no length.
        """
        if errors not in ("return", "raise"):
            raise ValueError(f'errors must be "return" or "raise", not {errors!r}')
        _refuse_one(pictures)
        refuse_text(captions, "captions")
        tell, total = bar(progress), len(pictures) if isinstance(pictures, Sized) else 0
        options = _options(None, max_objects, sample, sample_seed)
        size = self._batch()
        return self._groups(iter(pictures), captions, errors, tell, total, options, size, cancel)

    def _groups(
        self,
        pictures: Iterator[Picture],
        captions: Iterable[str | None] | None,
        failed: str,
        tell: Callable[[int, int], Any] | None,
        total: int,
        options: _abi.item_check_options,
        size: int,
        cancel: Cancel | None,
    ) -> Iterator[Result]:
        done = 0
        said: Iterator[str | None] = iter(itertools.repeat(None))
        if captions is not None:
            said = iter(captions)
        for group in _batches(pictures, size):
            words = list(itertools.islice(said, len(group)))
            if len(words) < len(group):
                raise ValueError("there are fewer captions than pictures")
            results = self._check_group(group, words, options, cancel)
            done += len(group)
            if tell:
                tell(done, max(total, done) if total else 0)
            for result in results:
                if failed == "raise" and result.error:
                    raise result.error
                yield result

    def _check_group(
        self,
        pictures: Sequence[Picture],
        captions: Sequence[str | None],
        options: _abi.item_check_options,
        cancel: Cancel | None,
    ) -> list[Result]:
        """Files together, and together what is in memory: one call each."""
        words = [encode(caption, "a caption") for caption in captions]
        results: list[Result | None] = [None] * len(pictures)
        sources: dict[int, Source] = {}
        for i, picture in enumerate(pictures):
            try:
                sources[i] = prepare(picture)
            except errors.Error as reason:
                results[i] = Result._failed(reason)
        files = {i: source for i, source in sources.items() if isinstance(source, bytes)}
        others = [i for i in sources if i not in files]

        def some(name: str, context: int, places: list[int], inputs: Any) -> None:
            options.captions = (ctypes.c_char_p * len(places))(*(words[i] for i in places))
            handles = _many(name, context, inputs, len(places), ctypes.byref(options))
            for i, handle in zip(places, handles):
                results[i] = Result(handle, pictures[i] if i in files else None)

        def work(context: int, cancel: Cancel) -> None:
            options.cancel = cancel._handle.address
            if files:
                names = (ctypes.c_char_p * len(files))(*files.values())
                some("item_check_files", context, list(files), names)
            images: dict[int, Handle] = {}
            for i in others:
                try:
                    images[i] = read(sources[i], limits(context, cancel))
                except (errors.CancelledError, TypeError):
                    raise
                except Exception as reason:  # a file object's or Pillow's among them
                    results[i] = Result._failed(errors.of_picture(reason))
            if images:
                some("item_check_images", context, list(images), _addresses(images.values()))

        self._run(work, cancel)
        return [result for result in results if result is not None]

    # ---- single stages ----

    def caption(
        self,
        picture: Picture,
        *,
        sample: float = 0.0,
        sample_seed: int = 0,
        cancel: Cancel | None = None,
    ) -> Result:
        """Captions a picture: a result with caption, tokens and times alone."""
        return self.caption_many(
            [picture], sample=sample, sample_seed=sample_seed, cancel=cancel
        )[0]

    def caption_many(
        self,
        pictures: Iterable[Picture],
        *,
        sample: float = 0.0,
        sample_seed: int = 0,
        cancel: Cancel | None = None,
    ) -> list[Result]:
        """Captions pictures, `batch` at a time. One that fails lets all fail."""
        options = _options(None, 0, sample, sample_seed)

        def work(context: int, images: list[Handle]) -> list[Handle]:
            addresses = _addresses(images)
            return _many("item_caption_images", context, addresses, len(images), options)

        return self._stage(pictures, options, work, cancel)

    def detect(
        self,
        picture: Picture,
        phrases: str | Sequence[str],
        *,
        max_objects: int = 0,
        cancel: Cancel | None = None,
    ) -> Result:
        """Finds the objects that phrases name: a result with objects alone, best first."""
        return self.detect_many([picture], phrases, max_objects=max_objects, cancel=cancel)[0]

    def detect_many(
        self,
        pictures: Iterable[Picture],
        phrases: str | Sequence[str],
        *,
        max_objects: int = 0,
        cancel: Cancel | None = None,
    ) -> list[Result]:
        """Finds the objects that phrases name in each of some pictures."""
        words = _texts([phrases] if isinstance(phrases, str) else phrases, "a phrase")
        options = _options(None, max_objects, 0.0, 0)

        def work(context: int, images: list[Handle]) -> list[Handle]:
            many, count = _addresses(images), len(images)
            out = (ctypes.c_void_p * max(count, 1))()
            call("item_detect_images", context, many, count, words, len(words), options, out)
            return _results(out, count)

        return self._stage(pictures, options, work, cancel)

    def _batch(self) -> int:
        return int(self.info["batch"])

    def _stage(
        self,
        pictures: Iterable[Picture],
        options: _abi.item_check_options,
        work: Callable[[int, list[Handle]], list[Handle]],
        cancel: Cancel | None,
    ) -> list[Result]:
        _refuse_one(pictures)
        results: list[Result] = []
        for given in _batches(iter(pictures), self._batch()):
            results += map(Result, self._with_images(given, options, work, cancel), given)
        return results

    def _in_batches(
        self,
        pictures: Iterable[Picture],
        options: _abi.item_check_options,
        work: Callable[[int, list[Any]], T],
        cancel: Cancel | None,
    ) -> list[T]:
        """What work() gives of each batch, of which one is in memory; of none at least once."""
        _refuse_one(pictures)
        given = _batches(iter(pictures), self._batch())
        found = [self._with_images(some, options, work, cancel) for some in given]
        return found or [self._with_images([], options, work, cancel)]

    def _with_images(
        self,
        pictures: Sequence[Any],
        options: _abi.item_check_options,
        work: Callable[[int, list[Any]], T],
        cancel: Cancel | None,
        absent: bool = False,
    ) -> T:
        """Reads pictures, each once, and runs work(context, pictures).

        None stays None where one may be `absent`.
        """
        sources: dict[int, Source] = {
            id(p): prepare(p) for p in pictures if not (absent and p is None)
        }

        def job(context: int, cancel: Cancel) -> T:
            options.cancel = cancel._handle.address
            how = limits(context, cancel)
            images = {key: read(source, how) for key, source in sources.items()}
            return work(context, [images.get(id(picture)) for picture in pictures])

        return self._run(job, cancel)

    def _width(self, name: str, context: int, embed: Callable[[], None]) -> int:
        """Numbers of a vector; opens the embedder where nobody knows them yet."""
        info = _abi.item_ctx_info.new()
        call("item_ctx_get_info", context, ctypes.byref(info))
        if not getattr(info, name):
            embed()
            call("item_ctx_get_info", context, ctypes.byref(info))
        return int(getattr(info, name))

    def embed_images(
        self, pictures: Iterable[Picture], *, cancel: Cancel | None = None
    ) -> Floats:
        """Unit vectors of pictures, a row each."""
        options = _abi.item_check_options.new()

        def work(context: int, images: list[Handle]) -> Floats:
            width = self._width("width", context, lambda: _open_embedder(context))
            out = np.empty((len(images), width), dtype=np.float32)
            many = _addresses(images)
            call(
                "item_embed_images", context, many, len(images), options, _floats(out), width
            )
            return out

        return np.concatenate(self._in_batches(pictures, options, work, cancel))

    def embed_layers(
        self, pictures: Iterable[Picture], *, cancel: Cancel | None = None
    ) -> tuple[Floats, Floats]:
        """Unit vectors of pictures, and numbers of the network's inner layers, by one run."""
        options = _abi.item_check_options.new()

        def work(context: int, images: list[Handle]) -> tuple[Floats, Floats]:
            width = self._width("width", context, lambda: _open_embedder(context))
            more = self._width("layers_width", context, lambda: _open_embedder(context))
            out = np.empty((len(images), width), dtype=np.float32)
            layers = np.empty((len(images), more), dtype=np.float32)
            many = _addresses(images)
            call(
                "item_embed_layers",
                context,
                many,
                len(images),
                options,
                _floats(out),
                width,
                _floats(layers),
                more,
            )
            return out, layers

        rows, more = zip(*self._in_batches(pictures, options, work, cancel))
        return np.concatenate(rows), np.concatenate(more)

    def embed_texts(self, texts: Iterable[str], *, cancel: Cancel | None = None) -> Floats:
        """Unit vectors of texts, a row each."""
        if isinstance(texts, str):
            raise TypeError("embed_texts() takes a list of texts")
        words, options = _texts(texts, "a text"), _abi.item_check_options.new()

        def work(context: int, cancel: Cancel) -> Floats:
            options.cancel = cancel._handle.address
            width = self._width("width", context, lambda: _open_embedder(context))
            out = np.empty((len(words), width), dtype=np.float32)
            call("item_embed_texts", context, words, len(words), options, _floats(out), width)
            return out

        return self._run(work, cancel)

    def score(
        self,
        pictures: Iterable[Picture | None],
        texts: Iterable[str],
        *,
        cancel: Cancel | None = None,
    ) -> Doubles:
        """How probable texts are for pictures: mean log-probability of a token, texts[i] for
        pictures[i]. None stands for no picture; the same picture in a row is looked at once."""
        given, options = _listed(pictures), _abi.item_check_options.new()
        words = _texts([texts] if isinstance(texts, str) else texts, "a text")
        if len(words) != len(given):
            raise ValueError(f"{len(given)} pictures and {len(words)} texts: one each is wanted")
        out = np.empty(len(given), dtype=np.float64)

        def work(context: int, images: list[Handle | None]) -> Doubles:
            numbers = out.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
            many = _addresses(images)
            call("item_score_captions", context, many, words, len(words), options, numbers)
            return out

        return self._with_images(given, options, work, cancel, absent=True)

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a text, as the embedder's text side reads it."""
        words, room = encode_text(text, "a text"), 512

        def work(context: int, _cancel: Cancel) -> list[int]:
            count, capacity = ctypes.c_size_t(room), 0
            while count.value > capacity:
                capacity = count.value
                ids = (ctypes.c_int32 * capacity)()
                call("item_tokenize", context, words, ids, capacity, ctypes.byref(count))
            return list(ids[: count.value])

        return self._run(work, None, networks=False)

    def apply_head(self, features: npt.ArrayLike) -> dict[str, Any]:
        """Verdict, reason, probability, score and thresholds of features that you bring."""
        numbers = np.ascontiguousarray(features, dtype=np.float32)
        summary = _abi.item_result_summary.new()

        def work(context: int, _cancel: Cancel) -> None:
            call("item_head_apply", context, _floats(numbers), numbers.size, summary)

        self._run(work, None, networks=False)
        names = ("probability", "score", "threshold", "real_below", "promised_fpr")
        verdicts = ("none", "real", "unsure", "ai")
        return {
            "verdict": verdicts[summary.verdict] if summary.verdict < 4 else "none",
            "reason": summary.reason,
            **{name: getattr(summary, name) for name in names},
        }


def _options(
    caption: str | None, max_objects: int, sample: float, seed: int
) -> _abi.item_check_options:
    if not isinstance(max_objects, Integral) or max_objects < 0:
        raise ValueError(f"max_objects must be a whole number, 0 or above, not {max_objects!r}")
    return _abi.item_check_options.new(
        caption=encode(caption, "caption"),
        max_objects=min(int(max_objects), 2**32 - 1),
        sample=float(sample),
        sample_seed=seed,
    )


def _refuse_one(pictures: Iterable[Any]) -> None:
    """A picture is no list of pictures, though Python can walk through most."""
    one = (str, bytes, bytearray, memoryview, os.PathLike, io.IOBase)
    if isinstance(pictures, one) or (isinstance(pictures, np.ndarray) and pictures.ndim < 4):
        raise TypeError("a list of pictures is wanted, not one picture")


def _listed(pictures: Iterable[Any]) -> list[Any]:
    _refuse_one(pictures)
    return list(pictures)


def _batches(pictures: Iterator[T], size: int) -> Iterator[list[T]]:
    """Lists of as many; what the iterator raises comes after what it gave before."""
    while True:
        group: list[T] = []
        raised: Exception | None = None
        try:
            group.extend(itertools.islice(pictures, size))
        except Exception as error:
            raised = error
        if group:
            yield group
        if raised is not None:
            raise raised
        if len(group) < size:
            return


def _texts(texts: Iterable[str], what: str) -> ctypes.Array[ctypes.c_char_p]:
    words = [encode_text(word, what) for word in texts]
    return (ctypes.c_char_p * len(words))(*words)


def _addresses(handles: Iterable[Handle | None]) -> ctypes.Array[ctypes.c_void_p]:
    found = [handle.address if handle else None for handle in handles]
    return (ctypes.c_void_p * len(found))(*found)


def _floats(array: npt.NDArray[np.float32]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def _results(out: Any, count: int) -> list[Handle]:
    return [Handle(out[i], "item_result_unref") for i in range(count)]


def _many(name: str, context: int, inputs: Any, count: int, options: Any) -> list[Handle]:
    """A call that gives a result for each of some inputs."""
    out = (ctypes.c_void_p * max(count, 1))()
    call(name, context, inputs, count, options, out)
    return _results(out, count)


def _open_embedder(context: int) -> None:
    """Opens it without embedding anything, so that its width is known."""
    try:
        call("item_embed_layers", context, None, 0, None, None, 0, None, 0)
    except errors.UnsupportedError:
        call("item_embed_texts", context, None, 0, None, None, 0)


def open(
    pack: str | os.PathLike[str] | None = None,
    *,
    engine: str | os.PathLike[str] | None = None,
    log: Callable[[int, str], Any] | None = None,
    captioner: backends.Captioner | None = None,
    detector: backends.Detector | None = None,
    embedder: backends.Embedder | None = None,
    **options: str | int | float | bool | os.PathLike[str] | None,
) -> Context:
    """Opens a context: of the folder of a pack, or the default one.

    `engine` is the file of an engine, `log` receives (level, line). captioner, detector and
    embedder take the place of the pack's; with an embedder and no pack there is no pack at all.
    Other arguments are options of item_config_set(): head, threshold, prior, beams, batch, cache,
    max_pixels ... (docs/api.md, item/context.h).
    """
    config = make("item_config_new", release="item_config_unref")
    for name, value in options.items():
        if value is not None:
            call("item_config_set", config.address, name.encode(), _value(name, value))
    if engine is not None:
        call("item_config_set_engine", config.address, None, encode_path(engine, "engine"))
    told = _abi.log_fn()
    if log is not None:
        tell = log
        told = _abi.log_fn(lambda _user, level, line: tell(level, text(line)))
        call("item_config_set_log", config.address, told, None)
    stages = {"captioner": captioner, "detector": detector, "embedder": embedder}
    own = [stage for stage, backend in stages.items() if backend is not None]
    for stage in own:
        backends.register(config.address, stage, stages[stage])
    # no engine where all stages are the caller's, or where there is no pack to have others
    needs_engine = len(own) < 3 and (pack is not None or "embedder" not in own)
    return Context(config, pack, needs_engine, told)
