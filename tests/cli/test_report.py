# SPDX-License-Identifier: Apache-2.0
"""Reports of `item eval`: keys, curves, the web page, and what is refused as no test.

usage: test_report.py ITEM
"""
import json
import math
import random
import re
from html.parser import HTMLParser

import cases
import make_inputs
from cases import item, lines

KEYS = make_inputs.ROOT / "tests" / "cli" / "report_keys.txt"
HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=y>', "</bdi></td></table>& 'so'",
           "\u202egnp.evil", "line\nbreak\x1b[31m\x07", "bad \udcff byte", "&amp; &#60;"]
VOID = {"meta", "br"}
SEED = 7


def make_rows():
    """Three sources with both labels, one of photographs; AI pictures agree less."""
    draw = random.Random(SEED)
    rows = []
    for source, labels in (("one", "ra"), ("two", "ra"), (HOSTILE[0], "ra"), ("photos", "r")):
        for label in labels:
            for i in range(40):
                cosine = round(min(max(draw.gauss(0.2 if label == "r" else 0.6, 0.25), -1), 1), 2)
                rows.append({"label": "ai" if label == "a" else "real", "source": source,
                             "generator": f"maker {i % 3}" if label == "a" else "",
                             "name": f"{source}/{label}{i}.jpg", "cosine": cosine,
                             "picture": bytes([1, len(rows) % 256, len(rows) // 256] + 13 * [0])})
    for row, text in zip(sorted((r for r in rows if r["label"] == "real"),
                                key=lambda r: -r["cosine"]), HOSTILE):
        row["name"] = row["caption"] = text
    return rows


def corners(rows):
    """The curve of a source, from its definition: one point a score."""
    ai = [r["cosine"] for r in rows if r["label"] == "ai"]
    real = [r["cosine"] for r in rows if r["label"] == "real"]
    return [(0, 0)] + [(sum(x >= t for x in real) / len(real), sum(x >= t for x in ai) / len(ai))
                       for t in sorted({r["cosine"] for r in rows}, reverse=True)]


def on_line(point, line):
    """Does a point lie on one of the line's segments?"""
    for (x1, y1), (x2, y2) in zip(line, line[1:]):
        across = (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)
        if (abs(across) < 1e-5 and min(x1, x2) - 1e-5 <= point[0] <= max(x1, x2) + 1e-5
                and min(y1, y2) - 1e-5 <= point[1] <= max(y1, y2) + 1e-5):
            return True
    return False


def paths(value, at=""):
    """Names of all members, lists as []."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{at}.{key}".lstrip(".")
            yield from paths(member, f"{at}.{key}")
    elif isinstance(value, list):
        for member in value:
            yield from paths(member, at + "[]")


class Page(HTMLParser):
    """Refuses what a browser would mend; keeps elements with their attributes and texts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.texts, self.cells = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            raise ValueError(f"never closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        if len(dict(attributes)) != len(attributes):
            raise ValueError(f"{tag}: an attribute stands twice")
        self.seen.append((tag, dict(attributes)))
        if tag == "bdi":
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] == "bdi":
            self.cells[-1] += data

    def of(self, tag, name):
        return [a for t, a in self.seen if t == tag and a.get("class") == name]


def shown(text):
    """As the page shows it: what it may not hold is replaced."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f]|\udcff", "\ufffd", text)


class Report(cases.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows = make_rows()
        cls.vectors, cls.head = cls.work / "v.safetensors", cls.work / "head.safetensors"
        cls.rival, cls.page = cls.work / "rival.safetensors", cls.work / "page.html"
        make_inputs.tiny_vectors(cls.vectors, cls.rows)
        met = [bytes([9] + 15 * [0])]
        make_inputs.tiny_head(cls.head, 300, 5, ["elsewhere"], met)
        make_inputs.tiny_head(cls.rival, 300, -5, ["elsewhere"], met)
        done = item("eval", "--json", "--head", cls.head, "--rival", cls.rival, "--rival", cls.head,
                    "--html", cls.page, cls.vectors)
        assert done.returncode == 0, done.stderr
        cls.report = lines(done)[0]
        cls.html = cls.page.read_text(encoding="utf-8")

    def of_source(self, name):
        return [r for r in self.rows if r["source"] == name]

    def test_keys(self):
        """Keys may come, none goes: programs read them. New ones are listed here too."""
        found = sorted(p for p in set(paths(self.report)) if not p.startswith("head."))
        self.assertEqual(found, KEYS.read_text(encoding="utf-8").split())

    def test_keys_are_documented(self):
        text = (make_inputs.ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
        for key in self.report:
            self.assertIn(f"`{key}`", text)

    def test_curves_are_those_of_the_scores(self):
        curves = self.report["curves"]
        self.assertEqual([c["source"] for c in curves], ["one", "two", HOSTILE[0]])
        for curve, row in zip(curves, self.report["sources"]):
            wanted = corners(self.of_source(curve["source"]))
            points = [tuple(p) for p in curve["points"]]
            for point in wanted:
                self.assertTrue(on_line(point, points), point)
            for point in points:
                self.assertTrue(any(math.dist(point, w) < 1e-5 for w in wanted), point)
            area = sum((x2 - x1) * (y1 + y2) / 2
                       for (x1, y1), (x2, y2) in zip(points, points[1:]))
            self.assertAlmostEqual(area, row["auc"], places=5)

    def test_figures_have_intervals_around_them(self):
        known = [(at, value) for at, value in self.numbers(self.report) if value is not None]
        self.assertGreater(len(known), 100)
        for at, (value, (low, high)) in known:
            self.assertLessEqual(low, high, at)
            if ".ece" not in at:  # drawing again adds noise of its own to this one
                self.assertTrue(low <= value <= high, (at, value, low, high))

    def numbers(self, value, at=""):
        """Every figure that has an interval, with it."""
        if isinstance(value, dict):
            for key, member in value.items():
                interval = value.get(key + "_interval")
                if interval:
                    yield f"{at}.{key}", (member, interval)
                yield from self.numbers(member, f"{at}.{key}")
        elif isinstance(value, list):
            for i, member in enumerate(value):
                yield from self.numbers(member, f"{at}[{i}]")

    def test_verdicts_by_reason_add_up(self):
        v = self.report["verdicts"]
        self.assertEqual(sum(r["real"] + r["ai"] for r in v["by_reason"]), len(self.rows))
        self.assertEqual({r["reason"]: r["real"] + r["ai"] for r in v["by_reason"]}, v["reasons"])
        above = v["by_reason"][0]
        self.assertEqual(above["reason"], "above_threshold")
        self.assertAlmostEqual(above["wrong"], above["real"] / (above["real"] + above["ai"]), places=5)
        called = [r for r in self.rows if r["label"] == "real" and 5 * r["cosine"] >= 2.5]
        self.assertEqual(above["real"], len(called))

    def test_promises_that_are_broken_are_marked(self):
        table = self.report["false_positives"]
        self.assertEqual([r["rate"] for r in table], sorted((r["rate"] for r in table), reverse=True))
        for row in table:
            self.assertEqual(row["above_promise"], row["rate_interval"][0] > row["promised"])
        self.assertTrue(table[0]["above_promise"])
        self.assertIn("than promised", self.report["warnings"][0])

    def test_worst_mistakes(self):
        for label, name, sign in (("real", "photographs", -1), ("ai", "ai", 1)):
            wanted = sorted((sign * r["cosine"] * 5 for r in self.rows if r["label"] == label))[:10]
            found = [sign * m["score"] for m in self.report["mistakes"][name]]
            for a, b in zip(wanted, found):
                self.assertAlmostEqual(a, b, places=4)
        self.assertIn(HOSTILE[0], [m["caption"] for m in self.report["mistakes"]["photographs"]])
        self.assertIsNone(self.report["mistakes"]["ai"][0]["caption"])

    def test_several_rivals(self):
        opposite, same = self.report["comparisons"]
        self.assertEqual(self.report["comparison"], opposite)
        self.assertEqual(same["difference"]["auc"], 0)
        self.assertEqual(same["difference"]["auc_interval"], [0, 0])
        for row, away in zip(self.report["sources"], opposite["difference_by_source"]):
            self.assertEqual(row["source"], away["source"])
            if row["auc"] is not None:
                self.assertAlmostEqual(away["auc"], 2 * row["auc"] - 1, places=5)

    # ---- the page ----

    def test_page_is_whole_and_alone(self):
        page = Page(self.html)
        self.assertTrue(self.html.startswith("<!DOCTYPE html>"))
        tags = {tag for tag, _ in page.seen}
        self.assertFalse(tags & {"script", "img", "link", "iframe", "object", "a", "image", "use"})
        for tag, attributes in page.seen:
            for name in attributes:
                self.assertFalse(name.startswith("on") or name in ("src", "href", "style"), name)
        self.assertNotIn("url(", self.html)
        self.assertNotIn("nan", re.sub("<[^>]*>", "", self.html).split())
        self.assertIn("prefers-color-scheme:dark", self.html)
        self.assertLess(self.html.index("<h2>Warnings"), self.html.index("<table"))

    def test_page_escapes_names_and_captions(self):
        cells = Page(self.html).cells
        for text in HOSTILE:
            self.assertGreaterEqual(cells.count(shown(text)), 2, text)  # as name and as caption
        self.assertNotIn("\x1b", self.html)

    def test_page_draws_the_curves(self):
        page = Page(self.html)
        frames, drawn = page.of("rect", "frame"), page.of("polyline", "value")
        self.assertEqual(len(drawn), len(self.report["curves"]))
        for curve, frame, line in zip(self.report["curves"], frames, drawn):
            x, y, width, height = (float(frame[k]) for k in ("x", "y", "width", "height"))
            points = [tuple(map(float, p.split(","))) for p in line["points"].split()]
            self.assertEqual(len(points), len(curve["points"]))
            for (px, py), (fpr, tpr) in zip(points, curve["points"]):
                self.assertAlmostEqual(px, x + fpr * width, delta=0.01)
                self.assertAlmostEqual(py, y + (1 - tpr) * height, delta=0.01)

    def test_page_draws_the_bins(self):
        page = Page(self.html)
        frame = page.of("rect", "frame")[len(self.report["curves"])]
        x, y, width, height = (float(frame[k]) for k in ("x", "y", "width", "height"))
        bins = [b for b in self.report["calibration"]["bins"] if b["mean"] is not None]
        drawn = page.of("circle", "value")
        self.assertEqual(len(drawn), len(bins))
        for b, circle in zip(bins, drawn):
            self.assertAlmostEqual(float(circle["cx"]), x + b["mean"] * width, delta=0.01)
            self.assertAlmostEqual(float(circle["cy"]), y + (1 - b["ai_share"]) * height, delta=0.01)

    def test_page_draws_the_scores(self):
        page, scores = Page(self.html), self.report["scores"]
        low, high, n = scores["low"], scores["high"], len(scores["ai"])
        for label, key, name in (("real", "photographs", "real"), ("ai", "ai", "ai")):
            wanted = n * [0]
            for r in self.rows:
                if r["label"] == label:
                    at = (5 * r["cosine"] - low) / (high - low) * n
                    wanted[min(int(at + 1e-6), n - 1)] += 1
            self.assertEqual(sum(scores[key]), sum(wanted))
            self.assertLessEqual(sum(abs(a - b) for a, b in zip(scores[key], wanted)), 4)  # edges
            heights = [float(r["height"]) for r in page.of("rect", name)]
            most = max(scores["photographs"] + scores["ai"])
            for height, count in zip(heights, scores[key]):
                self.assertAlmostEqual(height, 110 * count / most, delta=0.01)

    def test_page_draws_the_rates(self):
        page, rates = Page(self.html), self.report["false_positives"]
        most = max(r["rate_interval"][1] for r in rates)
        bars = page.of("rect", "value")[:len(rates)]
        for bar, row in zip(bars, rates):
            self.assertAlmostEqual(float(bar["width"]), 160 * row["rate"] / most, delta=0.06)

    def test_markdown_stays_short(self):
        text = item("eval", "--head", self.head, self.vectors).stdout.decode()
        self.assertLess(len(text.splitlines()), 80)
        self.assertLess(text.index("- Warning:"), text.index("|---|"))
        self.assertIn("above the promise", text)

    # ---- what is no test ----

    def eval(self, head, *options):
        return item("eval", "--json", "--head", head, *options, self.vectors)

    def test_same_pictures_are_refused(self):
        met = self.work / "met.safetensors"
        make_inputs.tiny_head(met, 300, 5, ["elsewhere"], [self.rows[3]["picture"],
                                                          self.rows[1]["picture"]])
        why = ("was trained on 2 of these pictures", self.rows[1]["name"])
        for options in ([], ["--known-sources", "keep"], ["--known-sources", "drop"]):
            self.fails(self.eval(met, *options), 1, "met.safetensors", *why)
        self.fails(self.eval(self.head, "--rival", met), 1, "met.safetensors", *why)

    def test_same_sources_are_refused_kept_or_dropped(self):
        knows = self.work / "knows.safetensors"
        make_inputs.tiny_head(knows, 300, 5, ["two", "photos"], [bytes([9] + 15 * [0])])
        self.fails(self.eval(knows), 1, "two", "photos")
        self.fails(self.eval(self.head, "--rival", knows), 1, "two")
        kept = lines(self.eval(knows, "--known-sources", "keep"))[0]
        dropped = lines(self.eval(knows, "--known-sources", "drop"))[0]
        self.assertEqual([r["known"] for r in kept["sources"]], [False, True, False, True])
        self.assertEqual(kept["data"]["known_rows"], 120)
        self.assertEqual(dropped["data"]["rows"], len(self.rows) - 120)
        for key in ("headline", "calibration", "mixed", "scores"):
            for name, value in kept[key].items():
                if "interval" not in name:
                    self.assertEqual(value, dropped[key][name], (key, name))
        self.fails(self.eval(knows, "--known-sources", "maybe"), 2, "keep or drop")

    def test_a_page_that_cannot_be_written(self):
        self.fails(self.eval(self.head, "--html", self.work), 2, "no regular file")
        self.fails(self.eval(self.head, "--html", self.work / "none" / "p.html"), 2, "cannot be written")


if __name__ == "__main__":
    cases.main(__doc__)
