# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/python.md run, in their order, and print what they say."""

import re
import shutil

from conftest import DOG, ROOT
from test_stages import pictures

PAGE = (ROOT / "docs" / "python.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_the_examples_run(item, tmp_path, monkeypatch, capsys):
    assert len(BLOCKS) > 6
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOG, "photo.jpg")
    (tmp_path / "notes.txt").write_text("no picture\n")
    pictures(tmp_path / "pictures", count=6)
    (tmp_path / "holidays").mkdir()
    shutil.copy(DOG, tmp_path / "holidays")
    names = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), names)
        printed = capsys.readouterr().out
        for line in re.findall(r"# prints (.*)", block):
            assert line in printed, (line, printed)


def test_every_public_name_is_explained():
    import libitem

    for name in libitem.__all__:
        assert name in PAGE or getattr(libitem, name).__doc__, name
