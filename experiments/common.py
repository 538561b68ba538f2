# SPDX-License-Identifier: Apache-2.0
"""What all experiments share: options, the program, pictures without the closed ones, results.

Nothing here needs more than Python itself. An experiment is a script that calls `arguments()`, asks
`load_manifest()` for pictures and ends with `write()`; run.py runs it where its inputs changed.
"""
import argparse
import csv
import datetime
import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
# The sources of detect/ dev that have both labels and that nothing was made with. Their labels are
# read by dev.py alone, which counts each look.
CLOSED = frozenset({"ML72", "brockwebb", "declan60", "dexer40", "gduteaud_cars", "kaivalya"})
# Sources whose pictures trained an ingredient of the small pack: its image encoder, its detector.
TRAINED_INGREDIENTS = frozenset({"imagenet_sample1000", "coco_train2014_100"})
# Modules that scripts share; a change of one makes every experiment again.
SHARED = ("common.py", "metrics.py", "native.py", "readings.py", "vectors.py")


class Refused(SystemExit):
    """What an experiment may not do, or cannot do here."""


def parser(text):
    """The options that all experiments have."""
    parse = argparse.ArgumentParser(description=text.split("\n\n")[0])
    build = REPO / "build"
    parse.add_argument("--item", type=Path, default=build / "release" / "cli" / "item",
                       help="the program; tools/experiments.sh builds it there")
    parse.add_argument("--pack", type=Path, default=REPO / "packs" / "small")
    parse.add_argument("--data", type=Path, default=REPO.parent / "shared" / "data")
    parse.add_argument("--out", type=Path, default=build / "experiments", help="folder of results")
    return parse


def ready(args):
    """Absolute paths, and an engine for a program that was not installed."""
    for name in ("item", "pack", "data", "out"):
        setattr(args, name, getattr(args, name).resolve())
    if not args.item.exists():
        raise Refused(f"{args.item}: is not there; tools/experiments.sh builds it")
    engine = args.item.parent.parent / "lib" / "backends" / "torch" / "libitem-torch.so"
    if engine.exists():
        os.environ.setdefault("ITEM_ENGINE_PATH", str(engine))
    (args.out / "work").mkdir(parents=True, exist_ok=True)
    return args


def arguments(text, **more):
    """`more` adds name=default pairs, of False a switch."""
    parse = parser(text)
    for name, default in more.items():
        kind = {"action": "store_true"} if default is False else {
            "type": str if default is None else type(default), "default": default}
        parse.add_argument("--" + name.replace("_", "-"), **kind)
    return ready(parse.parse_args())


# ---- pictures ----------------------------------------------------------------------------------
def manifest_file(args):
    return args.data / "detect" / "manifest.csv"


