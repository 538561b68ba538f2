"""Stores the image encoder's grids of Flickr8k as one fp16 array (pictures, 2, 49, 1280).

Second axis: as it is, and mirrored left to right. 8,091 pictures: 2 GB.
"""
import time

import numpy as np
from PIL import Image

import common
import image_encoder as net

BATCH = 32


def main():
    args = common.arguments(__doc__)
    encoder = net.Encoder(args.pack)
    names, _, _ = common.flickr8k(args.data)
    folder = args.data / "flickr8k" / "images"
    out = np.lib.format.open_memmap(args.cache / "grids.npy.part", mode="w+",
                                    dtype=np.float16, shape=(len(names), 2, 49, 1280))
    start = time.time()
    for i in range(0, len(names), BATCH):
        pixels = np.stack([net.read_pixels(Image.open(folder / n)) for n in names[i:i + BATCH]])
        out[i:i + len(pixels), 0] = encoder(pixels).numpy()
        out[i:i + len(pixels), 1] = encoder(pixels[:, :, ::-1]).numpy()
        if i % 960 == 0:
            print(f"{i} pictures, {time.time() - start:.0f} s", flush=True)
    out.flush()
    (args.cache / "grids.npy.part").rename(args.cache / "grids.npy")


if __name__ == "__main__":
    main()
