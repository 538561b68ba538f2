#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Photographs what a notebook shows of results: docs/python.png. Needs Chromium and Pillow.

usage: screenshot.py OUT.png PICTURE...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import libitem
from PIL import Image

PAGE = "<body style='font:14px sans-serif;margin:12px'>{}</body>"
WIDTH, COLOURS = 880, 128


def main(out, *pictures):
    with libitem.open() as item:
        results = [item.check(picture) for picture in pictures]
    height = 20 + sum(32 + 480 * min(1, r.height / r.width) for r in results)
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder, "page.html"), Path(folder, "shot.png")
        page.write_text(PAGE.format("<hr>".join(r._repr_html_() for r in results)))
        subprocess.run(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--window-size={WIDTH},{height:.0f}", f"--screenshot={shot}", page.as_uri()],
            check=True, capture_output=True)
        Image.open(shot).convert("RGB").quantize(COLOURS).save(out, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
