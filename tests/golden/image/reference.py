# SPDX-License-Identifier: Apache-2.0
"""The pixels that libitem promises, made with Pillow: what "equal to Pillow" means, line by line.

Pillow 13.0.0 (with libjpeg-turbo 3.2.0, lcms2 2.19, zlib-ng), NumPy 2.4.6.

    python3 reference.py FILE...    prints size and SHA-256 of the RGB bytes of each file
"""
import hashlib
import io
import sys

import numpy as np
from PIL import Image, ImageCms, ImageOps

ORIENTED = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90}
SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}


def high_byte(image):
    """16-bit grey to 8 bits: the high byte. (Pillow's convert("L") clips at 255 instead; for
    16-bit RGB, RGBA and grey with alpha Pillow itself takes the high byte when it reads them.)"""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def key_alpha(image, key):
    """Alpha of a transparent colour, compared before depths are reduced, as the PNG standard says."""
    samples = np.asarray(image)
    if samples.ndim == 2:
        samples = samples[..., None]
    hit = (samples == np.asarray(key).reshape(1, 1, -1)).all(axis=2)
    return Image.fromarray(np.where(hit, 0, 255).astype(np.uint8))


def split(image):
    """Colour (L, RGB or CMYK, 8 bits) and alpha (or None) of what Image.open() gave.

    A transparent colour of a picture with 1, 2, 4 or 16 bits is not given here: Pillow keeps its
    value unscaled. Cases with one are made in make_golden.py with their own expectation."""
    key = image.info.get("transparency")
    if image.mode == "P":
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A") if key is not None else None
    if image.mode in ("LA", "RGBA"):
        colour = Image.merge("RGB", image.split()[:3]) if image.mode == "RGBA" else image.getchannel("L")
        return colour, image.getchannel("A")
    alpha = key_alpha(image, key) if key is not None else None
    if image.mode == "1":
        return image.convert("L"), alpha
    if image.mode == "I;16":
        return high_byte(image), alpha
    if image.mode in ("L", "RGB", "CMYK"):
        return image, alpha
    raise ValueError(f"mode {image.mode}")


def to_srgb(colour, profile):
    """Perceptual, no flags, in the mode of the samples. A profile that is broken, of another
    colour space, or a link between devices is left out."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            device = source.profile.device_class in ("scnr", "mntr", "prtr", "spac")
            if device and source.profile.xcolor_space == SPACES[colour.mode]:
                return ImageCms.profileToProfile(
                    colour, source, ImageCms.createProfile("sRGB"),
                    renderingIntent=ImageCms.Intent.PERCEPTUAL, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass
    return colour.convert("RGB")


def on_white(colour, alpha):
    """(colour x alpha + 255 x (255 - alpha)) / 255, rounded to nearest; Image.paste() with a mask
    and Image.alpha_composite() give the same bytes for all 65,536 pairs."""
    if alpha is None:
        return colour
    c = np.asarray(colour).astype(np.uint32)
    a = np.asarray(alpha).astype(np.uint32)[..., None]
    return Image.fromarray(((c * a + 255 * (255 - a) + 127) // 255).astype(np.uint8))


def rgb(source):
    """A file (name, or bytes in memory) to an upright RGB picture."""
    image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    image.load()
    if image.format not in ("JPEG", "MPO", "PNG", "WEBP"):
        raise ValueError(f"unsupported: {image.format}")
    profile = image.info.get("icc_profile")
    orientation = image.getexif().get(0x0112, 1)
    upright = ORIENTED.get(orientation)
    colour, alpha = split(image)
    out = on_white(to_srgb(colour, profile), alpha)
    return out.transpose(upright) if upright is not None else out


def check_transpose(source):
    """ORIENTED above is what ImageOps.exif_transpose() does."""
    image = Image.open(source)
    return ImageOps.exif_transpose(image).size == rgb(source).size


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        try:
            picture = rgb(name)
            print(name, *picture.size, digest(picture), sep="\t")
        except (OSError, ValueError, SyntaxError) as error:
            print(name, "error", error, sep="\t")