def read_manifest(path):
    """All rows, with absolute paths. Only load_manifest() and dev.py may call it."""
    with open(path, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        row["path"] = str((path.parent / row["path"]).resolve())
    return rows


def load_manifest(args, split=None, sources=None, without=()):
    """Rows of detect/ as dictionaries: path, label, generator, source, split, prompt.

    The closed sources are never among them; to ask for one by name is refused.
    """
    asked = set(sources or ()) & CLOSED
    if asked:
        raise Refused(f"closed sources: {', '.join(sorted(asked))}; dev.py opens them, and counts it")
    path = manifest_file(args)
    if not path.exists():
        raise Refused(f"{path}: is not there; --data names the folder with detect/ in it")
    rows = [r for r in read_manifest(path) if r["source"] not in CLOSED]
    return [r for r in rows if (split is None or r["split"] == split) and
            (sources is None or r["source"] in sources) and r["source"] not in without]


def write_manifest(path, rows):
    """A manifest that `item` reads; the same rows give the same bytes."""
    names = ["path", "label", "generator", "source", "split", "prompt"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def draw(rows, count, seed=1):
    """`count` rows, drawn by hash: equally many of each label, and within it of each source."""
    def place(row):
        return hashlib.sha256(f"{seed} {Path(row['path']).name}".encode()).hexdigest()

    groups = {}
    for row in sorted(rows, key=place):
        groups.setdefault(row["label"], {}).setdefault(row["source"], []).append(row)
    out = []
    for sources in groups.values():
        wanted = count // len(groups)
        for left, source in enumerate(sorted(sources, key=lambda s: len(sources[s]))):
            share = wanted // (len(sources) - left)
            taken = sources[source][:share]
            wanted -= len(taken)
            out += taken
    return sorted(out, key=lambda row: row["path"])


# ---- the program -------------------------------------------------------------------------------
def call(args, *words, **more):
    """Runs `item`; gives what it printed. Exit code 1 (some pictures failed) is an answer too."""
    line = [str(args.item), *map(str, words)]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode not in (0, 1) or (done.returncode == 1 and not done.stdout.strip()):
        raise Refused(f"{shlex.join(line)}: {done.stderr.strip()[-600:]}")
    return done.stdout


def answers(args, command, files, *options):
    """One dictionary for each file, in order; names go through standard input."""
    names = "\0".join(map(str, files))
    said = call(args, command, "--pack", args.pack, "--json", *options, "-0", input=names)
    rows = [json.loads(line) for line in said.splitlines()]
    if len(rows) != len(files):
        raise Refused(f"item {command}: {len(rows)} answers for {len(files)} pictures")
    return rows


def vector_width(args):
    """Of the pack's embedder."""
    return len(json.loads(call(args, "embed", "--pack", args.pack, "--json", "--text", "a"))["embedding"])


def features(args, rows, name, *options):
    """Vectors of these pictures, in a file that is made once for pack, program and pictures.

    What networks said of a picture is kept in one cache: a subset, or a run that was killed,
    computes nothing again.
    """
    work = args.out / "work"
    manifest = write_manifest(work / f"{name}.csv", rows)
    key = digest_text(manifest.read_text(), stages_digest(args.pack), version(args), *options)[:16]
    path = work / f"{name}-{key}.safetensors"
    if not path.exists():
        call(args, "features", manifest, "--pack", args.pack, "--cache", work / "stages.cache",
             "--out", path, *options)
    return path


# ---- inputs and results ------------------------------------------------------------------------
def digest_text(*parts):
    out = hashlib.sha256()
    for part in parts:
        out.update(str(part).encode() + b"\0")
    return out.hexdigest()


def digest_files(*paths):
    out = hashlib.sha256()
    for path in sorted(paths):
        out.update(path.name.encode() + b"\0" + path.read_bytes())
    return out.hexdigest()


def pack_digest(pack):
    """item.json holds the hash of every file of a pack."""
    if not (pack / "item.json").exists():
        raise Refused(f"{pack}: is no pack: there is no item.json")
    return digest_files(pack / "item.json")


def stages_digest(pack):
    """Vectors do not depend on a pack's head."""
    return digest_text(json.dumps(json.loads((pack / "item.json").read_text())["stages"]))


def version(args):
    return call(args, "--version").strip()


def code_digest(script):
    """A script, what lies beside it, and what all share."""
    script = Path(script).resolve()
    beside = {p for p in script.parent.iterdir() if p.suffix in (".py", ".json", ".mjs", ".csv")}
    return digest_files(*(beside - set(HERE.iterdir())), script, *(HERE / name for name in SHARED))


def inputs(args, script):
    """What a result depends on; where they are the same, it need not be made again."""
    manifest = manifest_file(args)
    return {"script": code_digest(script), "pack": pack_digest(args.pack), "item": version(args),
            "data": digest_files(manifest) if manifest.exists() else None}


def processor():
    """Its name, the cores, and the widest kernels it has."""
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.processor()
    name = next((line.split(":", 1)[1].strip() for line in text.splitlines()
                 if line.startswith("model name")), platform.machine())
    flags = text.split()
    widest = next((f for f in ("avx512_bf16", "avx512f", "avx2") if f in flags), "no AVX2")
    return f"{name}, {os.cpu_count()} cores, {widest}"


def versions(args):
    out = {"item": version(args), "python": platform.python_version()}
    for name in ("numpy", "sklearn", "scipy", "PIL", "onnxruntime"):
        if name in sys.modules:
            out[name] = getattr(sys.modules[name], "__version__", "?")
    return out


def table(columns, rows, note=""):
    """For docs/experiments.md. A cell is a text, a number, None, or [value, low, high]."""
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{len(row)} cells for {len(columns)} columns: {row}")
    return {"columns": list(columns), "rows": [list(row) for row in rows], "note": note}


def write(args, script, name, result, tables, command=None):
    """OUT/NAME.json; appears whole or not at all. `tables` by the name of their marker."""
    try:
        place = Path(script).resolve().relative_to(REPO)
    except ValueError:
        place = Path(script).name
    facts = {"name": name, "command": command or f"make experiments ONLY={name}", "script": str(place),
             "inputs": inputs(args, script), "versions": versions(args), "processor": processor(),
             "date": datetime.date.today().isoformat(), "tables": tables, "result": result}
    path = args.out / f"{name}.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    part.replace(path)
    return path
