# SPDX-License-Identifier: Apache-2.0
"""What is known of a picture."""

from __future__ import annotations

import ctypes
import importlib
import json
from typing import Any, Callable, Iterable, TypeVar

import numpy as np
import numpy.typing as npt

from . import _abi, _show, errors
from ._images import view
from ._library import Handle, call, library, lines, text
from ._provenance import Claim, claims

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
NUMBERS = [n for n, kind, *_ in _abi.item_result_summary._fields_ if kind is ctypes.c_double]
TIMES = [n for n, kind, *_ in _abi.item_timings._fields_ if kind is ctypes.c_double]
_NOTHING = np.zeros(0, dtype=np.float32)
_NOTHING.flags.writeable = False


class Object:
    """An object that the caption names, found in the picture."""

    def __init__(self, result: Result, index: int) -> None:
        self._result = result
        self._index = index

    def _row(self) -> Any:
        return self._result._objects[self._index]

    @property
    def phrase(self) -> str:
        return self._result._phrases[self._index]

    @property
    def box(self) -> Doubles:
        """x0, y0, x1, y1 in pixels of the upright picture, not copied."""
        found: Doubles = self._result.boxes[self._index]
        return found

    @property
    def score(self) -> float:
        """The detector's, 0 to 1."""
        return float(self._row()["score"])

    @property
    def similarity(self) -> float:
        """Cosine of the part and its phrase."""
        return float(self._row()["similarity"])

    @property
    def contribution(self) -> float:
        """Change of the picture's score when the object is left out; NaN: not known."""
        return float(self._row()["contribution"])

    @property
    def crop_vector(self) -> Floats:
        return self._result._values(_abi.VALUES_CROP_VECTOR, self._index)

    @property
    def phrase_vector(self) -> Floats:
        return self._result._values(_abi.VALUES_PHRASE_VECTOR, self._index)

    def __repr__(self) -> str:
        return f"<{self.phrase} ({self.score:.0%}) at {[round(float(x)) for x in self.box]}>"


def _row_type() -> np.dtype[Any]:
    """item_object as NumPy sees it; texts are addresses."""
    kinds = {"phrase": np.uint64, "box": (np.float64, 4)}
    names = [name for name, *_ in _abi.item_object._fields_]
    members = [getattr(_abi.item_object, name) for name in names]
    plain = {4: np.uint32, 8: np.float64}
    return np.dtype(
        {
            "names": names,
            "formats": [kinds.get(n, plain.get(m.size)) for n, m in zip(names, members)],
            "offsets": [m.offset for m in members],
            "itemsize": ctypes.sizeof(_abi.item_object),
        }
    )


ROW = _row_type()


