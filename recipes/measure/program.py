"""Runs the program `item` and reads its lines of JSON: what every table is made with."""
import argparse
import json
import os
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent


def arguments(text, **more):
    """The options that all tables have; `more` adds name=default pairs, of False a switch."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parser.add_argument("--item", type=Path, default=REPO / "build" / "release" / "cli" / "item",
                        help="the program; `make demo` builds it there")
    parser.add_argument("--pack", type=Path, default=REPO / "packs" / "small")
    for name, default in more.items():
        kind = {"action": "store_true"} if default is False else {
            "type": str if default is None else type(default), "default": default}
        parser.add_argument("--" + name.replace("_", "-"), **kind)
    args = parser.parse_args()
    if not args.item.exists():
        raise SystemExit(f"{args.item}: is not there; `make demo` builds it")
    engine = args.item.resolve().parent.parent / "lib" / "backends" / "torch" / "libitem-torch.so"
    if engine.exists():  # a build folder; an installed program finds its engine itself
        os.environ.setdefault("ITEM_ENGINE_PATH", str(engine))
    return args


def item(args, command, files, *options):
    """One dictionary for each file, in order; the names go through standard input."""
    line = [str(args.item), command, "--pack", str(args.pack), "--json", *options, "-0"]
    names = b"\0".join(str(f).encode() for f in files)
    done = subprocess.run(line, input=names, stdout=subprocess.PIPE, check=False)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    if len(rows) != len(files):
        raise SystemExit(f"{command}: {len(rows)} answers for {len(files)} pictures")
    if rows and all("error" in row for row in rows):
        raise SystemExit(f"{command}: no picture was answered: {rows[0]['error']['message']}")
    return rows


def item_texts(args, texts, some=500):
    """The vectors of texts."""
    rows = []
    for start in range(0, len(texts), some):
        line = [str(args.item), "embed", "--pack", str(args.pack), "--json"]
        for text in texts[start:start + some]:
            line += ["--text", text]
        done = subprocess.run(line, stdout=subprocess.PIPE, check=True)
        rows += [json.loads(row)["embedding"] for row in done.stdout.splitlines()]
    return rows
