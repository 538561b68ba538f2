# SPDX-License-Identifier: Apache-2.0
"""Questions to an index, and the rows that answer them."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Callable, Iterable, Literal, Mapping, TypedDict

from . import _abi, errors
from ._library import encode_path, encode_text, text

Path = str | bytes | os.PathLike[Any]
State = Literal["answered", "stale", "failed", "missing"]
Verdict = Literal["none", "real", "unsure", "ai"]
Origin = Literal["other", "ai", "ai_part", "capture"]

# in the order in which they say what a row is
_STATES = {
    "missing": _abi.STATE_MISSING,
    "failed": _abi.STATE_FAILED,
    "stale": _abi.STATE_STALE,
    "answered": _abi.STATE_ANSWERED,
}
_VERDICTS = {
    "none": _abi.VERDICT_NONE,
    "real": _abi.VERDICT_REAL,
    "unsure": _abi.VERDICT_UNSURE,
    "ai": _abi.VERDICT_AI,
}
_VERDICT_BITS = {word: 1 << value for word, value in _VERDICTS.items()}
_VERDICT_WORDS = {value: word for word, value in _VERDICTS.items()}
_CLAIMS = {
    "other": 1 << _abi.CLAIM_NONE,
    "ai": 1 << _abi.CLAIM_AI,
    "ai_part": 1 << _abi.CLAIM_AI_PART,
    "capture": 1 << _abi.CLAIM_CAPTURE,
}
_ORDERS = {
    "path": _abi.ORDER_PATH,
    "probability": _abi.ORDER_PROBABILITY,
    "date": _abi.ORDER_DATE,
}
_EPOCH = datetime.datetime(1970, 1, 1)


class Filters(TypedDict, total=False):
    """What to look for; all that is given must hold."""

    state: State | Iterable[State]  # "answered" and "stale" where nothing is said
    verdict: Verdict | Iterable[Verdict]
    claim: Origin | Iterable[Origin]  # the file says this of its origin, unverified
    least: float  # probability from here
    most: float  # up to here
    caption: str  # words that the caption has, in any order and any English form; surf* as well
    object: str  # the same of the objects that were found
    folder: Path  # below it
    since: datetime.date  # or a datetime: taken then or later
    until: datetime.date  # taken before
    order: Literal["path", "probability", "date"]
    limit: int


@dataclass(frozen=True)
class Row:
    """A picture of an index. What does not exist is NaN, "" or 0."""

    path: str
    state: str  # "answered", "stale" (of other settings than the last scan's), "failed", "missing"
    verdict: str
    probability: float
    reason: str
    caption: str
    width: int
    height: int
    taken: datetime.datetime  # as the camera's clock had it; else the file's time, UTC
    modified: datetime.datetime
    bytes: int
    sha256: str
    claims: tuple[str, ...]  # that the file makes of its origin
    code: int  # status of a failure, or 0
    message: str  # of a failure
    json: str  # one line with the keys of docs/json.md

    @property
    def error(self) -> errors.Error | None:
        """Why there is no answer; None: there is one."""
        return errors.of(self.code, self.message) if self.code != _abi.OK else None

    def to_dict(self) -> dict[str, Any]:
        """The keys of docs/json.md."""
        found: dict[str, Any] = json.loads(self.json)
        return found


COLUMNS = (
    "path",
    "state",
    "verdict",
    "probability",
    "reason",
    "caption",
    "width",
    "height",
    "taken",
    "modified",
    "bytes",
    "sha256",
    "claims",
    "error",
    "error_message",
)


def flat(row: Row) -> dict[str, Any]:
    found = {name: getattr(row, name) for name in COLUMNS[:-2]}
    found["claims"] = ", ".join(row.claims)
    found["error"] = row.error.name if row.error else ""
    return {**found, "error_message": row.message}


def _moment(seconds: int) -> datetime.datetime:
    try:
        return _EPOCH + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return datetime.datetime.max if seconds > 0 else datetime.datetime.min


def row(found: _abi.item_index_row) -> Row:
    state = next((word for word, bit in _STATES.items() if found.state & bit), "")
    return Row(
        path=os.fsdecode(found.path),
        state=state,
        verdict=_VERDICT_WORDS.get(found.verdict, "none"),
        probability=found.probability,
        reason=text(found.reason),
        caption=text(found.caption),
        width=found.width,
        height=found.height,
        taken=_moment(found.taken),
        modified=_moment(found.modified).replace(tzinfo=datetime.timezone.utc),
        bytes=found.bytes,
        sha256=text(found.sha256),
        claims=tuple(word for word, bit in _CLAIMS.items() if found.claims & bit),
        code=found.error,
        message=text(found.message),
        json=text(found.json),
    )


# ---- questions ----


def _bits(given: Any, known: Mapping[str, int], what: str) -> int:
    """One word or several, as bits."""
    bits = 0
    for word in [given] if isinstance(given, str) else given:
        if word not in known:
            raise ValueError(f"{what} is one of {', '.join(known)}, or several, not {word!r}")
        bits |= known[word]
    if not bits:
        raise ValueError(f"{what} is empty")
    return bits


def _seconds(when: Any, what: str) -> int:
    """Seconds since 1970 of a day or a moment; without a zone it is the camera's clock."""
    if isinstance(when, datetime.datetime):
        if when.tzinfo is not None:
            when = when.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        seconds: int = (when - _EPOCH) // datetime.timedelta(seconds=1)
        return seconds
    if isinstance(when, datetime.date):
        return (when - _EPOCH.date()).days * 86400
    raise TypeError(f"{what} must be a date or a datetime, not {type(when).__name__}")


def _limit(given: Any) -> int:
    whole = isinstance(given, Integral) and not isinstance(given, bool)
    if not whole or not 0 < given < 2**64:
        raise ValueError(f"limit must be a whole number above 0, not {given!r}")
    return int(given)


def _order(given: Any) -> int:
    if not isinstance(given, str) or given not in _ORDERS:
        raise ValueError(f"order is one of {', '.join(_ORDERS)}, not {given!r}")
    return _ORDERS[given]


# name of a filter: member of item_index_query, and how it is read
_FILTERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "state": ("states", lambda v: _bits(v, _STATES, "state")),
    "verdict": ("verdicts", lambda v: _bits(v, _VERDICT_BITS, "verdict")),
    "claim": ("claims", lambda v: _bits(v, _CLAIMS, "claim")),
    "least": ("least", float),
    "most": ("most", float),
    "caption": ("caption", lambda v: encode_text(v, "caption")),
    "object": ("object", lambda v: encode_text(v, "object")),
    "folder": ("folder", lambda v: encode_path(v, "folder")),
    "since": ("since", lambda v: _seconds(v, "since")),
    "until": ("until", lambda v: _seconds(v, "until")),
    "order": ("order", _order),
    "limit": ("limit", _limit),
}


def query(filters: Mapping[str, Any]) -> _abi.item_index_query:
    members = {}
    for name, value in filters.items():
        if name not in _FILTERS:
            raise TypeError(f"there is no filter {name}: there are {', '.join(_FILTERS)}")
        if value is not None:
            member, read = _FILTERS[name]
            members[member] = read(value)
    return _abi.item_index_query.new(**members)
