"""Trains the joint space; tunes the last blocks of the image encoder and the last layers of MiniLM.

Writes embedder.safetensors and the final image_encoder and text_encoder.safetensors. What
lies below does not change, so its outputs are stored once (cache_views.py, States).
"""
import gzip
import time

import numpy as np
import torch
import torch.nn.functional as F

import common
import embedder as net
import image_encoder
import text_encoder

CHUNK = 128  # texts of like length that run together


def phrases(data):
    """Base noun phrases of each caption, in the order of captions.csv."""
    out = []
    text = gzip.open(data / "flickr8k" / "phrases.conll.gz", "rt", encoding="utf-8").read()
    for block in text.strip().split("\n\n"):
        found = []
        for line in block.split("\n"):
            if line.startswith("# "):
                continue
            word, tag, place, _ = line.split("\t")
            if place == "B":
                found.append([])
            if place in "BI" and found:
                found[-1].append((word, tag))
        out.append([" ".join(w for w, _ in p) for p in found if p and p[-1][1].startswith("NN")])
    return out


class States:
    """Hidden states in front of the layers that are trained, for many texts, as fp16."""

    def __init__(self, w, tokens, texts, first, file):
        if not file.exists():
            self.make(w, tokens, texts, first, file)
        stored = torch.load(file, mmap=True)
        self.x, self.start = stored["x"], stored["start"]

    @staticmethod
    @torch.inference_mode()
    def make(w, tokens, texts, first, file):
        rows = [None] * len(texts)
        ids = [tokens([t])[0] for t in texts]
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        for i in range(0, len(order), CHUNK):
            part = order[i:i + CHUNK]
            batch = torch.nn.utils.rnn.pad_sequence([ids[j] for j in part], batch_first=True)
            x = text_encoder.embed(w, batch)
            mask = torch.zeros(batch.shape).masked_fill(batch == 0, -torch.inf)[:, None, None]
            for n in range(first):
                x = text_encoder.layer(w, n, x, mask)
            for j, row in zip(part, x):
                rows[j] = row[:len(ids[j])].half().clone()
        start = torch.tensor([0] + [len(r) for r in rows]).cumsum(0)
        torch.save({"x": torch.cat(rows), "start": start}, file)

    def batch(self, chosen):
        """Hidden states and stand-in ids (1 where there is a token)."""
        rows = [self.x[self.start[i]:self.start[i + 1]] for i in chosen]
        length = max(len(r) for r in rows)
        x = torch.zeros(len(rows), length + length % 2, 384)
        real = torch.zeros(x.shape[:2], dtype=torch.long)
        for i, row in enumerate(rows):
            x[i, :len(row)], real[i, :len(row)] = row.float(), 1
        return x, real

    def lengths(self, chosen):
        return (self.start[1:] - self.start[:-1])[chosen]


class Tuned(torch.nn.Module):
    """Those tensors of a stored network that are trained further."""

    def __init__(self, w, names):
        super().__init__()
        self.names = names
        self.values = torch.nn.ParameterList(torch.nn.Parameter(w[n].clone()) for n in names)

    def dict(self):
        return dict(zip(self.names, self.values))


class Model(torch.nn.Module):
    """The embedder and those layers of both encoders that are trained."""

    def __init__(self, image, text, args):
        super().__init__()
        self.net = net.Embedder(heads=args.heads, value=args.value, width=args.width,
                                dropout=args.dropout)
        self.first = args.first
        self.layers = Tuned(text, [n for n in text if n.startswith("encoder.layer.")
                                   and int(n.split(".")[2]) >= args.first])
        self.blocks = Tuned(image, [n for n in image if n.startswith("head.")
                                    or n.startswith("blocks.")
                                    and int(n.split(".")[1]) >= image_encoder.FRONT])
        self.scale = torch.nn.Parameter(torch.tensor(np.log(20.0)).float())

    def pictures(self, middle):
        """Joint vectors of pictures, from what the front of the image encoder made of them."""
        return self.net.image(image_encoder.encode_rest(self.blocks.dict(), middle))

    def texts(self, states, chosen):
        """Joint vectors of texts; those of like length run together."""
        chosen = torch.as_tensor(chosen)
        order = states.lengths(chosen).argsort(stable=True)
        parts = []
        for part in order.split(CHUNK):
            x, real = states.batch(chosen[part].tolist())
            parts.append(self.net.text(text_encoder.encode(self.layers.dict(), real, self.first, x)))
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order))
        return torch.cat(parts)[back]


def contrast(image, text, scale):
    """Softmax over pictures for each text, and over texts for each picture."""
    logits = scale.exp().clamp(max=100) * image @ text.T
    goal = torch.arange(len(image))
    return (F.cross_entropy(logits, goal) + F.cross_entropy(logits.T, goal)) / 2


class Sampler:
    """Pictures with captions (five each, in order) and now and then a noun phrase instead."""

    def __init__(self, args):
        self.of_caption = args.phrase_rows
        self.share = args.phrases
        self.middle = np.load(args.cache / "middle.npy", mmap_mode="r")

    def views(self, pictures, which):
        x = np.stack([self.middle[p, v] for p, v in zip(pictures, which)])
        return torch.from_numpy(x).float().permute(0, 3, 1, 2)

    def text(self, picture, which):
        row = picture * 5 + which
        if np.random.rand() < self.share and self.of_caption[row]:
            return self.of_caption[row][np.random.randint(len(self.of_caption[row]))]
        return row


@torch.inference_mode()
def evaluate(model, states, sampler, pictures):
    model.eval()
    with torch.autocast("cpu", torch.bfloat16):
        image = torch.cat([model.pictures(sampler.views(p, [0] * len(p)))
                           for p in np.array_split(pictures, 10)])
        rows = (np.repeat(pictures, 5) * 5 + np.tile(np.arange(5), len(pictures)))
        text = model.texts(states, rows)
    model.train()
    return net.recalls(image, text, torch.arange(len(pictures)).repeat_interleave(5))


