#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer law: who may include whom.

    common <- math, text, image, files <- stage <- core <- train, index      (siblings do not see each other)
    lib/backends/*   <item/...> and their own headers; the engine's headers in C++ files alone
    cli/             <item/*.h>, without item/sys/; cli/conformance/ asks what item/sys/ says
    examples/        <item/...>: some show how a backend is written
    include/item/    <item/...> alone; item/*.h without item/sys/

An include is judged by the file that it means, however it is spelled. Prints each breach, and
exits 1 when there is one.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = {".c", ".h", ".cpp", ".cc", ".hpp", ".inc"}
LOWER = {
    "common": set(),
    "math": {"common"},
    "text": {"common"},
    "image": {"common"},
    "files": {"common"},
    "stage": {"common", "math", "text", "image", "files"},
    "core": {"common", "math", "text", "image", "files", "stage"},
    "train": {"common", "math", "text", "image", "files", "stage", "core"},
    "index": {"common", "math", "text", "image", "files", "stage", "core"},
}
SYS_READERS = {"stage", "core", "train", "index", "examples", "cli/conformance"}
TORCH = ("torch/", "ATen/", "c10/", "caffe2/")


def layer_of(path):
    """Name of the part that a file of the tree belongs to, such as "math" or "backends/dummy"."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "lib" and parts[1] == "backends":
        return "/".join(parts[1:3])
    if parts[:2] == ("cli", "conformance"):
        return "cli/conformance"
    if parts[0] == "lib":
        return parts[1]
    return "item/sys" if parts[:3] == ("include", "item", "sys") else parts[0]


def target(source, bracket, name):
    """The file of the tree that an include means; None for a system header."""
    folders = [ROOT / "lib", ROOT / "include"]
    if bracket == '"':
        folders.insert(0, source.parent)
    for folder in folders:
        path = (folder / name).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            return path
    return None


def breach_of_system(source, layer, name):
    if name.startswith(TORCH) and (layer != "backends/torch" or source.suffix == ".c"):
        return "the engine's headers belong into its C++ file"
    return None


def breach(source, bracket, name):
    """What is wrong with an include; None when it is allowed."""
    layer, path = layer_of(source), target(source, bracket, name)
    if path is None:
        return f'no file "{name}" in the tree' if bracket == '"' else \
            breach_of_system(source, layer, name)
    seen = layer_of(path)
    if seen == layer:
        return None
    if seen == "include":
        return "common sees base.h alone" if layer == "common" and name not in (
            "item/base.h", "item/version.h") else None
    if seen == "item/sys":
        allowed = layer in SYS_READERS or layer.startswith("backends/")
        return None if allowed else f"{layer} may not see item/sys/"
    if layer in LOWER:
        return None if seen in LOWER[layer] else f"{layer} may not see {seen}"
    return f"{layer} sees public headers alone, not {seen}"


def main():
    files = sorted(p for top in ("include", "lib", "cli", "examples")
                   for p in (ROOT / top).rglob("*") if p.suffix in SUFFIXES)
    includes = bad = 0
    for source in files:
        where = source.relative_to(ROOT)
        if where.parts[0] == "lib" and where.parts[1] not in {*LOWER, "backends"}:
            print(f"{where}: lib/{where.parts[1]} is no layer")
            bad += 1
            continue
        text = source.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            includes += 1
            wrong = breach(source, *match.groups())
            if wrong:
                line = text.count("\n", 0, match.start(1)) + 1
                print(f"{where}:{line}: {match.group(0).strip()}: {wrong}")
                bad += 1
    print(f"{len(files)} files, {includes} includes, {bad} against the layers")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
