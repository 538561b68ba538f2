"""Writes tests/golden/networks/*.safetensors: inputs and fp32 outputs of every network.

The weights are those of the pack (fp16), widened to fp32. Pictures are made from
the twelve sample pictures alone (--samples).
"""
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

import captioner
import common
import detector_reference
import embedder
import image_encoder
import text_encoder

PICTURES = ("surfing_dog", "astronaut", "chelsea", "china")
DETECTED = ("surfing_dog", "coffee")
THRESHOLD = 0.35
TEXTS = ("a brown dog", "Two puppies play in the SNOW.", "a man", "", "naïve café, 3 cups!",
         "A child in a pink dress is climbing up a set of stairs in an entry way .",
         "skateboarders' half-pipe", "zwei Hunde 🐕 spielen", "日本 temple", "word " * 40)


def store(name, tensors, **meta):
    file = common.REPO / "tests" / "golden" / "networks" / f"{name}.safetensors"
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, file,
              metadata={k: json.dumps(v) for k, v in meta.items()})
    common.settle(file)
    file.chmod(0o644)
    print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")


def pictures(args):
    return torch.from_numpy(np.stack([image_encoder.read_pixels(Image.open(Path(args.samples) / f"{n}.jpg"))
                                      for n in PICTURES]))


def load_embedder(pack):
    weights, meta = common.load(pack / "embedder.safetensors")
    value, width = weights["image.value.weight"].shape[0], weights["image.out.weight"].shape[1]
    model = embedder.Embedder(heads=int(meta["heads"]), value=value, width=width)
    model.load_state_dict(weights)
    return model.eval()


def load_captioner(pack):
    weights, meta = common.load(pack / "captioner.safetensors")
    model = captioner.Captioner(weights["embed.weight"].shape[0], int(meta["width"]),
                                int(meta["layers"]), int(meta["max_words"]))
    model.load_state_dict(weights)
    return model.eval(), float(meta["length_alpha"])


def image_and_text(args, pixels):
    grid = image_encoder.Encoder(args.pack)(pixels.numpy())
    store("image_encoder", {"pixels": pixels, "grid": grid[:2]}, pictures=PICTURES,
          note="grid is that of the first two pictures")
    encoder, model = text_encoder.Encoder(args.pack), load_embedder(args.pack)
    ids, vectors = encoder.tokens(TEXTS), encoder(TEXTS)
    with torch.inference_mode():
        store("text_encoder", {"ids": ids.int(), "vectors": vectors}, texts=TEXTS)
        image, text = model.image(grid), model.text(vectors)
    store("embedder", {"image": image, "text": text, "cosine": image @ text.T},
          pictures=PICTURES, texts=TEXTS)
    return grid


def rows(lists, kind):
    """Lists of unlike length as one tensor; ids end with 0 (never said), the rest with 0.0."""
    out = torch.zeros(len(lists), max(map(len, lists)), dtype=kind)
    for i, values in enumerate(lists):
        out[i, :len(values)] = torch.tensor(values, dtype=kind)
    return out


def captions(args, grid):
    model, alpha = load_captioner(args.pack)
    vocab = (args.pack / "captioner_vocab.txt").read_text().split("\n")
    greedy = [captioner.greedy(model, g[None]) for g in grid]
    beams = captioner.beam_search(model, grid, 3, alpha)
    text = {"greedy": [" ".join(vocab[i] for i in ids if i != captioner.EOS) for ids, _ in greedy],
            "beams": [" ".join(vocab[i] for i in ids if i != captioner.EOS) for _, ids, _ in beams]}
    print(json.dumps(text, indent=1))
    store("captioner", {"greedy_ids": rows([i for i, _ in greedy], torch.int32),
                        "greedy_logprobs": rows([s for _, s in greedy], torch.float32),
                        "beam_ids": rows([i for _, i, _ in beams], torch.int32),
                        "beam_logprobs": rows([s for _, _, s in beams], torch.float32),
                        "beam_scores": torch.tensor([b[0] for b in beams])},
          pictures=PICTURES, captions=text, alpha=alpha,
          note="pixels stand in image_encoder.safetensors; ids include the final 2 (eos)")


def detections(args):
    """Raw outputs are thinned to keep the file small; the names say how."""
    images = [Image.open(Path(args.samples) / f"{n}.jpg") for n in DETECTED]
    pixels = np.stack([detector_reference.read_pixels(i) for i in images])
    out = detector_reference.Detector(args.pack)(pixels)
    tensors = {"pixels": torch.from_numpy(pixels)}
    for stride, step, (scores, bins) in zip(detector_reference.STRIDES, (16, 4, 1), out):
        tensors[f"scores_{stride}_every_{step}"] = scores[:, ::step]
        tensors[f"bins_{stride}_every_{step}"] = bins[:, ::step]
    names = json.loads(common.load(args.pack / "detector.safetensors")[1]["class_names"])
    for i, name in enumerate(DETECTED):
        found = detector_reference.decode(out, i, THRESHOLD)
        tensors[f"boxes_{i}"] = torch.tensor([f[1:] for f in found]).view(-1, 5)
        tensors[f"classes_{i}"] = torch.tensor([f[0] for f in found], dtype=torch.int32)
        print(name, [(names[f[0]], round(f[1], 3)) for f in found])
    store("detector", tensors, pictures=DETECTED, threshold=THRESHOLD,
          boxes="score, x0, y0, x1, y1 in 416x416 pixels, best first")


def main():
    args = common.arguments(__doc__, samples=str(common.REPO.parent / "shared" / "samples"))
    grid = image_and_text(args, pictures(args))
    captions(args, grid)
    detections(args)


if __name__ == "__main__":
    main()
