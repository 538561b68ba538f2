"""BLEU of the captions of Flickr8k's 1,000 test pictures, through the program."""
import sys
from collections import Counter
from pathlib import Path

import numpy as np

import program

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import words  # noqa: E402
from common import flickr8k  # noqa: E402


def main():
    args = program.arguments(__doc__, beams="3")
    names, splits, captions = flickr8k(args.data)
    test = np.flatnonzero(splits == "test")
    files = [args.data / "flickr8k" / "images" / names[i] for i in test]
    rows = program.item(args, "caption", files, "--beams", args.beams)
    said = [r["caption"] for r in rows]
    one, four = words.bleu([s.split() for s in said], [captions[i] for i in test])
    print(f"{len(files)} pictures, {args.beams} beams: BLEU-1 {one:.4f} BLEU-4 {four:.4f}, "
          f"{len(set(said))} different captions, most often {Counter(said).most_common(1)[0]}")


if __name__ == "__main__":
    main()
