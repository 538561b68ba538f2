#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzz targets of a build one after another and prints what each did.

    tools/fuzz.py build-fuzz night                 10 million runs or an hour for each target
    tools/fuzz.py build-fuzz night picture head    some of them

Inputs of interest, logs and findings go into the folder (here night/), where the next call goes on
from; runs add up over calls. docs/fuzzing.md tells how to make the build and what to do with a
finding. Ends with 1 if there was a finding.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MORE = {"picture": ["tests/golden/image/pictures"], "safetensors": ["tests/golden/files"],
        "torchfile": ["tests/golden/files/torch"]}
LENGTH = {"phrases": 200, "picture": 20000, "metadata": 20000, "provenance": 20000, "torchfile": 10000,
          "published": 20000}  # bytes; text formats stay quick


def arguments():
    parser = argparse.ArgumentParser(description="Runs fuzz targets one after another.")
    parser.add_argument("build", type=Path, help="build folder, made with -Dfuzz=true")
    parser.add_argument("folder", type=Path, help="inputs, logs and findings")
    parser.add_argument("targets", nargs="*", help="default: all")
    parser.add_argument("--runs", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=int, default=3600)
    return parser.parse_args()


def command(program, target, args, runs, seconds):
    inputs, found = args.folder / target, args.folder / "found"
    inputs.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    stored = [str(ROOT / folder) for folder in [f"tests/fuzz/corpus/{target}", *MORE.get(target, [])]]
    return [str(program), f"-runs={runs}", f"-max_total_time={seconds}", "-timeout=10",
            "-rss_limit_mb=2048", f"-max_len={LENGTH.get(target, 4000)}", "-print_final_stats=1",
            f"-artifact_prefix={found}/{target}-", str(inputs), *stored]


def number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def fuzz(program, target, args, done):
    """Runs one target for what is left of its runs and its time; returns its new figures."""
    runs, seconds = args.runs - done["runs"], args.seconds - done["seconds"]
    if runs <= 0 or seconds <= 0 or done["findings"]:
        return done
    path = args.folder / f"{target}.log"
    with open(path, "w", encoding="utf-8") as log:
        code = subprocess.run(command(program, target, args, runs, seconds), stdout=log,
                              stderr=subprocess.STDOUT).returncode
    text = path.read_text(encoding="utf-8", errors="replace")
    return {
        "runs": done["runs"] + number(r"stat::number_of_executed_units:\s+(\d+)", text),
        "seconds": done["seconds"] + number(r"runs in (\d+) second", text),
        "edges": number(r"cov: (\d+)", text),
        "findings": done["findings"] + int(code != 0),
    }


def main():
    args = arguments()
    programs = sorted((args.build / "tests" / "fuzz").glob("fuzz-*"))
    targets = {p.name[5:]: p for p in programs if p.is_file()}
    unknown = set(args.targets) - set(targets)
    if unknown or not targets:
        sys.exit(f"fuzz.py: {args.build}: no fuzz target {', '.join(sorted(unknown))}")
    args.folder.mkdir(parents=True, exist_ok=True)
    figures, findings = args.folder / "figures.json", 0
    print(f"{'target':<12} {'runs':>11} {'seconds':>8} {'edges':>6} findings", flush=True)
    for target in args.targets or targets:
        every = json.loads(figures.read_text()) if figures.exists() else {}
        new = {"runs": 0, "seconds": 0, "edges": 0, "findings": 0}
        one = every[target] = fuzz(targets[target], target, args, every.get(target, new))
        figures.write_text(json.dumps(every, indent=1) + "\n")
        findings += one["findings"]
        print(f"{target:<12} {one['runs']:>11,} {one['seconds']:>8} {one['edges']:>6} "
              f"{one['findings']:>8}", flush=True)
    return findings > 0


if __name__ == "__main__":
    sys.exit(main())
