#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The file that libitem writes, read by the Python package safetensors.

Usage: check_safetensors.py PROGRAM; exit 77 (skipped) where the package is absent.
"""
import os
import subprocess
import sys
import tempfile

try:
    import safetensors
except ImportError:
    print("skipped: the Python package safetensors is not installed")
    sys.exit(77)

# name: dtype, shape, bytes; as in test_safetensors_write.c
EXPECT = {
    "u8": ("U8", [3], bytes([0, 200, 255])),
    "f64": ("F64", [2], bytes.fromhex("9a9999999999b93f00000000000000c0")),
    'layer.0/weight "q" \u00e9': (
        "F32", [2, 3], bytes.fromhex("0000803f0000004000004040000080400000a0400000d040")),
    "f16": ("F16", [3, 1], bytes.fromhex("003c00c00100")),
    "bf16": ("BF16", [2], bytes.fromhex("803f00c0")),
    "i64": ("I64", [2], bytes.fromhex("0000000000000080ffffffffffffff7f")),
    "scalar": ("I32", [], bytes.fromhex("f9ffffff")),
    "i8": ("I8", [2], bytes.fromhex("807f")),
    "bool": ("BOOL", [2], bytes([1, 0])),
    "empty": ("F32", [0, 5], b""),
}
META = {"form": "difference", "note": "two\nlines \u20ac", "none": ""}


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "written.safetensors")
        subprocess.run([sys.argv[1], path], check=True)
        with open(path, "rb") as file:
            tensors = dict(safetensors.deserialize(file.read()))
        assert set(tensors) == set(EXPECT), sorted(tensors)
        for name, (dtype, shape, data) in EXPECT.items():
            got = tensors[name]
            assert got["dtype"] == dtype, (name, got["dtype"])
            assert got["shape"] == shape, (name, got["shape"])
            assert bytes(got["data"]) == data, name
        with safetensors.safe_open(path, "np") as file:
            assert file.metadata() == META, file.metadata()
            assert file.get_tensor("f64").tolist() == [0.1, -2.0]
    print(f"{len(EXPECT)} tensors agree (safetensors {safetensors.__version__})")


main()
