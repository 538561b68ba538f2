# SPDX-License-Identifier: Apache-2.0
"""Structs, constants and functions of the public headers, as ctypes declares them.

Nothing here is clever: tests/test_abi.py compares every line with what the C compiler says.
Handles are c_void_p. Classes have the names of their structs.
"""

from __future__ import annotations

import ctypes as c
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint32
from ctypes import c_uint8, c_uint64, c_void_p
from operator import index
from typing import Any, ClassVar, TypeVar

OK, E_ARGUMENT, E_MEMORY, E_IO, E_FORMAT, E_UNSUPPORTED, E_LIMIT, E_CANCELLED = range(8)
E_BACKEND, E_NO_ENGINE, E_PACK, E_MISMATCH, E_FORKED, E_INTERNAL = range(8, 14)

PIXELS_RGB, PIXELS_RGBA, PIXELS_GREY = 1, 2, 4

TEXT_FILE, TEXT_CAPTION, TEXT_CAPTION_SOURCE, TEXT_MODEL_CAPTION, TEXT_VERDICT = range(1, 6)
TEXT_REASON, TEXT_REASON_LINE, TEXT_THRESHOLD, TEXT_LAYOUT, TEXT_PACK = range(6, 11)
TEXT_PRECISION, TEXT_FINGERPRINT, TEXT_CAPTIONER, TEXT_DETECTOR, TEXT_EMBEDDER = range(11, 16)

VALUES_FEATURES, VALUES_IMAGE_VECTOR, VALUES_TEXT_VECTOR, VALUES_CROP_VECTOR = range(1, 5)
VALUES_PHRASE_VECTOR, VALUES_PLAIN = 5, 6

PROVENANCE_C2PA, PROVENANCE_SOURCE_TYPE, PROVENANCE_GENERATOR, PROVENANCE_UNREADABLE = range(1, 5)
CLAIM_NONE, CLAIM_AI, CLAIM_AI_PART, CLAIM_CAPTURE = range(4)

VERDICT_NONE, VERDICT_REAL, VERDICT_UNSURE, VERDICT_AI = range(4)

INDEX_CREATE, SCAN_HASH = 1, 1
STATE_ANSWERED, STATE_STALE, STATE_FAILED, STATE_MISSING = 1, 2, 4, 8
ORDER_PATH, ORDER_PROBABILITY, ORDER_DATE = range(3)

LABEL_REAL, LABEL_AI = 0, 1
EXTRACT_NAMED, EXTRACT_PRIOR, EXTRACT_LAYERS = 1, 2, 4
KNOWN_REFUSE, KNOWN_KEEP, KNOWN_DROP = 0, 1, 2

BACKEND_VERSION, BACKEND_SERIAL, BACKEND_RAW_BOXES = 1, 1, 2

status = c_int32
Self = TypeVar("Self", bound="Struct")


_UNSIGNED: dict[Any, int] = {c_uint32: 2**32 - 1, c_uint64: 2**64 - 1}


class Struct(c.Structure):
    """A public struct; new() gives what its INIT macro gives."""

    _defaults_: ClassVar[dict[str, Any]] = {}

    @classmethod
    def new(cls: type[Self], **members: Any) -> Self:
        cls.refuse_cut(members)
        return cls(struct_size=c.sizeof(cls), **{**cls._defaults_, **members})

    @classmethod
    def refuse_cut(cls, members: dict[str, Any]) -> None:
        """ValueError for what ctypes would cut to another number without a word."""
        for name, kind, *_ in cls._fields_:
            most = _UNSIGNED.get(kind)
            if most is None or name not in members:
                continue
            try:
                value = index(members[name])
            except TypeError:
                raise TypeError(
                    f"{name} must be a whole number, not {members[name]!r}"
                ) from None
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be a whole number from 0 to {most}, not {value}")


class item_error(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("code", c_int32),
        ("system", c_int32),
        ("reserved", c_uint32),
        ("message", c.c_char * 496),
    ]


log_fn = c.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
progress_fn = c.CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)


class item_engine_settings(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("lanes", c_uint32),
        ("threads", c_uint32),
        ("reserved", c_uint32),
    ]


class item_engine_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("lanes", c_uint32),
        ("threads", c_uint32),
        ("cpu_bf16", c_uint32),
        ("name", c_char_p),
        ("version", c_char_p),
        ("path", c_char_p),
        ("blas", c_char_p),
        ("cpu", c_char_p),
        ("cpu_features", c_char_p),
        ("gflops", c_double),
        ("blas_is_slow", c_uint32),
        ("reserved", c_uint32),
    ]


