# SPDX-License-Identifier: Apache-2.0
"""Contexts: an open pack, and the check."""

from __future__ import annotations

import ctypes
import itertools
import os
from numbers import Integral, Real
from typing import Any, Callable, Iterable, Iterator, Literal, Sequence, Sized, TypeVar

import numpy as np

from . import _abi, _arguments, _torch, backends, errors
from ._calls import Cancel, bar, interruptible, own
from ._images import Picture, Source, limits, prepare, read
from ._library import Handle, call, encode, encode_path, make, refuse_text, text
from ._result import Result
from ._stages import Stages

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


class Context(Stages):
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
        options = _arguments.options(caption, max_objects, sample, sample_seed)

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
        _arguments.refuse_one(pictures)
        refuse_text(captions, "captions")
        tell, total = bar(progress), len(pictures) if isinstance(pictures, Sized) else 0
        options = _arguments.options(None, max_objects, sample, sample_seed)
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
        for group in _arguments.batches(pictures, size):
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
            handles = _arguments.many(name, context, inputs, len(places), ctypes.byref(options))
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
                addresses = _arguments.addresses(images.values())
                some("item_check_images", context, list(images), addresses)

        self._run(work, cancel)
        return [result for result in results if result is not None]


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
