"""Trains the caption decoder on stored grids, by likelihood only.

Writes captioner.safetensors and captioner_vocab.txt. Settings were chosen on dev.
"""
import json
import time

import numpy as np
import torch
import torch.nn.functional as F

import captioner as net
import common
import words

HALF = torch.bfloat16


class Data:
    """Grids (mapped from disk) and captions as ids."""

    def __init__(self, args, vocab):
        self.names, self.splits, self.captions = common.flickr8k(args.data)
        self.grids = np.load(args.cache / "grids.npy", mmap_mode="r")
        index = {w: i for i, w in enumerate(vocab)}
        self.ids = [[[index.get(w, net.UNK) for w in words.words(c)][:args.max_words]
                     for c in five] for five in self.captions]

    def pictures(self, split):
        return np.flatnonzero(self.splits == split)

    def batch(self, pictures, views):
        """Grids, inputs, targets (0 where there is no word)."""
        grid = torch.from_numpy(np.stack([self.grids[p, v] for p, v in zip(pictures, views)]))
        rows = [self.ids[p] for p in pictures]
        longest = max(len(c) for five in rows for c in five) + 1
        shape = (len(rows), max(len(five) for five in rows), longest)
        ids, target = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
        for i, five in enumerate(rows):
            for j, caption in enumerate(five):
                ids[i, j, :len(caption) + 1] = torch.tensor([net.BOS] + caption)
                target[i, j, :len(caption) + 1] = torch.tensor(caption + [net.EOS])
        return grid.float(), ids, target


def rounded(real, step=256):
    """Adds padding to the real tokens: oneDNN builds a new kernel for each new size."""
    flat = real.flatten().clone()
    spare = (~flat).nonzero()[:, 0]
    flat[spare[:-int(flat.sum()) % step]] = True
    return flat.view(real.shape)


def loss_of(model, batch, smoothing):
    grid, ids, target = batch
    real = rounded(target != net.PAD)
    with torch.autocast("cpu", HALF):
        logits = model(grid, ids, real)
    goal = target[real]
    # The decoder never says <unk>, so it should not learn to.
    goal = torch.where((goal == net.UNK) | (goal == net.PAD), -100, goal)
    return F.cross_entropy(logits.float(), goal, label_smoothing=smoothing)


def evaluate(model, data, pictures, beams, alpha, captions=None):
    """BLEU-1, BLEU-4 and the answers for these pictures."""
    model.eval()
    answers = []
    for i in range(0, len(pictures), 100):
        grid = torch.from_numpy(np.stack([data.grids[p, 0] for p in pictures[i:i + 100]])).float()
        for _, ids, _ in net.beam_search(model, grid, beams, alpha):
            answers.append([data.vocab[w] for w in ids if w != net.EOS])
    model.train()
    return *words.bleu(answers, [data.captions[p] for p in pictures]), answers


def dev_loss(model, data):
    model.eval()
    with torch.inference_mode():
        pictures = data.pictures("dev")
        parts = [float(loss_of(model, data.batch(p, [0] * len(p)), 0.0))
                 for p in np.array_split(pictures, 10)]
    model.train()
    return sum(parts) / len(parts)


def rate(step, total, args):
    """Warm-up, then a cosine down to a twentieth: the last epochs are averaged."""
    if step < args.warmup:
        return args.lr * (step + 1) / args.warmup
    part = (step - args.warmup) / max(1, total - args.warmup)
    return args.lr * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * part)))


def epoch_order(data):
    order = data.pictures("train").copy()
    np.random.shuffle(order)
    return order


