#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes all.safetensors beside this script: small tensors of every dtype that libitem reads.

Made with Python 3.11 and safetensors 0.8.0; the values are repeated in
tests/unit/files/test_safetensors_write.c.
"""
import ctypes
import os
import struct

import safetensors

HALF = [0.5, -1.0, 2.0, 2.0**-24, 65504.0, 0.0]
REAL = [0.5, -1.0, 2.0, 1e-3, 4.0, 1e30]
WHOLE = [0, -1, 2, 16777216, -16777216, 7]


def bf16(values):
    return b"".join(struct.pack("<f", v)[2:] for v in values)


TENSORS = {
    "f64": ("float64", struct.pack("<6d", *REAL)),
    "f32": ("float32", struct.pack("<6f", *REAL)),
    "f16": ("float16", struct.pack("<6e", *HALF)),
    "bf16": ("bfloat16", bf16([0.5, -1.0, 2.0, 2.0**-100, 3.140625, 0.0])),
    "i64": ("int64", struct.pack("<6q", *WHOLE)),
    "i32": ("int32", struct.pack("<6i", *WHOLE)),
    "i8": ("int8", struct.pack("<6b", 0, -1, 2, 127, -128, 7)),
    "u8": ("uint8", bytes([0, 1, 2, 127, 255, 7])),
    "bool": ("bool", bytes([0, 1, 1, 0, 0, 1])),
}


def main():
    TENSORS["scalar"] = ("float32", struct.pack("<f", 1.5))
    keep, specs = [], {}
    for name, (dtype, raw) in TENSORS.items():
        keep.append(ctypes.create_string_buffer(raw, len(raw)))
        specs[name] = safetensors.TensorSpec(
            dtype=dtype, shape=[] if name == "scalar" else [2, 3],
            data_ptr=ctypes.addressof(keep[-1]), data_len=len(raw))
    meta = {"layout": "difference/both/1", "text": 'caf\u00e9 "quoted"\n'}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "all.safetensors")
    with open(path, "wb") as file:
        file.write(safetensors.serialize(specs, meta))


main()
