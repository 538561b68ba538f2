# SPDX-License-Identifier: Apache-2.0
"""What calls are given and give, as C has it."""

from __future__ import annotations

import ctypes
import io
import itertools
import os
from numbers import Integral
from typing import Any, Iterable, Iterator, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, errors
from ._library import Handle, call, encode, encode_text

T = TypeVar("T")


def options(
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


def refuse_one(pictures: Iterable[Any]) -> None:
    """A picture is no list of pictures, though Python can walk through most."""
    one = (str, bytes, bytearray, memoryview, os.PathLike, io.IOBase)
    if isinstance(pictures, one) or (isinstance(pictures, np.ndarray) and pictures.ndim < 4):
        raise TypeError("a list of pictures is wanted, not one picture")


def listed(pictures: Iterable[Any]) -> list[Any]:
    refuse_one(pictures)
    return list(pictures)


def batches(pictures: Iterator[T], size: int) -> Iterator[list[T]]:
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


def texts(texts: Iterable[str], what: str) -> ctypes.Array[ctypes.c_char_p]:
    words = [encode_text(word, what) for word in texts]
    return (ctypes.c_char_p * len(words))(*words)


def addresses(handles: Iterable[Handle | None]) -> ctypes.Array[ctypes.c_void_p]:
    found = [handle.address if handle else None for handle in handles]
    return (ctypes.c_void_p * len(found))(*found)


def floats(array: npt.NDArray[np.float32]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def results(out: Any, count: int) -> list[Handle]:
    return [Handle(out[i], "item_result_unref") for i in range(count)]


def many(name: str, context: int, inputs: Any, count: int, options: Any) -> list[Handle]:
    """A call that gives a result for each of some inputs."""
    out = (ctypes.c_void_p * max(count, 1))()
    call(name, context, inputs, count, options, out)
    return results(out, count)


def open_embedder(context: int) -> None:
    """Opens it without embedding anything, so that its width is known."""
    try:
        call("item_embed_layers", context, None, 0, None, None, 0, None, 0)
    except errors.UnsupportedError:
        call("item_embed_texts", context, None, 0, None, None, 0)