class Result:
    """What is known of one picture, or why nothing is. It does not change, and pickles.

    Numbers that do not exist are NaN, texts "", arrays of length 0.
    """

    def __init__(self, handle: Handle | None, source: object = None) -> None:
        self._handle = handle
        self._source = source  # what it was made of, to be shown
        self._kept: dict[Any, Any] = {}

    @classmethod
    def _failed(cls, error: errors.Error, source: object = None) -> Result:
        """Of a picture that could not even be read."""
        for known in (error, error.__cause__, error.__context__):
            if known is not None:  # a traceback has the frames, with all pictures of the batch
                known.__traceback__ = None
        result = cls(None, source)
        result._kept = {"error": error}
        return result

    def _once(self, key: Any, make: Callable[[int], T], absent: T) -> T:
        """A fact, asked for at its first use."""
        if key not in self._kept:
            self._kept[key] = make(self._handle.address) if self._handle else absent
        found: T = self._kept[key]
        return found

    # ---- facts ----

    @property
    def error(self) -> errors.Error | None:
        """Why the picture failed; None: it was answered."""

        def make(address: int) -> errors.Error | None:
            said = _abi.item_error.new()
            status = library().item_result_status(address, ctypes.byref(said))
            return errors.make(said, status) if status != _abi.OK else None

        return self._once("error", make, None)

    def _text(self, which: int, absent: str = "") -> str:
        return self._once(
            ("text", which), lambda a: text(library().item_result_text(a, which)), absent
        )

    def _summary(self) -> dict[str, Any]:
        def make(address: int) -> dict[str, Any]:
            found = _abi.item_result_summary.new()
            call("item_result_get_summary", address, ctypes.byref(found))
            return {name: getattr(found, name) for name, *_ in found._fields_}

        nothing: dict[str, Any] = dict.fromkeys(NUMBERS, float("nan"))
        return self._once("summary", make, {**nothing, "width": 0, "height": 0, "objects": 0})

    def _values(self, which: int, index: int = 0) -> Floats:
        def make(address: int) -> Floats:
            count = ctypes.c_size_t()
            at = library().item_result_values(address, which, index, ctypes.byref(count))
            return view(at, (count.value,), np.float32, self._handle) if at else _NOTHING

        return self._once(("values", which, index), make, _NOTHING)

    @property
    def file(self) -> str:
        """Name of the file; "" for a picture from memory."""
        return self._text(_abi.TEXT_FILE)

    @property
    def verdict(self) -> str:
        """ "real", "unsure", "ai" or "none"."""
        return self._text(_abi.TEXT_VERDICT, "none")

    @property
    def probability(self) -> float:
        """That the picture is AI-generated, calibrated."""
        return float(self._summary()["probability"])

    @property
    def score(self) -> float:
        """Calibrated log-odds without a prior: what thresholds compare."""
        return float(self._summary()["score"])

    @property
    def threshold(self) -> float:
        """`ai` from this score on."""
        return float(self._summary()["threshold"])

    @property
    def threshold_name(self) -> str:
        """ "fpr1", "fpr5" or a number."""
        return self._text(_abi.TEXT_THRESHOLD)

    @property
    def real_below(self) -> float:
        """`real` below this score; -infinity: never."""
        return float(self._summary()["real_below"])

    @property
    def promised_fpr(self) -> float:
        """Share of photographs that the threshold may call `ai`."""
        return float(self._summary()["promised_fpr"])

    @property
    def reason(self) -> str:
        """Code of the reason, such as "weak_evidence"."""
        return self._text(_abi.TEXT_REASON, "none")

    @property
    def reason_line(self) -> str:
        """The reason in one plain sentence."""
        return self._text(_abi.TEXT_REASON_LINE)

    @property
    def caption(self) -> str:
        """The caption that similarity and objects come from."""
        return self._text(_abi.TEXT_CAPTION)

    @property
    def caption_source(self) -> str:
        """ "model" or "caller"."""
        return self._text(_abi.TEXT_CAPTION_SOURCE)

    @property
    def model_caption(self) -> str:
        """The captioner's own caption; "" where it was not asked for."""
        return self._text(_abi.TEXT_MODEL_CAPTION)

    @property
    def caption_logprob(self) -> float:
        """Mean natural log-probability of a token of the caption."""
        return float(self._summary()["caption_logprob"])

    @property
    def caption_margin(self) -> float:
        """Smallest gap of log-probabilities met while decoding."""
        return float(self._summary()["caption_margin"])

    @property
    def similarity(self) -> float:
        """Cosine of the whole picture and the caption."""
        return float(self._summary()["similarity"])

    @property
    def contribution(self) -> float:
        """Change of the score when the whole picture's part is left out."""
        return float(self._summary()["contribution"])

    @property
    def width(self) -> int:
        """Of the upright picture, pixels."""
        return int(self._summary()["width"])

    @property
    def height(self) -> int:
        return int(self._summary()["height"])

    @property
    def tokens(self) -> npt.NDArray[np.int32]:
        """Ids that the captioner wrote, as its model counts them; not copied."""
        none = np.zeros(0, dtype=np.int32)

        def make(address: int) -> npt.NDArray[np.int32]:
            count = ctypes.c_size_t()
            at = library().item_result_tokens(address, ctypes.byref(count))
            return view(at, (count.value,), np.int32, self._handle) if at else none

        return self._once("tokens", make, none)

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._once(
            "warnings",
            lambda address: lines(lambda i: library().item_result_warning(address, i)),
            (),
        )

    @property
    def timings(self) -> dict[str, float]:
        """Milliseconds that each stage took."""

        def make(address: int) -> dict[str, float]:
            found = _abi.item_timings.new()
            call("item_result_get_timings", address, ctypes.byref(found))
            return {name: getattr(found, name) for name in TIMES}

        nothing: dict[str, float] = {}
        return dict(self._once("timings", make, nothing))

    @property
    def provenance(self) -> tuple[Claim, ...]:
        """What the file says of its own origin: unverified, and apart from the score."""
        return self._once(
            "provenance", lambda a: claims(library().item_result_provenance(a)), ()
        )

    @property
    def pack(self) -> str:
        return self._text(_abi.TEXT_PACK)

    @property
    def layout(self) -> str:
        """Of the features."""
        return self._text(_abi.TEXT_LAYOUT)

    @property
    def precision(self) -> str:
        """That ran: "fp32" or "bf16"; "" of own backends."""
        return self._text(_abi.TEXT_PRECISION)

    @property
    def fingerprint(self) -> str:
        return self._text(_abi.TEXT_FINGERPRINT)

    @property
    def backends(self) -> dict[str, str]:
        """Identity of captioner, detector and embedder."""
        return {
            "captioner": self._text(_abi.TEXT_CAPTIONER),
            "detector": self._text(_abi.TEXT_DETECTOR),
            "embedder": self._text(_abi.TEXT_EMBEDDER),
        }

    # ---- objects and vectors ----

    def _read_objects(self, address: int) -> tuple[npt.NDArray[Any], list[str]]:
        """One array of C structs, which the arrays that are given out look into."""
        count = int(self._summary()["objects"])
        rows = (_abi.item_object * max(count, 1))()
        for i in range(count):
            rows[i].struct_size = ctypes.sizeof(_abi.item_object)
            call("item_result_get_object", address, i, ctypes.byref(rows[i]))
        array = np.frombuffer(memoryview(rows), dtype=ROW)[:count]
        array.flags.writeable = False
        return array, [text(rows[i].phrase) for i in range(count)]

    def _found(self) -> tuple[npt.NDArray[Any], list[str]]:
        nothing: list[str] = []
        return self._once("objects", self._read_objects, (np.zeros(0, dtype=ROW), nothing))

    @property
    def _objects(self) -> npt.NDArray[Any]:
        return self._found()[0]

    @property
    def _phrases(self) -> list[str]:
        return self._found()[1]

    @property
    def objects(self) -> tuple[Object, ...]:
        """What the caption names and the detector found, best first."""
        return tuple(Object(self, i) for i in range(len(self._phrases)))

    @property
    def boxes(self) -> Doubles:
        """n x 4 numbers: x0, y0, x1, y1 of each object in pixels of the upright picture."""
        found: Doubles = self._objects["box"]
        return found

    @property
    def features(self) -> Floats:
        """What the head reads, in its layout's order; not copied, like the vectors below."""
        return self._values(_abi.VALUES_FEATURES)

    @property
    def image_vector(self) -> Floats:
        """Unit vector of the whole picture."""
        return self._values(_abi.VALUES_IMAGE_VECTOR)

    @property
    def text_vector(self) -> Floats:
        """Unit vector of the caption."""
        return self._values(_abi.VALUES_TEXT_VECTOR)

    @property
    def plain(self) -> Floats:
        """Plain statistics of the pixels."""
        return self._values(_abi.VALUES_PLAIN)

    # ---- other forms ----

    @property
    def json(self) -> str:
        """One line with the keys of docs/json.md."""

        def make(address: int) -> str:
            return text(library().item_result_json(address))

        error = self._kept.get("error")
        failed = {"code": error.name, "message": error.message} if error else None
        return self._once("json", make, json.dumps({"file": "", "error": failed}))

    def to_dict(self) -> dict[str, Any]:
        """The keys of docs/json.md."""
        found: dict[str, Any] = json.loads(self.json)
        return found

    def to_frame(self) -> Any:
        """One row of to_frame()."""
        return to_frame([self])

    def _repr_html_(self) -> str:
        return _show.html(self, self._source)

    def __repr__(self) -> str:
        error, name = self.error, self.file or "picture"
        if error:
            return f"<libitem.Result {name}: {error.name}: {error.message}>"
        sure = "" if np.isnan(self.probability) else f" ({self.probability:.0%})"
        found = ", ".join(dict.fromkeys(found.phrase for found in self.objects))
        caption = repr(self.caption) if self.caption else ""
        said = (self.verdict + sure, caption, found and f"found: {found}")
        return f"<libitem.Result {name}: {', '.join(filter(None, said))}>"

    # ---- pickle: everything is read, the handle stays behind ----

    def __getstate__(self) -> dict[Any, Any]:
        self.error, self.json, self.tokens, self.warnings, self.timings, self.provenance
        for which in range(_abi.TEXT_FILE, _abi.TEXT_EMBEDDER + 1):
            self._text(which)
        for which in (_abi.VALUES_FEATURES, _abi.VALUES_IMAGE_VECTOR, _abi.VALUES_TEXT_VECTOR):
            self._values(which)
        self.plain
        for found in self.objects:
            found.crop_vector, found.phrase_vector
        rows, phrases = self._found()
        rows = rows.copy()
        rows["phrase"] = 0  # an address of this process
        return {**self._kept, "objects": (rows, phrases)}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        self.__init__(None)  # type: ignore[misc]
        self._kept = state


