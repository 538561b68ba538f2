#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Model folders exactly as published, with random weights, written by the reference itself.

usage: models.py FOLDER NAME...      makes FOLDER/NAME for each; without a name: lists them

The weights are widened: those that a fresh model starts with give attention that is all but
uniform, captions of one word and scores that are all alike, and so would hide most faults. The
same seed gives the same bytes.
"""
import copy
import json
import shutil
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (BlipConfig, BlipForConditionalGeneration, ChineseCLIPConfig,
                          ChineseCLIPModel, CLIPConfig, CLIPModel, OwlViTConfig,
                          OwlViTForObjectDetection, Owlv2Config, Owlv2ForObjectDetection)

import environment
import open_clip_names
import vocab

FAMILIES = {"clip": (CLIPConfig, CLIPModel), "blip": (BlipConfig, BlipForConditionalGeneration),
            "owlvit": (OwlViTConfig, OwlViTForObjectDetection),
            "owlv2": (Owlv2Config, Owlv2ForObjectDetection),
            "chinese_clip": (ChineseCLIPConfig, ChineseCLIPModel)}
WORD_PIECES = ("blip", "chinese_clip")  # families with BERT's tokenizer
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]
SMALL_MERGES = 88  # with 512 letters and two marks: a vocabulary of 602
SMALL_CLIP = SMALL_MERGES + 514


@dataclass
class Spec:
    """One model folder. `vision`, `text` and `top` are what differs from the class's defaults."""
    family: str
    vision: dict = field(default_factory=dict)
    text: dict = field(default_factory=dict)
    top: dict = field(default_factory=dict)
    weights: str = "safetensors"  # sharded, bin, bin-sharded, half, open_clip
    config: str = "whole"         # or sparse: only what differs from the defaults
    tokens: str = "json"          # or files: vocabulary and merges
    size: str = "dict"            # how the preprocessor says it: dict, int, list
    head: str = "stored"          # BLIP's output matrix: stored, other than the words', absent
    merges: int = None            # of a small byte-pair vocabulary
    words: tuple = None           # of a small word-piece vocabulary
    seed: int = 1
    legacy: bool = False          # as files of years ago: with position_ids


# ---- weights ----

def scale_of(name, shape, depth):
    """Standard deviation of a weight, by its name: outputs near one, peaked attention. `depth` is
    that of BLIP's decoder, which would forget position and picture in many layers."""
    if "token_embedding" in name or "class_embedding" in name:
        return 1.0
    if "word_embeddings" in name:
        return 2.8 * shape[1] ** -0.5
    if "bert.embeddings.position" in name:
        return 5.6 * shape[1] ** -0.5  # so that no step is like the one before
    if "position_embedding" in name:
        return 0.6
    fan_in = shape[1:].numel()
    gain = 1.0
    if "patch_embedding" in name:
        gain = 3.0
    elif any(part in name for part in ("q_proj", "k_proj", "self.query", "self.key")):
        gain = 2.0 if "cross" in name else 1.5
    elif "crossattention.output.dense" in name:
        gain = 1.2 * (2 / depth) ** 0.5  # what is seen must count beside what was said
    elif name.startswith("text_model.encoder") and "attention.output.dense" in name:
        gain = 1.5  # of BERT's first token: what it knows of a text comes by attention alone
    elif "attention.output.dense" in name:
        gain = 0.6 * (2 / depth) ** 0.5
    elif "output.dense" in name:
        gain = (2 / depth) ** 0.5
    elif "intermediate.dense" in name or "transform.dense" in name:
        gain = 2.0
    elif "logit_scale" in name:
        gain = 2.0
    elif "logit_shift" in name:
        gain = 0.02
    return gain * fan_in ** -0.5


def random_like(name, tensor, seed):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) ^ seed)
    return torch.randn(tensor.shape, generator=generator)


