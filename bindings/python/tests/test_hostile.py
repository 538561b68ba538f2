# SPDX-License-Identifier: Apache-2.0
"""What careless and hostile callers do: none of it crashes, hangs, or gives a wrong answer."""

import gc
import io
import threading
import weakref

import libitem
import numpy as np
import pytest
import stand_ins
from conftest import DOG
from PIL import Image as pillow
from stand_ins import StandIn

BLACK = np.zeros((20, 30, 3), np.uint8)


# ---- pictures ----


def test_an_array_without_end_is_refused_before_it_is_copied(fakes):
    for shape in ((200_000, 200_000, 3), (2**32 + 8, 1, 3), (1, 2**32 + 8)):
        one = np.broadcast_to(np.zeros((1,) * len(shape), np.uint8), shape)
        with pytest.raises(libitem.LimitError, match="max_pixels"):
            fakes.check(one)
        with pytest.raises(libitem.LimitError, match="max_pixels"):
            libitem.Image(one)
    with pytest.raises(libitem.LimitError, match="max_pixels"):
        with stand_ins.open(max_pixels=599) as context:
            context.check(pillow.new("P", (20, 30)))


class Trickle(io.RawIOBase):
    """A pipe: read() gives what is there."""

    def __init__(self, data):
        self.rest = data

    def readable(self):
        return True

    def read(self, size=-1):
        given, self.rest = self.rest[:1000], self.rest[1000:]
        return given


def test_a_pipe_is_read_to_its_end(fakes):
    with open(DOG, "rb") as file:
        data = file.read()
    whole = fakes.check(data)
    assert list(fakes.check(Trickle(data)).image_vector) == list(whole.image_vector)


class Gone:
    def read(self, size=-1):
        raise OSError(5, "the disk is gone")


def truncated():
    with open(DOG, "rb") as file:
        return pillow.open(io.BytesIO(file.read()[:20000]))


def closed():
    file = io.BytesIO(b"")
    file.close()
    return file


def test_none_of_many_stops_the_others(fakes):
    bad = ["a\0b.jpg", "\ud800.jpg", Gone(), truncated(), closed(), "no.jpg", b"", Trickle(b"x")]
    results = list(fakes.check_many([BLACK, *bad, BLACK, DOG]))
    assert len(results) == len(bad) + 3
    for picture, result in zip(bad, results[1:]):
        assert isinstance(result.error, libitem.Error), picture
        assert result.to_dict()["error"]["message"] == result.error.message
    assert "a\\x00b.jpg" in results[1].error.message
    assert (results[3].error.system, results[3].error.name) == (5, "ITEM_E_IO")
    assert "disk is gone" in results[3].error.message
    assert "truncated" in results[4].error.message
    for result in (results[0], results[-2], results[-1]):
        assert result.error is None and result.caption
    for picture in ("a\0b.jpg", "\ud800.jpg"):
        with pytest.raises(libitem.ArgumentError):
            fakes.check(picture)
    with pytest.raises(TypeError, match="not one picture"):
        with open(DOG, "rb") as file:
            fakes.check_many(file)  # which Python would cut into lines


def test_what_a_generator_gave_before_it_raised_is_answered(fakes):
    def pictures():
        yield BLACK
        yield BLACK
        raise KeyError("no more")

    many = fakes.check_many(pictures())
    assert next(many).caption and next(many).caption
    with pytest.raises(KeyError, match="no more"):
        next(many)


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "HSV", "LAB", "RGBX", "I;16B"])
def test_rare_modes_of_pillow(mode):
    assert libitem.Image(pillow.new(mode, (9, 7))).pixels.shape == (7, 9, 3)


def test_grey_of_16_bits_is_no_white():
    shades = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    file = io.BytesIO()
    pillow.fromarray(shades).save(file, "PNG")
    wanted = libitem.Image(file.getvalue()).pixels
    assert (libitem.Image(pillow.open(file)).pixels == wanted).all()
    assert len(np.unique(wanted)) == 64
    for mode in ("I", "F"):
        with pytest.raises(TypeError, match=f"mode {mode} "):
            libitem.Image(pillow.new(mode, (9, 7)))


def test_what_is_shown_reads_no_file_again(fakes):
    with open(DOG, "rb") as file:
        result = fakes.check(file)
    assert "<svg" in result._repr_html_()

    class Tape(io.BytesIO):
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            return super().read(size)

    with open(DOG, "rb") as file:
        tape = Tape(file.read())
    result = fakes.check(tape)
    before = tape.reads
    result._repr_html_()
    assert tape.reads == before


