#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a small state dict in every published form into the folder torch/ beside this script.

Made with Python 3.11, torch 2.13.0 and safetensors 0.8.0. plain.safetensors has the tensors one
by one and in order; every other file must be read as the same.
"""
import collections
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parent / "torch"
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
          "i64": torch.int64, "i32": torch.int32, "i8": torch.int8, "u8": torch.uint8,
          "bool": torch.bool}


def tensors():
    """Tensors of all kinds, and of all ways to lie in a storage."""
    values = torch.arange(-12, 12).reshape(2, 3, 4)
    state = collections.OrderedDict((name, values.to(dtype)) for name, dtype in DTYPES.items())
    block = torch.linspace(-1, 1, 60, dtype=torch.float32).reshape(3, 4, 5)
    state["part.transposed"] = block.transpose(0, 2)
    state["part.row"] = block[1]
    state["part.column"] = block[:, 2, 3]
    state["part.steps"] = block[::2, 1:, ::3]
    state["part.all"] = block
    state["halves.transposed"] = values.to(torch.float16).permute(2, 0, 1)
    state["bytes.transposed"] = values.to(torch.uint8).permute(1, 2, 0)
    state["kernel"] = block.reshape(1, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    state["position_ids"] = torch.arange(7).expand((1, -1))
    state["expanded"] = torch.tensor([1.5, 2.5]).reshape(2, 1).expand(2, 3)
    state["scalar"] = torch.tensor(3.25)
    state["empty"] = torch.empty(0, 5)
    state["parameter"] = torch.nn.Parameter(torch.ones(3) / 3)
    state["tied"] = state["f32"]
    return state


def save_shards(state, form, save):
    """In two files and an index, as the published ones are."""
    names = sorted(state)
    files = [f"{form[0]}-{i:05}-of-00002.{form[1]}" for i in (1, 2)]
    halves = names[::2], names[1::2]
    for file, half in zip(files, halves):
        save({name: state[name] for name in half}, FOLDER / file)
    index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for t in state.values())},
             "weight_map": {name: files[i] for i in (0, 1) for name in halves[i]}}
    path = FOLDER / f"{form[0]}.{form[1]}.index.json"
    path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def main():
    FOLDER.mkdir(exist_ok=True)
    state = tensors()
    plain = {name: tensor.detach().clone(memory_format=torch.contiguous_format)
             for name, tensor in state.items()}
    save_file(plain, FOLDER / "plain.safetensors")
    for protocol in (2, 3, 4, 5):
        torch.save(state, FOLDER / f"protocol{protocol}.bin", pickle_protocol=protocol)
    model = torch.nn.Module()  # its state dict has an attribute "_metadata"
    for name, tensor in state.items():
        model.register_buffer(name.replace(".", "_"), tensor)
    training = {"epoch": 3, "loss": 0.5, "big": 1 << 80, "names": ["a", [1, -2, 70000, None]],
                "flags": (True, False), "state_dict": state, "arguments": model.state_dict()}
    torch.save(training, FOLDER / "training.bin")
    torch.save(state, FOLDER / "old.bin", _use_new_zipfile_serialization=False)
    save_shards(plain, ("model", "safetensors"), save_file)
    save_shards(state, ("pytorch_model", "bin"), torch.save)


main()