def show(found):
    return ", ".join(f"{k} R@1 {v[0]:.3f} R@5 {v[1]:.3f} R@10 {v[2]:.3f}" for k, v in found.items())


def optimiser(model, args):
    small, large = [], []
    for name, p in model.net.named_parameters():
        (large if p.dim() > 1 else small).append(p)
    groups = [{"params": large, "peak": args.lr, "weight_decay": args.decay},
              {"params": small + [model.scale], "peak": args.lr, "weight_decay": 0.0},
              {"params": list(model.layers.parameters()), "peak": args.lr_text, "weight_decay": 0.01},
              {"params": list(model.blocks.parameters()), "peak": args.lr_image, "weight_decay": 0.01}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def step(model, states, sampler, pictures, args):
    with torch.autocast("cpu", torch.bfloat16):
        which = common.draw_views(len(pictures), sampler.middle.shape[1])
        image = model.pictures(sampler.views(pictures, which))
        which = np.stack([np.random.permutation(5)[:args.captions] for _ in pictures])
        rows = [sampler.text(p, w) for column in which.T for p, w in zip(pictures, column)]
        text = model.texts(states, rows).view(args.captions, len(pictures), -1)
    return sum(contrast(image, t, model.scale) for t in text) / args.captions


def train(model, states, sampler, splits, args):
    adam, start, done, kept = optimiser(model, args), time.time(), 0, []
    pictures = np.flatnonzero(splits == "train")
    total = args.epochs * (len(pictures) // args.batch)
    for epoch in range(args.epochs):
        np.random.shuffle(pictures)
        seen = []
        for i in range(0, len(pictures) - args.batch + 1, args.batch):
            part = min(1.0, (done + 1) / args.warmup) * 0.5 * (1 + np.cos(np.pi * done / total))
            for group in adam.param_groups:
                group["lr"] = group["peak"] * part
            loss = step(model, states, sampler, pictures[i:i + args.batch], args)
            adam.zero_grad()
            loss.backward()
            adam.step()
            done += 1
            seen.append(float(loss.detach()))
        kept = (kept + [{k: v.clone() for k, v in model.state_dict().items()}])[-args.average:]
        line = f"epoch {epoch + 1}: loss {np.mean(seen):.3f} scale {float(model.scale.detach().exp()):.1f}"
        if (epoch + 1) % 2 == 0 or epoch + 1 == args.epochs:
            line += " dev " + show(evaluate(model, states, sampler, np.flatnonzero(splits == "dev")))
        print(line + f", {time.time() - start:.0f} s", flush=True)
    return {k: sum(s[k] for s in kept) / len(kept) for k in kept[0]}


def write(model, image, text, args):
    sizes = {"format": "item-embedder-1", "joint": 256, "heads": args.heads,
             "layer_norm_eps": 1e-5, "activation": "gelu (erf)",
             "logit_scale": f"{float(model.scale.detach().exp()):.4f}",
             "image_input": "7x7x1280 grid of image_encoder", "text_input": "mean of text_encoder",
             "trained_on": "Flickr8k train (6,591 pictures, captions and their noun phrases)",
             "licence": "Apache-2.0 (weights; see MODEL_NOTES.md for the data)"}
    common.save(args.pack / "embedder.safetensors", model.net.state_dict(), sizes)
    for (w, meta), tuned, what, name in (
            (text, model.layers, f"layers {args.first} to 5", "text_encoder"),
            (image, model.blocks, f"blocks {image_encoder.FRONT} to 15 and the head", "image_encoder")):
        meta = dict(meta, tuned=what + " with the embedder on Flickr8k train") if args.epochs else meta
        common.save(args.pack / f"{name}.safetensors", {**w, **tuned.dict()}, meta)


def texts_of(args, captions):
    """All captions, then every distinct noun phrase; and the phrase rows of each caption."""
    texts = [c for five in captions for c in five]
    # The file repeats captions.csv line by line; sort keeps the numbering the same each time.
    found = phrases(args.data)
    distinct = sorted({p for ps in found for p in ps})
    number = {p: len(texts) + i for i, p in enumerate(distinct)}
    args.phrase_rows = [[number[p] for p in ps] for ps in found]
    assert len(found) == len(texts)
    return texts + distinct


def main():
    args = common.arguments(
        __doc__, heads=8, value=512, width=512, dropout=0.2, first=4, batch=256, captions=2,
        phrases=0.15, lr=1.5e-3, lr_text=1.5e-4, lr_image=1.5e-4, decay=0.1, warmup=40, epochs=10,
        average=4, test=0)
    common.fix_seeds()
    names, splits, captions = common.flickr8k(args.data)
    text = common.load(args.cache / "minilm" / "text_encoder.safetensors")
    image = common.load(args.cache / "lite0" / "image_encoder.safetensors")
    tokens = text_encoder.Tokenizer(args.cache / "minilm")
    states = States(text[0], tokens, texts_of(args, captions), args.first, args.cache / f"states{args.first}.pt")
    sampler, model = Sampler(args), Model(image[0], text[0], args)
    model.train()
    print(f"{sum(p.numel() for p in model.net.parameters()) / 1e6:.2f} M parameters in the embedder", flush=True)
    if args.epochs:
        model.load_state_dict(train(model, states, sampler, splits, args))
    print("averaged, dev: " + show(evaluate(model, states, sampler, np.flatnonzero(splits == "dev"))))
    write(model, image, text, args)
    if args.test:
        print("test: " + show(evaluate(model, states, sampler, np.flatnonzero(splits == "test"))))


if __name__ == "__main__":
    main()
