"""The caption decoder: a small pre-LN transformer over the 49 grid tokens."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

PAD, BOS, EOS, UNK = range(4)
HEAD = 64


class Dropout(nn.Module):
    """Dropout in steps of 1/256, from NumPy's bytes: PyTorch's own took a fifth of the time."""

    def __init__(self, p):
        super().__init__()
        self.least = round(p * 256)
        self.source = np.random.default_rng(np.random.randint(1 << 30))

    def forward(self, x):
        if not self.training or self.least == 0:
            return x
        draw = torch.from_numpy(self.source.integers(0, 256, x.numel(), dtype=np.uint8))
        keep = (draw >= self.least).view(x.shape).to(x.dtype)
        return x * keep.mul_(256 / (256 - self.least))


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    @staticmethod
    def heads(x):
        """(n, t, width) to (n, heads, t, 64)"""
        return x.view(x.shape[0], x.shape[1], -1, HEAD).transpose(1, 2)

    def forward(self, q, k, v, **more):
        # In fp32: the backward pass of the bf16 kernel is four times slower.
        q, k, v = (self.heads(x.float()) for x in (q, k, v))
        with torch.autocast("cpu", enabled=False):
            y = F.scaled_dot_product_attention(q, k, v, **more)
        return y.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.add_module("self", Attention(width))
        self.cross = Attention(width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.drop = Dropout(dropout)

    def feed(self, x):
        return self.drop(self.fc2(self.drop(F.gelu(self.fc1(self.norm3(x))))))


class Memory(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.proj, self.norm = nn.Linear(1280, width), nn.LayerNorm(width)
        self.pos = nn.Parameter(torch.randn(49, width) * 0.02)
        self.drop = Dropout(dropout)

    def forward(self, grid):
        return self.drop(self.norm(self.proj(grid)) + self.pos)


class Captioner(nn.Module):
    def __init__(self, words, width=320, layers=3, max_words=20, dropout=0.0):
        super().__init__()
        self.memory = Memory(width, dropout)
        self.embed = nn.Embedding(words, width)
        self.pos = nn.Embedding(max_words + 1, width)
        self.layers = nn.ModuleList(Layer(width, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out_bias = nn.Parameter(torch.zeros(words))
        self.drop = Dropout(dropout)
        self.width, self.max_words = width, max_words
        self.initialise()

    def initialise(self):
        # Tied output: unit-size logits need embeddings of 1/sqrt(width).
        nn.init.normal_(self.embed.weight, std=self.width ** -0.5)
        nn.init.normal_(self.pos.weight, std=0.1)
        for name, p in self.named_parameters():
            if p.dim() == 2 and name.startswith(("layers", "memory.proj")):
                nn.init.xavier_uniform_(p)

    def start(self, ids, position):
        x = self.embed(ids) * math.sqrt(self.width)
        return self.drop(x + self.pos(position))

    def logits(self, x):
        return F.linear(self.norm(x), self.embed.weight, self.out_bias)

    def forward(self, grid, ids, real):
        """Training: grid (n, 49, 1280), ids and real (n, c, t), c captions a picture.

        Linear layers see the real tokens only: half of a padded batch is padding.
        Returns logits of the real tokens, in the order of ids[real].
        """
        n, c, t = ids.shape
        where = real.flatten().nonzero()[:, 0]
        position = torch.arange(t).expand(n, c, t)
        memory = self.memory(grid)
        x = self.start(ids.flatten()[where], position.flatten()[where])

        def spread(y):
            return y.new_zeros(n * c * t, y.shape[1]).index_copy(0, where, y)
        for layer in self.layers:
            att, y = getattr(layer, "self"), layer.norm1(x)
            q, k, v = (spread(f(y)).view(n * c, t, -1) for f in (att.q, att.k, att.v))
            x = x + layer.drop(att.out(att(q, k, v, is_causal=True).flatten(0, 1)[where]))
            att, y = layer.cross, layer.norm2(x)
            q = spread(att.q(y)).view(n, c * t, -1)
            y = att(q, att.k(memory), att.v(memory)).flatten(0, 1)[where]
            x = x + layer.drop(att.out(y))
            x = x + layer.feed(x)
        return self.logits(x)


class Decoder:
    """Steps with stored keys and values, for decoding without gradients."""

    def __init__(self, model, grid):
        self.m = model
        memory = model.memory(grid)
        self.cross = [(l.cross.k(memory), l.cross.v(memory)) for l in model.layers]
        self.past = [None] * len(model.layers)

    def pick(self, rows):
        """Keeps these rows (a beam may be copied or dropped)."""
        self.cross = [(k[rows], v[rows]) for k, v in self.cross]
        self.past = [(k[rows], v[rows]) for k, v in self.past]

    def step(self, ids, i):
        """ids (n,) at position i; log-probabilities (n, words), banned ones -inf."""
        x = self.m.start(ids[:, None], torch.tensor([[i]]))
        for n, layer in enumerate(self.m.layers):
            att, y = getattr(layer, "self"), layer.norm1(x)
            k, v = att.k(y), att.v(y)
            if self.past[n] is not None:
                k, v = (torch.cat(p, 1) for p in zip(self.past[n], (k, v)))
            self.past[n] = (k, v)
            x = x + att.out(att(att.q(y), k, v))
            x = x + layer.cross.out(layer.cross(layer.cross.q(layer.norm2(x)), *self.cross[n]))
            x = x + layer.feed(x)
        lp = self.m.logits(x)[:, 0].float().log_softmax(-1)
        lp[:, [PAD, BOS, UNK]] = -math.inf
        if i == 0:
            lp[:, EOS] = -math.inf
        return lp


@torch.inference_mode()
def greedy(model, grid):
    """One picture (1, 49, 1280). Returns ids (eos included) and their log-probabilities."""
    decoder, ids, steps = Decoder(model, grid), [BOS], []
    while len(steps) < model.max_words and ids[-1] != EOS:
        lp = decoder.step(torch.tensor(ids[-1:]), len(steps))[0]
        ids.append(int(lp.argmax()))
        steps.append(float(lp[ids[-1]]))
    return ids[1:], steps


class Beam:
    """Search for one picture; rows of the decoder are handed in by the caller."""

    def __init__(self, beams, alpha, max_words):
        self.live = [([], [], 0.0)]  # ids, log-probabilities, sum
        self.done = []
        self.beams, self.alpha, self.max_words = beams, alpha, max_words

    def finish(self, ids, steps, total):
        self.done.append((total / len(ids) ** self.alpha, ids, steps))

    def advance(self, lp):
        """lp (live, words). Returns for each new live beam the row that it continues."""
        total = lp + torch.tensor([s for _, _, s in self.live])[:, None]
        best = total.flatten().topk(self.beams - len(self.done))
        old, self.live, rows = self.live, [], []
        for score, index in zip(best.values.tolist(), best.indices.tolist()):
            row, word = divmod(index, lp.shape[1])
            entry = (old[row][0] + [word], old[row][1] + [float(lp[row, word])], score)
            if word == EOS:
                self.finish(*entry)
            else:
                self.live.append(entry)
                rows.append(row)
        if self.live and len(self.live[0][0]) == self.max_words:
            for entry in self.live:
                self.finish(*entry)
            self.live, rows = [], []
        return rows

    def best(self):
        return max(self.done, key=lambda d: d[0])


@torch.inference_mode()
def beam_search(model, grid, beams=3, alpha=0.7):
    """Many pictures at once. Returns a list of (score, ids, log-probabilities)."""
    decoder = Decoder(model, grid)
    searches = [Beam(beams, alpha, model.max_words) for _ in grid]
    for i in range(model.max_words):
        active = [s for s in searches if s.live]
        if not active:
            break
        ids = [e[0][-1] if e[0] else BOS for s in active for e in s.live]
        lp = decoder.step(torch.tensor(ids), i)
        rows, first = [], 0
        for s in active:
            count = len(s.live)
            rows += [first + r for r in s.advance(lp[first:first + count])]
            first += count
        if rows:
            decoder.pick(rows)
    return [s.best() for s in searches]
