# SPDX-License-Identifier: Apache-2.0
"""Single stages: captions, objects, vectors, likelihoods, heads."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterable, Sequence, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _arguments
from ._calls import Cancel
from ._images import Picture, Source, limits, prepare, read
from ._library import Closing, Handle, call, encode_text, text
from ._result import Doubles, Floats, Result

T = TypeVar("T")


class Stages(Closing):
    """Single stages of a context; checks, too, go through _run()."""

    def _run(
        self, work: Callable[[int, Cancel], T], cancel: Cancel | None, networks: bool = True
    ) -> T:
        """Runs work(address of the context, cancel handle), which may take long."""
        raise NotImplementedError

    @property
    def info(self) -> dict[str, Any]:
        """Facts of the context."""
        raise NotImplementedError

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
        options = _arguments.options(None, 0, sample, sample_seed)

        def work(context: int, images: list[Handle]) -> list[Handle]:
            addresses = _arguments.addresses(images)
            return _arguments.many("item_caption_images", context, addresses, len(images), options)

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
        words = _arguments.texts([phrases] if isinstance(phrases, str) else phrases, "a phrase")
        options = _arguments.options(None, max_objects, 0.0, 0)

        def work(context: int, images: list[Handle]) -> list[Handle]:
            many, count = _arguments.addresses(images), len(images)
            out = (ctypes.c_void_p * max(count, 1))()
            call("item_detect_images", context, many, count, words, len(words), options, out)
            return _arguments.results(out, count)

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
        _arguments.refuse_one(pictures)
        results: list[Result] = []
        for given in _arguments.batches(iter(pictures), self._batch()):
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
        _arguments.refuse_one(pictures)
        given = _arguments.batches(iter(pictures), self._batch())
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
            width = self._width("width", context, lambda: _arguments.open_embedder(context))
            out = np.empty((len(images), width), dtype=np.float32)
            many, to = _arguments.addresses(images), _arguments.floats(out)
            call("item_embed_images", context, many, len(images), options, to, width)
            return out

        return np.concatenate(self._in_batches(pictures, options, work, cancel))

    def embed_layers(
        self, pictures: Iterable[Picture], *, cancel: Cancel | None = None
    ) -> tuple[Floats, Floats]:
        """Unit vectors of pictures, and numbers of the network's inner layers, by one run."""
        options = _abi.item_check_options.new()

        def work(context: int, images: list[Handle]) -> tuple[Floats, Floats]:
            width = self._width("width", context, lambda: _arguments.open_embedder(context))
            more = self._width("layers_width", context, lambda: _arguments.open_embedder(context))
            out = np.empty((len(images), width), dtype=np.float32)
            layers = np.empty((len(images), more), dtype=np.float32)
            many = _arguments.addresses(images)
            call(
                "item_embed_layers",
                context,
                many,
                len(images),
                options,
                _arguments.floats(out),
                width,
                _arguments.floats(layers),
                more,
            )
            return out, layers

        rows, more = zip(*self._in_batches(pictures, options, work, cancel))
        return np.concatenate(rows), np.concatenate(more)

    def embed_texts(self, texts: Iterable[str], *, cancel: Cancel | None = None) -> Floats:
        """Unit vectors of texts, a row each."""
        if isinstance(texts, str):
            raise TypeError("embed_texts() takes a list of texts")
        words, options = _arguments.texts(texts, "a text"), _abi.item_check_options.new()

        def work(context: int, cancel: Cancel) -> Floats:
            options.cancel = cancel._handle.address
            width = self._width("width", context, lambda: _arguments.open_embedder(context))
            out = np.empty((len(words), width), dtype=np.float32)
            to = _arguments.floats(out)
            call("item_embed_texts", context, words, len(words), options, to, width)
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
        given, options = _arguments.listed(pictures), _abi.item_check_options.new()
        words = _arguments.texts([texts] if isinstance(texts, str) else texts, "a text")
        if len(words) != len(given):
            raise ValueError(f"{len(given)} pictures and {len(words)} texts: one each is wanted")
        out = np.empty(len(given), dtype=np.float64)

        def work(context: int, images: list[Handle | None]) -> Doubles:
            numbers = out.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
            many = _arguments.addresses(images)
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
            call("item_head_apply", context, _arguments.floats(numbers), numbers.size, summary)

        self._run(work, None, networks=False)
        names = ("probability", "score", "threshold", "real_below", "promised_fpr")
        verdicts = ("none", "real", "unsure", "ai")
        return {
            "verdict": verdicts[summary.verdict] if summary.verdict < 4 else "none",
            "reason": summary.reason,
            **{name: getattr(summary, name) for name in names},
        }