def widen(model, seed):
    """Sets every parameter by its name and the seed alone."""
    for name, tensor in model.named_parameters():
        value = random_like(name, tensor, seed)
        if name in ("logit_scale", "owlvit.logit_scale", "owlv2.logit_scale"):
            continue
        if tensor.dim() < 2 and "embedding" not in name:
            norm = "norm" in name.lower() or "layrnorm" in name
            value = 1 + 0.2 * value if norm and name.endswith("weight") else 0.1 * value
        else:
            value *= scale_of(name, tensor.shape, model.config.text_config.num_hidden_layers)
        if "self_attn.qkv.weight" in name:
            value[: value.shape[0] * 2 // 3] *= 1.5
        if name == "class_head.logit_scale.bias":
            value += 12.0
        if name == "class_head.logit_shift.bias":
            value = torch.full_like(tensor, -0.3)
        tensor.data.copy_(value)


def untie(model, seed):
    """Another output matrix than the words': the reference then uses it, with a warning."""
    decoder = model.text_decoder.cls.predictions.decoder
    value = random_like("other", decoder.weight, seed)
    decoder.weight = torch.nn.Parameter(2.8 * value.shape[1] ** -0.5 * value)


@torch.no_grad()
def even_words(model, seed):
    """BLIP's last bias, so that no word is always the likeliest, and that a sentence ends after
    ten words or so: both by what the model says of noise."""
    config, predictions = model.config, model.text_decoder.cls.predictions
    edge, words = config.vision_config.image_size, config.text_config.vocab_size
    noise = random_like("noise", torch.empty(4, 3, edge, edge), seed)
    noise = torch.nn.functional.interpolate(noise[:, :, :4, :4], size=edge) + 0.3 * noise
    generator = torch.Generator().manual_seed(seed)
    said = torch.randint(5, words, (4, 20), generator=generator)
    said[:, 0] = config.text_config.bos_token_id
    logits = model(pixel_values=noise, input_ids=said).logits.flatten(0, 1)
    bias = predictions.bias.data - logits.mean(0)
    above = (logits + bias - predictions.bias.data).max(1).values
    sep = config.text_config.sep_token_id
    wanted = above - logits[:, sep] + predictions.bias.data[sep]
    bias[sep] = wanted.quantile(0.1)
    predictions.bias.data.copy_(bias)


# ---- files ----

def sparse(config):
    """What published files of today hold: only what differs from the class's defaults."""
    plain = type(config)().to_dict()
    out = {"architectures": config.architectures, "model_type": config.model_type}
    for key, value in config.to_dict().items():
        if key in ("text_config", "vision_config"):
            out[key] = {k: v for k, v in value.items()
                        if k == "model_type" or plain[key].get(k) != v}
        elif key not in out and plain.get(key) != value and key != "transformers_version":
            out[key] = value
    return out


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def tensors_of(model, spec):
    """The state as a plain dictionary, with what older files hold besides."""
    state = {name: t.detach().clone().contiguous() for name, t in model.state_dict().items()}
    head = "text_decoder.cls.predictions.decoder."
    if spec.head == "absent":
        state = {name: t for name, t in state.items() if not name.startswith(head)}
    if spec.legacy:
        add_positions(state)
    if spec.weights == "half":
        state = {name: t.half() if t.is_floating_point() else t for name, t in state.items()}
    return state


def add_positions(state):
    """Before 2023 files held the numbers 0, 1, ... beside each table of positions."""
    for name in [n for n in state if "position_embedding" in n and n.endswith(".weight")]:
        place = name.rsplit(".", 2)[0] + ".position_ids"
        state[place] = torch.arange(state[name].shape[0]).unsqueeze(0)


def shards(state, parts=3):
    """Names by shard, each about the same size, in the order of the state."""
    most = sum(t.numel() * t.element_size() for t in state.values()) / parts
    out, room = [[]], most
    for name, tensor in state.items():
        size = tensor.numel() * tensor.element_size()
        if out[-1] and size > room:
            out.append([])
            room = most
        out[-1].append(name)
        room -= size
    return out


def save_sharded(state, folder, stem, suffix, save):
    groups, index = shards(state), {}
    for i, names in enumerate(groups):
        file = f"{stem}-{i + 1:05}-of-{len(groups):05}.{suffix}"
        save({n: state[n] for n in names}, folder / file)
        index |= dict.fromkeys(names, file)
    size = sum(t.numel() * t.element_size() for t in state.values())
    write_json(folder / f"{stem}.{suffix}.index.json",
               {"metadata": {"total_size": size}, "weight_map": index})


def save_weights(model, spec, folder):
    state = tensors_of(model, spec)

    def safe(part, path):
        save_file(part, path, metadata={"format": "pt"})

    if spec.weights in ("safetensors", "half"):
        safe(state, folder / "model.safetensors")
    elif spec.weights == "sharded":
        save_sharded(state, folder, "model", "safetensors", safe)
    elif spec.weights == "bin":
        torch.save(state, folder / "pytorch_model.bin")
    elif spec.weights == "bin-sharded":
        save_sharded(state, folder, "pytorch_model", "bin", torch.save)
    elif spec.weights == "open_clip":
        safe(open_clip_names.rename(state), folder / "open_clip_model.safetensors")
    else:
        raise ValueError(spec.weights)


def crops(spec):
    """Is a picture cut to a square? Chinese-CLIP's files say no, its class's defaults say yes."""
    return spec.family == "clip" or spec.family == "chinese_clip" and spec.size == "int"


def preprocessor(spec, edge):
    """preprocessor_config.json in the three forms that published files have."""
    kinds = {"clip": "CLIP", "blip": "Blip", "owlvit": "OwlViT", "owlv2": "Owlv2",
             "chinese_clip": "ChineseCLIP"}
    square = {"height": edge, "width": edge}
    size = {"int": edge, "list": [edge, edge],
            "dict": {"shortest_edge": edge} if spec.family == "clip" else square}[spec.size]
    out = {"do_normalize": True, "do_resize": True, "image_mean": MEAN, "image_std": STD,
           "size": size}
    if spec.size == "dict":
        out |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_convert_rgb": True,
                "image_processor_type": kinds[spec.family] + "ImageProcessor"}
    else:
        out |= {"feature_extractor_type": kinds[spec.family] + "FeatureExtractor"}
    if crops(spec):
        out |= {"crop_size": square if spec.size == "dict" else edge, "do_center_crop": True}
    if spec.family in ("owlvit", "chinese_clip") and not crops(spec):
        out |= {"do_center_crop": False, "crop_size": square if spec.size == "dict" else edge}
    if spec.family == "owlv2":
        out |= {"do_pad": True, "resample": 2}
    else:
        out |= {"resample": 3}
    return out


