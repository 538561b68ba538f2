"""What `make demo` closes with: how the pack's head did on the six closed sources of detect/dev.

Reads build/experiments/arms-dev.json of `make experiments ONLY=arms OPEN_DEV=...`, the one place that
opens them and counts it; with --write 1 it writes packs/small/heldout.txt.
"""
import hashlib
import json
import sys
from pathlib import Path

import program

RESULT = Path(__file__).resolve().parents[2] / "build" / "experiments" / "arms-dev.json"


def head_digest(pack):
    return hashlib.sha256((pack / "head.safetensors").read_bytes()).hexdigest()


def sentences(report):
    v = report["verdicts"]
    called = [v["photographs_called"], v["ai_called"]]
    count = sum(sum(c.values()) for c in called)
    decided = sum(c["real"] + c["ai"] for c in called)
    right = called[0]["real"] + called[1]["ai"]
    if decided == 0:
        how_good = "As it decided none, nothing is known of how often it is right when it does"
    elif decided < 30:
        how_good = (f"Where it did decide it was right {right} of {decided} times, "
                    "too few to say how often that is")
    else:
        how_good = f"Where it did decide it was right {right} of {decided} times ({right / decided:.0%})"
    return (f"Of {count} pictures of {report['headline']['sources']} sources it answered `unsure` for "
            f"{100 * v['unsure']:.1f} %.\n"
            f"{how_good}; it called {called[0]['ai']} of {sum(called[0].values())} photographs `ai`.\n")


def main():
    args = program.arguments(__doc__, write=0)
    if not RESULT.exists():
        sys.exit(f"{RESULT}: is not there; `make experiments ONLY=arms OPEN_DEV=...` makes it")
    found = json.loads(RESULT.read_text(encoding="utf-8"))["result"]
    if found["head"] != head_digest(args.pack):
        sys.exit(f"{RESULT}: was made with another head")
    text = sentences(found["pack"])
    print(text)
    if args.write:
        (args.pack / "heldout.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
