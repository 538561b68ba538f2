# SPDX-License-Identifier: Apache-2.0
"""Two libtorch in one process end it, in either order: so an engine meets its own one, or none.

The first tests need no torch: they make folders that look like one. The last ones need a venv with
a torch, and an engine that was built for it (ITEM_TORCH_ENGINE); elsewhere they are skipped.
"""

import ctypes
import importlib.util
import os
import subprocess
import sys

import libitem
import pytest
from conftest import DOG
from libitem import _abi, _library, _torch

TORCH = importlib.util.find_spec("torch")
FITTING = os.environ.get("ITEM_TORCH_ENGINE")
OTHER = os.environ["ITEM_ENGINE_PATH"]
needs_torch = pytest.mark.skipif(
    TORCH is None or FITTING is None,
    reason="no torch is installed, or ITEM_TORCH_ENGINE names no engine for it",
)


def fake_torch(folder, version):
    """A package of that name which cannot be imported: nothing here may try."""
    place = folder / "torch"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise RuntimeError('torch was imported')\n")
    (place / "version.py").write_text(f"__version__ = '{version}'\n")
    return folder


def built_for():
    """Release of the engine under test, without loading more of it than its name."""
    found = ctypes.POINTER(_abi.item_engine_ops)()
    _library.call("item_engine_find", None, ctypes.byref(found))
    return _torch.built_for(found.contents.id.decode())


def run(code, *paths, **env):
    path = os.pathsep.join([*map(str, paths), os.environ["PYTHONPATH"]])
    return subprocess.run(
        [sys.executable, "-c", code, DOG],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, **env},
    )


CHECK = """
import sys, libitem
try:
    print(libitem.open().check(sys.argv[1]).verdict)
except libitem.NoEngineError as error:
    print("refused:", error)
assert "torch" not in sys.modules
"""


def test_an_engine_for_another_release_is_refused(item, tmp_path):
    done = run(CHECK, fake_torch(tmp_path, "2.99.1+cpu"))
    assert done.stdout.startswith("refused:"), done.stdout + done.stderr
    for text in ("2.99.1+cpu", built_for(), "pip uninstall torch", f"-Dtorch={tmp_path}/torch"):
        assert text in done.stdout


@pytest.mark.parametrize("call", ["engine_info", "caption", "check_many", "set_threads"])
def test_by_every_way_to_an_engine(item, tmp_path, call):
    ways = {
        "engine_info": "libitem.open().engine_info()",
        "caption": "libitem.open().caption(sys.argv[1])",
        "check_many": "next(libitem.open().check_many([sys.argv[1]]))",
        "set_threads": "libitem.set_threads(1)",
    }
    code = CHECK.replace("print(libitem.open().check(sys.argv[1]).verdict)", ways[call])
    done = run(code, fake_torch(tmp_path, "2.99.1"))
    assert done.stdout.startswith("refused:"), done.stdout + done.stderr


def test_one_that_is_imported_counts(item):
    """Whatever is on the path by then."""
    code = """
import types, sys
torch = types.ModuleType("torch")
torch.__version__, torch.__file__ = "2.98.0", "/somewhere/torch/__init__.py"
sys.modules["torch"] = torch
""" + CHECK.replace('assert "torch" not in sys.modules', "")
    done = run(code)
    assert "2.98.0" in done.stdout and "refused" in done.stdout, done.stdout + done.stderr


def test_where_no_torch_is_installed_the_engine_runs(item, tmp_path):
    if TORCH is not None:
        pytest.skip("a torch is installed here")
    (tmp_path / "torch").mkdir()  # a folder of that name is no torch
    done = run(CHECK, tmp_path)
    assert done.stdout == "unsure\n", done.stdout + done.stderr


def test_without_networks_nothing_is_refused(item, tmp_path):
    code = CHECK.replace(
        "libitem.open().check(sys.argv[1]).verdict", "libitem.open().tokenize('a dog')"
    )
    done = run(code, fake_torch(tmp_path, "2.99.1"))
    assert done.stdout.startswith("["), done.stdout + done.stderr
    done = run(
        "import stand_ins, sys; print(stand_ins.open().check(sys.argv[1]).verdict)",
        fake_torch(tmp_path / "again", "2.99.1"),
    )
    assert done.stdout == "none\n", done.stdout + done.stderr


def test_releases_are_read_without_importing(tmp_path, monkeypatch):
    assert _torch.built_for("torch 0.2.0 libtorch 2.13.0 oneDNN") == "2.13.0"
    assert _torch.built_for("another engine 3") is None
    _torch.check("another engine 3")
    monkeypatch.syspath_prepend(str(fake_torch(tmp_path, "2.13.0+cpu")))
    found = _torch.installed()
    assert found is not None and found.version == "2.13.0+cpu"
    _torch.check("torch 0.2.0 libtorch 2.13.0")
    with pytest.raises(libitem.NoEngineError, match="1.13.0.*2.13.0"):
        _torch.check("torch 0.2.0 libtorch 1.13.0 oneDNN")


def test_the_distributions_torch_is_known_by_its_libtorch(item, tmp_path):
    """Debian's says 1.13.0a0, and its libtorch 1.13.0; engine and torch load the same file."""
    path = fake_torch(tmp_path, built_for() + "a0")
    (tmp_path / "torch" / "lib").mkdir()
    core = tmp_path / "torch" / "lib" / "libtorch_cpu.so"
    core.touch()
    done = run(CHECK, path)
    assert done.stdout.startswith("refused:"), done.stdout + done.stderr
    core.rename(tmp_path / "libtorch_cpu.so.1.13")
    core.symlink_to(tmp_path / "libtorch_cpu.so.1.13")
    done = run(CHECK, path)
    assert done.stdout == "unsure\n", done.stdout + done.stderr


BEFORE = "import torch; a = torch.ones(3).sum()\n"
AFTER = """
import torch
assert float((torch.ones(3, 3) @ torch.ones(3, 3)).sum()) == 27
mapped = {line.split()[-1] for line in open("/proc/self/maps") if "libtorch_cpu" in line}
print(len(mapped), torch.__version__)
"""
RUN = "import sys, libitem; print(libitem.open(engine={!r}).check(sys.argv[1]).verdict)\n"


@needs_torch
@pytest.mark.parametrize("before", [BEFORE, ""], ids=["torch first", "libitem first"])
def test_a_fitting_engine_shares_the_installed_torch(before):
    done = run(before + RUN.format(FITTING) + AFTER)
    assert done.returncode == 0, done.stderr
    verdict, mapped = done.stdout.splitlines()
    assert verdict == "unsure" and mapped.split()[0] == "1"


@needs_torch
@pytest.mark.parametrize("before", [BEFORE, ""], ids=["torch first", "libitem first"])
def test_another_engine_is_refused_beside_the_installed_torch(before):
    done = run(before + "import sys, libitem\n" + CHECK.replace(
        'assert "torch" not in sys.modules', "") + AFTER, ITEM_ENGINE_PATH=OTHER)
    assert done.returncode == 0, done.stderr
    refused, mapped = done.stdout.splitlines()
    assert refused.startswith("refused:") and mapped.split()[0] == "1"
