"""R@1, R@5 and R@10 on the 1,000 test pictures of Flickr8k, through the program.

Text to picture: each of the 5,000 captions looks for its picture. Picture to text: the
picture looks for any of its five captions.
"""
import sys
from pathlib import Path

import numpy as np

import program

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from common import flickr8k  # noqa: E402


def recall(rank):
    return " ".join(f"R@{k} {np.mean(rank < k):.3f}" for k in (1, 5, 10))


def main():
    args = program.arguments(__doc__)
    names, splits, captions = flickr8k(args.data)
    test = np.flatnonzero(splits == "test")
    files = [args.data / "flickr8k" / "images" / names[i] for i in test]
    texts = [c for i in test for c in captions[i]]
    owner = np.array([k for k, i in enumerate(test) for _ in captions[i]])
    pictures = np.array([r["embedding"] for r in program.item(args, "embed", files)])
    words = np.array(program.item_texts(args, texts))
    cosine = words @ pictures.T
    own = cosine[np.arange(len(owner)), owner]
    print(f"text to picture, {len(texts)} captions: {recall((cosine > own[:, None]).sum(1))}")
    back = cosine.T
    best = np.array([row[owner == k].max() for k, row in enumerate(back)])
    print(f"picture to text, {len(files)} pictures: {recall((back > best[:, None]).sum(1))}")


if __name__ == "__main__":
    main()
