# SPDX-License-Identifier: Apache-2.0
"""The reference's and ONNX Runtime's side of `make bench-models`, with the same lines as
tests/bench/models.c: one call a line, answered with its milliseconds.

usage: reference_side.py HOW FOLDER FAMILY PRECISION TOKENS THREADS FILE...

HOW: default (as a program would use it first), best (inference mode, the same threads), onnx.
FAMILY: clip, blip, owlvit, owlv2, or chain for all stages (FOLDER is then one of six_objects.py).
Pictures are preprocessed before and what is timed is the model's call alone, but for the chain,
which goes from the file to the cosines and also tells its objects and its caption.
"""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import torch  # noqa: E402

from reference import Reference  # noqa: E402

WORDS = ["a dog", "the sky", "two red cars", "a man with a hat", "tree", "green grass",
         "a small boat", "window"]


class Side:
    def __init__(self, folder, family, precision, tokens, files):
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        self.reference = Reference(Path(folder), family, None, dtype)
        self.model, self.tokens = self.reference.model, tokens
        self.pixels = torch.cat([self.reference.pixels(f) for f in files]).to(dtype)

    def some(self, n):
        return self.pixels[[i % len(self.pixels) for i in range(n)]]

    def ids(self, n, padding=True):
        return self.reference.tokenizer([WORDS[i % 8] for i in range(n)], padding=padding,
                                        max_length=self.reference.limit, return_tensors="pt")

    def images(self, n):
        self.model.get_image_features(self.some(n))

    def texts(self, n):
        self.model.get_text_features(**self.ids(n))

    def caption(self, n):
        self.model.generate(self.some(n), max_length=self.tokens)

    def detect(self, n):
        tokens = self.ids(n, "max_length")
        self.model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"],
                   pixel_values=self.some(1))


class Tower(torch.nn.Module):
    """The vision side. For BLIP with the keys and values of it in each layer of the decoder: all
    that a caption needs of the picture."""

    def __init__(self, model):
        super().__init__()
        self.vision = model.vision_model
        layers = model.text_decoder.bert.encoder.layer if hasattr(model, "text_decoder") else []
        products = [(layer.crossattention.self.key, layer.crossattention.self.value)
                    for layer in layers]
        self.products = torch.nn.ModuleList(sum(products, ()))

    def forward(self, pixels):
        out = self.vision(pixel_values=pixels)
        if not self.products:
            return out.pooler_output, out.last_hidden_state
        return tuple(product(out.last_hidden_state) for product in self.products)


class Onnx(Side):
    """The tower, exported once."""

    def __init__(self, folder, family, precision, tokens, files, threads):
        import onnxruntime
        super().__init__(folder, family, precision, tokens, files)
        folder = Path(folder)
        path = folder.with_name(folder.name + ("-keys.onnx" if family == "blip" else ".onnx"))
        if not path.exists():
            self.export(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options,
                                                    providers=["CPUExecutionProvider"])
        del self.model

    def export(self, path):
        tower = Tower(self.model).eval()
        with torch.no_grad():
            torch.onnx.export(tower, (self.some(1),), str(path), dynamo=False,
                              input_names=["pixels"],
                              dynamic_axes={"pixels": {0: "n"}}, opset_version=17)

    def images(self, n):
        self.session.run(None, {"pixels": self.some(n).numpy()})

    caption = images


def open_side(how, folder, family, precision, tokens, threads, *files):
    if how != "default":
        torch.set_num_threads(int(threads))
    if family == "chain":
        import six_objects
        return six_objects.Chain(folder, precision, int(tokens), files[0], how == "default")
    if how == "onnx":
        return Onnx(folder, family, precision, int(tokens), files, int(threads))
    return Side(folder, family, precision, int(tokens), files)


def main():
    how = sys.argv[1]
    side = open_side(*sys.argv[1:])
    guard = torch.enable_grad if how == "default" else torch.inference_mode
    for line in sys.stdin:
        what, n = line.split()
        start = time.perf_counter()
        with guard():
            said = getattr(side, what)(int(n))
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", said or "", flush=True)


if __name__ == "__main__":
    main()
