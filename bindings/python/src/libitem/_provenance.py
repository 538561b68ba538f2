# SPDX-License-Identifier: Apache-2.0
"""What a picture's file says of its own origin: evidence beside the score, and never in it."""

from __future__ import annotations

import ctypes
import os
from typing import NamedTuple

from . import _abi
from ._images import octets
from ._library import call, encode_path, library, make, text

# the words of docs/json.md
_KINDS = {
    _abi.PROVENANCE_C2PA: "c2pa",
    _abi.PROVENANCE_SOURCE_TYPE: "source_type",
    _abi.PROVENANCE_GENERATOR: "generator",
    _abi.PROVENANCE_UNREADABLE: "unreadable",
}
_CLAIMS = {_abi.CLAIM_AI: "ai", _abi.CLAIM_AI_PART: "ai_part", _abi.CLAIM_CAPTURE: "capture"}


class Claim(NamedTuple):
    """One thing that a file says of its origin; nothing of it is verified."""

    kind: str  # "c2pa", "source_type", "generator" or "unreadable"
    claim: str | None  # "ai", "ai_part", "capture", or None: says nothing of that
    where: str
    name: str
    value: str
    text: str  # in a few words


def claims(address: int | None) -> tuple[Claim, ...]:
    """The entries of a list of libitem's."""
    found = []
    for i in range(library().item_provenance_count(address)):
        entry = _abi.item_provenance_entry.new()
        call("item_provenance_get", address, i, ctypes.byref(entry))
        kind = _KINDS.get(entry.kind, str(entry.kind))
        said = [text(t) for t in (entry.where, entry.name, entry.value, entry.text)]
        found.append(Claim(kind, _CLAIMS.get(entry.claim), *said))
    return tuple(found)


def provenance(picture: str | os.PathLike[str] | bytes) -> tuple[Claim, ...]:
    """What a picture file, or its bytes, says of its origin; the picture is not decoded."""
    release = "item_provenance_free"
    if isinstance(picture, (bytes, bytearray, memoryview)):
        data = octets(picture)
        where = (data.ctypes.data, data.size, None)
        handle = make("item_provenance_from_memory", *where, release=release)
    else:
        name = encode_path(picture, "picture")
        handle = make("item_provenance_from_file", name, None, release=release)
    return claims(handle.address)
