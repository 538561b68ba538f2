# SPDX-License-Identifier: Apache-2.0
"""A weaker captioner: the pack's, with noise added to its weights. It stands for a worse one; it is
not one that was trained for fewer epochs."""
import hashlib
import json
import shutil

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

NOISE = 0.25  # deviation of the noise, as a share of the deviation of each matrix


def degraded(source, to, seed=1):
    """Writes a safetensors file whose matrices are noisy; vectors (biases, norms) stay."""
    random = np.random.default_rng(seed)
    with safe_open(source, "np") as file:
        meta = file.metadata()
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    for name, value in tensors.items():
        if value.ndim >= 2:
            noise = random.normal(0, NOISE * value.astype(float).std(), value.shape)
            tensors[name] = (value + noise).astype(value.dtype)
    save_file(tensors, to, meta)


def make(pack, out):
    """A copy of the pack in `out` with a degraded captioner; made once."""
    manifest = json.loads((pack / "item.json").read_text())
    files = manifest["stages"]["captioner"]["files"]
    role = next((r for r in ("captioner", "weights", "decoder") if r in files), None)
    if role is None or not files[role]["file"].endswith(".safetensors"):
        return None
    key = hashlib.sha256(json.dumps([manifest, NOISE]).encode()).hexdigest()[:12]
    folder = out / "work" / f"weaker-{key}"
    if (folder / "item.json").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pack, folder, ignore=shutil.ignore_patterns("item.json"))
    place = folder / files[role]["file"]
    place.unlink()
    degraded(pack / files[role]["file"], place)
    files[role].update(bytes=place.stat().st_size, sha256=hashlib.sha256(place.read_bytes()).hexdigest())
    (folder / "item.json").write_text(json.dumps(manifest, indent=1))
    return folder
