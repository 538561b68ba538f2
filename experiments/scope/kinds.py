# SPDX-License-Identifier: Apache-2.0
"""Draws pictures that are neither photographs nor AI pictures: one function a kind, seeds fixed.

Drawn by Pillow and NumPy alone; two kinds (night, filter) change a photograph that is handed in.
"""
import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

WORDS = ("the of and to in picture window report value open save close edit view help table result "
         "number system order light water house garden paper market school river letter music north "
         "table summer winter price total account message answer question people city road mountain "
         "is was for with on by at from this that have more than when which their would about").split()


def font(size):
    return ImageFont.load_default(size)


def sentence(rng, words):
    text = " ".join(rng.choice(WORDS, words))
    return text[:1].upper() + text[1:]


def colour(rng, low=0, high=256):
    return tuple(int(v) for v in rng.integers(low, high, 3))


def size_of(rng, low=360, high=1100):
    return int(rng.integers(low, high)), int(rng.integers(low, high))


# ---- screenshots ----

def window(draw, rng, box, dark):
    """One window: title bar, side list, lines of text, buttons."""
    x0, y0, x1, y1 = box
    ground, ink = ((32, 33, 36), (220, 220, 220)) if dark else ((250, 250, 250), (30, 30, 30))
    accent = colour(rng, 40, 220)
    draw.rectangle(box, fill=ground, outline=(128, 128, 128))
    draw.rectangle((x0, y0, x1, y0 + 26), fill=accent)
    draw.text((x0 + 8, y0 + 4), sentence(rng, 3), font=font(15), fill=(255, 255, 255))
    side = x0 + (x1 - x0) // 4
    for i, y in enumerate(range(y0 + 36, y1 - 18, 24)):
        draw.text((x0 + 8, y), str(rng.choice(WORDS)), font=font(13), fill=ink)
        if i % 4 == 1:
            draw.rectangle((side + 10, y, side + 90, y + 18), fill=accent)
            draw.text((side + 16, y + 2), str(rng.choice(WORDS)), font=font(12), fill=(255, 255, 255))
        else:
            draw.text((side + 10, y), sentence(rng, int(rng.integers(3, 12))), font=font(13), fill=ink)
    draw.line((side, y0 + 27, side, y1), fill=(128, 128, 128))