def train(model, data, args):
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": args.decay},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    per_epoch = -(-len(data.pictures("train")) // args.batch)
    step, start, states = 0, time.time(), []
    for epoch in range(args.epochs):
        order, seen = epoch_order(data), 0.0
        for i in range(0, len(order), args.batch):
            pictures = order[i:i + args.batch]
            for group in adam.param_groups:
                group["lr"] = rate(step, per_epoch * args.epochs, args)
            views = common.draw_views(len(pictures), data.grids.shape[1])
            loss = loss_of(model, data.batch(pictures, views), args.smoothing)
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            step, seen = step + 1, seen + float(loss.detach()) / per_epoch
            if step == 20 or step == 100:
                print(f"step {step}: {time.time() - start:.0f} s", flush=True)
        states.append({k: v.clone() for k, v in model.state_dict().items()})
        states = states[-args.average:]
        torch.save(states, args.cache / f"captioner{args.tag}.pt")
        line = f"epoch {epoch + 1}: train {seen:.3f}, dev {dev_loss(model, data):.3f}"
        if (epoch + 1) % 2 == 0:
            line += " greedy BLEU-1 %.3f BLEU-4 %.3f" % evaluate(
                model, data, data.pictures("dev"), 1, 0.0)[:2]
        print(line + f", {time.time() - start:.0f} s", flush=True)
    return states


def average(states):
    return {k: sum(s[k] for s in states) / len(states) for k in states[0]}


def choose(model, data, states):
    """How many epochs to average, then the length normalisation, on dev with 3 beams."""
    def score(count, alpha):
        model.load_state_dict(average(states[-count:]))
        one, four, _ = evaluate(model, data, data.pictures("dev"), 3, alpha)
        print(f"dev: average of {count}, alpha {alpha}: BLEU-1 {one:.4f} BLEU-4 {four:.4f}", flush=True)
        return four, count, alpha
    best = max(score(count, 0.7) for count in (1, len(states) // 2, len(states)))
    return max(best, *(score(best[1], alpha) for alpha in (0.0, 0.4, 1.0, 1.3)))


def write(model, data, alpha, args):
    meta = {"format": "item-captioner-1", "width": model.width, "heads": model.width // net.HEAD,
            "layers": len(model.layers), "max_words": model.max_words, "beams": 3,
            "length_alpha": alpha, "vocabulary": "captioner_vocab.txt",
            "decoding": "ids 0,1,3 never; 2 (eos) not at step 0; score = sum / n^alpha",
            "trained_on": "Flickr8k train (6,591 pictures), likelihood only",
            "licence": "Apache-2.0 (weights; see MODEL_NOTES.md for the data)"}
    common.save(args.pack / "captioner.safetensors", model.state_dict(), meta)
    (args.pack / "captioner_vocab.txt").write_text("\n".join(data.vocab) + "\n")


def build(data, args):
    return net.Captioner(len(data.vocab), args.width, args.layers, args.max_words, args.dropout)


def finish(model, data, states, args):
    """Chooses on dev, writes the file, reads it back (fp16) and tests once."""
    _, count, alpha = choose(model, data, states)
    model.load_state_dict(average(states[-count:]))
    write(model, data, alpha, args)
    model.load_state_dict(common.load(args.pack / "captioner.safetensors")[0])
    for beams in (1, 3):
        one, four, answers = evaluate(model, data, data.pictures("test"), beams, alpha)
        print(f"test, {beams} beams, alpha {alpha}: BLEU-1 {one:.4f} BLEU-4 {four:.4f}", flush=True)
    pictures = data.pictures("test")
    (args.cache / "captions_test.json").write_text(json.dumps(
        {data.names[p]: " ".join(a) for p, a in zip(pictures, answers)}, indent=0))


def main():
    args = common.arguments(__doc__, width=320, layers=3, max_words=20, dropout=0.25, smoothing=0.1,
                            lr=6e-4, warmup=300, decay=0.02, batch=32, epochs=9, average=4,
                            least=4, tag="", finish_only=0)
    common.fix_seeds()
    names, splits, captions = common.flickr8k(args.data)
    vocab = words.vocabulary([c for s, five in zip(splits, captions) if s == "train" for c in five],
                             args.least)
    data = Data(args, vocab)
    data.vocab = vocab
    model = build(data, args)
    print(f"{len(vocab)} words, {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters")
    if args.epochs == 0:
        return write(model, data, 0.7, args)
    file = args.cache / f"captioner{args.tag}.pt"
    states = torch.load(file) if args.finish_only else train(model, data, args)
    finish(model, data, states, args)


if __name__ == "__main__":
    main()
