# SPDX-License-Identifier: Apache-2.0
"""Folders of tokenizers whose settings are drawn at random: which tokens are special, in which of
the files that say so, as a name or with flags."""
import json
import shutil

NAMES = {
    "clip": ["<|startoftext|>", "<|endoftext|>", "!", "New York", "Été", "a b", "<X>", "e\u0301"],
    "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", "dogs", "!", "x y"],
}
FIXED = {
    "clip": {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"},
    "bert": {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
}
ATTRIBUTES = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"]
LISTS = ["additional_special_tokens", "extra_special_tokens"]


def vocabulary(folder):
    if (folder / "vocab.txt").exists():
        lines = (folder / "vocab.txt").read_text().split("\n")[:-1]
        return {piece: i for i, piece in enumerate(lines)}
    if (folder / "vocab.json").exists():
        return json.loads((folder / "vocab.json").read_text())
    return json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]


def token(rng, content, kind):
    """libitem refuses tokens of WordPiece that are "normalized"."""
    return {"content": content, "lstrip": rng.random() < 0.3, "rstrip": rng.random() < 0.3,
            "normalized": kind == "clip" and rng.random() < 0.5, "single_word": False}


def draw_attributes(rng, kind, config, specials):
    for attribute in ATTRIBUTES:
        name = FIXED[kind].get(attribute) or rng.choice(NAMES[kind])
        target, form = rng.choice([config, specials]), rng.random()
        if form < 0.25:
            target[attribute] = name
        elif form < 0.5:
            more = {"__type": "AddedToken"} if target is config else {}
            target[attribute] = {**token(rng, name, kind), **more}
    for key in LISTS:
        if rng.random() < 0.35:
            names = rng.sample(NAMES[kind], rng.randint(1, 3))
            rng.choice([config, specials])[key] = names


def numbered(rng, kind, pieces):
    """{id: token} of some names; those that are no piece get the next ids."""
    out, free = {}, len(pieces)
    for name in rng.sample(NAMES[kind], rng.randint(1, 5)):
        number = pieces.get(name, free)
        free += name not in pieces
        out[str(number)] = {**token(rng, name, kind), "special": rng.random() < 0.5}
    return out


def draw(rng, base, out):
    """Copies a folder, with other settings."""
    kind = "clip" if base.name.startswith(("clip", "owlvit")) else "bert"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(base, out)
    config, specials = {}, {}
    if (out / "tokenizer_config.json").exists() and rng.random() < 0.3:
        config = json.loads((out / "tokenizer_config.json").read_text())
        config.pop("tokenizer_class", None)
    draw_attributes(rng, kind, config, specials)
    if rng.random() < 0.4:
        config["added_tokens_decoder"] = numbered(rng, kind, vocabulary(out))
    (out / "tokenizer_config.json").write_text(json.dumps(config))
    (out / "special_tokens_map.json").write_text(json.dumps(specials))
