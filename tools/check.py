#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`make check`: every build, every test, every script that guards a rule.

Prints a line a step and ends with "N passed, N failed": test programs of all builds, and one for
each script. What a step printed stands in build/logs/; of a failed step the end is shown, and what
failed is named once more before the last line, for whoever sees only the end.
"""
import json
import os
import re
import sys
import time
from pathlib import Path

from build import RELEASE, ROOT, build, run

LOGS = ROOT / "build" / "logs"
SANITIZER = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
THREADS = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"}
STRICT = ["--werror", "-Dtests=true"]
NO_CXX = {"CXX": "/bin/false"}  # shows that nobody asks for a C++ compiler


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # (name of the step, its log)

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed"


def show_end(log, count):
    lines = log.read_text(errors="replace").splitlines()
    print("\n".join("    " + line for line in lines[-count:]))


def failed_lines(log):
    """What meson, pytest and go print of each test that failed."""
    marks = re.compile(r"^\s*\d+/\d+ .* (FAIL|TIMEOUT|ERROR)\b|^(FAILED|ERROR) |^\s*--- FAIL")
    lines = log.read_text(errors="replace").splitlines()
    return list(dict.fromkeys(line.strip() for line in lines if marks.search(line)))


def show_failures(failures):
    for name, log in failures:
        print(f"failed: {name}")
        for line in failed_lines(log):
            print("    " + line)
        show_end(log, 8)


def step(tally, name, action):
    """Runs action(log file), which returns (passed, failed, skipped)."""
    path = LOGS / (name.replace(" ", "-") + ".log")
    start = time.monotonic()
    with open(path, "wb") as log:
        passed, failed, skipped = action(log)
    tally.add(passed, failed, skipped)
    said = f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    print(f"{name:<28} {said:<36} {time.monotonic() - start:6.1f} s", flush=True)
    if failed:
        tally.failures.append((name, path))
        show_end(path, 40)


def script(*command):
    """A check that is one program: exit code 0 passes, 77 is skipped."""
    def action(log):
        code = run([str(c) for c in command], log)
        return int(code == 0), int(code not in (0, 77)), int(code == 77)
    return action


def compiled(name, options, env=None):
    def action(log):
        code = build(name, options, log, env)
        return int(code == 0), int(code != 0), 0
    return action


def results(folder):
    """Counts of the last `meson test` in a build folder."""
    counts = {}
    with open(folder / "meson-logs" / "testlog.json", encoding="utf-8") as lines:
        for line in lines:
            result = json.loads(line)["result"]
            counts[result] = counts.get(result, 0) + 1
    passed = counts.pop("OK", 0) + counts.pop("EXPECTEDFAIL", 0)
    skipped = counts.pop("SKIP", 0)
    return passed, sum(counts.values()), skipped


def tested(name, env=None, *which):
    """Runs the tests of a build; a build that failed has none to run, and is counted already."""
    def action(log):
        folder = ROOT / "build" / name
        if not (folder / "build.ninja").exists():
            return 0, 1, 0
        listed = folder / "meson-logs" / "testlog.json"
        listed.unlink(missing_ok=True)
        # time-outs end what hangs; a busy machine is no reason to fail
        run(["meson", "test", "-C", str(folder), "--print-errorlogs", "-t", "4", *which], log, env)
        return results(folder) if listed.exists() else (0, 1, 0)
    return action


def check_sources(tally):
    """What needs no build."""
    step(tally, "format", script(sys.executable, "tools/format.py", "--check"))
    step(tally, "layers", script(sys.executable, "tools/check_layers.py"))
    step(tally, "functions", script(sys.executable, "tools/check_functions.py"))
    step(tally, "headers alone", script(sys.executable, "tools/check_headers.py"))
    step(tally, "reference", script(sys.executable, "tools/reference.py", "--check"))
    step(tally, "reference can fail", script(sys.executable, "tests/docs/test_reference.py"))
    step(tally, "documents", script(sys.executable, "tools/check_docs.py"))
    step(tally, "errors explained", script(sys.executable, "tests/docs/test_errors.py"))
    step(tally, "options and keys explained", script(sys.executable, "tests/docs/test_lists.py"))
    step(tally, "documents can fail", script(sys.executable, "tests/docs/test_check_docs.py"))


def check_experiments(tally):
    """Their figures, transforms and tables; what they find is for `make experiments`."""
    step(tally, "experiments' packages",
         script("tools/venv.sh", "experiments", "experiments/requirements.txt"))
    python = ROOT / "build" / "experiments-venv" / "bin" / "python"
    for name in ("runner", "figures", "evidence", "robustness", "attacks"):
        step(tally, "experiments' " + name, script(python, f"tests/experiments/test_{name}.py"))


def check_python(tally):
    """The package for Python, on build/release."""
    folder = ROOT / "bindings" / "python"
    python = ROOT / "build" / "python-venv" / "bin" / "python"
    step(tally, "python's packages", script("tools/venv.sh", "python", folder / "requirements.txt"))
    step(tally, "python's types", script(python, "-m", "mypy", "--config-file",
                                         folder / "pyproject.toml", folder / "src",
                                         folder / "tests" / "stand_ins.py"))
    step(tally, "python tests", script(python, "-m", "pytest", "-q", "-c",
                                       folder / "pyproject.toml", folder / "tests"))


def check_builds(tally):
    """What users get: with the engine, installed, and without."""
    step(tally, "gcc build", compiled("release", RELEASE + STRICT))
    step(tally, "gcc tests", tested("release"))
    step(tally, "names", script(sys.executable, "tools/check_symbols.py", "build/release"))
    step(tally, "install", script(sys.executable, "tests/install/run.py", "build/release"))

    step(tally, "no engine, no C++ build",
         compiled("notorch", ["-Dtorch=disabled", *STRICT], NO_CXX))
    # the two that take longest ask nothing here that they do not ask of the build before
    step(tally, "no engine, no C++ tests",
         tested("notorch", None, "--no-suite", "faults", "--no-suite", "conformance"))
    step(tally, "abi", script(sys.executable, "tools/abi.py", "check", "build/notorch"))
    step(tally, "abi check can fail", script(sys.executable, "tests/abi/test_abi.py"))


def check_go(tally):
    """The Go binding on what is installed below build/prefix."""
    step(tally, "go format", script("sh", "-c", 'test -z "$(gofmt -l bindings/go | tee /dev/stderr)"'))
    step(tally, "go vet", script("bindings/go/go.sh", "vet", "./..."))
    step(tally, "go tests", script("bindings/go/go.sh", "test", "-race", "-count=1", "./..."))


def check_gthumb(tally):
    """The extension of gThumb, on the installed libitem and a screen of its own."""
    step(tally, "gThumb extension", script("examples/gthumb/test/run.py", "build/prefix"))


def check_other_compilers(tally):
    """Another compiler's warnings, and what sanitizers see."""
    step(tally, "clang build",
         compiled("clang", STRICT, {"CC": "clang-14", "CXX": "clang++-14"}))

    step(tally, "sanitizers build",
         compiled("asan", ["-Db_sanitize=address,undefined", "--buildtype=debugoptimized",
                           "--default-library=shared", *STRICT]))
    step(tally, "sanitizers tests", tested("asan", SANITIZER))

    # libtorch and OpenMP are not built for it: the engine's own locks are seen by reading alone
    step(tally, "tsan build",
         compiled("tsan", ["-Db_sanitize=thread", "--buildtype=debugoptimized",
                           "--default-library=shared", "-Dtorch=disabled", *STRICT]))
    step(tally, "tsan tests", tested("tsan", THREADS, "--suite=api", "--timeout-multiplier=24"))


def main():
    LOGS.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    tally = Tally()
    check_sources(tally)
    check_experiments(tally)
    check_builds(tally)
    check_python(tally)
    check_go(tally)
    check_gthumb(tally)
    check_other_compilers(tally)
    show_failures(tally.failures)
    if tally.skipped:
        print(f"{tally.skipped} skipped: see build/logs")
    (ROOT / "build" / "check.txt").write_text(f"{tally}\n")
    print(tally)
    return tally.failed > 0


if __name__ == "__main__":
    sys.exit(main())
