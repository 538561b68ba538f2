#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make parity`: answers of `item` on published models against those of the reference.

usage: run.py [--small] [--row TEXT]... [--item PROGRAM] [--work FOLDER] [--list]

Installs the reference, makes the models, asks both sides, prints a table with the worst
difference of each row, and exits with 1 where a bound is broken. Answers are kept case by case:
after an interruption it goes on where it was, and another program is asked anew while the
reference is not.
"""
import argparse
import dataclasses
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import environment

HERE = environment.HERE


def arguments():
    parse = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parse.add_argument("--small", action="store_true", help="tiny models only")
    parse.add_argument("--row", action="append", help="rows whose name contains this")
    parse.add_argument("--item", type=Path, default=environment.ROOT / "build/prefix/bin/item")
    parse.add_argument("--work", type=Path, default=environment.ROOT / "build/parity")
    parse.add_argument("--list", action="store_true", help="names of rows")
    return parse.parse_args()


class Answers:
    """Answers by case, as JSON files."""

    def __init__(self, folder):
        self.folder = folder

    def get(self, case, make):
        path = self.folder / (case + ".json")
        if path.exists():
            return json.loads(path.read_text("utf-8"))
        value = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(value), encoding="utf-8")
        part.rename(path)
        return value


class Session:
    """Both sides, and what they have said already."""

    def __init__(self, args):
        import models
        import torch
        self.args, self.torch = args, torch
        sources = [HERE / name for name in ("reference.py", "rows.py")]
        self.work = args.work / models.version()
        self.theirs = Answers(self.work / ("reference-" + environment.digest(*sources)))
        self.ours = Answers(self.work / ("item-" + environment.program_digest(args.item)))
        self.env = environment.run_with(args.item)
        self.open = (None, None)

    def reference(self, row, model):
        import rows
        key = (model, row.precision)
        if self.open[0] != key:
            self.open = (None, None)
            dtype = self.torch.bfloat16 if row.precision == "bf16" else self.torch.float32
            self.torch.set_num_threads(2 if row.full else 1)
            self.open = (key, rows.open_reference(self.work, model, dtype))
        return self.open[1]

    def ask(self, row, model, name, question):
        """(the reference's answer, ours)."""
        import compare
        import rows
        files = rows.files_of(question, self.work, model)
        case = f"{row.precision}/{model}/{name}"
        wanted = self.theirs.get(case, lambda: rows.ask_reference(
            self.reference(row, model), row, question, files))
        program = compare.Program(self.args.item, rows.model_folder(self.work, model),
                                  ["--precision", row.precision], self.env)
        mine = self.ours.get(case, lambda: rows.ask_item(program, row, question, files, wanted))
        return wanted, mine

    def run(self, row):
        import rows
        tally = rows.Tally()
        for model in row.models:
            for name, question in rows.cases(row):
                try:
                    wanted, mine = self.ask(row, model, name, question)
                    own = None
                    if row.precision != "fp32":
                        plain = dataclasses.replace(row, precision="fp32")
                        own = self.ask(plain, model, name, question)[1]
                    rows.judge(tally, row, f"{model} {name}", question, mine, wanted, own)
                except (RuntimeError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                    tally.fault(f"{model} {name}", f"{type(error).__name__}: {error}"[:400])
        return tally


def describe(tally):
    parts = []
    for what, value in tally.worst.items():
        parts.append(f"{what} {value:.2g}" if isinstance(value, float) and value < 0.5
                     else f"{what} {value:.5g}")
    if tally.left_out:
        parts.append(f"left out {tally.left_out}")
    return ", ".join(parts)


def print_row(row, tally, seconds):
    result = "pass" if not tally.faults else f"FAIL ({len(tally.faults)})"
    print(f"{row.name:<22} {tally.cases:>6}  {describe(tally):<58} {result:<10}"
          f" {seconds:6.0f} s", flush=True)
    for fault in tally.faults[:5]:
        print("    " + fault, flush=True)


def scripts(args, work):
    """Comparisons that are programs of their own: (name, command, the program that they ask)."""
    tests = environment.ROOT / "build" / "release" / "tests"
    tokens, pixels = tests / "unit/core/token-driver", tests / "parity/parity-pixels"
    count = "2000" if args.small else "20000"
    out = [("tokens", ["tokens.py", "--driver", tokens, "--count", count, work / "tokens"], tokens),
           ("pixels", ["pixels.py", pixels, "--count", "20" if args.small else "200"], pixels),
           ("whole chain", ["run_chain.py", "--item", args.item, "--work", work], args.item)]
    if not args.small:  # `make check` measures a small one
        memory = tests / "memory/memory"
        out.append(("memory", ["memory.py", memory, "--work", work], memory))
    return [row for row in out if wanted(args, row[0])]


def run_script(args, work, name, command, program):
    """True where it passed; what it printed is kept, and not asked for again."""
    if not program.exists():
        print(f"{name}: {program} is not built; left out", flush=True)
        return True
    made = environment.digest(HERE / command[0], program) + environment.program_digest(args.item)
    kept = work / "scripts" / f"{name.replace(' ', '-')}-{made}{'-small' * args.small}.txt"
    passed = kept.exists()
    if not passed:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        (work / "tokens").mkdir(exist_ok=True)
        with open(part, "wb") as log:
            call = [sys.executable, HERE / command[0], *map(str, command[1:])]
            passed = subprocess.run(call, stdout=log, stderr=subprocess.STDOUT).returncode == 0
        kept = part.rename(kept if passed else part)
    print(f"{name}: {'pass' if passed else 'FAIL'}", flush=True)
    print(*("    " + line for line in kept.read_text(errors="replace").splitlines()[-40:]),
          sep="\n", flush=True)
    return passed


def wanted(args, name):
    return not args.row or any(part.lower() in name.lower() for part in args.row)


def chosen(args):
    import rows
    out = []
    for row in rows.table():
        if wanted(args, row.name) and not (args.small and row.full):
            out.append(row)
    return out


def prepare(session, picked):
    import pictures
    most = max((row.pictures for row in picked), default=0)
    pictures.ensure(session.work / "pictures", most)


def main():
    args = arguments()
    environment.enter()
    logging.disable(logging.WARNING)
    picked = chosen(args)
    session = Session(args)
    others = scripts(args, session.work)
    if args.list or not picked + others:
        print(*[name for name, *_ in others], *(row.name for row in picked), sep="\n")
        return 0 if args.list else 2
    prepare(session, picked)
    failed = sum(not run_script(args, session.work, *row) for row in others)
    print(f"{'what':<22} {'cases':>6}  worst")
    for row in picked:
        start = time.monotonic()
        if row.precision == "bf16" and row.full and not environment.native_bf16():
            print(f"{row.name:<22} {'':>6}  the processor does not multiply bf16 itself: left out")
            continue
        tally = session.run(row)
        failed += bool(tally.faults)
        print_row(row, tally, time.monotonic() - start)
    print(f"{len(picked) + len(others) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