def test_stages_hold_one_batch_of_pictures(fakes):
    alive = []

    def pictures():
        for i in range(20):
            picture = np.full((20, 30, 3), 10 * i, np.uint8)
            alive.append(weakref.ref(picture))
            assert sum(ref() is not None for ref in alive) <= 2 * fakes.info["batch"]
            yield picture
            del picture

    assert fakes.embed_images(pictures()).shape == (20, 16)
    assert fakes.embed_images([]).shape == (0, 16)
    last = fakes.embed_images([np.full((20, 30, 3), 190, np.uint8)])
    alive.clear()
    assert np.allclose(fakes.embed_images(pictures())[19], last[0])
    assert len(fakes.caption_many([BLACK] * 20)) == 20 and fakes.caption_many([]) == []


def test_only_scores_take_no_picture(fakes):
    assert len(fakes.score([None, BLACK], ["a", "b"])) == 2
    for stage in (fakes.embed_images, fakes.caption_many, lambda p: fakes.detect_many(p, "a")):
        with pytest.raises(TypeError, match="a picture is a path"):
            stage([BLACK, None])


# ---- numbers and options ----


def test_numbers_of_numpy_are_numbers():
    with stand_ins.open(threshold=np.float64(0.5), prior=np.float32(0.25), beams=np.int64(2)) as c:
        assert c.check(BLACK, max_objects=np.int64(1)).caption


def test_numbers_are_not_cut(fakes):
    for seed in (-1, 2**64, 1.5):
        with pytest.raises((ValueError, TypeError), match="sample_seed must be a whole number"):
            fakes.check(BLACK, sample_seed=seed)
    data = libitem.extract(fakes, [DOG], label="real")
    for options in ({"epochs": 2**32}, {"folds": -1}, {"hidden": (2**32 + 8,)}, {"hidden": (-1,)}):
        with pytest.raises(ValueError, match="whole number"):
            libitem.train(data, **options)
    with pytest.raises(ValueError, match="max_failures"):
        libitem.extract(fakes, [DOG], label="real", max_failures=2**32)


def test_wrong_names_and_types(fakes):
    data = libitem.extract(fakes, (name for name in [DOG]), label="real")
    with pytest.raises(ValueError, match="label: 'photo' is none of real, ai"):
        libitem.extract(fakes, [DOG], label="photo")
    with pytest.raises(ValueError, match="columns: 'colour'"):
        libitem.extract(fakes, [DOG], label="real", columns=["colour"])
    with pytest.raises(ValueError, match="known_sources: 'ask'"):
        libitem.evaluate(data, "head", known_sources="ask")
    for wrong in (
        lambda: libitem.train("data.safetensors"),
        lambda: libitem.evaluate("data.safetensors", "head"),
        lambda: libitem.evaluate(data, "head", controls="data.safetensors"),
        lambda: libitem.calibrate("data.safetensors", "head"),
        lambda: libitem.extract("context", "pictures"),
    ):
        with pytest.raises(TypeError, match="must be a libitem"):
            wrong()
    for wrong in (
        lambda: fakes.check_many([BLACK] * 5, captions="a dog"),
        lambda: libitem.train(data, candidates="difference/both/1"),
        lambda: libitem.evaluate(data, "head", rivals="head.safetensors"),
        lambda: libitem.train(data, hidden="12"),
    ):
        with pytest.raises(TypeError, match="must be a list"):
            wrong()


