# SPDX-License-Identifier: Apache-2.0
"""Writes lib/text/chunker.bin, the file that lib/text/tagger.c reads."""
import struct

import numpy as np

from lexicon import fnv32

LARGEST = 32767


def pack(labels, lexicon, steps, weights):
    """labels: "B-NN"...; steps: int16 (labels + 2, labels); weights: int8 (buckets, labels)."""
    table = {}
    for word, value in sorted(lexicon.items()):
        table.setdefault(fnv32(word), value)
    hashes = np.array(sorted(table), dtype="<u4")
    classes = np.array([table[h] for h in hashes.tolist()], dtype=np.uint8)
    head = b"ITEMTAG1" + struct.pack("<III", len(labels), len(weights), len(hashes))
    names = b"".join(name.encode().ljust(8, b"\0") for name in labels)
    return (head + names + hashes.tobytes() + classes.tobytes()
            + np.clip(steps, -LARGEST, LARGEST).astype("<i2").tobytes()
            + weights.astype(np.int8).tobytes())
