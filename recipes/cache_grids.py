"""Stores the final image encoder's grids of Flickr8k as one fp16 array (pictures, views, 49, 1280).

Views as in cache_views.py; 8,091 pictures with six of them: 6 GB.
"""
import time

import numpy as np
import torch

import common
import image_encoder as net

BATCH = 16  # pictures, each with its views


@torch.inference_mode()
def main():
    args = common.arguments(__doc__)
    w = net.Encoder(args.pack).w
    middle = np.load(args.cache / "middle.npy", mmap_mode="r")
    _, splits, _ = common.flickr8k(args.data)
    shape = (*middle.shape[:2], 49, 1280)
    out = np.lib.format.open_memmap(args.cache / "grids.npy.part", mode="w+", dtype=np.float16, shape=shape)
    start = time.time()
    for i in range(0, len(middle), BATCH):
        views = 1 if "train" not in splits[i:i + BATCH] else shape[1]
        x = torch.from_numpy(middle[i:i + BATCH, :views]).float().permute(0, 1, 4, 2, 3)
        out[i:i + BATCH, :views] = net.encode_rest(w, x.flatten(0, 1)).unflatten(0, (-1, views)).numpy()
        if i % 1600 == 0:
            print(f"{i} pictures, {time.time() - start:.0f} s", flush=True)
    out.flush()
    (args.cache / "grids.npy.part").rename(args.cache / "grids.npy")


if __name__ == "__main__":
    main()
