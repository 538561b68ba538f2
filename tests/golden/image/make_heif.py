#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small HEIC and AVIF files of four coloured quarters, and what is broken of them, in pictures/.

    make_heif.py    with Pillow 13.0.0; heif-enc (libheif 1.15.1, x265 3.5) and avifenc (libavif 0.11.1,
                    libaom 3.6.0) of Debian 12's packages libheif-examples and libavif-bin
"""
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import icc_profiles  # noqa: E402  (lies there)
import make_golden  # noqa: E402

SIZE = (64, 48)
# upper left, upper right, lower left, lower right
QUARTERS = [(200, 40, 40), (40, 180, 60), (50, 60, 190), (220, 210, 80)]


def quarters(alpha=False):
    width, height = SIZE
    image = Image.new("RGBA" if alpha else "RGB", SIZE)
    for i, colour in enumerate(QUARTERS):
        box = (i % 2 * width // 2, i // 2 * height // 2)
        # the last quarter is transparent where there is alpha
        colour = colour + ((0 if i == 3 else 255),) if alpha else colour
        image.paste(colour, (*box, box[0] + width // 2, box[1] + height // 2))
    return image


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def make(work, out):
    plain, clear, told = work / "plain.png", work / "clear.png", work / "told.png"
    quarters().save(plain)
    quarters(alpha=True).save(clear)
    quarters().save(told, icc_profile=icc_profiles.rgb())
    avif = ("avifenc", "--speed", 6, "--min", 4, "--max", 12, "--jobs", 1)
    run(*avif, plain, out / "quarters.avif")
    run(*avif, "--depth", 10, "--yuv", 444, plain, out / "quarters_10.avif")
    run(*avif, "--yuv", 400, plain, out / "quarters_grey.avif")
    run(*avif, clear, out / "quarters_alpha.avif")
    run(*avif, "--premultiply", clear, out / "quarters_premultiplied.avif")
    run(*avif, "--irot", 1, plain, out / "quarters_turned.avif")
    run(*avif, "--imir", 1, plain, out / "quarters_mirrored.avif")
    run(*avif, told, out / "quarters_icc.avif")
    told = work / "origin.xmp"
    told.write_bytes(make_golden.told()[0])
    exif = work / "origin.exif"
    exif.write_bytes(make_golden.told()[1])
    run(*avif, "--xmp", told, "--exif", exif, plain, out / "origin.avif")
    run("heif-enc", "-q", 80, plain, "-o", out / "quarters.heic")
    run("heif-enc", "-q", 80, clear, "-o", out / "quarters_alpha.heic")


def main():
    with tempfile.TemporaryDirectory() as work:
        make(Path(work), HERE / "pictures")


if __name__ == "__main__":
    main()
