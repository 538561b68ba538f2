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
    start = time.time()
    with common.new_array(args.cache / "grids.npy", shape) as out:
        for i in range(0, len(middle), BATCH):
            views = 1 if "train" not in splits[i:i + BATCH] else shape[1]
            x = torch.from_numpy(middle[i:i + BATCH, :views]).float().permute(0, 1, 4, 2, 3)
            grids = net.encode_rest(w, x.flatten(0, 1))
            out[i:i + BATCH, :views] = grids.unflatten(0, (-1, views)).numpy()
            if i % 1600 == 0:
                print(f"{i} pictures, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
