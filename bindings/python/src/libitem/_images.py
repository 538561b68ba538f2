# SPDX-License-Identifier: Apache-2.0
"""Pictures: what Python has (paths, bytes, files, Pillow, NumPy) for libitem, and back."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Callable, Protocol, Union

import numpy as np
import numpy.typing as npt

from . import _abi
from ._calls import Cancel
from ._library import Handle, call, encode_path, library, make, text
from .errors import LimitError


class Readable(Protocol):
    """A file that was opened for reading bytes."""

    def read(self, size: int = ..., /) -> bytes: ...


class HasArray(Protocol):
    """A NumPy array, a Pillow picture, and the like: pixels."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


Picture = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, Readable, HasArray, "Image"
]
# A picture that is to be read: by libitem from the name of a file, or by a function.
Source = Union[bytes, Callable[[_abi.item_image_options], Handle]]
KINDS = {1: _abi.PIXELS_GREY, 3: _abi.PIXELS_RGB, 4: _abi.PIXELS_RGBA}
DEFAULT_FILE_BYTES = 256 << 20
DEFAULT_PIXELS = 100_000_000


def view(address: int, shape: tuple[int, ...], kind: Any, owner: object) -> npt.NDArray[Any]:
    """Numbers of libitem's as an array, not copied, which keeps their owner."""
    count = int(np.prod(shape))
    if count == 0:
        return np.zeros(shape, dtype=kind)
    buffer = (np.ctypeslib.as_ctypes_type(kind) * count).from_address(address)
    buffer.owner = owner
    array = np.frombuffer(buffer, dtype=kind).reshape(shape)
    array.flags.writeable = False
    return array


class Image:
    """A picture in memory, decoded once: RGB, 8 bits, upright. Takes what check() takes."""

    def __init__(self, picture: Picture) -> None:
        source = prepare(picture)
        self._handle = read(source, _abi.item_image_options.new())

    @classmethod
    def _of(cls, handle: Handle) -> Image:
        image = cls.__new__(cls)
        image._handle = handle
        return image

    @property
    def info(self) -> dict[str, Any]:
        """Facts: width, height, orientation, channels, bits, kind, warning and others."""
        info = _abi.item_image_info.new()
        call("item_image_get_info", self._handle.address, ctypes.byref(info))
        names = [name for name, *_ in info._fields_ if name != "struct_size"]
        found = {name: getattr(info, name) for name in names}
        found["kind"] = text(info.kind)
        found["warning"] = text(info.warning) or None
        return found

    @property
    def width(self) -> int:
        return int(self.info["width"])

    @property
    def height(self) -> int:
        return int(self.info["height"])

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """height x width x 3 numbers, not copied and not to be changed."""
        info = self.info
        address = library().item_image_pixels(self._handle.address)
        return view(address, (info["height"], info["width"], 3), np.uint8, self._handle)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (np.array(self.pixels),)

    def __repr__(self) -> str:
        return f"<libitem.Image {self.width} x {self.height}>"


def borrowed(address: int) -> Image:
    """A picture of a backend's call; it may be kept beyond the call."""
    return Image._of(Handle(library().item_image_ref(address), "item_image_unref"))


def octets(data: bytes | bytearray | memoryview) -> npt.NDArray[np.uint8]:
    """Bytes in a row, copied only where they are none."""
    if isinstance(data, memoryview) and not data.c_contiguous:
        data = data.tobytes()
    return np.frombuffer(data, dtype=np.uint8)


def _from_bytes(data: bytes | bytearray | memoryview) -> Source:
    buffer = octets(data)

    def decode(options: _abi.item_image_options) -> Handle:
        return make(
            "item_image_from_memory",
            buffer.ctypes.data,
            buffer.size,
            ctypes.byref(options),
            release="item_image_unref",
        )

    return decode


def _from_file(file: Readable) -> Source:
    def decode(options: _abi.item_image_options) -> Handle:
        most = (options.max_file_bytes or DEFAULT_FILE_BYTES) + 1  # so that libitem names its limit
        data = bytearray()
        while len(data) < most:  # a pipe gives what is there
            some = file.read(most - len(data))
            if not isinstance(some, bytes):
                raise TypeError("the file gives no bytes: open it with mode 'rb'")
            if not some:
                break
            data += some
        source = _from_bytes(data)
        assert callable(source)
        return source(options)

    return decode