class item_ctx_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("width", c_uint32),
        ("has_captioner", c_uint32),
        ("has_detector", c_uint32),
        ("has_embedder", c_uint32),
        ("has_head", c_uint32),
        ("working_size", c_uint32),
        ("reserved", c_uint32),
        ("pack", c_char_p),
        ("layout", c_char_p),
        ("no_verdict", c_char_p),
        ("layers_width", c_uint32),
        ("batch", c_uint32),
    ]


class item_check_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("max_objects", c_uint32),
        ("caption", c_char_p),
        ("captions", POINTER(c_char_p)),
        ("cancel", c_void_p),
        ("progress", progress_fn),
        ("progress_user", c_void_p),
        ("sample", c_double),
        ("sample_seed", c_uint64),
    ]


class item_image_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("max_pixels", c_uint64),
        ("max_file_bytes", c_uint64),
        ("max_decode_bytes", c_uint64),
        ("max_scans", c_uint32),
        ("reserved", c_uint32),
        ("allocator", c_void_p),
        ("cancel", c_void_p),
    ]


class item_image_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("orientation", c_uint32),
        ("channels", c_uint32),
        ("bits", c_uint32),
        ("has_icc", c_uint32),
        ("truncated", c_uint32),
        ("kind", c_char_p),
        ("warning", c_char_p),
    ]


class item_result_summary(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("verdict", c_int32),
        ("reason", c_int32),
        ("objects", c_uint32),
        ("probability", c_double),
        ("score", c_double),
        ("threshold", c_double),
        ("real_below", c_double),
        ("promised_fpr", c_double),
        ("similarity", c_double),
        ("contribution", c_double),
        ("caption_logprob", c_double),
        ("caption_margin", c_double),
        ("width", c_uint32),
        ("height", c_uint32),
    ]


class item_object(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("phrase_index", c_uint32),
        ("phrase", c_char_p),
        ("box", c_double * 4),
        ("score", c_double),
        ("similarity", c_double),
        ("contribution", c_double),
    ]


class item_timings(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("decode", c_double),
        ("resize", c_double),
        ("caption", c_double),
        ("phrases", c_double),
        ("detect", c_double),
        ("embed", c_double),
        ("judge", c_double),
        ("total", c_double),
    ]


class item_provenance_entry(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("kind", c_int32),
        ("claim", c_int32),
        ("reserved", c_uint32),
        ("where", c_char_p),
        ("name", c_char_p),
        ("value", c_char_p),
        ("text", c_char_p),
    ]


class item_dataset_info(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("width", c_uint32),
        ("working_size", c_uint32),
        ("callers_captions", c_uint32),
        ("embedder", c_char_p),
        ("working_filter", c_char_p),
        ("rows", c_uint64),
        ("ai", c_uint64),
        ("real", c_uint64),
        ("sources", c_uint64),
        ("failed", c_uint64),
        ("pipeline", c_char_p),
        ("views", c_uint32),
        ("layers", c_uint32),
    ]


class item_row(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("label", c_uint32),
        ("flags", c_uint32),
        ("objects", c_uint32),
        ("picture_width", c_uint32),
        ("picture_height", c_uint32),
        ("file_bytes", c_uint64),
        ("caption_logprob", c_double),
        ("image", POINTER(c_float)),
        ("text", POINTER(c_float)),
        ("crops", POINTER(c_float)),
        ("phrases", POINTER(c_float)),
        ("name", c_char_p),
        ("source", c_char_p),
        ("generator", c_char_p),
        ("scene", c_char_p),
        ("named", c_uint32),
        ("reserved", c_uint32),
        ("caption_prior", c_double),
        ("caption", c_char_p),
        ("picture", POINTER(c_uint8)),
        ("named_phrases", POINTER(c_float)),
        ("views", POINTER(c_float)),
        ("layers", POINTER(c_float)),
        ("plain", POINTER(c_float)),
    ]
    _defaults_ = {"caption_logprob": float("nan")}


class item_extract_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("max_failures", c_uint32),
        ("split", c_char_p),
        ("cancel", c_void_p),
        ("progress", progress_fn),
        ("progress_user", c_void_p),
        ("columns", c_uint32),
        ("views", c_uint32),
    ]
    _defaults_ = {"max_failures": 100}


