# SPDX-License-Identifier: Apache-2.0
"""The rows of the table of `make parity`: which models, which cases, how they are judged."""
import math
from dataclasses import dataclass, field

import compare
import models
import pictures
import words
from reference import Reference

CHUNK = 25           # pictures whose answers are kept together
PROMPT = "a picture of"
MODES = [(1, None), (1, PROMPT), (3, None), (3, PROMPT)]
QUERY_COUNTS = [1, 2, 3, 5, 6, 8, 10, 12, 15, 20]
BF16_COSINE = 0.998  # against the reference in bf16
OWN_COSINE = 0.999   # against our fp32
# families that are asked and judged as another one is
KINDS = {"owlvit": "owl", "owlv2": "owl", "chinese_clip": "clip"}


@dataclass
class Row:
    name: str
    family: str
    models: list
    pictures: int
    texts: int = 0
    full: bool = False
    precision: str = "fp32"


@dataclass
class Tally:
    """What a row found."""
    cases: int = 0
    left_out: int = 0
    worst: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)

    def note(self, what, value, better=max):
        self.worst[what] = better(self.worst.get(what, value), value)

    def fault(self, where, why):
        if why:
            self.faults.append(f"{where}: {why}")


def table():
    tiny = ["tiny-" + name for name in ("clip", "clip-legacy", "clip-gelu", "clip-open",
                                        "clip-half")]
    rows = [
        Row("CLIP vectors", "clip", tiny, 100, 200),
        Row("BLIP captions", "blip", ["tiny-blip", "tiny-blip-sparse"], 100),
        Row("BLIP, trained", "blip", ["tiny-blip-words"], 30),
        Row("OWL-ViT", "owl", ["tiny-owlvit", "tiny-owlvit-bin"], 100),
        Row("OWLv2", "owl", ["tiny-owlv2"], 100),
        Row("Chinese-CLIP vectors", "clip", ["tiny-chinese-clip", "tiny-chinese-clip-sparse"],
            100, 200),
    ]
    for name, spec in models.FULL.items():
        family = KINDS.get(spec.family, spec.family)
        rows.append(Row(name, family, [name], 10, 20 if family == "clip" else 0, True))
    return rows + [Row(row.name + ", bf16", row.family, row.models, row.pictures, row.texts,
                       row.full, "bf16") for row in rows if row.family != "owl"]


# ---- cases: what is asked in one go ----

def chunks(row):
    """Numbers of pictures, some at a time."""
    return [range(i, min(i + CHUNK, row.pictures)) for i in range(0, row.pictures, CHUNK)]


def cases(row):
    """(name, question) of a row's cases for one of its models."""
    if row.family == "clip":
        out = [(f"texts-{row.texts}", {"texts": row.texts})]
        return out + [(f"pictures-{c.start}-{c.stop}", {"pictures": c}) for c in chunks(row)]
    if row.family == "blip":
        modes = MODES if "words" not in row.models[0] else MODES[::2]
        return [(f"beams-{beams}-{'prompt' if prompt else 'plain'}-{c.start}-{c.stop}",
                 {"pictures": c, "beams": beams, "prompt": prompt})
                for c in chunks(row) for beams, prompt in modes]
    counts = QUERY_COUNTS if not row.full else [6]
    size = row.pictures // len(counts)
    return [(f"queries-{n}", {"pictures": range(i * size, (i + 1) * size),
                              "queries": pictures.QUERIES[:n]}) for i, n in enumerate(counts)]


def files_of(question, work, model):
    if "pictures" not in question:
        return []
    if "words" in model:
        return [work / "pictures" / f"scene_{i:02}.png" for i in question["pictures"]]
    return [work / "pictures" / f"{i:03}.png" for i in question["pictures"]]


def length_of(question):
    """Both sides' default without a prompt."""
    return 20 if question["prompt"] else None


