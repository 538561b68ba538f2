# SPDX-License-Identifier: Apache-2.0
"""CLIP's weights and configuration under the names of open_clip.

The layout was checked against open_clip_torch 3.3.0: see docs/parity.md.
"""
import torch

BLOCK = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc",
         "mlp.fc2": "mlp.c_proj", "self_attn.out_proj": "attn.out_proj"}
PLAIN = {
    "logit_scale": "logit_scale",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
}
NORMS = {"text_model.final_layer_norm": "ln_final", "vision_model.pre_layrnorm": "visual.ln_pre",
         "vision_model.post_layernorm": "visual.ln_post"}
# Stored as the matrix that the vector is multiplied with from the left.
TURNED = {"text_projection.weight": "text_projection", "visual_projection.weight": "visual.proj"}


def block_name(name):
    """`text_model.encoder.layers.3.mlp.fc1.bias` as `transformer.resblocks.3.mlp.c_fc.bias`."""
    side, rest = name.split(".encoder.layers.")
    number, rest = rest.split(".", 1)
    part, kind = rest.rsplit(".", 1)
    before = "visual." if side == "vision_model" else ""
    return f"{before}transformer.resblocks.{number}.", part, kind


def rename(state):
    out, thirds = {}, {}
    for name, tensor in state.items():
        if ".encoder.layers." in name:
            block, part, kind = block_name(name)
            if part[-6:] in ("q_proj", "k_proj", "v_proj"):
                thirds.setdefault(f"{block}attn.in_proj_{kind}", {})[part[-6]] = tensor
            else:
                out[f"{block}{BLOCK[part]}.{kind}"] = tensor
        elif name in PLAIN:
            out[PLAIN[name]] = tensor
        elif name in TURNED:
            out[TURNED[name]] = tensor.T.contiguous()
        else:
            norm, kind = name.rsplit(".", 1)
            out[f"{NORMS[norm]}.{kind}"] = tensor
    return out | {n: torch.cat([t["q"], t["k"], t["v"]]) for n, t in thirds.items()}


def config(hf, mean, std):
    vision, text = hf.vision_config, hf.text_config
    head = vision.hidden_size // vision.num_attention_heads
    model = {
        "embed_dim": hf.projection_dim,
        "vision_cfg": {"image_size": vision.image_size, "layers": vision.num_hidden_layers,
                       "width": vision.hidden_size, "patch_size": vision.patch_size},
        "text_cfg": {"context_length": text.max_position_embeddings,
                     "vocab_size": text.vocab_size, "width": text.hidden_size,
                     "heads": text.num_attention_heads, "layers": text.num_hidden_layers},
    }
    if head != 64:
        model["vision_cfg"]["head_width"] = head
    if vision.hidden_act == "quick_gelu":
        model["quick_gelu"] = True
    return {"model_cfg": model, "preprocess_cfg": {"mean": mean, "std": std}}
