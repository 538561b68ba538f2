#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each defect of a backend is found by item-conformance, under the right name, and no other is.

usage: test_defects.py [--leaks] ITEM-CONFORMANCE CAPTIONER.so DETECTOR.so EMBEDDER.so

--leaks: the build has a sanitizer that tells of memory that is left.
"""
import re
import subprocess
import sys

# defect: the check that must name it; one that begins with "!" is where the program must end
CAPTIONER = {
    "none": None,
    "unwritten": "captioner: answers",
    "no end": "captioner: answers",
    "no UTF-8": "captioner: answers",
    "logprob": "captioner: answers",
    "margin": "captioner: answers",
    "capacity": "captioner: writes",
    "tail": "captioner: writes",
    "struct_size": "captioner: writes",
    "batch": "captioner: batch",
    "beams": "captioner: beams",
    "tokens": "captioner: answers",
    "token": "captioner: answers",
    "token room": "captioner: writes",
    "prompt": "captioner: prompt",
    "place": "captioner: draws",
    "other score": "captioner: scores",
    "cut score": "captioner: scores",
    "long text": "captioner: scores",
    "positive score": "captioner: answers",
}
DETECTOR = {
    "none": None,
    "score": "detector: answers",
    "outside": "detector: answers",
    "order": "detector: answers",
    "max_boxes": "detector: answers",
    "least_score": "detector: answers",
    "phrase": "detector: answers",
    "no phrases": "detector: answers",
    "refused": "detector: host",
    "swallows": "detector: refused box",
    "needs boxes": "detector: limits",
    "needs phrases": "detector: no phrases",
    "heads": "!detector: alone",
}
EMBEDDER = {
    "none": None,
    "unwritten": "embedder: answers",
    "length": "embedder: answers",
    "infinity": "embedder: answers",
    "batch": "embedder: batch",
    "again": "embedder: again",
    "constant": "embedder: differ",
    "beyond": "embedder: writes",
    "lent": "embedder: writes",
    "pixels": "embedder: writes",
    "working size": "contexts: batch",
    "new size": "embedder: borrowed",
    "pointer": "!embedder: borrowed",
    "address": "embedder: borrowed",
    "stride": "!embedder: sizes",
    "no cancel": "embedder: cancel",
    "broken by cancel": "embedder: cancelled",
    "always cancelled": "embedder: alone",
    "no reason": "embedder: errors",
    "two lines": "embedder: errors",
    "no status": "embedder: errors",
    "prints": "process: prints nothing",
    "exits": "!embedder: alone",
    "aborts": "!embedder: alone",
    "crashes": "!embedder: alone",
    "hangs": "!embedder: alone",
    "static scratch": "embedder: threads",
    "shared scratch": "embedder: two",
    "logs elsewhere": "embedder: host",
    "asks late": "embedder: host",
    "log lines": "embedder: host",
    "locale": "embedder: thread state",
    "rounding": "embedder: thread state",
    "signals": "embedder: thread state",
    "blank name": "embedder: table",
    "version": "embedder: table",
    "half a table": "embedder: table",
    "other vector": "embedder: layers",
    "layer": "embedder: answers",
    "once": "embedder: table",
    "bare refusal": "embedder: settings",
    "close breaks": "embedder: alone",
    "end": "process: ends well",
}
MAY_END = {"lent"}  # the program's own texts are constants: writing to one ends it
RULES = {"answers", "writes", "host", "errors", "thread state"}


def run(program, module, defect):
    seconds = "3" if defect == "hangs" else "120"
    done = subprocess.run([program, "--seconds", seconds, "--settings", defect, module],
                          capture_output=True, text=True)
    failed = re.findall(r"^not ok \d+ - (.*)$", done.stdout, re.M)
    ended = re.search(r"^Bail out! (\w+: [\w ]+):", done.stdout, re.M)
    return done, failed + (["!" + ended.group(1)] if ended else [])


def short(name):
    return name.split(": ")[1]


def named(defect, wanted, failed, code):
    """The right name is the first of its kind; rules are told after the other checks."""
    if wanted is None:
        return failed == [] and code == 0
    if any(name != wanted for name in failed if name.startswith("!")) and defect not in MAY_END:
        return False
    kind = [name for name in failed if (short(name) in RULES) == (short(wanted) in RULES)]
    return kind[:1] == [wanted] and code == 1


def main(leaks, program, *modules):
    if leaks:
        EMBEDDER["leaves"] = "process: ends well"
        MAY_END.update(("beyond", "pixels", "capacity", "tail", "token room"))  # writes that a sanitizer ends
    bad, seen = 0, set()
    for module, defects in zip(modules, (CAPTIONER, DETECTOR, EMBEDDER)):
        for defect, wanted in defects.items():
            done, failed = run(program, module, defect)
            seen.update(failed)
            if not named(defect, wanted, failed, done.returncode):
                bad += 1
                print(f"{defect}: {wanted} is wanted; exit code {done.returncode}, {failed}\n"
                      f"{done.stdout}{done.stderr}")
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
    checks = {line.split(" - ")[0] for line in listed.splitlines()}
    never = {short(name) for name in checks} - {short(name) for name in seen}
    for name in sorted(never):
        print(f"no defect makes the check \"{name}\" fail")
    print(f"{sum(map(len, (CAPTIONER, DETECTOR, EMBEDDER)))} defects, {bad} not named as they "
          f"should; {len(checks)} checks, {len(never)} that never failed")
    return bad + len(never) > 0


if __name__ == "__main__":
    with_leaks = "--leaks" in sys.argv
    sys.exit(main(with_leaks, *(a for a in sys.argv[1:] if a != "--leaks")))