def ask_reference(reference, row, question, files):
    if row.family == "clip":
        if "texts" in question:
            return [reference.embed_text(t) for t in pictures.texts(question["texts"])]
        return [reference.embed_picture(f) for f in files]
    if row.family == "blip":
        return [reference.caption(f, question["beams"], question["prompt"],
                                  length_of(question)) | {
            "end": reference.end} for f in files]
    return [reference.objects(f, question["queries"]) for f in files]


def thresholds(found):
    """Three for the pictures of a case: one with few boxes, one with half of them, one with
    nearly all; each in a gap between scores, so that rounding moves none across."""
    scores = sorted({o["score"] for objects in found for o in objects})
    out = []
    for share in (0.996, 0.5, 0.04):
        at = int(share * (len(scores) - 1))
        near = range(max(0, at - 20), min(len(scores) - 1, at + 20))
        best = max(near, key=lambda i: scores[i + 1] - scores[i])
        out.append(round((scores[best] + scores[best + 1]) / 2, 6))
    return out


def ask_item(program, row, question, files, wanted):
    if row.family == "clip":
        if "texts" in question:
            return program.embed(pictures.texts(question["texts"]), [])
        return program.embed([], files)
    if row.family == "blip":
        return program.caption(files, question["beams"], question["prompt"],
                               length_of(question))
    return [program.detect(files, question["queries"], t) for t in thresholds(wanted)]


# ---- judges ----

def judge_vectors(tally, where, got, wanted, least):
    for i, (mine, theirs) in enumerate(zip(got, wanted, strict=True)):
        if least is None:
            worst, why = compare.vector(mine, theirs)
            tally.note("component", worst)
        else:
            cosine = sum(a * b for a, b in zip(mine, theirs))
            cosine /= math.hypot(*mine) * math.hypot(*theirs)
            why = None if cosine >= least else f"cosine {cosine:.5f}"
            tally.note(f"cosine >= {least}", cosine, min)
        tally.cases += 1
        tally.fault(f"{where} {i}", why)


def judge_captions(tally, where, question, got, wanted):
    for i, (mine, theirs) in enumerate(zip(got, wanted, strict=True)):
        result, why = compare.caption(mine, theirs, question["beams"], theirs["end"])
        tally.cases += 1
        tally.left_out += result == "left out"
        tally.fault(f"{where} {i}", result == "differs" and why)


def judge_objects(tally, where, question, got, wanted):
    for least, answers in zip(thresholds(wanted), got, strict=True):
        for i, (mine, theirs) in enumerate(zip(answers, wanted, strict=True)):
            kept = [o | {"query": question["queries"][o["query"]]} for o in theirs
                    if o["score"] > least]
            corner, score, why = compare.objects(mine, kept)
            tally.cases += 1
            tally.note("pixels", corner)
            tally.note("score", score)
            tally.note("boxes", len(kept))
            tally.fault(f"{where} {i} above {least}", why)


def judge(tally, row, where, question, got, wanted, own):
    """`own` is our answer in fp32, where the row is of another precision."""
    if row.family == "clip":
        judge_vectors(tally, where, got, wanted, None if own is None else BF16_COSINE)
        if own is not None:
            judge_vectors(tally, where + " to fp32", got, own, OWN_COSINE)
    elif row.family == "owl":
        judge_objects(tally, where, question, got, wanted)
    elif own is None:
        judge_captions(tally, where, question, got, wanted)
    else:
        same = [compare.said(a["tokens"], w["end"]) == compare.said(b["tokens"], w["end"])
                for a, b, w in zip(got, own, wanted, strict=True)]
        tally.cases += len(same)
        tally.worst["equal"] = tally.worst.get("equal", 0) + sum(same)


# ---- models ----

def model_folder(work, name):
    if "words" in name:
        words.ensure(work / "models" / name, work / "pictures")
        return work / "models" / name
    return models.ensure(work / "models", name)


def open_reference(work, name, dtype):
    spec = models.all_models().get(name)
    return Reference(model_folder(work, name), spec.family if spec else "blip", spec, dtype)
