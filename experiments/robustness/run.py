# SPDX-License-Identifier: Apache-2.0
"""Disturbances: does a verdict survive what pictures go through?

run.py [--each 150] [--disturbances NAME,...] [--open-dev WHY]

Ten disturbances in two strengths over 300 balanced pictures (chosen.py) of the split train, or with
--open-dev of dev, which is one counted look. The program answers. Each condition is kept, so a run
that was ended goes on. Pictures lie in OUT/work while they are needed.
"""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import chosen  # noqa: E402
import common  # noqa: E402
import dev  # noqa: E402
import disturb  # noqa: E402
import measure  # noqa: E402

PLAIN = ("plain", "")


def keep(path, value):
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    part.replace(path)


def picture_files(rows, condition, folder):
    """The pictures after a disturbance, as PNG: what was done to them is the condition alone."""
    if condition == PLAIN:
        return [row["path"] for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i, row in enumerate(rows):
        path = Path(row["path"])
        files.append(folder / f"{i:04d}.png")
        with Image.open(path) as picture:
            disturb.disturb(picture, path.name, *condition).save(files[-1])
    return files


def ask(args, rows, condition):
    """Answers for one condition; what was answered before is read again."""
    name = "-".join(filter(None, condition))
    said = common.digest_text(common.pack_digest(args.pack), common.version(args), condition,
                              common.digest_files(HERE / "disturb.py"), [r["path"] for r in rows])
    kept = args.out / "work" / f"robustness-{name}-{said[:16]}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    folder = args.out / "work" / f"disturbed-{name}"
    answers = common.answers(args, "check", picture_files(rows, condition, folder), "--batch", "8")
    for file in folder.glob("*.png"):
        file.unlink()
    keep(kept, answers)
    print(name, flush=True)
    return answers


def arrays(answers):
    failed = [a["error"]["message"] for a in answers if "error" in a]
    if failed:
        raise common.Refused(f"{len(failed)} pictures were not answered: {failed[0]}")
    if any(a["score"] is None for a in answers):
        raise common.Refused(f"no verdict: {answers[0]['reason']['text']}")
    return np.array([a["score"] for a in answers]), np.array([a["reason"]["code"] for a in answers])


def head_points(args):
    """Thresholds by name and the point for `real`, of the head; None where it never decides."""
    facts = json.loads(common.call(args, "pack", "show", "--json", args.pack))["head"]["facts"]
    points = {n: facts["thresholds"][n]["score"] for n in measure.RATES}
    if any(p is None for p in points.values()):
        return None
    return points, -np.inf if facts["real_below"] is None else facts["real_below"]


def check_rule(answers, scores, reasons, points, below):
    """The verdicts that are counted must be those of the program."""
    mine = measure.verdicts(scores, reasons, points["fpr1"], below)
    wrong = [a["file"] for a, v in zip(answers, mine) if a["verdict"] != v]
    if wrong:
        raise common.Refused(f"{len(wrong)} verdicts differ from the program's, such as {wrong[0]}")


def fixed_points(args, rows, plain, before):
    """The points that hold throughout, and where they come from."""
    points = head_points(args)
    if points:
        check_rule(plain, *before, *points)
        return *points, "thresholds of the head"
    return *measure.points_of(rows, before[0]), (
        "the head has no thresholds, so `fpr1` and `fpr5` are the points above which 1 % and 5 % of these "
        "photographs lie undisturbed, and the point for `real` that below which 10 % of these AI pictures lie")


def row_of(name, found):
    inside = found["within"]
    part = [name, inside and inside["auc"], inside and inside["difference"]]
    for point in ("fpr1", "fpr5"):
        at = found[point]
        part += [f"{at['false_positives']['count']} of {at['false_positives']['of']}",
                 f"{at['flips']['count']}", at["unsure"]["share"]]
    return part + [found["shift"].get("real"), found["shift"].get("ai"), found["correlation"],
                   found["out_of_scope"]["share"]]


COLUMNS = ["disturbance", "AUC within sources", "difference to undisturbed", "`fpr1`: photographs called `ai`",
           "flips", "`unsure`", "`fpr5`: photographs called `ai`", "flips", "`unsure`",
           "shift of score, photographs", "AI", "correlation of scores", "`out_of_scope`"]


def pictures(args):
    """The rows of this run, and the name of its result."""
    rows = common.load_manifest(args, split="dev" if args.open_dev else "train")
    if args.open_dev:
        rows += dev.open_manifest(args, ["robustness"], args.open_dev)
    chosen_rows = chosen.choose(rows, args.each, seed=7)
    return chosen_rows, "robustness-dev" if args.open_dev else "robustness"


def main():
    args = common.arguments(__doc__, each=150, disturbances=None, open_dev=None)
    rows, name = pictures(args)
    plain = ask(args, rows, PLAIN)
    before = arrays(plain)
    points, below, origin = fixed_points(args, rows, plain, before)
    wanted = args.disturbances.split(",") if args.disturbances else list(disturb.DISTURBANCES)
    result = {"undisturbed": measure.figures(rows, before, before, points, below)}
    for what, strength in disturb.conditions():
        if what in wanted:
            after = arrays(ask(args, rows, (what, strength)))
            result[f"{what}, {strength}"] = measure.figures(rows, before, after, points, below)
    note = (f"{len(rows)} pictures of the split {rows[0]['split']}, half of them AI; AUC over the sources "
            f"that have both labels; the difference is paired. Points: {origin}.")
    tables = {name: common.table(COLUMNS, [row_of(n, f) for n, f in result.items()], note)}
    print(common.write(args, __file__, name, result, tables, "make robustness"))


if __name__ == "__main__":
    main()