class item_train_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("hidden", c_uint32 * 3),
        ("epochs", c_uint32),
        ("batch", c_uint32),
        ("patience", c_uint32),
        ("folds", c_uint32),
        ("size_min", c_uint32),
        ("size_max", c_uint32),
        ("learning_rate", c_double),
        ("weight_decay", c_double),
        ("dropout", c_double),
        ("validation", c_double),
        ("real_share", c_double),
        ("scope_quantile", c_double),
        ("caption_quantile", c_double),
        ("seed", c_uint64),
        ("draws", c_uint32),
        ("controls", c_uint32),
        ("layout", c_char_p),
        ("trained_on", c_char_p),
        ("cancel", c_void_p),
        ("progress", progress_fn),
        ("progress_user", c_void_p),
        ("candidates", POINTER(c_char_p)),
        ("candidate_count", c_uint32),
        ("reserved", c_uint32),
        ("threshold_rule", c_char_p),
        ("penalty", c_double),
    ]
    _defaults_ = {
        "hidden": (32, 0, 0),
        "epochs": 60,
        "batch": 64,
        "patience": 10,
        "folds": 10,
        "learning_rate": 1e-3,
        "weight_decay": 0.1,
        "dropout": 0.3,
        "validation": 0.15,
        "real_share": 0.10,
        "scope_quantile": 0.999,
        "caption_quantile": 0.01,
        "seed": 1,
        "draws": 1000,
        "controls": 1,
        "penalty": 1.0,
    }


class item_eval_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("draws", c_uint32),
        ("bins", c_uint32),
        ("reserved", c_uint32),
        ("level", c_double),
        ("seed", c_uint64),
        ("threshold", c_char_p),
        ("rival", c_char_p),
        ("controls", c_void_p),
        ("cancel", c_void_p),
        ("rivals", POINTER(c_char_p)),
        ("rival_count", c_uint32),
        ("known_sources", c_uint32),
    ]
    _defaults_ = {"draws": 1000, "bins": 10, "level": 0.95, "seed": 1}


class item_calibrate_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("confidence", c_double),
        ("pictures", c_char_p),
    ]
    _defaults_ = {"confidence": 0.95}


# ---- indexes of folders ----

trouble_fn = c.CFUNCTYPE(None, c_void_p, c_char_p, POINTER(item_error))


class item_scan_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("cancel", c_void_p),
        ("progress", progress_fn),
        ("trouble", trouble_fn),
        ("user", c_void_p),
    ]


class item_scan_counts(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("unchanged", c_uint64),
        ("answered", c_uint64),
        ("copies", c_uint64),
        ("moved", c_uint64),
        ("failed", c_uint64),
        ("other", c_uint64),
        ("missing", c_uint64),
        ("unreadable", c_uint64),
    ]


class item_index_query(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("states", c_uint32),
        ("verdicts", c_uint32),
        ("order", c_uint32),
        ("least", c_double),
        ("most", c_double),
        ("caption", c_char_p),
        ("object", c_char_p),
        ("folder", c_char_p),
        ("since", c_int64),
        ("until", c_int64),
        ("limit", c_uint64),
        ("claims", c_uint32),
        ("reserved", c_uint32),
    ]
    _defaults_ = {
        "states": STATE_ANSWERED | STATE_STALE,
        "least": float("nan"),
        "most": float("nan"),
        "since": -(2**63),
        "until": 2**63 - 1,
    }


class item_index_row(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("state", c_uint32),
        ("path", c_char_p),
        ("sha256", c_char_p),
        ("bytes", c_uint64),
        ("modified", c_int64),
        ("taken", c_int64),
        ("width", c_uint32),
        ("height", c_uint32),
        ("verdict", c_int32),
        ("error", c_int32),
        ("probability", c_double),
        ("caption", c_char_p),
        ("reason", c_char_p),
        ("message", c_char_p),
        ("json", c_char_p),
        ("claims", c_uint32),
        ("reserved", c_uint32),
    ]


class item_page_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("title", c_char_p),
        ("cancel", c_void_p),
        ("progress", progress_fn),
        ("progress_user", c_void_p),
    ]


# ---- backends and engines ----


class item_call(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("host", c_void_p),
        ("cancelled", c.CFUNCTYPE(c_int32, c_void_p)),
        ("log", c.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)),
        ("warn", c.CFUNCTYPE(None, c_void_p, c_char_p)),
    ]


class item_caption_out(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("text", c_void_p),
        ("capacity", c_size_t),
        ("logprob", c_double),
        ("margin", c_double),
        ("tokens", POINTER(c_int32)),
        ("token_room", c_size_t),
        ("token_count", c_size_t),
    ]


