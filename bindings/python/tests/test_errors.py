# SPDX-License-Identifier: Apache-2.0
"""Wrong types, closed objects, collection while a call runs: exceptions, never a crash."""

import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref

import libitem
import numpy as np
import pytest
import stand_ins
from conftest import DOG, ROOT

BLACK = np.zeros((20, 30, 3), np.uint8)


@pytest.mark.parametrize(
    "picture",
    [None, 3, 2.5, object(), ["a.jpg"], {"a": 1}, lambda: None, open],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_picture(fakes, picture):
    with pytest.raises(TypeError, match="a picture is a path"):
        fakes.check(picture)
    with pytest.raises(TypeError, match="a picture is a path"):
        list(fakes.check_many([BLACK, picture]))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 3, 1), np.uint8),
        np.zeros(4, np.uint8),
        np.array("text"),
    ],
    ids=lambda pixels: f"{pixels.dtype}{pixels.shape}",
)
def test_arrays_that_are_no_picture(fakes, pixels):
    with pytest.raises(TypeError, match="pixels must"):
        fakes.check(pixels)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (0, 0)])
def test_empty_arrays(fakes, shape):
    with pytest.raises(libitem.ArgumentError):
        fakes.check(np.zeros(shape, np.uint8))


def test_files_that_are_text(fakes):
    with open(ROOT / "README.md", encoding="utf-8") as file:
        with pytest.raises(TypeError, match="mode 'rb'"):
            fakes.check(file)


def test_a_file_that_fails(fakes):
    class Broken:
        def read(self, size=-1):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        fakes.check(Broken())


def test_wrong_arguments(fakes):
    with pytest.raises(TypeError, match="caption must be a str"):
        fakes.check(BLACK, caption=3)
    with pytest.raises(ValueError, match="NUL"):
        fakes.check("a\0b.jpg")
    with pytest.raises(ValueError, match="max_objects"):
        fakes.check(BLACK, max_objects=-1)
    with pytest.raises(libitem.ArgumentError, match="max_objects"):
        fakes.check(BLACK, max_objects=2**40)
    with pytest.raises(TypeError, match="cancel"):
        fakes.check(BLACK, cancel=True)
    for one in (DOG, b"abc", BLACK, stand_ins):
        with pytest.raises(TypeError):
            fakes.check_many(one)
    with pytest.raises(TypeError):
        fakes.embed_texts("a dog")
    with pytest.raises(TypeError, match="a text must be a str"):
        fakes.embed_texts(["a", 3])
    with pytest.raises(TypeError, match="a text must be a str"):
        fakes.embed_texts(["a", None])
    with pytest.raises(TypeError, match="a phrase must be a str"):
        fakes.detect(BLACK, [b"a dog"])
    with pytest.raises(libitem.ArgumentError):
        fakes.detect(BLACK, [" "])
    with pytest.raises(libitem.FormatError):
        libitem.phrases("\ud800")
    with pytest.raises(TypeError):
        libitem.phrases(None)


def test_wrong_options():
    with pytest.raises(libitem.ArgumentError, match="no_such_option"):
        libitem.open(no_such_option=1)
    with pytest.raises(libitem.ArgumentError, match="beams"):
        libitem.open(beams=99)
    with pytest.raises(TypeError, match="option beams"):
        libitem.open(beams=[1])
    with pytest.raises(libitem.Error, match="no/such/pack"):
        libitem.open("no/such/pack")
    with pytest.raises(TypeError):
        libitem.open(3)
    with pytest.raises(TypeError, match="is no captioner"):
        libitem.open(captioner=object())


def test_exceptions_have_code_name_and_message():
    try:
        libitem.Image("no such file.jpg")
    except libitem.Error as error:
        assert isinstance(error, libitem.FileError)
        assert (error.name, error.code, error.system) == ("ITEM_E_IO", 3, 2)
        assert "no such file.jpg" in error.message == str(error)
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), copy.message, copy.system) == (libitem.FileError, error.message, 2)
    else:
        pytest.fail("nothing was raised")
    assert issubclass(libitem.FormatError, ValueError)
    assert issubclass(libitem.OutOfMemoryError, MemoryError)


