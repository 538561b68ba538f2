#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What recipes/measure/same.py calls a broken promise, on answers made up here."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "recipes" / "measure"))
import same  # noqa: E402  (beside the other tables)


def answer(score, **more):
    objects = [{"phrase": "a dog", "box": [10.0, 10.0, 50.0, 40.0]}]
    verdict = "ai" if score >= 0.5 else "unsure"
    return {"caption": "a dog", "caption_margin": 0.2, "objects": objects, "score": score,
            "probability": 0.5 + score / 4, "verdict": verdict, "fingerprint": "f",
            "precision": "fp32", "threshold": {"score": 0.5, "real_below": None}, **more}


def judged(a, b):
    """One picture that is answered so and so, among others of which all is the same."""
    others = [answer(k / 10) for k in range(20)]
    return same.judge([a, *others], [b, *others])


class Judge(unittest.TestCase):
    def expect(self, row, promised, held, **numbers):
        self.assertEqual(same.is_promised(row), promised)
        self.assertEqual(same.is_held(row), held)
        for name, number in numbers.items():
            self.assertEqual(row[name], number, name)

    def test_rounding_is_no_difference(self):
        self.expect(judged(answer(0.3), answer(0.3 + 1e-5)), True, True, verdicts=0, moved=0)

    def test_another_verdict_breaks_the_promise(self):
        self.expect(judged(answer(0.49), answer(0.51)), True, False, verdicts=1, broken=1, moved=1)

    def test_near_a_threshold_nothing_is_promised(self):
        self.expect(judged(answer(0.4996), answer(0.5004)), True, True, verdicts=1, broken=0)

    def test_a_near_caption_may_be_another(self):
        a = answer(0.3, caption_margin=5e-4)
        self.expect(judged(a, answer(0.7, caption="a cat")), True, True, captions=1,
                    captions_near=1, verdicts=1, broken=0, moved=0)

    def test_points_that_decide_are_asked(self):
        """The head's own threshold is far away; 95 % of the scores lie below 1.795."""
        a, b = answer(1.79), answer(1.83)
        self.expect(judged(a, b), True, False, verdicts=0, verdicts_decided=1, broken=1)

    def test_a_score_that_moves_is_told(self):
        """No threshold lies between, but another head's may."""
        self.expect(judged(answer(0.61), answer(0.62)), True, False, broken=0, moved=1)

    def test_other_fingerprints_promise_nothing(self):
        self.expect(judged(answer(0.49), answer(0.51, fingerprint="g")), False, False)

    def test_bf16_promises_nothing(self):
        a = answer(0.49, precision="bf16")
        self.assertFalse(same.is_promised(judged(a, a)))

    def test_objects(self):
        moved = answer(0.3, objects=[{"phrase": "a dog", "box": [10.0, 10.0, 52.0, 40.0]}])
        self.expect(judged(answer(0.3), moved), True, True, objects=1)
        self.expect(judged(answer(0.3), answer(0.3, objects=[])), True, True, objects=1)

    def test_a_lost_picture_is_no_same_answer(self):
        self.assertFalse(same.is_held(judged(answer(0.3), {"error": {}})))
        self.assertFalse(same.is_held(judged({"error": {}}, answer(0.3))))


if __name__ == "__main__":
    unittest.main()