class item_caption_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("beams", c_uint32),
        ("max_tokens", c_uint32),
        ("reserved", c_uint32),
        ("prompt", c_char_p),
        ("temperature", c_double),
        ("seed", c_uint64),
    ]


caption_fn = c.CFUNCTYPE(
    status,
    c_void_p,
    POINTER(item_call),
    POINTER(c_void_p),
    c_size_t,
    POINTER(item_caption_options),
    POINTER(POINTER(item_caption_out)),
    POINTER(item_error),
)
score_fn = c.CFUNCTYPE(
    status,
    c_void_p,
    POINTER(item_call),
    POINTER(c_void_p),
    POINTER(c_char_p),
    c_size_t,
    POINTER(item_caption_options),
    POINTER(c_double),
    POINTER(item_error),
)
close_fn = c.CFUNCTYPE(None, c_void_p)


class item_captioner_ops(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("reserved", c_uint32),
        ("name", c_char_p),
        ("id", c_char_p),
        ("caption", caption_fn),
        ("close", close_fn),
        ("score", score_fn),
    ]


class item_box_sink(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("host", c_void_p),
        ("add", c.CFUNCTYPE(status, c_void_p, c_size_t, POINTER(c_double), c_double)),
    ]


class item_detect_options(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("max_boxes", c_uint32),
        ("least_score", c_double),
    ]


detect_fn = c.CFUNCTYPE(
    status,
    c_void_p,
    POINTER(item_call),
    POINTER(c_void_p),
    c_size_t,
    POINTER(POINTER(c_char_p)),
    POINTER(POINTER(c_char_p)),
    POINTER(c_size_t),
    POINTER(item_detect_options),
    POINTER(POINTER(item_box_sink)),
    POINTER(item_error),
)


class item_detector_ops(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("reserved", c_uint32),
        ("name", c_char_p),
        ("id", c_char_p),
        ("detect", detect_fn),
        ("close", close_fn),
    ]


class item_crop(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("image", c_void_p),
        ("box", c_double * 4),
    ]


embed_images_fn = c.CFUNCTYPE(
    status,
    c_void_p,
    POINTER(item_call),
    POINTER(POINTER(item_crop)),
    c_size_t,
    POINTER(c_float),
    POINTER(item_error),
)
embed_texts_fn = c.CFUNCTYPE(
    status,
    c_void_p,
    POINTER(item_call),
    POINTER(c_char_p),
    c_size_t,
    POINTER(c_float),
    POINTER(item_error),
)


