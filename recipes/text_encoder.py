"""MiniLM (BERT, 6 layers): words in, the mean of the last hidden states out."""
import math

import torch
import torch.nn.functional as F
from tokenizers import BertWordPieceTokenizer

import common

LENGTH, HEADS, LAYERS, EPS = 32, 12, 6, 1e-12


class Tokenizer:
    """ids = [CLS] pieces [SEP], at most 32, padded with 0 to the longest."""

    def __init__(self, pack):
        self.t = BertWordPieceTokenizer(str(pack / "vocab.txt"), lowercase=True)
        self.t.enable_truncation(LENGTH)

    def __call__(self, texts):
        rows = [e.ids for e in self.t.encode_batch(list(texts))]
        out = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        for i, row in enumerate(rows):
            out[i, :len(row)] = torch.tensor(row)
        return out


def linear(w, name, x):
    return F.linear(x, w[name + ".weight"], w[name + ".bias"])


def norm(w, name, x):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], EPS)


def attention(w, name, x, mask):
    def heads(part):
        y = linear(w, f"{name}.self.{part}", x)
        return y.unflatten(-1, (HEADS, -1)).transpose(1, 2)
    y = F.scaled_dot_product_attention(heads("query"), heads("key"), heads("value"), attn_mask=mask)
    return linear(w, f"{name}.output.dense", y.transpose(1, 2).flatten(2))


def layer(w, i, x, mask):
    name = f"encoder.layer.{i}"
    x = norm(w, f"{name}.attention.output.LayerNorm", x + attention(w, f"{name}.attention", x, mask))
    y = linear(w, f"{name}.output.dense", F.gelu(linear(w, f"{name}.intermediate.dense", x)))
    return norm(w, f"{name}.output.LayerNorm", x + y)


def embed(w, ids):
    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][:ids.shape[1]]
    x = x + w["embeddings.token_type_embeddings.weight"][0]
    return norm(w, "embeddings.LayerNorm", x)


def pool(x, real):
    """Mean over the real tokens, [CLS] and [SEP] included."""
    real = real[:, :, None].to(x.dtype)
    return (x * real).sum(1) / real.sum(1)


def encode(w, ids, first=0, x=None):
    """Mean vectors (n, 384); `first` and `x` start from a stored hidden state."""
    real = ids != 0
    x = embed(w, ids) if x is None else x
    mask = torch.zeros(real.shape).masked_fill(~real, -math.inf)[:, None, None, :]
    for i in range(first, LAYERS):
        x = layer(w, i, x, mask.to(x.dtype))
    return pool(x, real)


class Encoder:
    def __init__(self, pack):
        self.w, self.meta = common.load(pack / "text_encoder.safetensors")
        self.tokens = Tokenizer(pack)

    @torch.inference_mode()
    def __call__(self, texts, batch=128):
        texts = list(texts)
        parts = [encode(self.w, self.tokens(texts[i:i + batch])) for i in range(0, len(texts), batch)]
        return torch.cat(parts)
