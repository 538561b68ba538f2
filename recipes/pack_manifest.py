"""Writes item.json of a pack: the template's facts, with the size and SHA-256 of each file.

python recipes/pack_manifest.py                      packs/small from recipes/small.json
python recipes/pack_manifest.py --check              only say whether item.json is up to date
python recipes/pack_manifest.py --without-head       a pack that gives no verdict
"""
import argparse
import hashlib
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MOST = 80_000_000  # bytes of the small pack, and so of every pack made here


def describe(folder, entry):
    """The entry of a file: name, size, hash."""
    path = folder / entry["file"]
    if not path.is_file():
        sys.exit(f"{path}: is not there")
    data = path.read_bytes()
    return {"file": entry["file"], "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def fill(template, folder, with_head):
    for stage in template["stages"].values():
        stage["files"] = {role: describe(folder, entry) for role, entry in stage["files"].items()}
    head = template.pop("head", None)
    if head and with_head:
        template["head"] = describe(folder, head)
    return template


def sizes(manifest):
    """Bytes of each file, counted once however many roles it has."""
    entries = [e for stage in manifest["stages"].values() for e in stage["files"].values()]
    entries += [manifest["head"]] if "head" in manifest else []
    return {e["file"]: e["bytes"] for e in entries}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, default=HERE.parent / "packs" / "small")
    parser.add_argument("--template", type=Path, default=HERE / "small.json")
    parser.add_argument("--without-head", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    template = json.loads(args.template.read_text(encoding="utf-8"))
    manifest = fill(template, args.pack, not args.without_head)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    bytes_of = sizes(manifest)
    for name, count in sorted(bytes_of.items()):
        print(f"{count / 1e6:8.2f} MB  {name}")
    total = sum(bytes_of.values())
    print(f"{total / 1e6:8.2f} MB  in all, of {MOST / 1e6:.0f}")
    if total > MOST:
        sys.exit("the pack is too large")

    target = args.pack / "item.json"
    same = target.is_file() and target.read_text(encoding="utf-8") == text
    if args.check:
        sys.exit(None if same else f"{target}: is not what the files say")
    target.write_text(text, encoding="utf-8")
    print(f"{target}: {'unchanged' if same else 'written'}")


if __name__ == "__main__":
    main()