class item_embedder_ops(Struct):
    _fields_ = [
        ("struct_size", c_uint32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("reserved", c_uint32),
        ("name", c_char_p),
        ("id", c_char_p),
        ("width", c_uint32),
        ("reserved2", c_uint32),
        ("embed_images", embed_images_fn),
        ("embed_texts", embed_texts_fn),
        ("close", close_fn),
        ("layers_width", c_uint32),
        ("reserved3", c_uint32),
        (
            "embed_layers",
            c.CFUNCTYPE(
                status,
                c_void_p,
                POINTER(item_call),
                POINTER(POINTER(item_crop)),
                c_size_t,
                POINTER(c_float),
                POINTER(c_float),
                POINTER(item_error),
            ),
        ),
    ]


class item_engine_ops(Struct):
    """Only what is read of it: its functions are libitem's to call."""

    _fields_ = [
        ("struct_size", c_uint32),
        ("version", c_uint32),
        ("name", c_char_p),
        ("id", c_char_p),
    ]


# ---- functions: type of the result, types of the parameters ----

_error = POINTER(item_error)
_handle_out = POINTER(c_void_p)
_handles = POINTER(c_void_p)
_texts = POINTER(c_char_p)
_floats = POINTER(c_float)
_options = POINTER(item_check_options)
_count = POINTER(c_size_t)

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "item_version": (c_char_p, []),
    "item_status_name": (c_char_p, [status]),
    "item_cancel_new": (status, [_handle_out, _error]),
    "item_cancel_set": (None, [c_void_p]),
    "item_cancel_unref": (None, [c_void_p]),
    # configurations, engines, contexts
    "item_config_new": (status, [_handle_out, _error]),
    "item_config_unref": (None, [c_void_p]),
    "item_config_set": (status, [c_void_p, c_char_p, c_char_p, _error]),
    "item_config_set_log": (status, [c_void_p, log_fn, c_void_p, _error]),
    "item_config_set_engine": (status, [c_void_p, POINTER(item_engine_ops), c_char_p, _error]),
    "item_config_set_captioner": (
        status,
        [c_void_p, POINTER(item_captioner_ops), c_void_p, _error],
    ),
    "item_config_set_detector": (status, [c_void_p, POINTER(item_detector_ops), c_void_p, _error]),
    "item_config_set_embedder": (status, [c_void_p, POINTER(item_embedder_ops), c_void_p, _error]),
    "item_engine_find": (status, [c_void_p, POINTER(POINTER(item_engine_ops)), _error]),
    "item_engine_setup": (status, [c_void_p, POINTER(item_engine_settings), _error]),
    "item_engine_get_info": (status, [c_void_p, c_int32, POINTER(item_engine_info), _error]),
    "item_ctx_open": (status, [c_char_p, c_void_p, _handle_out, _error]),
    "item_ctx_ref": (c_void_p, [c_void_p]),
    "item_ctx_unref": (None, [c_void_p]),
    "item_ctx_get_info": (status, [c_void_p, POINTER(item_ctx_info), _error]),
    "item_ctx_get_image_options": (status, [c_void_p, POINTER(item_image_options), _error]),
    # pictures
    "item_image_from_file": (
        status,
        [c_char_p, POINTER(item_image_options), _handle_out, _error],
    ),
    "item_image_from_memory": (
        status,
        [c_void_p, c_size_t, POINTER(item_image_options), _handle_out, _error],
    ),
    "item_image_from_pixels": (
        status,
        [
            c_void_p,
            c_int32,
            c_uint32,
            c_uint32,
            c_size_t,
            POINTER(item_image_options),
            _handle_out,
            _error,
        ],
    ),
    "item_image_ref": (c_void_p, [c_void_p]),
    "item_image_unref": (None, [c_void_p]),
    "item_image_get_info": (status, [c_void_p, POINTER(item_image_info), _error]),
    "item_image_pixels": (c_void_p, [c_void_p]),
    # checking
    "item_check_image": (status, [c_void_p, c_void_p, _options, _handle_out, _error]),
    "item_check_file": (status, [c_void_p, c_char_p, _options, _handle_out, _error]),
    "item_check_images": (status, [c_void_p, _handles, c_size_t, _options, _handle_out, _error]),
    "item_check_files": (status, [c_void_p, _texts, c_size_t, _options, _handle_out, _error]),
    "item_result_ref": (c_void_p, [c_void_p]),
    "item_result_unref": (None, [c_void_p]),
    "item_result_status": (status, [c_void_p, _error]),
    "item_result_get_summary": (status, [c_void_p, POINTER(item_result_summary), _error]),
    "item_result_text": (c_char_p, [c_void_p, c_int32]),
    "item_result_get_object": (status, [c_void_p, c_uint32, POINTER(item_object), _error]),
    "item_result_values": (c_void_p, [c_void_p, c_int32, c_uint32, _count]),
    "item_result_tokens": (c_void_p, [c_void_p, _count]),
    "item_result_get_timings": (status, [c_void_p, POINTER(item_timings), _error]),
    "item_result_warning": (c_char_p, [c_void_p, c_uint32]),
    "item_result_json": (c_char_p, [c_void_p]),
    # what files say of their origin
    "item_provenance_from_file": (
        status,
        [c_char_p, POINTER(item_image_options), _handle_out, _error],
    ),
    "item_provenance_from_memory": (
        status,
        [c_void_p, c_size_t, POINTER(item_image_options), _handle_out, _error],
    ),
    "item_result_provenance": (c_void_p, [c_void_p]),
    "item_provenance_count": (c_uint32, [c_void_p]),
    "item_provenance_get": (
        status,
        [c_void_p, c_uint32, POINTER(item_provenance_entry), _error],
    ),
    "item_provenance_free": (None, [c_void_p]),
    # single stages
    "item_caption_images": (
        status,
        [c_void_p, _handles, c_size_t, _options, _handle_out, _error],
    ),
    "item_score_captions": (
        status,
        [c_void_p, _handles, _texts, c_size_t, _options, POINTER(c_double), _error],
    ),
    "item_detect_images": (
        status,
        [c_void_p, _handles, c_size_t, _texts, c_size_t, _options, _handle_out, _error],
    ),
    "item_embed_images": (
        status,
        [c_void_p, _handles, c_size_t, _options, _floats, c_size_t, _error],
    ),
    "item_embed_layers": (
        status,
        [c_void_p, _handles, c_size_t, _options, _floats, c_size_t, _floats, c_size_t, _error],
    ),
    "item_embed_texts": (
        status,
        [c_void_p, _texts, c_size_t, _options, _floats, c_size_t, _error],
    ),
    "item_tokenize": (status, [c_void_p, c_char_p, POINTER(c_int32), c_size_t, _count, _error]),
    "item_phrases_find": (status, [c_char_p, _handle_out, _error]),
    "item_phrases_get": (c_char_p, [c_void_p, c_uint32, POINTER(c_uint32), POINTER(c_uint32)]),
    "item_phrases_free": (None, [c_void_p]),
    "item_layout_size": (c_size_t, [c_char_p, c_size_t]),
    "item_misalign": (
        status,
        [
            c_char_p,
            c_size_t,
            _floats,
            _floats,
            c_size_t,
            _floats,
            _floats,
            _floats,
            c_size_t,
            _error,
        ],
    ),
    "item_head_apply": (
        status,
        [c_void_p, _floats, c_size_t, POINTER(item_result_summary), _error],
    ),
    # data sets, training
    "item_dataset_free": (None, [c_void_p]),
    "item_dataset_get": (status, [c_void_p, c_uint64, POINTER(item_row), _error]),
    "item_dataset_get_info": (status, [c_void_p, POINTER(item_dataset_info), _error]),
    "item_dataset_remove": (status, [c_void_p, c_char_p, c_char_p, POINTER(c_uint64), _error]),
    "item_dataset_load": (status, [c_char_p, _handle_out, _error]),
    "item_dataset_save": (status, [c_void_p, c_char_p, _error]),
    "item_dataset_extract": (
        status,
        [c_void_p, c_char_p, POINTER(item_extract_options), _handle_out, _error],
    ),
    "item_dataset_extract_files": (
        status,
        [
            c_void_p,
            _texts,
            c_size_t,
            c_uint32,
            POINTER(item_extract_options),
            _handle_out,
            _error,
        ],
    ),
    "item_dataset_warning": (c_char_p, [c_void_p, c_uint32]),
    "item_dataset_notice": (c_char_p, [c_void_p, c_uint32]),
    "item_train": (status, [c_void_p, POINTER(item_train_options), _handle_out, _error]),
    "item_evaluate": (
        status,
        [c_void_p, c_char_p, c_void_p, POINTER(item_eval_options), _handle_out, _error],
    ),
    "item_calibrate": (
        status,
        [c_void_p, c_char_p, c_void_p, POINTER(item_calibrate_options), _handle_out, _error],
    ),
    "item_report_free": (None, [c_void_p]),
    "item_report_json": (c_char_p, [c_void_p]),
    "item_report_markdown": (c_char_p, [c_void_p]),
    "item_report_html": (c_char_p, [c_void_p]),
    "item_report_number": (c_double, [c_void_p, c_char_p]),
    "item_report_write_head": (status, [c_void_p, c_char_p, _error]),
    # indexes of folders
    "item_index_open": (status, [c_char_p, c_uint32, _handle_out, _error]),
    "item_index_free": (None, [c_void_p]),
    "item_index_scan": (
        status,
        [
            c_void_p,
            c_void_p,
            _texts,
            c_size_t,
            POINTER(item_scan_options),
            POINTER(item_scan_counts),
            _error,
        ],
    ),
    "item_index_import": (status, [c_void_p, _texts, c_size_t, _error]),
    "item_index_find": (status, [c_void_p, POINTER(item_index_query), _handle_out, _error]),
    "item_index_next": (status, [c_void_p, POINTER(item_index_row), _error]),
    "item_index_rows_free": (None, [c_void_p]),
    "item_index_write_html": (
        status,
        [c_void_p, POINTER(item_index_query), POINTER(item_page_options), c_char_p, _error],
    ),
    # packs
    "item_pack_open": (status, [c_char_p, c_int32, _handle_out, _error]),
    "item_pack_free": (None, [c_void_p]),
    "item_pack_json": (c_char_p, [c_void_p]),
    "item_pack_default_path": (status, [c_void_p, c_size_t, _error]),
    # stand-ins without a model
    "item_dummy_captioner": (POINTER(item_captioner_ops), []),
    "item_dummy_detector": (POINTER(item_detector_ops), []),
    "item_dummy_embedder": (POINTER(item_embedder_ops), []),
}


def declare(library: c.CDLL) -> None:
    """Gives the functions of a loaded library their types."""
    for name, (result, parameters) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters
