# SPDX-License-Identifier: Apache-2.0
"""Does the chain in PyTorch give the scores of the program? Asked of 20 pictures before any attack.

python verify.py [--pictures 20]
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
import chain  # noqa: E402
import torch  # noqa: E402

from experiments import common as shared  # noqa: E402

MOST = 1e-3


def text_vectors(args, texts):
    """{text: unit vector}, by the program."""
    import json
    out, texts = {}, sorted(set(texts))
    for start in range(0, len(texts), 400):
        some = texts[start:start + 400]
        words = [w for text in some for w in ("--text", text)]
        for line in shared.call(args, "embed", "--pack", args.pack, "--json", *words).splitlines():
            row = json.loads(line)
            out[row["text"]] = row["embedding"]
    return out


def fixed_of(args, answers):
    """What attacks hold fixed, for each answer."""
    texts = [a["caption"] for a in answers] + [o["phrase"] for a in answers for o in a["objects"]]
    vectors = text_vectors(args, texts)
    return [chain.fixed_parts(a, vectors) for a in answers]


def differences(args, files, answers, c):
    """|score of the chain - score of the program| of each picture; Refused above MOST."""
    with torch.no_grad():
        mine = [float(c.score(chain.read(f), fixed)) for f, fixed in zip(files, fixed_of(args, answers))]
    away = [abs(a["score"] - m) for a, m in zip(answers, mine)]
    if max(away) > MOST:
        raise shared.Refused(f"the chain's score differs from the program's by {max(away):.2g}")
    return away


def main():
    args = shared.arguments(__doc__, pictures=20)
    torch.set_num_threads(1)
    rows = shared.draw(shared.load_manifest(args, split="train"), args.pictures, seed=3)
    files = [r["path"] for r in rows]
    away = differences(args, files, shared.answers(args, "check", files), chain.Chain(args.pack))
    print(f"{len(away)} pictures: scores differ by {max(away):.2g} at most")


if __name__ == "__main__":
    main()
