# SPDX-License-Identifier: Apache-2.0
"""A small PNG writer: every colour type and depth, interlaced or not, all five row filters.

Samples are given as they stand in the file: an array (height, width, channels) of unsigned
integers below 2 ** depth."""
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
# first column, first row, step across, step down of Adam7's passes
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def pack_row(row, depth):
    """Bytes of one row of samples."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filter_row(kind, line, above, step):
    out = bytearray([kind])
    for i, v in enumerate(line):
        a = line[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        guess = [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]
        out.append((v - guess) & 255)
    return bytes(out)


def filtered(samples, depth):
    """Rows of one pass, each with the next of the five filters."""
    if samples.size == 0:
        return b""
    step = max(1, depth * samples.shape[2] // 8)
    above, out = None, b""
    for y, row in enumerate(samples):
        line = pack_row(row, depth)
        out += filter_row(y % 5, line, above or bytes(len(line)), step)
        above = line
    return out


def image_data(samples, depth, interlaced):
    if not interlaced:
        return zlib.compress(filtered(samples, depth), 9)
    passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
    return zlib.compress(b"".join(filtered(p, depth) for p in passes), 9)


def write(samples, colour_type, depth, interlaced=False, before=(), after=()):
    """The file's bytes. `before` and `after`: (kind, data) of chunks around the pixels; the
    palette and its transparency come first among those before."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    out = SIGNATURE + chunk(b"IHDR", header)
    for kind, data in before:
        out += chunk(kind, data)
    data = image_data(samples, depth, interlaced)
    half = len(data) // 2
    out += chunk(b"IDAT", data[:half]) + chunk(b"IDAT", data[half:])
    for kind, data in after:
        out += chunk(kind, data)
    return out + chunk(b"IEND", b"")
