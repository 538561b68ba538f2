#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disturbances, drawn pictures, the choice of pictures, and the rule that counts verdicts. Skipped
(77) where numpy, scipy, scikit-learn or Pillow are not there; tools/experiments.sh installs them."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "experiments" / n) for n in ("robustness", "scope", "attacks", "")]
try:
    import numpy as np
    from PIL import Image
    import chosen
    import disturb
    import kinds
    import measure
    import words
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def picture(w=224, h=200, seed=1):
    a = np.random.default_rng(seed).integers(0, 256, (h // 8, w // 8, 3)).astype(np.uint8)
    return Image.fromarray(a).resize((w, h), Image.BICUBIC)


def pixels(some):
    return np.asarray(some, dtype=int)


def disturbances_can_be_repeated():
    plain = picture()
    for name, strength in disturb.conditions():
        one, two = (disturb.disturb(plain, "a.jpg", name, strength) for _ in range(2))
        assert one.mode == "RGB" and np.array_equal(pixels(one), pixels(two)), name
        assert (one.size == plain.size) == (name in disturb.KEEP_SIZE), (name, one.size)
        if one.size == plain.size:
            assert not np.array_equal(pixels(one), pixels(plain)), name
    noise = [pixels(disturb.disturb(plain, n, "noise", "weak")) for n in ("a.jpg", "b.jpg")]
    assert not np.array_equal(*noise)  # another picture, other noise


def strong_is_stronger():
    plain = picture()
    for name in ("jpeg", "resize", "blur", "noise", "light"):
        away = [np.abs(pixels(disturb.disturb(plain, "a.jpg", name, s)) - pixels(plain)).mean()
                for s in disturb.STRENGTHS]
        assert away[0] < away[1], (name, away)


def turned_pictures_have_no_corners():
    white = Image.new("RGB", (224, 160), (255, 255, 255))
    for strength in disturb.STRENGTHS:
        assert pixels(disturb.disturb(white, "a.jpg", "rotate", strength)).min() > 250


def kinds_can_be_repeated():
    assert set(kinds.TUNED_ON) | set(kinds.AFTER) < set(kinds.KINDS)
    for kind in kinds.KINDS:
        one, two, other = (pixels(kinds.make(kind, i, picture())) for i in (3, 3, 4))
        assert np.array_equal(one, two), kind
        assert one.shape != other.shape or not np.array_equal(one, other), kind
    night = kinds.make("night", 1, picture())
    assert pixels(night).mean() < 0.5 * pixels(picture()).mean()


def rows(**counts):
    """source_label=number, of files that are there."""
    return [{"path": f"{__file__}", "label": name.split("_")[1], "source": name.split("_")[0], "n": i}
            for name, number in counts.items() for i in range(number)]


def choice_is_balanced():
    some = rows(a_ai=4, a_real=9, b_ai=50, b_real=50, c_ai=50, d_real=50)
    found = chosen.choose(some, 40, seed=1)
    count = {(s, l): sum(r["source"] == s and r["label"] == l for r in found) for s in "abcd"
             for l in ("ai", "real")}
    assert count["a", "ai"] == count["a", "real"] == 4
    assert count["b", "ai"] == count["b", "real"] == 36 and len(found) == 80
    assert found == chosen.choose(some[::-1][::-1], 40, seed=1)
    found = chosen.choose(rows(a_ai=2, a_real=2, c_ai=9, d_real=9), 8, seed=1)
    assert sum(r["source"] == "c" for r in found) == sum(r["source"] == "d" for r in found) == 6
    for few, part in ((rows(a_ai=3, a_real=3), "3 pictures of label ai"),
                      ([dict(r, path="/nothing/here") for r in some], "is not there")):
        try:
            chosen.choose(few, 10, seed=1)
            raise AssertionError("was not refused")
        except ValueError as why:
            assert part in str(why), why


def verdicts_follow_the_library():
    scores = np.array([2.0, 1.0, 0.0, -2.0, 5.0])
    reasons = np.array(["above_threshold"] * 4 + ["out_of_scope"])
    assert list(measure.verdicts(scores, reasons, 1.0, -1.0)) == ["ai", "ai", "unsure", "real", "unsure"]
    assert list(measure.verdicts(scores, reasons, -3.0, -1.0)) == ["ai"] * 4 + ["unsure"]
    a, b = np.array(["ai", "real", "ai", "unsure"]), np.array(["real", "ai", "unsure", "ai"])
    assert list(measure.flips(a, b)) == [True, True, False, False]
    of_299 = measure.share(0, 299)
    assert of_299["interval"][0] == 0 and abs(of_299["interval"][1] - 0.01226) < 1e-4, of_299


def points_are_those_of_a_calibration():
    some = rows(a_real=100, a_ai=10)
    points, below = measure.points_of(some, np.concatenate([np.arange(100.0), np.arange(10.0)]))
    assert (np.arange(100.0) >= points["fpr5"]).sum() == 5 and (np.arange(100.0) >= points["fpr1"]).sum() == 1
    assert (np.arange(10.0) < below).sum() == 1


def captions_are_disturbed():
    answers = [{"caption": c} for c in ("two dogs run on a beach", "a man in a red shirt rides a bike")]
    for kind in [*words.CHANGED, "of another picture", *words.SAME]:
        one = words.captions(kind, answers)
        assert one == words.captions(kind, answers) and len(one) == 2 and all(one), kind
    assert words.captions("of another picture", answers)[0] == answers[1]["caption"]
    assert sorted(words.captions("words swapped", answers)[0]) == sorted(answers[0]["caption"])


def main():
    tests = (disturbances_can_be_repeated, strong_is_stronger, turned_pictures_have_no_corners,
             kinds_can_be_repeated, choice_is_balanced, verdicts_follow_the_library,
             points_are_those_of_a_calibration, captions_are_disturbed)
    for test in tests:
        test()
    print(f"{len(tests)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
