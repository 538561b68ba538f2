# SPDX-License-Identifier: Apache-2.0
"""Makes square.tsv and square.f32: pictures of noise as OWLv2's own processor squares them.

    pip install transformers==5.24.0 torch==2.13.0 scipy==1.17.1 pillow==13.0.0 numpy==2.4.6
    python3 make_square.py

Each row names seed, width, height, edge, padding and step; of its result every step-th number
(row by row, red, green, blue) lies in square.f32, little-endian floats, row after row."""
import pathlib

import numpy as np
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

from make_golden import noise

HERE = pathlib.Path(__file__).resolve().parent
# Width, height, edge, padding. The reference takes an edge of 4 or less for a number of channels.
CASES = [
    (640, 480, 96, 0.0), (480, 640, 96, 0.0), (97, 97, 96, 0.0), (96, 96, 96, 0.0),
    (31, 17, 96, 0.0), (1, 1, 32, 0.0), (1, 300, 32, 0.0), (300, 1, 32, 0.0), (2, 3, 16, 0.0),
    (1, 20000, 60, 0.0), (20000, 1, 60, 0.0), (500, 333, 5, 0.0), (101, 100, 7, 0.0),
    (64, 48, 24, 0.5), (30, 64, 24, 1.0), (700, 500, 960, 0.0), (1200, 1000, 960, 0.0),
]
NUMBERS = 1500  # of a case, at most


def squared(processor, pixels, edge, pad):
    image = processor.rescale(pixels.transpose(2, 0, 1), 1 / 255)
    image = processor.pad(image, constant_value=pad)
    image = processor.resize(image, {"height": edge, "width": edge})
    return image.transpose(1, 2, 0)


def strip(width, height, edge, pixels):
    """The square of a strip with 20,000 pixels a side takes gigabytes: the same sums, and of the
    padding no more than the filters see."""
    from scipy import ndimage
    side, factor = max(width, height), max(width, height) / edge
    along = pixels.reshape(side, 3).astype(np.float64) / 255
    smooth = ndimage.gaussian_filter(along.astype(np.float32), ((factor - 1) / 2, 0), mode="mirror")
    line = ndimage.zoom(smooth, (1 / factor, 1), order=1, mode="mirror", grid_mode=True)
    across = np.zeros(side, np.float32)
    across[0] = 1
    across = ndimage.gaussian_filter(across, (factor - 1) / 2, mode="mirror")
    across = ndimage.zoom(across, 1 / factor, order=1, mode="mirror", grid_mode=True)
    out = across[None, :, None] * line[:, None, :]
    return out if height > width else out.transpose(1, 0, 2)


def main():
    processor = Owlv2ImageProcessorPil()
    lines, numbers = ["# seed\twidth\theight\tedge\tpadding\tstep"], []
    for seed, (width, height, edge, pad) in enumerate(CASES, 1):
        pixels = noise(seed, width * height * 3).reshape(height, width, 3)
        out = (strip(width, height, edge, pixels) if max(width, height) >= 20000
               else squared(processor, pixels, edge, pad))
        assert out.shape == (edge, edge, 3) and out.dtype == np.float32
        step = -(-out.size // NUMBERS)
        step += step % 3 == 0  # so that all three colours are met
        lines.append(f"{seed}\t{width}\t{height}\t{edge}\t{pad}\t{step}")
        numbers.append(out.reshape(-1)[::step])
    (HERE / "square.tsv").write_text("\n".join(lines) + "\n")
    (HERE / "square.f32").write_bytes(np.concatenate(numbers).astype("<f4").tobytes())


if __name__ == "__main__":
    main()
