"""Retrieval on Flickr8k (--split test or dev) with the files of the pack, as written."""
import numpy as np
import torch

import common
import embedder
import text_encoder
from golden_networks import load_embedder
from train_embedder import show


@torch.inference_mode()
def main():
    args = common.arguments(__doc__, split="test")
    _, splits, captions = common.flickr8k(args.data)
    pictures = np.flatnonzero(splits == args.split)
    grids = np.load(args.cache / "grids.npy", mmap_mode="r")
    model, encoder = load_embedder(args.pack), text_encoder.Encoder(args.pack)
    image = torch.cat([model.image(torch.from_numpy(np.array(grids[p, 0])).float())
                       for p in np.array_split(pictures, 20)])
    # Sorted by length, so that little is padding.
    texts = [c for p in pictures for c in captions[p]]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    text = torch.empty(len(texts), image.shape[1])
    text[order] = model.text(encoder(texts[i] for i in order))
    owner = torch.arange(len(pictures)).repeat_interleave(5)
    print(f"{args.split}, {len(pictures)} pictures: " + show(embedder.recalls(image, text, owner)))


if __name__ == "__main__":
    main()
