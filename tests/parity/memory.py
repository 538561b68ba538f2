#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory of the full-size models in fp32 and bf16, by the kernel's account, as a table.

usage: memory.py PROGRAM [--work FOLDER] [NAME...]

PROGRAM is build/release/tests/memory/memory, which tells what is measured and what the bounds are.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path

import environment

NAMES = ["clip-b32", "clip-l14", "blip-base", "blip-large", "owlvit-b32", "owlv2-b16",
         "chinese-clip-b16"]


def main():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("program", type=Path)
    parse.add_argument("--work", type=Path, default=environment.ROOT / "build/parity-memory")
    parse.add_argument("names", nargs="*", default=NAMES)
    args = parse.parse_args()
    environment.enter()
    import rows
    folders = [rows.model_folder(args.work, name) for name in args.names]
    engine = args.program.resolve().parents[2] / "lib/backends/torch/libitem-torch.so"
    return subprocess.run([args.program, *folders],
                          env=os.environ | {"ITEM_ENGINE_PATH": str(engine)}).returncode


if __name__ == "__main__":
    sys.exit(main())
