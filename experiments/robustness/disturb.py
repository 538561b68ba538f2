# SPDX-License-Identifier: Apache-2.0
"""What pictures go through before somebody checks them: each disturbance in two strengths.

Pillow and NumPy alone. A picture comes in and one goes out; random numbers come of the picture's
name and the disturbance, so a run can be repeated. Those named in KEEP_SIZE keep width and height.
"""
import io
import math
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

SEED = 7
WORDS = "you will not believe what happened next wait for it share this with friends".split()


def random_of(name, label):
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), zlib.crc32(label.encode())])


def saved(picture, quality):
    """Through a JPEG file and back."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def jpeg(picture, _rng, quality):
    return saved(picture, quality)


def resize(picture, _rng, share):
    """Down, then up to where it was."""
    small = tuple(max(1, round(side * share)) for side in picture.size)
    return picture.resize(small, Image.BICUBIC).resize(picture.size, Image.BICUBIC)


def crop(picture, rng, share):
    """A part, as high and wide as `share` of the whole, anywhere."""
    w, h = (max(1, round(side * share)) for side in picture.size)
    x, y = (int(rng.integers(0, a - b + 1)) for a, b in zip(picture.size, (w, h)))
    return picture.crop((x, y, x + w, y + h))


def rotate(picture, rng, degrees):
    """Turned to either side, and cut so that no corner is empty."""
    turn = math.radians(degrees)
    turned = picture.rotate(degrees * int(rng.choice((-1, 1))), Image.BICUBIC)
    w, h = picture.size
    share = 1 / (math.cos(turn) + max(w / h, h / w) * math.sin(turn))
    x, y = math.ceil(w * (1 - share) / 2) + 1, math.ceil(h * (1 - share) / 2) + 1
    return turned.crop((x, y, w - x, h - y))


def blur(picture, _rng, radius):
    return picture.filter(ImageFilter.GaussianBlur(radius))


def noise(picture, rng, deviation):
    a = np.asarray(picture, dtype=np.float64)
    a = a + rng.normal(0, deviation, a.shape)
    return Image.fromarray(np.clip(np.rint(a), 0, 255).astype(np.uint8))


def light(picture, rng, change):
    """Brightness and colour, each up or down."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Color):
        picture = enhance(picture).enhance(1 + change * int(rng.choice((-1, 1))))
    return picture


def frame(picture, rng, share):
    """A screenshot of an app that shows the picture, which takes `share` of the width."""
    w, h = picture.size
    wide, bar = round(w / share), max(8, round(h * 0.1))
    dark = bool(rng.integers(0, 2))
    ground, ink = ((24, 24, 28), (230, 230, 230)) if dark else ((248, 248, 248), (40, 40, 40))
    out = Image.new("RGB", (wide, h + 3 * bar), ground)
    out.paste(picture, ((wide - w) // 2, bar))
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(max(8, bar // 2))
    draw.text((4, bar // 4), "9:41", font=font, fill=ink)
    draw.rectangle((wide - 3 * bar // 2, bar // 3, wide - 6, bar * 2 // 3), outline=ink)
    for i in range(4):
        x = round((i + 0.5) * wide / 4)
        draw.ellipse((x - bar // 3, h + bar * 4 // 3, x + bar // 3, h + 2 * bar), outline=ink, width=2)
    draw.text((4, h + 2 * bar), " ".join(rng.choice(WORDS, 4)), font=font, fill=ink)
    return out


def face(draw, x, y, r):
    """A drawn emoji: fonts that have them are not everywhere."""
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 205, 50), outline=(120, 80, 0), width=max(1, r // 12))
    for side in (-1, 1):
        eye = x + side * r * 0.38
        draw.ellipse((eye - r * 0.12, y - r * 0.4, eye + r * 0.12, y - r * 0.05), fill=(60, 40, 0))
    draw.arc((x - r * 0.6, y - r * 0.4, x + r * 0.6, y + r * 0.65), 20, 160, fill=(60, 40, 0), width=max(1, r // 8))


def overlay(picture, rng, share):
    """A line of text as high as `share` of the picture, and an emoji of twice that."""
    out = picture.copy()
    w, h = out.size
    draw, size = ImageDraw.Draw(out), max(8, round(h * share))
    y = int(rng.choice((round(h * 0.05), h - 2 * size)))
    draw.text((w // 20, y), " ".join(rng.choice(WORDS, 5)), font=ImageFont.load_default(size),
              fill=(255, 255, 255), stroke_width=max(1, size // 12), stroke_fill=(0, 0, 0))
    face(draw, int(rng.integers(size, w - size + 1)), h // 2, size)
    return out


def social(picture, _rng, how):
    """Sent around: reduced, its edges cut to 4:5, and saved as JPEG twice."""
    share, quality = how
    picture = saved(picture.resize(tuple(max(1, round(s * share)) for s in picture.size), Image.LANCZOS), quality)
    w, h = picture.size
    wide = min(w, max(1, round(h * 0.8)))
    x = (w - wide) // 2
    return saved(picture.crop((x, 0, x + wide, h)), quality)


# name: (function, weak, strong)
DISTURBANCES = {
    "jpeg": (jpeg, 60, 25),
    "resize": (resize, 0.6, 0.3),
    "crop": (crop, 0.9, 0.7),
    "rotate": (rotate, 2, 5),
    "blur": (blur, 0.8, 2.0),
    "noise": (noise, 5, 15),
    "light": (light, 0.15, 0.4),
    "frame": (frame, 0.95, 0.6),
    "overlay": (overlay, 0.07, 0.16),
    "social": (social, (0.85, 75), (0.6, 50)),
}
STRENGTHS = ("weak", "strong")
KEEP_SIZE = ("jpeg", "resize", "blur", "noise", "light", "overlay")


def conditions():
    return [(name, strength) for name in DISTURBANCES for strength in STRENGTHS]


def disturb(picture, file_name, name, strength):
    """The picture after one disturbance; the same arguments give the same pixels."""
    function, *values = DISTURBANCES[name]
    rng = random_of(file_name, f"{name}/{strength}")
    return function(picture.convert("RGB"), rng, values[STRENGTHS.index(strength)])
