"""NanoDet-g as a plain forward pass, its decoding, and its pre-processing.

The order of operations is the same as in the origin's graph (nanodet.json); the
convolutions are numbered as there: PartitionedCall/convolution_N is conv.NN.
"""
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import common

SIZE, CLASSES, BINS, STRIDES = 416, 80, 11, (8, 16, 32)
MEAN = (103.53, 116.28, 123.675)  # of channels in the order blue, green, red
STD = (57.375, 57.12, 58.395)
NMS_IOU = 0.6
STRIDE2 = (0, 5, 11, 17)


def read_pixels(picture):
    """The whole picture squashed to 416x416, as uint8 RGB."""
    return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.BILINEAR))


def normalise(pixels):
    """uint8 RGB (n, 416, 416, 3) to float BGR (n, 3, 416, 416)."""
    x = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).flip(1).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std


class Graph:
    def __init__(self, weights):
        self.w = weights

    def conv(self, i, x):
        weight = self.w[f"conv.{i:02d}.weight"]
        return F.conv2d(x, weight, self.w[f"conv.{i:02d}.bias"], padding=weight.shape[-1] // 2,
                        stride=2 if i in STRIDE2 else 1)

    def act(self, i, x):
        return F.leaky_relu(self.conv(i, x), 0.1)

    def blocks(self, i, x, count):
        """conv i opens; each block pairs it with the next one (the newer stands first)
        and closes with a third, which opens the next block."""
        a = self.act(i, x)
        for n in range(count):
            b = self.act(i + 1 + 2 * n, a)
            a = self.act(i + 2 + 2 * n, torch.cat([b, a], 1))
        return torch.cat([a, x], 1)

    def features(self, x):
        x = F.max_pool2d(self.act(0, x), 3, 2, 1)
        c2 = self.blocks(2, self.act(1, x), 1)
        c3 = self.blocks(6, self.act(5, c2), 2)
        c4 = self.blocks(12, self.act(11, c3), 2)
        return c3, c4, self.blocks(18, self.act(17, c4), 3)

    @staticmethod
    def resize(x, size):
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)

    def pyramid(self, c3, c4, c5):
        l3, l4, l5 = self.conv(25, c3), self.conv(26, c4), self.conv(27, c5)
        p4 = l4 + self.resize(l5, l4.shape[-2:])
        p3 = l3 + self.resize(p4, l3.shape[-2:])
        n4 = p4 + self.resize(p3, p4.shape[-2:])
        n5 = l5 + self.resize(n4, l5.shape[-2:])
        return p3, n4, n5

    def __call__(self, x):
        """For each stride 8, 16, 32: scores (n, cells, 80) and bins (n, cells, 44)."""
        out = []
        for i, level in zip((28, 30, 32), self.pyramid(*self.features(x))):
            y = self.conv(i + 1, self.act(i, level)).flatten(2).transpose(1, 2)
            out.append((y[..., :CLASSES].sigmoid(), y[..., CLASSES:]))
        return out


def boxes_of(bins, stride):
    """bins (cells, 44) to corners in the 416 space. Cell centres are at (i + 0.5) * stride."""
    side = SIZE // stride
    weights = bins.view(-1, 4, BINS).softmax(-1)
    distance = (weights * torch.arange(BINS)).sum(-1) * stride
    centre = (torch.arange(side) + 0.5) * stride
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    x, y = x.flatten(), y.flatten()
    corners = torch.stack([x - distance[:, 0], y - distance[:, 1],
                           x + distance[:, 2], y + distance[:, 3]], 1)
    return corners.clamp(0, SIZE)


def iou(a, b):
    """Intersection over union of each box of a with each of b."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = (high - low).clamp(min=0).prod(-1)
    area = [(v[:, 2:] - v[:, :2]).prod(-1) for v in (a, b)]
    return inside / (area[0][:, None] + area[1][None] - inside).clamp(min=1e-9)


def suppress(boxes, scores):
    """Indices that stay, best first: greedy, drops IoU > 0.6 with a better one."""
    order = scores.argsort(descending=True, stable=True)
    near = (iou(boxes[order], boxes[order]) > NMS_IOU).numpy()
    alive, keep = np.ones(len(order), bool), []
    for i in range(len(order)):
        if alive[i]:
            keep.append(int(order[i]))
            alive[i + 1:] &= ~near[i, i + 1:]
    return keep


def decode(out, picture=0, threshold=0.35):
    """Final boxes: a list of (class, score, x0, y0, x1, y1) in the 416 space, best first."""
    boxes = torch.cat([boxes_of(b[picture], s) for (_, b), s in zip(out, STRIDES)])
    scores = torch.cat([s[picture] for s, _ in out])
    found = []
    for c in range(CLASSES):
        some = (scores[:, c] >= threshold).nonzero()[:, 0]
        for i in suppress(boxes[some], scores[some, c]):
            found.append((c, float(scores[some[i], c]), *boxes[some[i]].tolist()))
    return sorted(found, key=lambda f: -f[1])


class Detector:
    def __init__(self, pack):
        w, self.meta = common.load(pack / "detector.safetensors")
        self.graph = Graph(w)

    @torch.inference_mode()
    def __call__(self, pixels):
        return self.graph(normalise(pixels))
