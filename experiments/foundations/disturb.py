# SPDX-License-Identifier: Apache-2.0
"""Photographs of coco_boxes, and the same with one object swapped, warped or blurred."""
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

SHORT = 224          # pictures are brought to this short side first, as the small pack works
SMALLEST = 24        # pixels of an object's sides there
MOST = 6             # objects of a picture, largest first
KINDS = ("swapped", "warped", "blurred")


def class_names(folder):
    """Of classes.yaml: a list, or a mapping of number to name."""
    names = {}
    for line in (folder / "classes.yaml").read_text().splitlines():
        key, _, value = line.strip().partition(":")
        if key.isdigit():
            names[int(key)] = value.strip().strip('\'"')
        elif line.strip().startswith("- "):
            names[len(names)] = line.strip()[2:].strip('\'"')
    return [names[i] for i in range(len(names))]


def read(path):
    """(pixels, [(box, class)]) at the short side SHORT, small objects left out, largest first."""
    with Image.open(path) as file:
        picture = file.convert("RGB")
    share = SHORT / min(picture.size)
    picture = picture.resize([max(1, round(n * share)) for n in picture.size], Image.Resampling.BICUBIC)
    w, h = picture.size
    objects = []
    for line in Path(path).with_suffix(".txt").read_text().splitlines():
        number, x, y, bw, bh = line.split()
        x, y, bw, bh = float(x) * w, float(y) * h, float(bw) * w, float(bh) * h
        box = [max(x - bw / 2, 0), max(y - bh / 2, 0), min(x + bw / 2, w), min(y + bh / 2, h)]
        if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST:
            objects.append((box, int(number)))
    objects.sort(key=lambda o: -(o[0][2] - o[0][0]) * (o[0][3] - o[0][1]))
    return np.asarray(picture), objects[:MOST]


def chosen(pixels, objects):
    """The largest object that fills at most half of the picture; None: there is none."""
    h, w, _ = pixels.shape
    for i, (box, _) in enumerate(objects):
        if (box[2] - box[0]) * (box[3] - box[1]) <= w * h / 2:
            return i
    return None


def whole_numbers(box):
    return [int(round(v)) for v in box]


def soft_mask(shape, feather=3):
    """1 inside, falling to 0 at the edge: no seam tells where something was done."""
    mask = np.zeros(shape)
    mask[feather:-feather, feather:-feather] = 1
    return ndimage.gaussian_filter(mask, feather / 2)[..., None]


def warped(part, random):
    """Waves of a sixth of the side."""
    h, w, _ = part.shape
    y, x = np.mgrid[:h, :w].astype(float)
    phase = random.uniform(0, 2 * np.pi, 2)
    at = [y + h / 12 * np.sin(2 * np.pi * x / w * 2 + phase[0]), x + w / 12 * np.sin(2 * np.pi * y / h * 2 + phase[1])]
    return np.stack([ndimage.map_coordinates(part[..., c].astype(float), at, order=1, mode="nearest")
                     for c in range(3)], -1)


def blurred(part):
    return ndimage.gaussian_filter(part.astype(float), (min(part.shape[:2]) / 12,) * 2 + (0,))


def donor_for(number, pool, random):
    """An object of another class, from another picture."""
    others = [entry for entry in pool if entry[1] != number]
    return others[random.integers(len(others))][0]


def disturb(kind, name, pixels, objects, which, pool):
    """The picture with object `which` disturbed; the same draw for the same name."""
    random = np.random.default_rng(int(hashlib.sha256(f"{kind} {name}".encode()).hexdigest()[:12], 16))
    box, number = objects[which]
    x0, y0, x1, y1 = whole_numbers(box)
    part = pixels[y0:y1, x0:x1]
    if kind == "swapped":
        donor = Image.fromarray(donor_for(number, pool, random))
        new = np.asarray(donor.resize((part.shape[1], part.shape[0]), Image.Resampling.BICUBIC), float)
    else:
        new = warped(part, random) if kind == "warped" else blurred(part)
    mask = soft_mask(part.shape[:2])
    out = pixels.copy()
    out[y0:y1, x0:x1] = np.clip(np.round(mask * new + (1 - mask) * part), 0, 255).astype(np.uint8)
    return out


def photographs(data):
    """[(name, pixels, objects, which)] of both folders, in order."""
    out = []
    for labels in sorted((data / "coco_boxes").glob("*2017/*.txt")):
        pixels, objects = read(labels.with_suffix(".jpg"))
        which = chosen(pixels, objects)
        if which is not None:
            out.append((labels.stem, pixels, objects, which))
    return out


def donors(pictures):
    """(pixels, class) of every chosen object."""
    out = []
    for _, pixels, objects, which in pictures:
        x0, y0, x1, y1 = whole_numbers(objects[which][0])
        out.append((pixels[y0:y1, x0:x1], objects[which][1]))
    return out
