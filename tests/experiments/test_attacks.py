#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small pack's chain in PyTorch, and attacks on scores whose answers are known. Skipped (77)
where PyTorch, numpy, safetensors or Pillow are not there."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments" / "attacks"))
try:
    import numpy as np
    import torch
    from PIL import Image
    import chain
    import search
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def terms_of_layouts():
    unit = torch.nn.functional.normalize(torch.arange(1.0, 13).reshape(6, 2).T.reshape(2, 6), dim=1)
    seen = {"image": unit[0], "text": unit[1], "crops": unit[:0], "phrases": unit[:0]}
    assert torch.equal(chain.term("picture/1")(seen), unit[0])
    both = chain.term("difference/both/1")(seen)
    assert both.numel() == 2 * 6 + 7 and not both[7:].any()  # no objects: zeros
    assert chain.term("cosine/global/1")(seen).tolist() == [float((unit[0] * unit[1]).sum())]
    for name in ("difference/both/2", "layers/2", "sum/both/1", ""):
        try:
            chain.term(name)
            raise AssertionError(f"{name} was taken")
        except ValueError as why:
            assert "not known" in str(why)
    w = chain.weights(300, 10.5, 250.25)
    assert torch.allclose(w.sum(1), torch.ones(chain.SIZE), atol=1e-5)


def crops_are_those_of_pillow():
    a = np.random.default_rng(1).integers(90, 160, (40, 60, 3)).astype(np.uint8)
    box = (3.25, 2.0, 51.5, 37.75)
    picture = torch.from_numpy(a).permute(2, 0, 1).float().requires_grad_(True)
    part = chain.Crop.apply(picture, box)
    wanted = np.asarray(Image.fromarray(a).resize((chain.SIZE, chain.SIZE), Image.BICUBIC, box=box))
    assert np.array_equal(part.detach().permute(1, 2, 0).numpy(), wanted)
    part.sum().backward()
    # what goes in comes out, and what lies far from the box has no part in it
    assert abs(float(picture.grad.sum()) - 3 * chain.SIZE ** 2) < 1
    assert not picture.grad[:, :, 55:].any()
    across, down = chain.weights(60, box[0], box[2]), chain.weights(40, box[1], box[3])
    linear = torch.einsum("yh,chw,xw->cyx", down, picture.detach(), across).clamp(0, 255)
    assert float((linear - part.detach()).abs().max()) < 2.01  # rounded twice


def attacks_move_a_score():
    """The score is the mean brightness: the best is known."""
    picture = torch.full((3, 16, 16), 100.0)
    score = lambda x: x.mean()  # noqa: E731
    for up, end in ((True, 108), (False, 92)):
        found, value = search.projected_gradient(score, picture, 8, steps=10, up=up)
        assert float((found - picture).abs().max()) <= 8 and torch.equal(found, found.round())
        assert abs(value - end) < 0.5, value
        found, value, path = search.square(score, picture, 8, queries=300, up=up)
        assert float((found - picture).abs().max()) <= 8 and len(path) == 300
        assert abs(value - end) < 4, value
        better = [b >= a if up else b <= a for a, b in zip(path, path[1:])]
        assert all(better)
    bright = torch.full((3, 16, 16), 254.0)
    assert float(search.projected_gradient(score, bright, 8, steps=5)[0].max()) <= 255


def main():
    tests = (terms_of_layouts, crops_are_those_of_pillow, attacks_move_a_score)
    for test in tests:
        test()
    print(f"{len(tests)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
