# SPDX-License-Identifier: Apache-2.0
"""libitem.dask: on a local cluster of two worker processes, and in this process."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import libitem
import pytest
from conftest import BUILD, DOG, PICTURES

dask = pytest.importorskip("dask")
bag = pytest.importorskip("dask.bag")
pandas = pytest.importorskip("pandas")
distributed = pytest.importorskip("dask.distributed")
pytest.importorskip("pyarrow")

import libitem.dask  # noqa: E402 - what it needs is there
from libitem import _parquet  # noqa: E402


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with distributed.LocalCluster(**options, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            yield client


@pytest.fixture()
def here(item):
    """Partitions run one after another in this process."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture()
def files(tmp_path):
    (tmp_path / "pictures").mkdir()
    for path in sorted(PICTURES.glob("*.jpg")):
        shutil.copy(path, tmp_path / "pictures")
    (tmp_path / "pictures" / "broken.jpg").write_text("no picture\n")
    found = sorted(map(str, (tmp_path / "pictures").iterdir()))
    return [*found, str(tmp_path / "pictures" / "gone.jpg")]


def check(pictures, out, partitions=1, **more):
    return libitem.dask.check(bag.from_sequence(pictures, npartitions=partitions), out, **more)


def table(out):
    return {row.path: row for row in pandas.read_parquet(out).itertuples()}


def kill_when(pid, folder, killed):
    """Ends a worker once the output has a part and lacks others."""
    end = time.monotonic() + 60
    while not list(folder.glob("part-*.parquet")) and time.monotonic() < end:
        time.sleep(0.01)
    killed.append(len(list(folder.glob("part-*.parquet"))))
    os.kill(pid, signal.SIGKILL)


def test_two_workers_one_of_them_killed(item, client, files, tmp_path):
    out, killed = tmp_path / "out", []
    pid = next(iter(client.run(os.getpid).values()))
    killer = threading.Thread(target=kill_when, args=(pid, out, killed))
    killer.start()
    assert check(files, out, 7) == len(files)
    killer.join()
    assert 0 < killed[0] < 7
    found = pandas.read_parquet(out)
    assert sorted(found.path) == sorted(files)  # nothing lost, nothing doubled
    same_as_alone(item, files, table(out))
    before = sorted(os.listdir(out))
    assert check(files, out, 7) == 0 and sorted(os.listdir(out)) == before
    assert all(name.startswith("part-") for name in before)
    imported(out, tmp_path / "pictures.item", files)


def same_as_alone(item, files, rows):
    for result in item.check_many(files):
        row = rows[result.file]
        assert row.error == (result.error.name if result.error else None)
        assert row.fingerprint
        if not result.error:
            told = (row.fingerprint, row.verdict, row.caption, row.width)
            assert told == (result.fingerprint, result.verdict, result.caption, result.width)
            assert row.probability == pytest.approx(result.probability, abs=1e-4)
            phrases = [found["phrase"] for found in json.loads(row.json)["objects"]]
            assert phrases == [found.phrase for found in result.objects]


def imported(out, index, files):
    """Through lines into an index, which finds all of them."""
    lines = subprocess.run(
        [sys.executable, "-m", "libitem.dask", "lines", out], capture_output=True, check=True
    ).stdout
    find = [BUILD / "cli" / "item", "find", "--index", index]
    told = subprocess.run(
        [*find, "-0", "--import", "-"], input=lines, capture_output=True, check=True
    ).stdout
    failed = subprocess.run([*find, "-0", "--failed"], capture_output=True, check=True).stdout
    names = (told + failed).decode().split("\0")
    assert sorted(filter(None, names)) == sorted(files)
    scan = [BUILD / "cli" / "item", "scan", "--json", "--index", index, os.path.dirname(files[0])]
    counts = json.loads(subprocess.run(scan, capture_output=True).stdout.splitlines()[-1])["scan"]
    assert (counts["unchanged"], counts["answered"], counts["failed"]) == (len(files) - 2, 0, 1)


def test_a_picture_that_ends_its_process_is_a_row(client, tmp_path, monkeypatch):
    from deadly import Deadly

    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    client.register_plugin(Deadly())
    names = [str(tmp_path / name) for name in ("a.jpg", "poison.jpg", "b.jpg")]
    for name in names:
        shutil.copy(DOG, name)
    assert check(names, tmp_path / "out") == 3
    rows = table(tmp_path / "out")
    assert rows[names[1]].error == "ITEM_E_BACKEND" and "died" in rows[names[1]].message
    assert rows[names[1]].sha256 and rows[names[0]].caption == rows[names[2]].caption


