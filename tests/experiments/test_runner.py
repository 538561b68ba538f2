#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runner of experiments on a made-up program, pack and experiment: it skips what is unchanged,
never gives a row of a closed source, counts looks, and writes tables where a page has a place."""
import contextlib
import csv
import io
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
import common  # noqa: E402
import dev  # noqa: E402
import run  # noqa: E402
import tables  # noqa: E402

EXPERIMENT = """
import sys
sys.path.insert(0, {experiments!r})
import common
args = common.arguments("An experiment.")
with open(args.out / "runs.txt", "a") as log:
    log.write("x")
rows = common.load_manifest(args)
common.write(args, __file__, "tried", {{"rows": len(rows)}},
             {{"tried": common.table(["what", "AUC"], [["all", [0.5, 0.4, 0.6]]])}})
"""
ROWS = [("train/a.jpg", "ai", "g", "one", "train"), ("train/b.jpg", "real", "", "two", "train"),
        ("dev/c.jpg", "ai", "g", "kaivalya", "dev"), ("dev/d.jpg", "real", "", "two", "dev")]


class World:
    """A program that knows its version, a pack, a manifest and one experiment."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.item = self.folder / "item"
        self.say_version("item 1.0")
        for name in ("pack", "data/detect", "out", "tried"):
            (self.folder / name).mkdir(parents=True)
        self.pack = self.folder / "pack" / "item.json"
        self.pack.write_text('{"stages": {}}')
        with open(self.folder / "data" / "detect" / "manifest.csv", "w", newline="") as out:
            csv.writer(out).writerows([("path", "label", "generator", "source", "split", "prompt"),
                                       *((*row, "") for row in ROWS)])
        self.script = self.folder / "tried" / "tried.py"
        self.script.write_text(EXPERIMENT.format(experiments=str(ROOT / "experiments")))

    def say_version(self, text):
        self.item.write_text(f"#!/bin/sh\necho '{text}'\n")
        self.item.chmod(0o755)

    def args(self):
        parse = common.parser("test")
        args = common.ready(parse.parse_args([
            "--item", str(self.item), "--pack", str(self.pack.parent),
            "--data", str(self.folder / "data"), "--out", str(self.folder / "out")]))
        args.again = False
        return args

    def run(self):
        with contextlib.redirect_stdout(io.StringIO()):
            assert run.run_all(self.args(), [("tried", self.script)]) == 0
        return len((self.folder / "out" / "runs.txt").read_text())


def refused(action, *words):
    try:
        action()
    except common.Refused as error:
        return all(word in str(error) for word in words)
    return False


def it_resumes(world):
    """Made once, and again for each input that changes."""
    assert world.run() == 1 and world.run() == 1
    result = world.folder / "out" / "tried.json"
    result.write_text(result.read_text()[:40])  # killed while it wrote, without a rename
    assert world.run() == 2 and world.run() == 2
    world.pack.write_text('{"stages": {"captioner": 1}}')
    assert world.run() == 3 and world.run() == 3
    world.say_version("item 1.1")
    assert world.run() == 4 and world.run() == 4
    (world.folder / "tried" / "arms.json").write_text("{}")
    assert world.run() == 5 and world.run() == 5


def a_failure_stops_no_other(world):
    bad = world.folder / "bad.py"
    bad.write_text("import sys\nsys.exit(3)\n")
    silent = world.folder / "silent.py"
    silent.write_text("pass\n")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        failed = run.run_all(world.args(), [("bad", bad), ("silent", silent), ("tried", world.script)])
    assert failed == 2 and "tried: " in said.getvalue(), said.getvalue()


def closed_rows_are_never_given(world):
    args = world.args()
    assert {r["source"] for r in common.load_manifest(args)} == {"one", "two"}
    assert len(common.load_manifest(args, split="dev")) == 1
    assert refused(lambda: common.load_manifest(args, sources=["kaivalya"]), "kaivalya", "dev.py")


def others_do_not_read_the_manifest():
    """Only these two files may call what reads all rows."""
    callers = {p.name for p in (ROOT / "experiments").rglob("*.py") if "read_manifest(" in p.read_text()}
    assert callers == {"common.py", "dev.py"}, callers


def looks_are_counted(world):
    path = world.folder / "looks.csv"
    path.write_text(",".join(dev.COLUMNS) + "\n")
    assert refused(lambda: dev.note_look(["a"], " ", "abc", path), "reason")
    dev.note_look(["a", "b"], "the final table, at last", "abc", path)
    text = tables.looks_table(path)
    assert "Looks so far: 1." in text and "a b | the final table, at last" in text, text
    said = subprocess.run([sys.executable, ROOT / "experiments" / "run.py", "--open-dev", "why",
                           "--item", world.item], capture_output=True, text=True)
    assert said.returncode == 1 and "--only" in said.stderr, said.stderr


def tables_are_written(world):
    page = "before\n<!-- table tried -->\nold\n<!-- end -->\n<!-- table later -->\nkept\n<!-- end -->\n"
    world.run()
    texts = tables.all_tables(world.folder / "out")
    filled, homeless = tables.fill(page, texts)
    assert "| all | 0.500 (0.400 to 0.600) |" in filled and "old" not in filled, filled
    assert "make experiments ONLY=tried" in filled and common.processor() in filled, filled
    assert "kept" in filled and filled.startswith("before\n"), filled
    assert homeless == ["looks"], homeless
    assert tables.fill(filled, texts)[0] == filled
    assert tables.cell(None) == "-" and tables.cell(12345) == "12,345" and tables.cell("a|b") == "a\\|b"


def rows_are_drawn_evenly():
    rows = [{"path": f"/{s}{i}.jpg", "label": label, "source": s}
            for s, label, n in (("a", "ai", 50), ("b", "ai", 3), ("c", "real", 20)) for i in range(n)]
    drawn = common.draw(rows, 20)
    count = {s: sum(r["source"] == s for r in drawn) for s in "abc"}
    assert count == {"a": 7, "b": 3, "c": 10}, count
    assert drawn == common.draw(rows[::-1], 20) and drawn != common.draw(rows, 20, seed=2)


def main():
    done = 0
    for test in (it_resumes, a_failure_stops_no_other, closed_rows_are_never_given, looks_are_counted,
                 tables_are_written):
        with tempfile.TemporaryDirectory() as name:
            test(World(name))
        done += 1
    for test in (others_do_not_read_the_manifest, rows_are_drawn_evenly):
        test()
        done += 1
    print(f"{done} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