def test_where_no_thread_can_be_started(fakes, monkeypatch):
    """As at the end of a process, or at the system's limit: the call is made all the same."""

    def start(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert fakes.check(BLACK).caption
    cancel = libitem.Cancel()
    with pytest.raises(libitem.FormatError):
        fakes.check(b"no picture", cancel=cancel)
    assert not cancel.is_set


@pytest.mark.parametrize("data", [b"", memoryview(b"abcdef")[::2], bytearray(), np.zeros(9, "S1")])
def test_bytes_that_are_no_picture(fakes, data):
    with pytest.raises((libitem.FormatError, TypeError)):
        fakes.check(data)


# ---- lifetimes ----


def test_a_log_may_ask_its_context():
    asked = []

    def log(level, line):
        asked.append(context.info["pack"])

    class Talking(StandIn):
        def caption(self, pictures, call):
            call.log(2, "a line")
            return super().caption(pictures, call)

    context = stand_ins.open(captioner=Talking(), log=log)
    assert context.check(BLACK).caption and asked


def test_the_log_lives_as_long_as_a_call():
    class Log:
        def __call__(self, level, line):
            pass

    log = Log()
    context, seen = stand_ins.open(log=log), weakref.ref(log)
    used = context._share()  # what a call that goes on after Ctrl-C has
    context.close()
    del log, context
    gc.collect()
    assert seen() is not None
    del used
    gc.collect()
    assert seen() is None


def test_a_failure_holds_nothing_that_others_need(fakes):
    """Neither the context that is closed behind it, nor the other pictures of its batch."""
    gc.collect()
    gc.disable()
    try:
        context = stand_ins.open()
        release = context._handle._release
        with pytest.raises(libitem.FormatError):
            context.check(b"no picture")
        context.close()
        assert not release.alive

        def pictures():
            for bad in (b"no picture", Gone()):
                picture = np.zeros((20, 30, 3), np.uint8)
                seen.append(weakref.ref(picture))
                yield picture
                del picture
                yield bad

        seen = []
        results = list(fakes.check_many(pictures()))
        assert [bool(result.error) for result in results] == [False, True] * 2
        assert [ref() for ref in seen] == [None, None]
    finally:
        gc.enable()


def test_a_log_that_knows_its_context_is_collected():
    class App:
        def __init__(self):
            self.context = stand_ins.open(log=self.log)

        def log(self, level, line):
            pass

    seen = weakref.ref(App())
    gc.collect()
    assert seen() is None


def test_closing_from_inside_of_a_call(fakes):
    """As a progress function may do with the data set of its training."""
    data = libitem.extract(fakes, [DOG], label="real")
    release = data._handle._release

    def use(_address):
        data.close()
        gc.collect()
        assert release.alive
        with pytest.raises(libitem.ClosedError):
            len(data)

    data._use(use)
    assert not release.alive


def test_a_data_set_does_not_change_while_it_is_used(fakes):
    data = libitem.extract(fakes, [DOG], label="real")

    def use(_address):
        assert len(data) == 1
        with pytest.raises(libitem.ArgumentError, match="data set is used"):
            data.remove("source", "x")

    data._use(use)
    assert data.remove("generator", "x") == 0


def test_two_evaluations_of_two_data_sets_do_not_wait_for_each_other(fakes):
    one, two = (libitem.extract(fakes, [DOG], label="real") for _ in range(2))
    inside = threading.Barrier(2, timeout=20)

    def hold(first, second):
        first._use(lambda _: (inside.wait(), second._use(lambda _: done.append(1))))

    done = []
    threads = [
        threading.Thread(target=hold, args=pair, daemon=True) for pair in ((one, two), (two, one))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [1, 1]


def test_what_progress_raises_at_the_end_is_raised(fakes):
    def progress(done, total):
        if done == total:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        libitem.extract(fakes, [DOG, DOG], label="real", progress=progress)


# ---- backends ----


def test_a_width_that_grows_writes_nowhere():
    class Growing(StandIn):
        def embed_images(self, crops, call):
            self.width = 100_000
            return np.ones((len(crops), self.width)) / np.sqrt(self.width)

    with stand_ins.open(embedder=Growing()) as context:
        with pytest.raises(libitem.BackendError, match="100000.*16"):
            context.embed_images([BLACK])


def test_a_call_that_is_kept_is_over():
    kept = []

    class Keeping(StandIn):
        def caption(self, pictures, call):
            kept.append(call)
            return super().caption(pictures, call)

    with stand_ins.open(captioner=Keeping()) as context:
        context.check(BLACK)
    for use in (lambda: kept[0].cancelled, lambda: kept[0].warn("x"), lambda: kept[0].log(1, "x")):
        with pytest.raises(libitem.ClosedError, match="the call is over"):
            use()


def test_exceptions_that_raise_when_they_are_told():
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError("no")

    for raised in (Rude(), libitem.Error(None), libitem.Error("x", code=[])):  # type: ignore

        class Raising(StandIn):
            def caption(self, pictures, call, raised=raised):
                raise raised

        with stand_ins.open(captioner=Raising()) as context:
            with pytest.raises(libitem.BackendError):
                context.check(BLACK)


@pytest.mark.parametrize("box", [(0, 0), (0, 0, 1, 1, 1), "four", None])
def test_boxes_have_four_numbers(box):
    class Wrong(StandIn):
        def detect(self, pictures, phrases, call):
            return [[(0, box, 0.5)] for _ in pictures]

    with stand_ins.open(detector=Wrong()) as context:
        with pytest.raises(libitem.BackendError):
            context.check(BLACK)


def test_collections_inside_of_the_register_close_what_they_find():
    """A context in a cycle, collected while another one's stages are registered or closed."""
    closed = []

    class Watched(StandIn):
        def close(self):
            closed.append(self)

    def turn():
        one = Watched()
        cycle = [stand_ins.open(captioner=one, detector=one, embedder=one)]
        cycle.append(cycle)

    def many():
        for _ in range(50):
            turn()
        gc.collect()

    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        thread = threading.Thread(target=many, daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive() and len(closed) == 50
    finally:
        gc.set_threshold(*before)
