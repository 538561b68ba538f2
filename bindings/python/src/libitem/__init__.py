# SPDX-License-Identifier: Apache-2.0
"""libitem: tells AI-generated pictures from photographs by image-text misalignment.

    import libitem

    with libitem.open() as item:
        print(item.check("photo.jpg").verdict)

docs/python.md has the whole of it.
"""

from . import backends
from ._calls import Cancel
from ._context import Context, open
from ._find import Filters, Row
from ._images import Image, Picture
from ._index import Index, Rows, ScanCounts
from ._library import load
from ._provenance import Claim, provenance
from ._result import Object, Result, to_frame
from ._tools import Phrase, default_pack, misalign, pack_info, phrases, set_threads, version
from ._train import Dataset, Report, calibrate, evaluate, extract, train
from .errors import (
    ArgumentError,
    BackendError,
    CancelledError,
    ClosedError,
    Error,
    FileError,
    ForkedError,
    FormatError,
    InternalError,
    LibraryError,
    LimitError,
    MismatchError,
    NoEngineError,
    OutOfMemoryError,
    PackError,
    UnsupportedError,
)

__version__ = "0.2.0"
__all__ = [
    "ArgumentError",
    "BackendError",
    "Cancel",
    "CancelledError",
    "Claim",
    "ClosedError",
    "Context",
    "Dataset",
    "Error",
    "FileError",
    "Filters",
    "ForkedError",
    "FormatError",
    "Image",
    "Index",
    "InternalError",
    "LibraryError",
    "LimitError",
    "MismatchError",
    "NoEngineError",
    "Object",
    "OutOfMemoryError",
    "PackError",
    "Phrase",
    "Picture",
    "Report",
    "Result",
    "Row",
    "Rows",
    "ScanCounts",
    "UnsupportedError",
    "backends",
    "calibrate",
    "default_pack",
    "evaluate",
    "extract",
    "load",
    "misalign",
    "open",
    "pack_info",
    "phrases",
    "provenance",
    "set_threads",
    "to_frame",
    "train",
    "version",
]
