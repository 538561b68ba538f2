# SPDX-License-Identifier: Apache-2.0
"""Folders of tokenizers as they are published, made of vocabularies, and the reference for each."""
import json

import vocab  # of tests/parity

CLIP, BERT = ("<|startoftext|>", "<|endoftext|>"), ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FULL = ("clip-files", "clip-json", "bert-files", "bert-json")  # compared at length


def token(content, normalized, special=None):
    out = {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False,
           "single_word": False}
    return out if special is None else {**out, "special": special}


def write(path, value):
    path.write_text(value if isinstance(value, str) else
                    json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def put_clip(folder, merges):
    vocabulary, merges = vocab.clip(merges)
    write(folder / "vocab.json", vocabulary)
    write(folder / "merges.txt", "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))


def published_clip():
    """As the first files had it: the special tokens are looked for in the normalised text."""
    special = {"__type": "AddedToken"}
    return {"unk_token": {**token(CLIP[1], True), **special},
            "bos_token": {**token(CLIP[0], True), **special},
            "eos_token": {**token(CLIP[1], True), **special}, "pad_token": CLIP[1],
            "add_prefix_space": False, "errors": "replace", "do_lower_case": True,
            "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}


def published_owlvit():
    return {**published_clip(), "pad_token": "!", "model_max_length": 16}


def numbered_blip(first):
    """Newer files number their tokens; these have BLIP's two, and one that is found in words."""
    names = dict(zip(map(str, range(5)), BERT))
    decoder = {i: token(n, False, True) for i, n in names.items()}
    decoder |= {str(first): token("[DEC]", False, True), str(first + 1): token("[ENC]", False, True),
                str(first + 2): token("blipword", False, False)}
    return {"added_tokens_decoder": decoder, "bos_token": "[DEC]",
            "additional_special_tokens": ["[ENC]"], "clean_up_tokenization_spaces": True,
            "do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True,
            "model_max_length": 512, "tokenizer_class": "BertTokenizerFast"}


def folder_of(root, name):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_clip(root, merges):
    from transformers import CLIPTokenizer
    made = []
    for name, config in (("clip-files", None), ("clip-published", published_clip()),
                         ("owlvit-files", published_owlvit())):
        made.append(folder_of(root, name))
        put_clip(made[-1], merges)
        if config:
            write(made[-1] / "tokenizer_config.json", config)
    write(made[1] / "special_tokens_map.json", {
        "bos_token": token(CLIP[0], True), "eos_token": token(CLIP[1], True),
        "unk_token": token(CLIP[1], True), "pad_token": CLIP[1]})
    for name, source in (("clip-json", made[0]), ("clip-published-json", made[1]),
                         ("owlvit-json", made[2])):
        CLIPTokenizer.from_pretrained(source).save_pretrained(folder_of(root, name))
        made.append(root / name)
    made.append(folder_of(root, "clip-as-it-stands"))
    text = json.loads((root / "clip-published-json" / "tokenizer.json").read_text())
    split = text["pre_tokenizer"]["pretokenizers"][0]["pattern"]
    split["Regex"] = split["Regex"].replace(r"<\|startoftext\|>|<\|endoftext\|>|", "")
    text["model"]["merges"] = [" ".join(m) for m in text["model"]["merges"]]
    write(made[-1] / "tokenizer.json", text)
    write(made[-1] / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    return made


def make_bert(root, vocabulary):
    from transformers import BertTokenizer
    plain, blip = folder_of(root, "bert-files"), folder_of(root, "bert-blip-files")
    for folder in (plain, blip):
        write(folder / "vocab.txt", "".join(p + "\n" for p in vocabulary))
    numbers = {str(vocabulary.index(name)): token(name, False, True) for name in BERT}
    config = numbered_blip(len(vocabulary))
    config["added_tokens_decoder"] = numbers | {
        i: t for i, t in config["added_tokens_decoder"].items() if int(i) >= len(vocabulary)}
    write(blip / "tokenizer_config.json", config)
    for name, source in (("bert-json", plain), ("bert-blip-json", blip)):
        BertTokenizer.from_pretrained(source).save_pretrained(folder_of(root, name))
    elder = folder_of(root, "bert-elder-files")
    write(elder / "vocab.txt", (plain / "vocab.txt").read_text())
    write(elder / "added_tokens.json", {"[DEC]": len(vocabulary), "[ENC]": len(vocabulary) + 1})
    write(elder / "special_tokens_map.json", {"cls_token": "[CLS]", "mask_token": token("[MASK]", False),
                                              "bos_token": "[DEC]",
                                              "extra_special_tokens": ["[ENC]"]})
    return [plain, root / "bert-json", blip, root / "bert-blip-json", elder]


def make(root, merges, vocabulary):
    """All folders, with so many of CLIP's merges; the last part of a name says which files there
    are."""
    return make_clip(root, merges) + make_bert(root, vocabulary)


def reference(folder, path=None):
    """Of a folder, or of another one of its kind."""
    from transformers import BertTokenizer, CLIPTokenizer, PreTrainedTokenizerFast
    if folder.name == "clip-as-it-stands":
        return PreTrainedTokenizerFast.from_pretrained(path or folder)
    kind = BertTokenizer if folder.name.startswith("bert") else CLIPTokenizer
    return kind.from_pretrained(path or folder)
