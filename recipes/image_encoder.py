"""EfficientNet-Lite0 without its classifier: pictures in, a 7x7x1280 grid out."""
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import common

SIZE = 224
# TensorFlow's own for the "lite" networks: (v - 127) / 128. With ImageNet's mean and deviation the
# classifier is visibly less sure (mean highest probability 0.57 against 0.67).
MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3
# One row a block: kernel, stride. Channels stand in the weights.
BLOCKS = ((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1),
          (5, 1), (5, 1), (5, 1), (5, 2), (5, 1), (5, 1), (5, 1), (3, 1))
FRONT = 11  # blocks in front of those that are tuned with the embedder


def read_pixels(picture, size=SIZE):
    """The whole picture squashed to a square, as uint8 (size, size, 3)."""
    picture = picture.convert("RGB")
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.BICUBIC)
    return np.asarray(picture)


def normalise(pixels):
    """uint8 (n, h, w, 3) to float (n, 3, h, w)."""
    x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255.0
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std


def conv_same(x, weight, bias, stride=1, groups=1):
    """TensorFlow's SAME: where the padding is odd, the end gets one more."""
    k, size = weight.shape[-1], x.shape[-1]
    pad = max((-(-size // stride) - 1) * stride + k - size, 0)
    if pad:
        x = F.pad(x, (pad // 2, pad - pad // 2, pad // 2, pad - pad // 2))
    if groups == 1:
        return F.conv2d(x, weight, bias, stride=stride)
    with torch.autocast("cpu", enabled=False):  # bf16's backward pass is twice as slow here
        return F.conv2d(x.float(), weight, bias, stride=stride, groups=groups)


def block(w, name, x, stride):
    """Expand, depthwise, project; the input is added where shapes allow it."""
    def conv(part, value, **more):
        return conv_same(value, w[f"{name}.{part}.weight"], w[f"{name}.{part}.bias"], **more)
    y = x
    if f"{name}.expand.weight" in w:
        y = F.relu6(conv("expand", y))
    y = F.relu6(conv("dw", y, stride=stride, groups=y.shape[1]))
    y = conv("project", y)
    return x + y if y.shape == x.shape else y


def encode_front(w, x):
    """Normalised pictures to (n, 112, 14, 14): all blocks that stay as published."""
    x = F.relu6(conv_same(x, w["stem.weight"], w["stem.bias"], stride=2))
    for i in range(FRONT):
        x = block(w, f"blocks.{i}", x, BLOCKS[i][1])
    return x


def encode_rest(w, x):
    """The front's output to grids (n, 49, 1280), row by row from the top left."""
    for i in range(FRONT, len(BLOCKS)):
        x = block(w, f"blocks.{i}", x, BLOCKS[i][1])
    x = F.relu6(conv_same(x, w["head.weight"], w["head.bias"]))
    return x.flatten(2).transpose(1, 2)


def encode(w, x):
    return encode_rest(w, encode_front(w, x))


class Encoder:
    """The encoder with weights of a pack folder."""

    def __init__(self, pack):
        self.w, self.meta = common.load(pack / "image_encoder.safetensors")
        self.w = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
                  for k, v in self.w.items()}

    @torch.inference_mode()
    def __call__(self, pixels):
        x = normalise(pixels).contiguous(memory_format=torch.channels_last)
        return encode(self.w, x)