def _flat(result: Result) -> dict[str, Any]:
    error = result.error
    return {
        "file": result.file,
        "verdict": result.verdict,
        "probability": result.probability,
        "score": result.score,
        "reason": result.reason,
        "caption": result.caption,
        "similarity": result.similarity,
        "objects": len(result.objects),
        "phrases": ", ".join(found.phrase for found in result.objects),
        "width": result.width,
        "height": result.height,
        "caption_logprob": result.caption_logprob,
        "caption_margin": result.caption_margin,
        "milliseconds": result.timings.get("total", float("nan")),
        "provenance": "; ".join(claim.text for claim in result.provenance),
        "fingerprint": result.fingerprint,
        "error": error.name if error else "",
        "error_message": error.message if error else "",
    }


def to_frame(results: Iterable[Result]) -> Any:
    """A pandas DataFrame with a row a picture. pandas must be installed."""
    return frame(map(_flat, results), _COLUMNS)


def frame(rows: Iterable[dict[str, Any]], columns: tuple[str, ...]) -> Any:
    """A pandas DataFrame of rows."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise ImportError("to_frame() makes a pandas DataFrame: pip install pandas") from None
    return pandas.DataFrame(list(rows), columns=list(columns))


_COLUMNS = tuple(_flat(Result(None)))
