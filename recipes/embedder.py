"""Projections of picture grids and text vectors to one space of unit vectors."""
import torch
import torch.nn.functional as F
from torch import nn


class ImageSide(nn.Module):
    """Attention pooling over the 49 tokens, their mean, and one residual MLP."""

    def __init__(self, heads=8, value=512, width=512, joint=256, dropout=0.0):
        super().__init__()
        self.norm = nn.LayerNorm(1280)
        self.score, self.value = nn.Linear(1280, heads), nn.Linear(1280, value)
        self.score_pos = nn.Parameter(torch.zeros(49, heads))
        self.join = nn.Linear(value + 1280, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, joint)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.fc2.weight)

    def forward(self, grid):
        t = self.norm(grid)
        a = (self.score(t) + self.score_pos).float().softmax(1)
        v = self.value(t).unflatten(2, (a.shape[2], -1))
        p = torch.einsum("nth,nthd->nhd", a.to(v.dtype), v).flatten(1)
        z = self.join(self.drop(torch.cat([p, t.mean(1).to(p.dtype)], 1)))
        z = z + self.fc2(self.drop(F.gelu(self.fc1(self.mlp_norm(z)))))
        return F.normalize(self.out(self.drop(z)).float(), dim=-1)


class TextSide(nn.Module):
    def __init__(self, joint=256):
        super().__init__()
        self.out = nn.Linear(384, joint)

    def forward(self, vector):
        return F.normalize(self.out(vector).float(), dim=-1)


class Embedder(nn.Module):
    def __init__(self, **sizes):
        super().__init__()
        self.image, self.text = ImageSide(**sizes), TextSide()


def recalls(image, text, owner):
    """Retrieval in both directions as R@1, R@5, R@10; owner[i] is text i's picture."""
    scores = text @ image.T
    right = scores.gather(1, owner[:, None])
    place = (scores > right).sum(1)
    best = torch.full((len(image),), len(text))
    for i, column in enumerate(scores.T):
        mine = column[owner == i].max()
        best[i] = (column > mine).sum()
    return {"text-to-image": [float((place < k).float().mean()) for k in (1, 5, 10)],
            "image-to-text": [float((best < k).float().mean()) for k in (1, 5, 10)]}
