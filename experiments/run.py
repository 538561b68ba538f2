#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the experiments whose inputs changed, then renders their tables.

usage: run.py [--suite experiments|robustness] [--only NAME]... [--again] [--list]
              [--open-dev WHY] [--item PROGRAM] [--pack FOLDER] [--data FOLDER] [--out FOLDER]

An experiment is skipped where OUT/NAME.json is there and was made by the same script, pack, version
of the program and manifest. One that fails does not stop the others; the exit code is then 1.
"""
import json
import subprocess
import sys
import time

import common
import tables

# Name of the result, script.
SUITES = {
    "experiments": [
        ("arms", "arms/arms.py"),
        ("choice", "evidence/choice.py"),
        ("phrases", "evidence/phrases.py"),
        ("evidence", "evidence/evidence.py"),
        ("levers", "evidence/levers.py"),
        ("detectors", "detectors/detectors.py"),
        ("captioners", "captioners/captioners.py"),
        ("foundations", "foundations/foundations.py"),
        ("photographs", "photographs/photographs.py"),
        ("cost", "cost/cost.py"),
    ],
    "robustness": [
        ("robustness", "robustness/run.py"),
        ("attacks", "attacks/run.py"),
        ("views", "attacks/views.py"),
        ("words", "attacks/words.py"),
        ("agreement", "attacks/agreement.py"),
        ("scope", "scope/run.py"),
    ],
}
# Experiments that take --open-dev; the result is then NAME-dev.json.
OPENING = ("arms", "photographs", "robustness")


def is_done(args, name, script):
    path = args.out / f"{name}.json"
    if not path.exists():
        return False
    try:
        return json.loads(path.read_text("utf-8"))["inputs"] == common.inputs(args, script)
    except (json.JSONDecodeError, KeyError):
        return False


def run(args, name, script, *more):
    """Exit code of the experiment."""
    line = [sys.executable, str(script), *more]
    for option in ("item", "pack", "data", "out"):
        line += ["--" + option, str(getattr(args, option))]
    start = time.monotonic()
    code = subprocess.run(line).returncode
    if code == 0 and not more and not is_done(args, name, script):
        print(f"{name}: ended, but {name}.json is not of these inputs")
        code = 1
    print(f"{name}: {'done' if code == 0 else 'failed'}, {time.monotonic() - start:.0f} s", flush=True)
    return code


def run_all(args, wanted):
    failed = 0
    for name, script in wanted:
        script = common.HERE / script
        if not script.exists():
            print(f"{name}: {script.relative_to(common.REPO)} is not there")
            failed += 1
        elif not args.again and is_done(args, name, script):
            print(f"{name}: unchanged", flush=True)
        else:
            failed += run(args, name, script) != 0
    return failed


def open_dev(args, wanted):
    """One look at the closed sources, by one experiment that is named."""
    if not args.only or len(wanted) != 1 or wanted[0][0] not in OPENING:
        raise common.Refused(f"--open-dev goes with --only NAME, one of: {', '.join(OPENING)}")
    name, script = wanted[0]
    return run(args, name, common.HERE / script, "--open-dev", args.open_dev)


def main():
    parse = common.parser(__doc__)
    parse.add_argument("--suite", choices=sorted(SUITES), default="experiments")
    parse.add_argument("--only", action="append", metavar="NAME")
    parse.add_argument("--again", action="store_true", help="though nothing changed")
    parse.add_argument("--open-dev", metavar="WHY", help="a look at dev's closed sources, counted")
    parse.add_argument("--list", action="store_true", help="names of experiments")
    args = parse.parse_args()
    known = SUITES[args.suite]
    if args.list:
        print("\n".join(name for name, _ in known))
        return 0
    unknown = set(args.only or ()) - {name for name, _ in known}
    if unknown:
        raise common.Refused(f"no experiment is called {', '.join(sorted(unknown))}; --list names them")
    common.ready(args)
    wanted = [e for e in known if not args.only or e[0] in args.only]
    failed = run_all(args, wanted) if args.open_dev is None else open_dev(args, wanted)
    tables.render(args.out, common.REPO / "docs" / "experiments.md")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
