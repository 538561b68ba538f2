#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares libitem's tokenizers with the reference, transformers: ids of 20,000 strings and of
every code point between two letters, for CLIP and BERT, from the separate files and from
tokenizer.json, with the settings that published folders have; and texts made of ids (BERT).

    python3 tests/parity/tokens.py --driver BUILD/tests/unit/core/token-driver FOLDER
        FOLDER is for what is made on the way. Needs what requirements.txt names, but no torch.
"""
import argparse
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "golden" / "text"))
import folders  # noqa: E402  (lies there)
import token_settings  # noqa: E402  (beside this file, as vocab is)
import vocab  # noqa: E402
from token_texts import texts  # noqa: E402  (likewise)


CODE_POINTS = ["a" + chr(c) + "b" for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]


def ours(driver, folder, given, limit):
    data = b"".join(t.encode() + b"\0" for t in given)
    out = subprocess.run([driver, "encode", folder, str(limit)], input=data, check=True,
                         stdout=subprocess.PIPE).stdout.decode().split("\n")[:-1]
    return [[int(i) for i in line.split()] for line in out]


def theirs(reference, given, limit):
    ids = []
    for start in range(0, len(given), 50000):
        ids += reference(given[start:start + 50000], truncation=True, max_length=limit)["input_ids"]
    return ids


def compare(what, given, a, b):
    wrong = [i for i in range(len(given)) if i >= len(a) or a[i] != b[i]]
    print(f"{what}: {len(given) - len(wrong)} of {len(given)} equal", flush=True)
    for i in wrong[:5]:
        print(f"  {given[i]!r}\n    reference {b[i]}\n    libitem   {a[i] if i < len(a) else None}")
    return len(wrong)


def compare_decoded(driver, folder, reference, count):
    """Texts of random ids, some of which are no piece, and of ids of texts."""
    rng = random.Random(3)
    rows = [[rng.randrange(len(reference) + 5) for _ in range(rng.randint(0, 20))]
            for _ in range(count)]
    marks = [reference.convert_tokens_to_ids(t) for t in "' . , ! ? s t re m ##s n ##n".split()]
    rows += [[rng.choice(marks + [rng.randrange(len(reference))]) for _ in range(12)]
             for _ in range(count)]
    data = "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
    out = subprocess.run([driver, "decode", folder], input=data, check=True,
                         stdout=subprocess.PIPE).stdout.decode().split("\n")[:-1]
    a = [bytes.fromhex(line).decode() for line in out]
    return compare(f"{folder.name}, texts of ids", rows, a,
                   [reference.decode(row, skip_special_tokens=True) for row in rows])


def check(driver, folder, count, every_point):
    reference = folders.reference(folder)
    wrong = 0
    given = texts(count, reference)
    size = int(subprocess.check_output([driver, "size", folder]))
    if size != len(reference):
        print(f"{folder.name}: {len(reference)} ids in the reference, {size} here")
        wrong += 1
    for limit in ([16, 77, 512, 100000] if every_point else [77]):
        part = given if limit in (77, 512) else given[:count // 4]
        wrong += compare(f"{folder.name}, strings, at most {limit} ids", part,
                         ours(driver, folder, part, limit), theirs(reference, part, limit))
    if every_point:
        points = CODE_POINTS
        wrong += compare(f"{folder.name}, code points", points, ours(driver, folder, points, 77),
                         theirs(reference, points, 77))
    if folder.name.startswith("bert"):
        wrong += compare_decoded(driver, folder, reference, 5000)
    return wrong


def compare_settings(driver, root, count):
    """Small vocabularies with settings that are drawn at random."""
    stored = ROOT / "tests" / "golden" / "text" / "published"
    bases = [stored / name for name in (*folders.FULL, "clip-published-json")]
    rng, wrong, texts_of_all = random.Random(7), 0, 0
    for i in range(count):
        base, folder = rng.choice(bases), root / "drawn"
        token_settings.draw(rng, base, folder)
        reference = folders.reference(base, folder)
        given = [t for t in texts(400, reference, i) if len(t) < 2000]
        a, b = ours(driver, folder, given, 77), theirs(reference, given, 77)
        texts_of_all += len(given)
        if a != b or int(subprocess.check_output([driver, "size", folder])) != len(reference):
            wrong += 1 + compare(f"settings {i} on {base.name}", given, a, b)
    print(f"{count} folders with settings drawn at random, {texts_of_all} strings: {wrong} differences")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--driver", default=ROOT / "build/release/tests/unit/core/token-driver")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--only", help="folders whose name begins so")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    import tokenizers
    import transformers
    transformers.logging.set_verbosity_error()
    print(f"reference: transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    made = folders.make(args.folder, len(vocab.clip()[1]), vocab.bert())
    wrong, start = 0, time.time()
    for folder in made:
        if folder.name.startswith(args.only or ""):
            full = folder.name in folders.FULL
            wrong += check(args.driver, folder, args.count if full else args.count // 10, full)
    if not args.only:
        wrong += compare_settings(args.driver, args.folder, args.count // 200)
    print(f"{wrong} differences, {time.time() - start:.0f} s")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