def config_of(spec):
    make, _ = FAMILIES[spec.family]
    text = dict(spec.text)
    if spec.family == "blip":
        words = list(spec.words or ())
        if words:
            # BLIP's own two tokens have numbers, but no place in the published vocabulary
            text |= {"vocab_size": len(words) + 2, "bos_token_id": len(words),
                     "sep_token_id": words.index("[SEP]"), "pad_token_id": 0}
    elif spec.words:
        text |= {"vocab_size": len(spec.words)}
    elif spec.merges is not None:
        size = spec.merges + 514
        text = {"vocab_size": size, "bos_token_id": size - 2, "eos_token_id": size - 1} | text
    return make(vision_config=copy.deepcopy(spec.vision), text_config=text, **spec.top)


def build(spec):
    """The model, with its weights set."""
    config = config_of(spec)
    model = FAMILIES[spec.family][1](config).eval()
    config.architectures = [type(model).__name__]
    widen(model, spec.seed)
    if spec.family == "blip":
        if spec.head == "other":
            untie(model, spec.seed)
        even_words(model, spec.seed)
    return model


def save(model, spec, folder):
    """Writes the folder; into a new one that takes its name when all is there."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    config = model.config
    edge = config.vision_config.image_size
    save_weights(model, spec, part)
    if spec.weights == "open_clip":
        write_json(part / "open_clip_config.json", open_clip_names.config(config, MEAN, STD))
    else:
        write_json(part / "config.json",
                   sparse(config) if spec.config == "sparse" else config.to_dict())
        write_json(part / "preprocessor_config.json", preprocessor(spec, edge))
    limit = config.text_config.max_position_embeddings
    if spec.family in WORD_PIECES:
        vocab.save_bert(part, spec.tokens, spec.words and list(spec.words), limit)
    else:
        pad = "!" if spec.family.startswith("owl") else vocab.END
        vocab.save_clip(part, spec.tokens, spec.merges, limit, pad)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


# ---- the models ----

def tiny(width, heads, layers=2, **more):
    return {"hidden_size": width, "num_attention_heads": heads, "num_hidden_layers": layers,
            "intermediate_size": width * 4} | more


def tiny_clip(**more):
    spec = {"vision": tiny(48, 3, image_size=32, patch_size=8), "text": tiny(32, 2),
            "top": {"projection_dim": 24}, "merges": SMALL_MERGES} | more
    return Spec("clip", **spec)


def tiny_blip(words, **more):
    spec = {"vision": tiny(48, 3, image_size=32, patch_size=8),
            "text": tiny(32, 2, max_position_embeddings=48), "words": tuple(words)} | more
    return Spec("blip", **spec)


def tiny_chinese_clip(words, **more):
    spec = {"vision": tiny(48, 3, image_size=32, patch_size=8), "text": tiny(32, 2),
            "top": {"projection_dim": 24}, "words": tuple(words)} | more
    return Spec("chinese_clip", **spec)


def tiny_owl(family, patches, **more):
    spec = {"vision": tiny(48, 3, image_size=patches * 8, patch_size=8),
            "text": tiny(32, 2, max_position_embeddings=16),
            "top": {"projection_dim": 32}, "merges": SMALL_MERGES} | more
    return Spec(family, **spec)


GELU = {"hidden_act": "gelu"}
LEGACY_END = {"eos_token_id": 2, "bos_token_id": 0}
LARGE_VISION = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                "intermediate_size": 4096}
LARGE_TEXT = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
PHRASES = ("a dog on the beach", "two red cars in the street", "a picture of a child with a ball",
           "the man and the woman are at a table", "green grass under a blue sky")
# Full size, with the vocabularies as published.
FULL = {
    "clip-b32": Spec("clip", text=LEGACY_END, weights="bin", legacy=True),
    "clip-b16": Spec("clip", vision={"patch_size": 16}, weights="bin", config="sparse", seed=2),
    "clip-l14": Spec("clip", vision=LARGE_VISION | {"patch_size": 14}, text=LARGE_TEXT,
                     top={"projection_dim": 768}, tokens="files", seed=3),
    "clip-b32-laion": Spec("clip", vision=GELU, text=GELU, weights="open_clip", seed=4),
    "blip-base": Spec("blip", text={"num_attention_heads": 12}, weights="bin", seed=5),
    "blip-large": Spec("blip", vision=LARGE_VISION, text={"num_attention_heads": 12}, seed=6,
                       tokens="files"),
    "owlvit-b32": Spec("owlvit", tokens="files", size="list", seed=7),
    "owlv2-b16": Spec("owlv2", vision={"image_size": 960}, config="sparse", seed=8),
    "chinese-clip-b16": Spec("chinese_clip", vision={"patch_size": 16}, weights="bin",
                             tokens="files", legacy=True, seed=9),
}


def tiny_models(words, patches=12):
    """Tiny ones; all forms of files, names, vocabularies and configurations in turn."""
    return {
        "clip": tiny_clip(),
        "clip-legacy": tiny_clip(text=tiny(32, 2) | LEGACY_END, weights="bin", legacy=True,
                                 tokens="files", size="int", seed=12),
        "clip-gelu": tiny_clip(vision=tiny(48, 2, 3, image_size=35, patch_size=7) | GELU,
                               text=tiny(32, 4, 1) | GELU, weights="sharded", config="sparse",
                               seed=13),
        "clip-open": tiny_clip(weights="open_clip"),  # the same weights as clip
        "clip-half": tiny_clip(weights="half", size="list", seed=14),
        "blip": tiny_blip(words, head="other", tokens="files", weights="bin"),
        "blip-sparse": tiny_blip(words, head="absent", config="sparse", weights="bin-sharded",
                                 size="int", seed=22),
        "owlvit": tiny_owl("owlvit", patches, tokens="files", size="list"),
        "owlvit-bin": tiny_owl("owlvit", patches, weights="bin", legacy=True, size="int", seed=32),
        "owlv2": tiny_owl("owlv2", patches, config="sparse", seed=41),
        "chinese-clip": tiny_chinese_clip(words, weights="bin", tokens="files", legacy=True,
                                          seed=51),
        "chinese-clip-sparse": tiny_chinese_clip(
            words, vision=tiny(48, 2, 3, image_size=35, patch_size=7) | GELU, config="sparse",
            size="int", seed=52),
    }


def all_models():
    words = vocab.small_bert(PHRASES)
    return {"tiny-" + name: spec for name, spec in tiny_models(words, 18).items()} | FULL


def version():
    """Changes with all that the models hang on: 12 letters."""
    here = Path(__file__).resolve().parent
    sources = [here / name for name in ("models.py", "open_clip_names.py", "pictures.py",
                                        "vocab.py", "words.py", "requirements.txt")]
    return environment.digest(*sources)


def ensure(folder, name):
    """The folder of a model, made where it is missing."""
    path = Path(folder) / name
    if not path.exists():
        spec = all_models()[name]
        save(build(spec), spec, path)
    return path


def main():
    if len(sys.argv) < 3:
        print(__doc__.strip(), *all_models(), sep="\n    ")
        return 2
    for name in sys.argv[2:]:
        print(ensure(sys.argv[1], name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
