# SPDX-License-Identifier: Apache-2.0
"""Indexes of folders as files: those of others, closed ones, threads and forks."""

import gc
import os
import sqlite3
import subprocess
import sys
import threading
import time

import libitem
import pytest
from test_index import folder, index  # noqa: F401 - fixtures
from test_processes import FORK


def test_files_of_others_are_refused_and_not_touched(tmp_path):
    foreign = tmp_path / "notes"
    with sqlite3.connect(foreign) as base:
        base.execute("CREATE TABLE file (path TEXT)")
    base.close()
    before = (foreign.read_bytes(), os.stat(foreign).st_mtime_ns)
    for create in (False, True):
        with pytest.raises(libitem.FormatError, match="is no index of libitem"):
            libitem.Index(foreign, create=create)
    assert (foreign.read_bytes(), os.stat(foreign).st_mtime_ns) == before
    assert os.listdir(tmp_path) == ["notes"]
    with pytest.raises(libitem.FileError, match="cannot be opened"):
        libitem.Index(tmp_path / "none")
    assert os.listdir(tmp_path) == ["notes"]


def test_an_index_to_read_is_not_written(fakes, folder, index):
    index.scan(fakes, folder)
    with libitem.Index(index.path) as reading:
        assert len(list(reading.find())) == 3
        with pytest.raises(libitem.ArgumentError, match="ITEM_INDEX_CREATE"):
            reading.scan(fakes, folder)
        with pytest.raises(libitem.ArgumentError, match="ITEM_INDEX_CREATE"):
            reading.import_rows([{}])


def test_use_after_close(fakes, folder, index, tmp_path):
    index.scan(fakes, folder)
    rows = index.find()
    assert os.path.basename(next(rows).path) == "a.png"
    index.close()
    index.close()
    assert index.closed and "closed" in repr(index)
    for use in (
        index.find,
        lambda: next(rows),
        lambda: index.scan(fakes),
        lambda: index.import_rows([{}]),
        lambda: index.write_html(tmp_path / "page.html"),
        index.__enter__,
    ):
        with pytest.raises(libitem.ClosedError, match="the index is closed"):
            use()
    rows.close()
    assert not os.path.exists(index.path + "-wal")  # SQLite has closed it


def test_rows_may_be_left(fakes, folder, index):
    index.scan(fakes, folder)
    with index.find() as rows:
        next(rows)
    assert list(rows) == []
    for _ in range(100):
        next(index.find())  # collected
    gc.collect()
    assert index._file._rows == set()
    rows = list(index.find())
    assert len(rows) == 3
    left, file = index.find(), index._file
    ring = [left, index]
    ring.append(ring)
    del left, index, ring
    gc.collect()
    assert file._rows == set()


def test_threads_share_an_index_that_is_closed(fakes, folder, index):
    """Whatever they are at, each is answered or told that it is closed; nothing is left open."""
    index.scan(fakes, folder)
    answered, wrong = [], []

    def ask():
        try:
            while True:
                rows = index.find()
                answered.append(next(rows).path)
                del rows  # freed by whoever is the last
        except libitem.ClosedError:
            pass
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answered) < 300 and not wrong:
        time.sleep(0.001)
    index.close()
    for thread in threads:
        thread.join(60)
    assert not wrong and index._file._index is None and not index._file._rows


def test_a_program_that_closes_nothing_leaves_no_journal(fakes, folder, index):
    index.scan(fakes, folder)
    index.close()
    code = """
import sys, libitem
index = libitem.Index(sys.argv[1], create=True)
rows = index.find()
print(next(rows).state)
"""
    done = subprocess.run([sys.executable, "-c", code, index.path], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("answered\n", "")
    assert not os.path.exists(index.path + "-wal")


def test_a_forked_child_is_told_to_spawn(fakes, folder, tmp_path):
    code = """
import multiprocessing, sys, libitem
index = libitem.Index(sys.argv[1])
rows = index.find()
next(rows)
def child(queue):
    for use in (index.find, lambda: next(rows), lambda: index.write_html(sys.argv[1] + ".html")):
        try:
            use()
            queue.put("no exception")
        except libitem.ForkedError as error:
            queue.put(str(error))
    index.close()
""" + FORK + """
print(process.exitcode, len(list(rows)))
"""
    with libitem.Index(tmp_path / "index", create=True) as index:
        index.scan(fakes, folder)
    done = subprocess.run(
        [sys.executable, "-c", code, index.path], capture_output=True, text=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 4 and lines[3] == "0 2", done.stdout + done.stderr
    for line in lines[:3]:
        assert "opened by the parent" in line and "spawn" in line
