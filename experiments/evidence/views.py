# SPDX-License-Identifier: Apache-2.0
"""How a picture is shown to the networks: whole, smaller, or disturbed by a draw."""
import io
import random
import zlib

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

SIZE = 224
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS,
           Image.Resampling.BOX)


def jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    file.seek(0)
    return Image.open(file).convert("RGB")


def normalised(picture, name):
    """As detect/ was made: middle square, at most 224 pixels, JPEG of a quality drawn by name."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))
    if side > SIZE:
        picture = picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    return jpeg(picture, 70 + zlib.crc32(name.encode()) % 21)


def noisy(picture, deviation, seed):
    noise = np.random.default_rng(seed).normal(0, deviation, (picture.height, picture.width, 3))
    return Image.fromarray((np.asarray(picture, np.float32) + noise).clip(0, 255).astype(np.uint8))


def coloured(picture, draw):
    for change, spread in ((ImageEnhance.Brightness, 0.25), (ImageEnhance.Contrast, 0.2),
                           (ImageEnhance.Color, 0.3)):
        picture = change(picture).enhance(draw.uniform(1 - spread, 1 + spread))
    return picture


def disturbed(picture, seed):
    """Mirror, crop, resampling, blur, noise, colour and JPEG, each by chance; both labels alike."""
    draw = random.Random(seed)
    if draw.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if draw.random() < 0.6:
        share = draw.uniform(0.7, 1)
        w, h = int(share * picture.width), int(share * picture.height)
        left, top = draw.randint(0, picture.width - w), draw.randint(0, picture.height - h)
        picture = picture.crop((left, top, left + w, top + h))
    if draw.random() < 0.6:
        share = draw.uniform(0.5, 1)
        size = [max(32, int(share * n)) for n in picture.size]
        picture = picture.resize(size, draw.choice(FILTERS))
    if draw.random() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(draw.uniform(0.3, 1.2)))
    if draw.random() < 0.3:
        picture = noisy(picture, draw.uniform(1, 10), seed)
    if draw.random() < 0.5:
        picture = coloured(picture, draw)
    return jpeg(picture, draw.randint(50, 95))


VIEWS = {
    "whole": lambda picture, seed: picture,
    "160 pixels": lambda picture, seed: jpeg(
        picture.resize((160, 160), Image.Resampling.LANCZOS), 85),
    "disturbed": disturbed,
}


def pixels(path, view):
    """uint8 (224, 224, 3). What is larger than detect/ has it is brought to that first."""
    name = path.rsplit("/", 1)[-1]
    with Image.open(path) as file:
        picture = file.convert("RGB")
    if max(picture.size) > SIZE:
        picture = normalised(picture, name)
    picture = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    picture = VIEWS[view](picture, zlib.crc32((view + name).encode()))
    return np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