def _from_array(pixels: npt.NDArray[Any]) -> Source:
    if pixels.dtype != np.uint8:
        raise TypeError(f"pixels must be uint8, 0 to 255, not {pixels.dtype}")
    shown = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    if shown.ndim != 3 or shown.shape[2] not in KINDS:
        raise TypeError(
            "pixels must have the shape (height, width) or (height, width, 1, 3 or 4), not "
            f"{pixels.shape}"
        )
    height, width, channels = shown.shape

    def decode(options: _abi.item_image_options) -> Handle:
        _refuse_large(width, height, options)
        rows = shown
        if rows.strides[1:] != (channels, 1) or rows.strides[0] < width * channels:
            rows = np.ascontiguousarray(rows)
        return make(
            "item_image_from_pixels",
            rows.ctypes.data,
            KINDS[channels],
            width,
            height,
            rows.strides[0],
            ctypes.byref(options),
            release="item_image_unref",
        )

    return decode


def _refuse_large(width: int, height: int, options: _abi.item_image_options) -> None:
    """Before anything is copied: an array may repeat one row without end."""
    most = options.max_pixels or DEFAULT_PIXELS
    if width * height > most:
        raise LimitError(
            f"{width} x {height} pixels are more than max_pixels allows: {most}"
        )


def _from_pillow(picture: Any) -> Source:
    """As libitem would read the file: upright, and in colours if there is a palette."""
    if picture.mode in ("I", "F"):
        raise TypeError(
            f"Pillow's mode {picture.mode} does not say which number is white: convert('L') first"
        )

    def decode(options: _abi.item_image_options) -> Handle:
        _refuse_large(picture.width, picture.height, options)
        source = _from_array(_pillow_pixels(picture))
        assert callable(source)
        return source(options)

    return decode


def _pillow_pixels(picture: Any) -> npt.NDArray[np.uint8]:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):  # convert() would make all above 255 white
        return (np.asarray(upright) >> 8).astype(np.uint8)
    if upright.mode == "La":  # which Pillow turns into nothing else
        upright = upright.convert("LA")
    if upright.mode not in ("RGB", "RGBA", "L"):
        clear = "transparency" in upright.info or upright.mode in ("LA", "PA", "RGBa")
        upright = upright.convert("RGBA" if clear else "RGB")
    elif "transparency" in upright.info:
        upright = upright.convert("RGBA")
    pixels: npt.NDArray[np.uint8] = np.asarray(upright)
    return pixels


def prepare(picture: Picture) -> Source:
    """What is to be read; TypeError for anything that is no picture."""
    if isinstance(picture, (str, os.PathLike)):
        return encode_path(picture, "a picture's name")
    if isinstance(picture, Image):
        handle = picture._handle
        return lambda options: handle
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _from_bytes(picture)
    pillow = sys.modules.get("PIL.Image")
    if pillow is not None and isinstance(picture, pillow.Image):
        return _from_pillow(picture)
    if isinstance(picture, np.ndarray):
        return _from_array(picture)
    if hasattr(picture, "__array_interface__"):
        return _from_array(np.asarray(picture))
    if callable(getattr(picture, "read", None)):
        return _from_file(picture)
    raise TypeError(
        "a picture is a path, bytes, a file opened with 'rb', a Pillow picture, a NumPy array or "
        f"a libitem.Image, not {type(picture).__name__}"
    )


def read(source: Source, options: _abi.item_image_options) -> Handle:
    """The picture itself."""
    if not isinstance(source, bytes):
        return source(options)
    return make("item_image_from_file", source, ctypes.byref(options), release="item_image_unref")


def limits(context: int, cancel: Cancel) -> _abi.item_image_options:
    """How a context reads pictures."""
    options = _abi.item_image_options.new()
    call("item_ctx_get_image_options", context, ctypes.byref(options))
    options.cancel = cancel._handle.address
    return options
