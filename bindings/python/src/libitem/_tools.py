# SPDX-License-Identifier: Apache-2.0
"""What needs no context: phrases, misalignment of own vectors, versions, engine-wide settings."""

from __future__ import annotations

import ctypes
import json
import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _abi
from ._library import Handle, call, encode_path, encode_text, library, make
from ._library import text as decode
from ._result import Floats


class Phrase(NamedTuple):
    """A noun phrase, normalised, and where text[start:end] first mentions it."""

    text: str
    start: int
    end: int


def phrases(text: str) -> list[Phrase]:
    """The visible noun phrases of a text, in order of mention."""
    data = encode_text(text, "a text")
    found: Handle = make("item_phrases_find", data, release="item_phrases_free")
    out: list[Phrase] = []
    start, end = ctypes.c_uint32(), ctypes.c_uint32()
    while True:
        phrase = library().item_phrases_get(
            found.address, len(out), ctypes.byref(start), ctypes.byref(end)
        )
        if phrase is None:
            return out
        # libitem counts bytes, Python characters
        places = (len(data[: place.value].decode()) for place in (start, end))
        out.append(Phrase(decode(phrase), *places))


def misalign(
    layout: str,
    image: npt.ArrayLike,
    text: npt.ArrayLike,
    crops: npt.ArrayLike = (),
    phrases: npt.ArrayLike = (),
) -> Floats:
    """Misalignment features of unit vectors that you bring; crops and phrases are rows."""
    whole = [np.ascontiguousarray(v, dtype=np.float32).reshape(-1) for v in (image, text)]
    width = whole[0].size
    parts = [np.ascontiguousarray(v, dtype=np.float32).reshape(-1, width or 1)
             for v in (crops, phrases)]
    if whole[1].size != width or len(parts[0]) != len(parts[1]):
        raise ValueError("image and text must have the same width, crops and phrases the number")
    name = encode_text(layout, "layout")
    out = np.empty(max(library().item_layout_size(name, width), 1), dtype=np.float32)
    kind = ctypes.POINTER(ctypes.c_float)
    vectors = [v.ctypes.data_as(kind) for v in (*whole, *parts, out)]
    count = len(parts[0])
    call("item_misalign", name, width, *vectors[:2], count, *vectors[2:], out.size)
    return out


def version() -> str:
    """Version of the libitem that is loaded."""
    return decode(library().item_version())


def default_pack() -> str:
    """Folder of the pack that open() takes."""
    buffer = ctypes.create_string_buffer(4096)
    call("item_pack_default_path", ctypes.addressof(buffer), len(buffer))
    return os.fsdecode(buffer.value)


def pack_info(pack: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Stages, files, licences and head of a pack, without opening a context."""
    folder = None if pack is None else encode_path(pack, "pack")
    opened = make("item_pack_open", folder, 0, release="item_pack_free")
    found: dict[str, Any] = json.loads(decode(library().item_pack_json(opened.address)))
    return found


def set_threads(threads: int = 0, lanes: int = 0) -> None:
    """Threads of each lane of the default engine, and lanes; 0: the defaults. Before the first
    network."""
    from . import _torch

    found = ctypes.POINTER(_abi.item_engine_ops)()
    call("item_engine_find", None, ctypes.byref(found))
    _torch.check(decode(found.contents.id))
    settings = _abi.item_engine_settings.new(threads=threads, lanes=lanes)
    call("item_engine_setup", None, settings)
