# SPDX-License-Identifier: Apache-2.0
"""Keeps two builds of libtorch out of one process: the second one ends it, in either order.

Where a torch is installed, imported or not, an engine runs on that very libtorch or not at all,
so that a later `import torch` meets no other one. Nothing here imports torch.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path
from typing import NamedTuple

from .errors import NoEngineError

OWN = Path(__file__).parent / "_native"  # where a wheel has libitem and its engine
CORE = Path("lib", "libtorch_cpu.so")


class Torch(NamedTuple):
    """An installed torch."""

    version: str
    folder: Path


def _read_version(folder: Path) -> str:
    """What torch/version.py says, read as a text."""
    try:
        text = (folder / "version.py").read_text(encoding="utf-8")
    except OSError:
        return "of an unknown version"
    said = re.search(r"^__version__\s*(?::[^=]*)?=\s*['\"]([^'\"]+)", text, re.M)
    return said[1] if said else "of an unknown version"


def installed() -> Torch | None:
    """The torch that is imported, or that `import torch` would find."""
    module = sys.modules.get("torch")
    if module is not None and getattr(module, "__file__", None):
        folder = Path(str(module.__file__)).parent
        return Torch(str(getattr(module, "__version__", _read_version(folder))), folder)
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:  # no torch, or a folder of that name
        return None
    folder = Path(spec.origin).parent
    return Torch(_read_version(folder), folder)


def built_for(engine: str) -> str | None:
    """Release of libtorch that an engine's id names; None: it has none."""
    said = re.search(r"\blibtorch (\S+)", engine)
    return said[1] if said else None


def _is_distributions(torch: Torch) -> bool:
    """It brings no libtorch along, but links to the system's, as Debian's python3-torch does.

    That one's file names its release; a wheel's does not, wherever it lies.
    """
    return (torch.folder / CORE).resolve().name != CORE.name


def _release(torch: Torch) -> str:
    """Its release, as its libtorch names it: Debian's torch says 1.13.0a0, its libtorch 1.13.0."""
    release = torch.version.split("+")[0]
    return re.sub(r"[^\d.].*", "", release) if _is_distributions(torch) else release


def _cure(torch: Torch, wanted: str) -> str:
    """The command that mends it: of a wheel another torch, else another engine."""
    if OWN.exists():
        return f"pip install torch=={wanted}"
    return (
        "build an engine for that torch, in libitem's source: meson setup build/torch "
        f"--buildtype=release -Dtests=false -Dtorch={torch.folder} && ninja -C build/torch; then "
        'libitem.open(engine="build/torch/lib/backends/torch/libitem-torch.so")'
    )


def check(engine: str) -> None:
    """Refuses an engine that an installed torch does not fit, and lends it that one's libtorch."""
    torch, wanted = installed(), built_for(engine)
    if torch is None or wanted is None:
        return
    if _release(torch) != wanted:
        raise NoEngineError(
            f"libitem's engine was built for libtorch {wanted}, and torch {torch.version} is "
            f"installed ({torch.folder}): two libtorch in one process end it. Do: "
            f"{_cure(torch, wanted)}; or, if nothing needs it: pip uninstall torch"
        )
    core = torch.folder / CORE
    if core.exists() and not _is_distributions(torch):  # the system's is found by the engine itself
        ctypes.CDLL(str(core))  # the engine asks for it by name, and gets this one
