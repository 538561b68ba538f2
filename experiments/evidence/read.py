#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the small pack's networks hold of pictures: vectors, inner layers, captions, likelihoods.

usage: read.py PACK LIST VIEW OUT [THREADS]

LIST has one picture a line; OUT becomes a .npz file with one row a picture. Killed and started
again it goes on. It runs alone, without experiments/common.py: recipes/ has a module of that name.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "recipes"))
sys.path.append(str(HERE))
import captioner  # noqa: E402
import image_encoder as net  # noqa: E402
import golden_networks  # noqa: E402
import text_encoder  # noqa: E402
import views  # noqa: E402

PIECE, SAMPLES = 64, 2
F = torch.nn.functional


class Networks:
    def __init__(self, pack):
        self.encoder = net.Encoder(pack).w
        self.embedder = golden_networks.load_embedder(pack)
        self.captioner, _ = golden_networks.load_captioner(pack)
        self.texts = text_encoder.Encoder(pack)
        self.words = (pack / "captioner_vocab.txt").read_text("utf-8").split("\n")


def encode(w, pixels):
    """The grid (n, 49, 1280), and each block's mean over its places, side by side."""
    x = net.normalise(pixels).contiguous(memory_format=torch.channels_last)
    x = F.relu6(net.conv_same(x, w["stem.weight"], w["stem.bias"], stride=2))
    means = []
    for i, (_, stride) in enumerate(net.BLOCKS):
        x = net.block(w, f"blocks.{i}", x, stride)
        means.append(x.mean((2, 3)))
    grid = F.relu6(net.conv_same(x, w["head.weight"], w["head.bias"])).flatten(2).transpose(1, 2)
    return grid, torch.cat(means, 1)


# ---- captions ----------------------------------------------------------------------------------
def decode(model, cross, choose):
    """Ids and log-probabilities (n, steps), nan behind the end; `choose` picks the words of a step."""
    decoder = captioner.Decoder.__new__(captioner.Decoder)
    decoder.m, decoder.cross, decoder.past = model, cross, [None] * len(model.layers)
    n = len(cross[0][0])
    word, ended, ids, said = torch.full((n,), captioner.BOS), torch.zeros(n, dtype=torch.bool), [], []
    for i in range(model.max_words):
        steps = decoder.step(word, i)
        word = torch.where(ended, torch.tensor(captioner.EOS), choose(steps, i))
        ids.append(word)
        said.append(steps.gather(1, word[:, None])[:, 0].masked_fill(ended, torch.nan))
        ended = ended | (word == captioner.EOS)
        if ended.all():
            break
    return torch.stack(ids, 1), torch.stack(said, 1)


def likelihoods(model, grid):
    """Greedy captions, their mean log-probability, the same without a picture, length, samples."""
    n = len(grid)
    own = captioner.Decoder(model, grid).cross
    blank = [(k.expand(n, -1, -1), v.expand(n, -1, -1))
             for k, v in captioner.Decoder(model, torch.zeros_like(grid[:1])).cross]
    ids, seen = decode(model, own, lambda steps, i: steps.argmax(1))
    _, unseen = decode(model, blank, lambda steps, i: ids[:, min(i, ids.shape[1] - 1)])
    drawn = [decode(model, own, lambda steps, i: torch.multinomial(steps.exp(), 1)[:, 0])
             for _ in range(SAMPLES)]
    numbers = [seen.nanmean(1), unseen.nanmean(1), (~seen.isnan()).sum(1),
               torch.stack([said.nanmean(1) for _, said in drawn]).mean(0)]
    return [ids, *(ids for ids, _ in drawn)], torch.stack(numbers, 1)


def texts(words, ids):
    return [" ".join(words[i] for i in row if i != captioner.EOS) for row in ids.tolist()]


@torch.inference_mode()
def read(n, pixels, with_words):
    grid, means = encode(n.encoder, pixels)
    out = {"image": n.embedder.image(grid), "layers": grid.mean(1), "blocks": means}
    if with_words:
        captions, out["likelihoods"] = likelihoods(n.captioner, grid)
        said = [texts(n.words, ids) for ids in captions]
        out["caption"] = n.texts(said[0])
        out["text"], *drawn = (n.embedder.text(n.texts(s)) for s in said)
        out["samples"] = torch.stack(drawn, 1)
    return {name: value.float().numpy() for name, value in out.items()}


def main():
    pack, names, view, out = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    torch.set_num_threads(int(sys.argv[5]) if len(sys.argv) > 5 else 2)
    torch.manual_seed(1)
    paths, networks, pieces = names.read_text("utf-8").splitlines(), Networks(pack), []
    folder = out.with_suffix(".pieces")
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(paths), PIECE):
        piece = folder / f"{start}.npz"
        if not piece.exists():
            pixels = np.stack([views.pixels(p, view) for p in paths[start:start + PIECE]])
            part = piece.with_suffix(".part")
            with open(part, "wb") as to:
                np.savez(to, **read(networks, pixels, view == "whole"))
            part.replace(piece)
        pieces.append(piece)
    found = [dict(np.load(p)) for p in pieces]
    with open(out.with_suffix(".part"), "wb") as to:
        np.savez(to, **{name: np.concatenate([f[name] for f in found]) for name in found[0]})
    out.with_suffix(".part").replace(out)
    for piece in pieces:
        piece.unlink()
    folder.rmdir()
    print(json.dumps({"pictures": len(paths), "view": view}), flush=True)


if __name__ == "__main__":
    main()
