# SPDX-License-Identifier: Apache-2.0
"""Indexes of folders: scanned, asked, filled from elsewhere, shown as a page."""

import datetime
import json
import math
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time

import libitem
import numpy as np
import pytest
import stand_ins
from conftest import BUILD, DOG, PICTURES
from test_processes import LISTEN

NAMES = ["chelsea.jpg", "coffee.jpg", "surfing_dog.jpg"]


def settle(path, when=1700000000):
    """A file that was written just now is read again: let it be older."""
    os.utime(path, (when, when))


def draw(folder, *names):
    """Pictures of which no two are the same."""
    from PIL import Image as pillow

    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        seed = sum(str(path).encode())
        pixels = np.random.default_rng(seed).integers(0, 255, (40, 50, 3), np.uint8)
        pixels[:, :, 0] //= 2  # the stand-in says "green" or "blue"
        pillow.fromarray(pixels).save(path)
        settle(path)
    return folder


def names(rows):
    return [os.path.basename(row.path) for row in rows]


@pytest.fixture()
def folder(tmp_path):
    return draw(tmp_path / "pictures", "a.png", "b.png", "c.png")


@pytest.fixture()
def index(tmp_path):
    with libitem.Index(tmp_path / "index", create=True) as index:
        yield index


@pytest.fixture(scope="module")
def real(item, tmp_path_factory):
    """Three sample pictures, and a file that is none, by the small pack."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "pictures").mkdir()
    for name in NAMES:
        shutil.copy(PICTURES / name, folder / "pictures")
    (folder / "pictures" / "bad.jpg").write_bytes(b"no picture")
    for path in (folder / "pictures").iterdir():
        settle(path)
    with libitem.Index(folder / "index", create=True) as index:
        index.scan(item, folder / "pictures")
        yield index


# ---- scans ----


def test_a_scan_answers_and_the_next_one_skips(fakes, folder, index):
    shutil.copy(folder / "a.png", folder / "copy.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "bad.png").write_text("no picture")
    for path in folder.iterdir():
        settle(path)
    troubles, told = [], []
    counts = index.scan(
        fakes,
        [folder],
        trouble=lambda path, error: troubles.append((path, error)),
        progress=lambda done, total: told.append((done, total)),
    )
    assert counts == libitem.ScanCounts(0, 3, 1, 0, 1, 1, 0, 0)
    ((path, error),) = troubles
    assert path == str(folder / "bad.png")
    assert isinstance(error, libitem.FormatError) and "not a picture" in str(error)
    assert told[-1] == (6, 6)
    again = index.scan(fakes, trouble=lambda path, error: troubles.append((path, error)))
    assert (again.unchanged, again.answered, len(troubles)) == (4, 0, 1)
    os.rename(folder / "b.png", folder / "moved.png")
    os.remove(folder / "c.png")
    third = index.scan(fakes, str(folder), hash=True)
    assert (third.unchanged, third.copies, third.moved, third.missing) == (2, 1, 1, 1)
    assert names(index.find()) == ["a.png", "copy.png", "moved.png"]
    assert names(index.find(state="missing")) == ["c.png"]


def test_what_a_callback_raises_ends_the_scan(fakes, folder, index):
    (folder / "bad.png").write_text("no picture")

    def fail(*_told):
        raise LookupError("enough")

    for callback in ({"progress": fail}, {"trouble": fail}):
        with pytest.raises(LookupError, match="enough"):
            index.scan(fakes, folder, **callback)
    assert index.scan(fakes, folder).failed == 1


def test_a_scan_shows_a_bar(fakes, folder, index, capsys):
    index.scan(fakes, folder, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_a_callback_may_ask_and_close(fakes, folder, index):
    found = []

    def tell(done, total):
        found.append(len(list(index.find())))
        index.close()

    assert index.scan(fakes, folder, progress=tell).answered == 3
    assert found == [3]
    with pytest.raises(libitem.ClosedError):
        index.find()


def test_cancelled_scans_are_gone_on_with(folder, index):
    cancel = libitem.Cancel()

    class Cancelling(stand_ins.StandIn):
        def caption(self, pictures, call):
            cancel.set()
            call.stop_if_cancelled()
            raise AssertionError("it was cancelled")

    with stand_ins.open(captioner=Cancelling()) as context:
        with pytest.raises(libitem.CancelledError):
            index.scan(context, folder, cancel=cancel)
    with stand_ins.open() as context:
        assert index.scan(context).answered == 3


CTRL_C = """
import os, sys, threading, time
import libitem, stand_ins

class Endless(stand_ins.StandIn):
    def caption(self, pictures, call):
        begun.set()
        while True:
            call.stop_if_cancelled()
            time.sleep(0.01)

begun = threading.Event()
def interrupt():
    begun.wait()
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
index = libitem.Index(sys.argv[1], create=True)
try:
    index.scan(stand_ins.open(captioner=Endless()), sys.argv[2])
