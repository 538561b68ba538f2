#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models of published shapes with random weights, made as `make parity` makes them, in its own
Python environment: a pack of BLIP base, OWL-ViT B/32 and CLIP B/32 that finds six objects in one
picture, and CLIP L/14. Prints their places as JSON.

usage: published.py PROGRAM FOLDER
"""
import json
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "parity"), str(ROOT / "tests" / "bench")]
import environment  # noqa: E402


def main():
    program, work = (Path(a).resolve() for a in sys.argv[1:3])
    environment.enter()
    import models
    import pictures
    import six_objects
    args = SimpleNamespace(tiny=False, installed=program, work=work,
                           models=work / models.version() / "models")
    args.models.mkdir(parents=True, exist_ok=True)
    args.pictures = pictures.ensure(work / "bench-pictures", 8, (480, 360))
    pack = six_objects.ensure(args) / "pack"
    large = models.ensure(args.models, "clip-l14")
    print(json.dumps({"pack": str(pack), "clip-l14": str(large), "picture": str(args.pictures[0])}))


if __name__ == "__main__":
    main()
