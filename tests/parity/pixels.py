#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pixels after preprocessing, against transformers' own processors of the kind `...Pil`.

    pixels.py PROGRAM [--count N] [--pictures FOLDER]

PROGRAM is parity-pixels of a build. Pictures are made of waves and noise, of all shapes, and are
joined by those of a folder; both sides get the same decoded pixels. Bytes before normalisation must
be equal, numbers after it within 1e-6; OWLv2, which scales in floats, within 1e-4. Prints a line a
processor and exits with 1 where a bound is broken.

Needs transformers (5.24.0), torch, scipy, Pillow (13: older ones resize tall pictures in another
order) and NumPy.
"""
import argparse
import json
import logging
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageOps

SQUARE = {"height": 224, "width": 224}
BYTES = {"do_rescale": False, "do_normalize": False}
# name, processor, its settings, and how the engine calls the same
CASES = [
    ("CLIP, 224", "clip", {}, "crop", 224),
    ("CLIP, 336", "clip", {"size": 336, "crop_size": 336}, "crop", 336),
    ("CLIP, crop larger than size", "clip",
     {"size": {"shortest_edge": 60}, "crop_size": {"height": 97, "width": 97}}, "crop", 97),
    ("CLIP, bilinear", "clip", {"resample": 2}, "crop", 224),
    ("Chinese-CLIP, 224", "chinese_clip", {"size": SQUARE, "do_center_crop": False}, "squash", 224),
    ("BLIP, 384", "blip", {}, "squash", 384),
    ("OWL-ViT, 768", "owlvit", {}, "squash", 768),
    ("OWL-ViT, 96, other mean", "owlvit",
     {"size": {"height": 96, "width": 96}, "image_mean": [0.5, 0.4, 0.3],
      "image_std": [0.5, 0.25, 0.125]}, "squash", 96),
    ("OWLv2, 960", "owlv2", {}, "square", 960),
    ("OWLv2, 96", "owlv2", {"size": {"height": 96, "width": 96}}, "square", 96),
]
# For OWLv2 a square of the longer side is made by the reference: 20,000 would be gigabytes.
SHAPES = [(1, 1), (1, 2), (2, 1), (3, 3), (1, 900), (900, 1), (2, 1300), (1300, 2), (224, 224),
          (223, 225), (224, 300), (300, 224), (384, 384), (768, 768), (960, 960), (961, 959),
          (640, 480), (480, 640), (1600, 1200), (1000, 10), (10, 1000), (2400, 1800)]
LONG = [(1, 20000), (20000, 1)]  # with a size that the reference has memory for


def processor(name, settings):
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.chinese_clip.image_processing_pil_chinese_clip import (
        ChineseCLIPImageProcessorPil)
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil
    known = {"clip": CLIPImageProcessorPil, "blip": BlipImageProcessorPil,
             "owlvit": OwlViTImageProcessorPil, "owlv2": Owlv2ImageProcessorPil,
             "chinese_clip": ChineseCLIPImageProcessorPil}
    return known[name](**settings)


def made(index, width, height):
    rng = np.random.default_rng(index)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [127 + 120 * np.sin(x / rng.uniform(1, 60) + c) * np.cos(y / rng.uniform(1, 60))
             for c in range(3)]
    rough = rng.integers(-40, 41, (height, width, 3)) * (index % 3)
    return np.clip(np.dstack(waves) + rough, 0, 255).astype(np.uint8)


def pictures(count, folder):
    """Decoded pictures, (width, height) of all kinds."""
    rng = np.random.default_rng(0)
    files = sorted(folder.glob("*.jpg"))[:count // 4] if folder else []
    shapes = SHAPES[:count]
    while len(shapes) + len(files) < count:
        shapes.append(tuple(int(v) for v in np.exp(rng.uniform(0, np.log(1500), 2)) + 1))
    for index, (width, height) in enumerate(shapes):
        yield made(index, width, height)
    for file in files:
        yield np.asarray(ImageOps.exif_transpose(Image.open(file)).convert("RGB"))


def ours(program, kind, settings, edge, pixels):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(settings, file)
        file.flush()
        data = struct.pack("<2I", pixels.shape[1], pixels.shape[0]) + pixels.tobytes()
        out = subprocess.run([program, kind, file.name, str(edge)], input=data, check=True,
                             stdout=subprocess.PIPE).stdout
    return np.frombuffer(out, "<f4").reshape(3, edge, edge)


def theirs(reference, pixels):
    return reference(images=Image.fromarray(pixels))["pixel_values"][0]


class Row:
    """Worst difference of one processor."""

    def __init__(self, program, case):
        self.name, family, self.settings, self.kind, self.edge = case
        self.program, self.pictures = program, 0
        self.exact = self.kind != "square"
        self.bound = 1e-6 if self.exact else 1e-4
        self.plain = processor(family, {**self.settings, **BYTES})
        self.whole = processor(family, self.settings)
        self.levels = self.worst = 0.0

    def compare(self, pixels):
        self.pictures += 1
        if self.exact:
            mine = ours(self.program, self.kind, {**self.settings, **BYTES}, self.edge, pixels)
            self.levels = max(self.levels, np.abs(mine - theirs(self.plain, pixels)).max())
        mine = ours(self.program, self.kind, self.settings, self.edge, pixels)
        self.worst = max(self.worst, np.abs(mine - theirs(self.whole, pixels)).max())

    def good(self):
        return self.levels == 0 and self.worst <= self.bound

    def __str__(self):
        levels = f"{self.levels:.0f}" if self.exact else "-"
        return (f"{self.name:<30} {self.pictures:>8} {levels:>12} {self.worst:>10.2g} "
                f"{self.bound:>8.0e}  {'ok' if self.good() else 'BROKEN'}")


def long_ones(program):
    """A strip of 20,000 pixels; the size is such that its whole result fits into memory."""
    row = Row(program, ("CLIP, 8, strips of 20,000", "clip",
                        {"size": {"shortest_edge": 8}, "crop_size": 8}, "crop", 8))
    for index, (width, height) in enumerate(LONG):
        row.compare(made(index + 1, width, height))
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--pictures", type=pathlib.Path)
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # the reference wonders whether 1 x 1 pixels are channels
    rows = [Row(args.program, case) for case in CASES]
    for pixels in pictures(args.count, args.pictures):
        for row in rows:
            row.compare(pixels)
    rows.append(long_ones(args.program))
    print(f"{'processor':<30} {'pictures':>8} {'grey levels':>12} {'worst':>10} {'bound':>8}")
    for row in rows:
        print(row)
    return 0 if all(row.good() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