def test_lines_of_nothing_are_a_mistake(tmp_path):
    command = [sys.executable, "-m", "libitem.dask", "lines", tmp_path / "none"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "none: no answers are there" in done.stderr


def test_bytes_are_rows_of_their_names(item, here, tmp_path):
    data = (PICTURES / "surfing_dog.jpg").read_bytes()
    pairs = [("shelf/dog", data), ("shelf/none", b""), ("\udcff", b"")]
    assert check(pairs, tmp_path) == 3
    rows = table(tmp_path)
    assert rows["shelf/dog"].caption == item.check(data).caption
    assert rows["shelf/none"].error == "ITEM_E_FORMAT"
    assert not list(libitem.dask.lines(tmp_path))  # of no file
    pairs[0] = ("shelf/dog", data[:-1] + b"?")  # as long, and another
    assert check(pairs, tmp_path) == 1 and check(pairs, tmp_path) == 0
    assert table(tmp_path)["shelf/dog"].sha256 != rows["shelf/dog"].sha256


def test_what_changed_is_answered_anew_and_stands_once(here, files, tmp_path):
    out, some, gone = tmp_path / "out", files[:3], files[-1]
    assert check([*some, gone, some[0]], out, 5) == 5  # the double cannot be seen in advance
    assert sorted(pandas.read_parquet(out).path) == sorted([*some, gone])
    assert check([*some, gone], out) == 0  # what is not there is not there still
    shutil.copy(DOG, gone)
    shutil.copy(DOG, some[1])
    assert check([*some, gone], out) == 2
    found = pandas.read_parquet(out)
    assert sorted(found.path) == sorted([*some, gone])
    assert found.set_index("path").caption[gone] == found.set_index("path").caption[some[1]]
    assert found.error.isna().all()


def test_another_fingerprint_is_answered_anew_unless_told(here, tmp_path):
    assert check([DOG], tmp_path) == 1
    assert check([DOG], tmp_path, same_fingerprint=False, prior=0.2) == 0
    assert check([DOG], tmp_path, prior=0.2) == 1
    assert len(table(tmp_path)) == 1 and len(pandas.read_parquet(tmp_path)) == 1


@pytest.mark.parametrize(
    "error, holds",
    [("ITEM_E_FORMAT", True), ("ITEM_E_UNSUPPORTED", True), ("ITEM_E_MEMORY", False)],
)
def test_failures_that_may_pass_are_tried_again(here, tmp_path, error, holds):
    found = os.stat(DOG)
    row = {"path": DOG, "bytes": found.st_size, "mtime_ns": found.st_mtime_ns, "error": error}
    future = time.time_ns() + 10**15  # a clock that was wrong
    _parquet.write(tmp_path / f"part-{future:020}-000000.parquet", [row])
    assert check([DOG], tmp_path, same_fingerprint=False) == (0 if holds else 1)


def test_an_outage_takes_no_answers_away(here, files, tmp_path):
    out, folder = tmp_path / "out", tmp_path / "pictures"
    assert check(files[:2], out) == 2
    before = table(out)
    folder.rename(tmp_path / "away")
    assert check(files[:2], out) == 2 and table(out) == before
    (tmp_path / "away").rename(folder)
    assert check(files[:2], out) == 0 and table(out) == before


def test_names_that_cannot_be_read_are_rows(here, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")
    shutil.copy(DOG, bad)
    names = [bad, str(tmp_path / "pipe.jpg"), str(tmp_path), "no\0name"]
    assert check(names, tmp_path / "out") == 4
    found = pandas.read_parquet(tmp_path / "out")
    assert (found.error == "ITEM_E_IO").all()
    for why in ("is no UTF-8", "not a regular file", "null byte"):
        assert found.message.str.contains(why).any(), why


def test_a_file_that_changes_meanwhile_is_a_failure(here, tmp_path, monkeypatch):
    shutil.copy(DOG, tmp_path / "a.jpg")
    read = libitem.dask._read

    def and_touch(picture):
        found = read(picture)
        os.utime(tmp_path / "a.jpg", ns=(1, 1))
        return found

    monkeypatch.setattr(libitem.dask, "_read", and_touch)
    assert check([tmp_path / "a.jpg"], tmp_path / "out") == 1
    assert "changed while" in pandas.read_parquet(tmp_path / "out").message[0]
    monkeypatch.undo()
    assert check([tmp_path / "a.jpg"], tmp_path / "out") == 1
    assert pandas.read_parquet(tmp_path / "out").error.isna().all()


def test_what_is_no_picture_ends_the_run(here, tmp_path):
    with pytest.raises(TypeError, match="Dask bag"):
        libitem.dask.check([DOG], tmp_path)
    with pytest.raises(TypeError, match="int"):
        check([1], tmp_path)
    with pytest.raises(libitem.ArgumentError, match="no_option"):
        check([DOG], tmp_path, no_option=1)
    assert not list(tmp_path.iterdir())


FORKED = """
import sys, dask.bag, libitem, libitem.dask
pictures = dask.bag.from_sequence([sys.argv[1]] * 2, npartitions=2)
with dask.config.set(scheduler="synchronous"):
    libitem.dask.check(pictures, sys.argv[2] + "/here")
settings = {"scheduler": "processes", "multiprocessing.context": "fork"}
with dask.config.set(settings):
    try:
        libitem.dask.check(pictures, sys.argv[2] + "/there", prior=0.3)
    except libitem.ForkedError as error:
        print(error)
"""


def test_a_forked_worker_is_told_to_spawn(item, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FORKED, DOG, tmp_path], capture_output=True, text=True, timeout=120
    )
    assert "spawn" in done.stdout, done.stderr
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("missing", ["dask", "pyarrow"])
def test_what_is_not_installed_is_named(tmp_path, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
import libitem.dask
libitem.dask.check([], {str(tmp_path)!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"needs {missing}" in done.stderr and 'pip install "dask[distributed]" pyarrow' in done.stderr
