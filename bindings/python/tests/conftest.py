# SPDX-License-Identifier: Apache-2.0
"""Tests use the libitem of a build folder: build/release, or what ITEM_BUILD says."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("ITEM_BUILD", ROOT / "build" / "release"))
ENGINE = BUILD / "lib" / "backends" / "torch" / "libitem-torch.so"
PACKAGE = str(ROOT / "bindings" / "python" / "src")
# before libitem is imported; processes that tests start have it as well
os.environ.setdefault("LIBITEM_LIBRARY", str(BUILD / "lib" / "libitem.so.0.2"))
os.environ.setdefault("ITEM_PACK_PATH", str(ROOT / "packs" / "small"))
os.environ.setdefault("ITEM_ENGINE_PATH", str(ENGINE))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [PACKAGE, str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
)
sys.path.insert(0, PACKAGE)

import libitem

PICTURES = ROOT / "examples" / "pictures"
DOG = str(PICTURES / "surfing_dog.jpg")


def pytest_collection_modifyitems(items):
    """Tests of networks are skipped where the build has no engine."""
    if Path(os.environ["ITEM_ENGINE_PATH"]).exists():
        return
    for item in items:
        if "item" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="this build has no engine"))


@pytest.fixture(scope="session")
def item():
    """The small pack, on the engine."""
    with libitem.open() as context:
        yield context


@pytest.fixture(scope="session")
def dog(item):
    return item.check(DOG)


@pytest.fixture()
def fakes():
    """A context on stand-ins of Python's: quick, without an engine."""
    import stand_ins

    with stand_ins.open() as context:
        yield context


@pytest.fixture(scope="session")
def layout():
    return json.loads((BUILD / "tests" / "layout" / "layout.json").read_text())