def screenshot(rng, _photo):
    w, h = size_of(rng, 500, 1300)
    picture = Image.new("RGB", (w, h), colour(rng, 0, 120) if rng.random() < 0.5 else colour(rng, 180, 256))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(1, 4))):
        x0, y0 = int(rng.integers(0, w // 3)), int(rng.integers(0, h // 3))
        window(draw, rng, (x0, y0, x0 + w * 2 // 3, y0 + h * 2 // 3), rng.random() < 0.5)
    draw.rectangle((0, h - 32, w, h), fill=(24, 24, 24))
    for x in range(8, w // 2, 40):
        draw.rectangle((x, h - 27, x + 24, h - 6), fill=colour(rng))
    return picture


# ---- drawings ----

def blob(rng, centre, radius, points=14):
    """A closed wavy outline, as a hand draws it."""
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False)
    reach = radius * rng.uniform(0.75, 1.2, points)
    return [(centre[0] + r * math.cos(a), centre[1] + r * math.sin(a)) for a, r in zip(turn, reach)]


def drawing(rng, _photo):
    """Doodles: outlines and flat fills, with or without paper's grain."""
    w, h = size_of(rng)
    picture = Image.new("RGB", (w * 2, h * 2), colour(rng, 225, 256))
    draw = ImageDraw.Draw(picture)
    filled, pen = rng.random() < 0.6, int(rng.integers(3, 12))
    for _ in range(int(rng.integers(4, 14))):
        centre = rng.uniform(0, 2 * w), rng.uniform(0, 2 * h)
        shape = blob(rng, centre, rng.uniform(40, w * 0.5))
        if filled:
            draw.polygon(shape, fill=colour(rng, 60, 256))
        draw.line(shape + shape[:1], fill=colour(rng, 0, 90), width=pen, joint="curve")
        stroke = np.cumsum(rng.normal(0, w * 0.06, (8, 2)), 0) + centre
        draw.line([tuple(p) for p in stroke], fill=colour(rng, 0, 120), width=pen, joint="curve")
    picture = picture.resize((w, h), Image.LANCZOS)
    return grain(rng, picture, rng.uniform(1, 5)) if rng.random() < 0.5 else picture


def grain(rng, picture, deviation):
    a = np.asarray(picture, dtype=np.float32)
    return to_picture(a + rng.normal(0, deviation, a.shape))


def to_picture(values):
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


# ---- diagrams ----

def chart(draw, rng, w, h):
    """Bars or lines over axes with ticks."""
    left, foot = w // 8, h - h // 8
    draw.line((left, h // 10, left, foot, w - 20, foot), fill=(0, 0, 0), width=2)
    count = int(rng.integers(4, 14))
    step = (w - left - 30) / count
    values = rng.uniform(0.1, 1, (int(rng.integers(1, 4)), count)) * (foot - h // 8)
    bars, inks = rng.random() < 0.5, [colour(rng, 0, 220) for _ in values]
    for i in range(count):
        x = left + 10 + i * step
        draw.text((x, foot + 6), str(i), font=font(13), fill=(0, 0, 0))
        if bars:
            draw.rectangle((x, foot - values[0][i], x + step * 0.7, foot), fill=inks[0])
    for row, ink in zip(values, inks):
        if not bars:
            draw.line([(left + 10 + i * step, foot - v) for i, v in enumerate(row)], fill=ink, width=3)
    draw.text((w // 3, 8), sentence(rng, 4), font=font(18), fill=(0, 0, 0))


def flow(draw, rng, w, h):
    """Boxes with words, joined by arrows."""
    places = [(int(x), int(y)) for x in np.linspace(20, w - 150, 3) for y in np.linspace(30, h - 80, 4)]
    chosen = [places[i] for i in sorted(rng.choice(len(places), int(rng.integers(5, 11)), replace=False))]
    for a, b in zip(chosen, chosen[1:]):
        draw.line((a[0] + 60, a[1] + 20, b[0] + 60, b[1] + 20), fill=(60, 60, 60), width=2)
    for x, y in chosen:
        draw.rounded_rectangle((x, y, x + 125, y + 44), 8, fill=colour(rng, 170, 256), outline=(0, 0, 0), width=2)
        draw.text((x + 8, y + 12), sentence(rng, 2), font=font(14), fill=(0, 0, 0))


def diagram(rng, _photo):
    w, h = size_of(rng, 420, 1000)
    picture = Image.new("RGB", (w, h), (255, 255, 255) if rng.random() < 0.8 else colour(rng, 230, 256))
    (chart if rng.random() < 0.5 else flow)(ImageDraw.Draw(picture), rng, w, h)
    return picture


# ---- scans of text ----

def text(rng, _photo):
    """A printed page: grey paper, uneven light, slightly turned, a little noise."""
    w, h = size_of(rng, 500, 1000)
    paper = int(rng.integers(215, 252))
    picture = Image.new("RGB", (w, h), (paper, paper - 2, paper - int(rng.integers(2, 18))))
    draw, size = ImageDraw.Draw(picture), int(rng.integers(14, 32))
    for y in range(h // 14, h - h // 14, int(size * 1.4)):
        if rng.random() < 0.9:
            draw.text((w // 12, y), sentence(rng, max(2, int(w * 0.8 / (size * 2.9)))), font=font(size), fill=(35, 33, 38))
    picture = picture.rotate(rng.uniform(-2, 2), Image.BICUBIC, fillcolor=(paper, paper, paper))
    light = np.linspace(1, rng.uniform(0.75, 1), w)[None, :, None]
    return grain(rng, to_picture(np.asarray(picture) * light), rng.uniform(1, 6))


# ---- flat colour ----

def flat(rng, _photo):
    """One colour; two or three fields; or a gradient."""
    w, h = size_of(rng)
    a, b = np.array(colour(rng), float), np.array(colour(rng), float)
    how = int(rng.integers(0, 3))
    if how == 0:
        return Image.new("RGB", (w, h), colour(rng))
    if how == 1:
        picture = Image.new("RGB", (w, h), colour(rng))
        ImageDraw.Draw(picture).rectangle((0, int(h * rng.uniform(0.2, 0.8)), w, h), fill=colour(rng))
        return picture
    ramp = np.linspace(0, 1, w)[None, :, None] * np.ones((h, 1, 1))
    ramp = ramp if rng.random() < 0.5 else np.linspace(0, 1, h)[:, None, None] * np.ones((1, w, 1))
    return to_picture(a + (b - a) * ramp)


# ---- noise ----

def noise(rng, _photo):
    """White or coarse, grey or coloured, normal or even; the sum of octaves (clouds)."""
    w, h = size_of(rng, 240, 700)
    channels, how = (1 if rng.random() < 0.4 else 3), int(rng.integers(0, 4))
    if how == 0:
        a = rng.uniform(0, 255, (h, w, channels))
    elif how == 1:
        a = rng.normal(127, rng.uniform(20, 70), (h, w, channels))
    elif how == 2:
        cell = int(rng.integers(2, 7))
        a = np.kron(rng.uniform(0, 255, (h // cell + 1, w // cell + 1, channels)), np.ones((cell, cell, 1)))
    else:
        a = np.where(rng.random((h, w, channels)) < rng.uniform(0.2, 0.5), 255.0, 0.0)
    return to_picture(np.broadcast_to(a, a.shape[:2] + (3,)) if channels == 1 else a)


# ---- photographs, changed ----

def night(rng, photo):
    """Little light, and the noise of a sensor that is turned up."""
    a = (np.asarray(photo, np.float32) / 255) ** 2.2 * rng.uniform(0.01, 0.06)
    a = rng.poisson(a * rng.uniform(300, 1500)) / 1500 if rng.random() < 0.5 else a
    a = np.clip(a + rng.normal(0, rng.uniform(0.001, 0.006), a.shape), 0, 1) ** (1 / 2.2)
    return to_picture(a * 255)


def pixelate(rng, photo):
    cells = int(rng.integers(10, 28))
    return photo.resize((cells, cells), Image.BOX).resize(photo.size, Image.NEAREST)


def invert(_rng, photo):
    return ImageOps.invert(photo)


def posterise(rng, photo):
    return ImageOps.posterize(ImageEnhance.Color(photo).enhance(3), int(rng.integers(1, 3)))


def edges(_rng, photo):
    return photo.filter(ImageFilter.FIND_EDGES)


def emboss(_rng, photo):
    return photo.filter(ImageFilter.EMBOSS)


def solarise(rng, photo):
    return ImageOps.solarize(ImageEnhance.Contrast(photo).enhance(2), int(rng.integers(60, 160)))


def two_tone(rng, photo):
    grey = ImageOps.autocontrast(ImageOps.grayscale(photo)).point(lambda v: 255 * (v > 127))
    return ImageOps.colorize(grey, colour(rng, 0, 120), colour(rng, 130, 256))


def hues(rng, photo):
    h, s, v = photo.convert("HSV").split()
    h = ImageChops.add_modulo(h, Image.new("L", h.size, int(rng.integers(60, 200))))
    return ImageEnhance.Color(Image.merge("HSV", (h, s, v)).convert("RGB")).enhance(4)


FILTERS = (pixelate, invert, posterise, edges, emboss, solarise, two_tone, hues)


def heavy_filter(rng, photo):
    return FILTERS[int(rng.integers(0, len(FILTERS)))](rng, photo)


# ---- kinds that were drawn after the rule was fixed ----

def sheet(rng, _photo):
    """A table of numbers, some cells coloured."""
    w, h = size_of(rng, 420, 1000)
    picture = Image.new("RGB", (w, h), (255, 255, 255))
    draw, high, wide = ImageDraw.Draw(picture), int(rng.integers(20, 34)), int(rng.integers(60, 120))
    for y in range(0, h, high):
        for x in range(0, w, wide):
            fill = colour(rng, 190, 256) if y == 0 or rng.random() < 0.06 else (255, 255, 255)
            draw.rectangle((x, y, x + wide, y + high), fill=fill, outline=(190, 190, 190))
            draw.text((x + 5, y + 4), f"{rng.uniform(0, 999):.1f}", font=font(13), fill=(20, 20, 20))
    return picture


def code(rng, _photo):
    """Squares or bars in black on white, as machines read them."""
    w = int(rng.integers(240, 800))
    cells = int(rng.integers(21, 57))
    shape = (cells, cells) if rng.random() < 0.6 else (1, 3 * cells)
    a = np.pad((rng.random(shape) < 0.5) * 255, ((0, 0), (4, 4)), constant_values=255).astype(np.uint8)
    return Image.fromarray(a).resize((w, w), Image.NEAREST).convert("RGB")


def handwriting(rng, _photo):
    """Joined loops in lines, on white or lined paper, with a camera's noise."""
    w, h = size_of(rng, 420, 900)
    paper = np.array((250, 248, 240)) - int(rng.integers(0, 40))
    picture = Image.new("RGB", (w, h), tuple(int(v) for v in paper))
    draw, gap, ink = ImageDraw.Draw(picture), int(rng.integers(32, 60)), colour(rng, 0, 90)
    for y in range(gap, h - 10, gap):
        draw.line((0, y, w, y), fill=(170, 190, 220), width=1)
        x = np.arange(20, w * rng.uniform(0.5, 0.95), 1.5)
        phase = np.cumsum(rng.uniform(0.1, 0.5, len(x)))
        points = np.stack([x + gap * 0.2 * np.sin(phase), y - gap * 0.25 * (1 + np.cos(phase) * rng.uniform(0.3, 1, len(x)))], 1)
        draw.line([tuple(p) for p in points], fill=ink, width=int(rng.integers(2, 4)))
    return grain(rng, picture, rng.uniform(0.5, 5))


def chart_map(rng, _photo):
    """A map: land, water, roads, names."""
    w, h = size_of(rng)
    picture = Image.new("RGB", (w, h), (242, 239, 230))
    draw = ImageDraw.Draw(picture)
    for fill in ((170, 211, 223), (200, 230, 190), (222, 216, 205)):
        for _ in range(3):
            draw.polygon(blob(rng, (rng.uniform(0, w), rng.uniform(0, h)), rng.uniform(50, w * 0.35)), fill=fill)
    for _ in range(int(rng.integers(8, 25))):
        road = np.cumsum(rng.normal(0, w * 0.12, (7, 2)), 0) + (rng.uniform(0, w), rng.uniform(0, h))
        width = int(rng.integers(3, 9))
        draw.line([tuple(p) for p in road], fill=(190, 180, 160), width=width + 2, joint="curve")
        draw.line([tuple(p) for p in road], fill=colour(rng, 220, 256), width=width, joint="curve")
    for _ in range(int(rng.integers(8, 30))):
        draw.text((rng.uniform(0, w), rng.uniform(0, h)), str(rng.choice(WORDS)), font=font(13), fill=(70, 70, 70))
    return picture


KINDS = {"screenshot": screenshot, "drawing": drawing, "flat": flat, "night": night, "diagram": diagram,
         "text": text, "noise": noise, "filter": heavy_filter, "sheet": sheet, "code": code,
         "handwriting": handwriting, "map": chart_map}
# The rule was chosen on the first four, with the next four in sight; the last four came after it.
TUNED_ON = ("screenshot", "drawing", "flat", "night")
AFTER = ("sheet", "code", "handwriting", "map")


def make(kind, index, photo=None, seed=7):
    """Picture `index` of a kind; the same arguments give the same pixels."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind), index])
    return KINDS[kind](rng, photo)