def test_limits_hold_for_pictures_from_memory():
    with stand_ins.open(max_pixels=100, max_file_bytes=1000) as context:
        with pytest.raises(libitem.LimitError):
            context.check(BLACK)
        data = open(DOG, "rb").read()
        for picture in (data, open(DOG, "rb"), DOG):
            with pytest.raises(libitem.LimitError, match="1000|1,000|bytes"):
                context.check(picture)
        endless = open("/dev/zero", "rb")
        with pytest.raises(libitem.LimitError):
            context.check(endless)


def test_use_after_close(fakes):
    context = stand_ins.open()
    result = context.check(BLACK)
    many = context.check_many([BLACK] * 20)
    next(many)
    context.close()
    context.close()
    assert context.closed and "closed" in repr(context)
    for use in (
        lambda: context.check(BLACK),
        lambda: context.info,
        lambda: context.embed_texts(["a"]),
        lambda: context.tokenize("a"),
        lambda: context.check_many([BLACK]),
        lambda: list(many),
        lambda: libitem.extract(context, [DOG], label="real"),
        context.__enter__,
        context.engine_info,
    ):
        with pytest.raises(libitem.ClosedError, match="closed"):
            use()
    assert result.caption == "a red dog and a ball"  # results outlive it

    data = libitem.extract(fakes, [DOG], label="real")
    data.close()
    data.close()
    for use in (lambda: len(data), lambda: data[0], lambda: libitem.train(data)):
        with pytest.raises(libitem.ClosedError, match="closed"):
            use()
    assert "closed" in repr(data)


def test_close_while_a_call_runs():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(stand_ins.StandIn):
        def caption(self, pictures, call):
            begun.set()
            go_on.wait(60)
            return super().caption(pictures, call)

    context, found = stand_ins.open(captioner=Slow()), []
    thread = threading.Thread(target=lambda: found.append(context.check(BLACK)))
    thread.start()
    begun.wait(60)
    context.close()
    del context
    gc.collect()
    go_on.set()
    thread.join(60)
    assert found[0].caption == "a red dog and a ball"


def test_collection_while_calls_run():
    """Everything that a call needs is dropped by its owner meanwhile."""
    stop = threading.Event()

    def collect():
        while not stop.is_set():
            gc.collect()
            time.sleep(0.001)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for _ in range(2):
            result = stand_ins.open().check(libitem.Image(BLACK))
            vector = result.image_vector
            del result
            assert vector.sum() != 0
            assert [r.caption for r in stand_ins.open().check_many([BLACK.copy()] * 3)]
    finally:
        stop.set()
        collector.join()


def test_what_is_dropped_is_released():
    closed = []

    class Watched(stand_ins.StandIn):
        def close(self):
            closed.append(1)

    one = Watched()
    context = stand_ins.open(captioner=one, detector=one, embedder=one)
    result = context.check(BLACK)
    seen = weakref.ref(context)
    del context
    gc.collect()
    assert seen() is None and closed == [1] and result.caption


def test_ten_thousand_contexts():
    """Opened and closed: no file stays open, and what memory grows by is no context."""
    code = """
import resource, stand_ins, os
def resident():
    return int(open("/proc/self/statm").read().split()[1])
def turn(n):
    for _ in range(n):
        stand_ins.open().close()
turn(300)
before, files = resident(), len(os.listdir("/proc/self/fd"))
turn(10000)
assert len(os.listdir("/proc/self/fd")) == files
print((resident() - before) * 4096)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 10000 * 100  # a context has more than 100 bytes


def test_contexts_do_not_pickle(fakes):
    with pytest.raises(TypeError, match="open one in each process"):
        pickle.dumps(fakes)


def test_a_library_that_is_not_there():
    code = "import libitem; libitem.version()"
    env = {**os.environ, "LIBITEM_LIBRARY": "/no/such/libitem.so"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "LibraryError: libitem cannot be loaded" in done.stderr
    assert "LIBITEM_LIBRARY=" in done.stderr
    env["LIBITEM_LIBRARY"] = "libm.so.6"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert "LibraryError" in done.stderr
    with pytest.raises(libitem.LibraryError, match="loaded already"):
        libitem.load("libm.so.6")
    assert libitem.load() == os.environ["LIBITEM_LIBRARY"]