except KeyboardInterrupt:
    print("stopped")
print(index.scan(stand_ins.open()).answered)
"""


def test_ctrl_c_ends_a_scan(folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LISTEN + CTRL_C, tmp_path / "index", folder],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["stopped", "3"], done.stderr


def test_other_threads_wait_for_their_turn(folder, index):
    begun, go_on, found = threading.Event(), threading.Event(), []

    class Slow(stand_ins.StandIn):
        def caption(self, pictures, call):
            begun.set()
            go_on.wait(60)
            return super().caption(pictures, call)

    def scan():
        with stand_ins.open(captioner=Slow()) as context:
            found.append(index.scan(context, folder).answered)

    threads = [threading.Thread(target=scan)]
    threads[0].start()
    begun.wait(60)
    threads.append(threading.Thread(target=lambda: found.append(type(index.find()))))
    threads[1].start()
    while index._file._users < 2:
        time.sleep(0.001)
    index.close()  # both are answered
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert found == [3, libitem.Rows]
    assert index._file._index is None


# ---- questions ----


def test_rows_say_what_the_program_says(real):
    asked = [BUILD / "cli" / "item", "find", "--index", real.path]
    lines = subprocess.run([*asked, "--json"], capture_output=True, text=True, check=True).stdout
    rows = list(real.find())
    assert [row.json for row in rows] == lines.splitlines()
    for row in rows:
        said = row.to_dict()
        assert (row.verdict, row.caption) == (said["verdict"], said["caption"])
        assert row.reason == said["reason"]["code"]
        assert row.probability == pytest.approx(said["probability"])
        assert (row.width, row.height) == (said["width"], said["height"])
        assert row.state == "answered" and row.error is None and len(row.sha256) == 64
        assert row.bytes == os.path.getsize(row.path)
        assert row.modified.timestamp() == 1700000000
        assert pickle.loads(pickle.dumps(row)) == row


def test_filters(real, item):
    known = {name: item.check(PICTURES / name) for name in NAMES}
    probable = sorted(NAMES, key=lambda name: -known[name].probability)
    for verdict in ("ai", "unsure", "real"):
        wanted = [name for name in NAMES if known[name].verdict == verdict]
        assert names(real.find(verdict=verdict)) == wanted
    assert names(real.find(verdict=["ai", "unsure", "real"])) == NAMES
    assert names(real.find(object="dogs")) == ["surfing_dog.jpg"]
    assert names(real.find(caption="water dog")) == ["surfing_dog.jpg"]
    assert names(real.find(caption="wat*", object="dog")) == ["surfing_dog.jpg"]
    assert names(real.find(order="probability")) == probable
    assert names(real.find(order="probability", limit=np.int64(1))) == probable[:1]
    middle = known[probable[1]].probability
    assert names(real.find(least=middle - 1e-6, order="probability")) == probable[:2]
    assert names(real.find(most=middle + 1e-6, order="probability")) == probable[1:]
    assert names(real.find(folder=os.path.dirname(DOG))) == []
    assert names(real.find(claim=["ai", "ai_part", "capture", "other"])) == []
    (bad,) = real.find(state=("failed", "missing"))
    assert (bad.state, bad.verdict) == ("failed", "none") and math.isnan(bad.probability)
    assert isinstance(bad.error, libitem.FormatError) and "bad.jpg" in str(bad.error)


def test_days_and_moments(fakes, folder, index):
    settle(folder / "a.png", 1704067199)  # the last second of 2023
    settle(folder / "b.png", 1704067200)
    settle(folder / "c.png", 1706745600)  # the first one of February 2024
    index.scan(fakes, folder)
    new_year = datetime.date(2024, 1, 1)
    assert names(index.find(since=new_year)) == ["b.png", "c.png"]
    assert names(index.find(until=new_year)) == ["a.png"]
    assert names(index.find(since=new_year, until=datetime.date(2024, 2, 1))) == ["b.png"]
    moment = datetime.datetime(2024, 1, 1, 0, 0, 1)
    assert names(index.find(since=moment)) == ["c.png"]
    cet = datetime.timezone(datetime.timedelta(hours=1))
    assert names(index.find(until=datetime.datetime(2024, 1, 1, 1, tzinfo=cet))) == ["a.png"]
    assert names(index.find(order="date")) == ["c.png", "b.png", "a.png"]
    assert next(index.find()).taken == datetime.datetime(2023, 12, 31, 23, 59, 59)


def test_what_a_file_says_of_its_origin(fakes, tmp_path, index):
    from test_check import generated

    generated(tmp_path)
    index.scan(fakes, tmp_path / "made.png")
    (row,) = index.find(claim="ai")
    assert row.claims == ("ai",) and names(index.find(claim="capture")) == []


@pytest.mark.parametrize(
    "filters",
    [
        {"verdict": "fake"},
        {"verdict": []},
        {"state": ["gone"]},
        {"claim": "none"},
        {"order": "size"},
        {"order": []},
        {"limit": 0},
        {"limit": True},
        {"limit": "3"},
        {"least": "much"},
        {"caption": "a\0b"},
        {"caption": " "},
        {"caption": "\ud800"},
        {"folder": ""},
    ],
)
def test_wrong_values(index, filters):
    with pytest.raises(ValueError):
        index.find(**filters)


def test_wrong_types(index, fakes):
    for filters in ({"colour": "red"}, {"caption": 3}, {"since": 2024}, {"folder": 3}):
        with pytest.raises(TypeError):
            index.find(**filters)
    for use in (
        lambda: libitem.Index(3),
        lambda: index.scan(None, "pictures"),
        lambda: index.scan(fakes, 3),
        lambda: index.scan(fakes, [3]),
        lambda: index.scan(fakes, cancel=True),
        lambda: index.import_rows([3]),
        lambda: index.import_rows(3),
        lambda: index.write_html(3),
        lambda: index.write_html("page.html", cancel=True),
        lambda: pickle.dumps(index),
        lambda: pickle.dumps(index.find()),
    ):
        with pytest.raises(TypeError):
            use()
    with pytest.raises(libitem.ArgumentError, match="no folder was scanned"):
        index.scan(fakes)
    with pytest.raises(libitem.FileError, match="no/such/folder"):
        index.scan(fakes, "/no/such/folder")


def test_frames(real):
    frame = real.find(state=("answered", "failed")).to_frame()
    assert [os.path.basename(path) for path in frame["path"]] == ["bad.jpg", *NAMES]
    assert list(frame["error"]) == ["ITEM_E_FORMAT", "", "", ""]
    assert frame["probability"][1:].between(0, 1).all() and math.isnan(frame["probability"][0])
    assert frame["taken"].dtype.kind == "M" and frame["taken"].dt.year.min() > 1990
    nothing = real.find(caption="zeppelin").to_frame()
    assert len(nothing) == 0 and list(nothing.columns) == list(frame.columns)


def test_names_that_are_no_utf_8(fakes, folder, index):
    odd = os.fsencode(folder) + b"/\xff.png"
    os.rename(folder / "a.png", odd)
    index.scan(fakes, [os.fsencode(folder)])
    row = list(index.find())[-1]
    assert os.fsencode(row.path) == odd and os.path.exists(row.path)


# ---- import, page ----


def exported(index):
    return [
        {
            "path": row.path,
            "bytes": row.bytes,
            "mtime_ns": int(row.modified.timestamp()) * 10**9,
            "sha256": row.sha256,
            "answer": row.to_dict(),
        }
        for row in index.find(state=("answered", "failed"))
    ]


def test_imported_answers_are_those_of_a_scan(real, item, index):
    rows = exported(real)
    assert index.import_rows([rows[0], json.dumps(rows[1]), json.dumps(rows[2]).encode()]) == 3
    assert index.import_rows(json.dumps(row) + "\n" for row in rows) == 4
    assert [row.caption for row in index.find()] == [row.caption for row in real.find()]
    assert names(index.find(object="dog")) == ["surfing_dog.jpg"]
    counts = index.scan(item, os.path.dirname(rows[0]["path"]))
    assert (counts.unchanged, counts.answered) == (3, 0)


def test_rows_that_are_none_are_refused(fakes, folder, index, tmp_path):
    index.scan(fakes, folder)
    good = exported(index)[0]
    with libitem.Index(tmp_path / "other", create=True) as other:
        with pytest.raises(libitem.FormatError, match="row 2: "):
            other.import_rows([good, {**good, "path": "relative.png"}])
        assert list(other.find()) == []
        with pytest.raises(libitem.FormatError, match="after row 1000: row 1: "):
            other.import_rows([*[good] * 1000, "no JSON"])
        assert len(list(other.find())) == 1  # the first thousand stay
        with pytest.raises(ValueError):
            other.import_rows([{**good, "bytes": math.nan}])
        with pytest.raises(ValueError, match="NUL"):
            other.import_rows([b"{}\0"])


def test_a_page(real, tmp_path):
    told = []
    real.write_html(
        tmp_path / "page.html",
        title="My <pictures>",
        progress=lambda done, total: told.append(done),
        object="dog",
    )
    page = (tmp_path / "page.html").read_text()
    assert "My &lt;pictures&gt;" in page and "surfing_dog.jpg" in page
    assert "chelsea.jpg" not in page and told[-1] == 1
    cancel = libitem.Cancel()
    cancel.set()
    with pytest.raises(libitem.CancelledError):
        real.write_html(tmp_path / "none.html", cancel=cancel)
    assert not (tmp_path / "none.html").exists()
    with pytest.raises(libitem.FileError, match="no/such"):
        real.write_html("/no/such/folder/page.html")
