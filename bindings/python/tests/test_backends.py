# SPDX-License-Identifier: Apache-2.0
"""Backends written in Python: they are asked, checked, and what they raise is told."""

import math
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import libitem
import numpy as np
import pytest
import stand_ins
from conftest import BUILD, ROOT
from libitem.backends import Call, Caption
from stand_ins import StandIn

BLACK = np.zeros((20, 30, 3), np.uint8)
BLUE = np.full((20, 30, 3), (0, 0, 90), np.uint8)


def test_they_answer(fakes):
    black, blue = fakes.check_many([BLACK, BLUE])
    assert (black.caption, blue.caption) == ("a red dog and a ball", "a blue dog and a ball")
    assert blue.caption_logprob == -0.5 and blue.caption_margin == 0.25
    assert list(fakes.caption(BLUE).tokens) == [7, 8]
    assert {o.phrase for o in blue.objects} == {"blue dog", "ball"}
    assert blue.backends["captioner"] == "stand-in 1"
    assert fakes.info["width"] == 16 and blue.image_vector.shape == (16,)
    assert list(fakes.score([BLUE, BLUE], ["a blue dog and a ball", "x"])) == [-0.5, -1.0]
    assert fakes.embed_texts(["a", "b"]).shape == (2, 16)


def test_what_they_are_asked():
    asked = []

    class Curious(StandIn):
        def caption(self, pictures, call):
            asked.append((call.beams, call.max_tokens, call.prompt, call.temperature, call.seed))
            call.warn("a warning")
            call.log(2, "a line")
            assert not call.cancelled
            return ["a dog" for _ in pictures]

        def detect(self, pictures, phrases, call):
            asked.append((phrases, call.heads, call.max_boxes, math.isnan(call.least_score)))
            return [[] for _ in pictures]

    lines = []
    one = Curious()
    with stand_ins.open(
        captioner=one,
        detector=one,
        log=lambda level, line: lines.append((level, line)),
        beams=3,
        max_tokens=9,
        prompt="a photo of",
    ) as context:
        result = context.check(BLACK, sample=0.5, sample_seed=11)
    assert asked[0] == (3, 9, "a photo of", 0.5, 11)
    assert asked[1][:2] == ([["dog"]], [["dog"]])
    assert "a warning" in result.warnings
    assert (2, "a line") in [(level, line.split(": ")[-1]) for level, line in lines]


def raising(what, **stage):
    def method(self, *arguments):
        raise what

    return {name: type("Raising", (StandIn,), {method_name: method})()
            for name, method_name in stage.items()}


@pytest.mark.parametrize(
    "stage",
    [
        {"captioner": "caption"},
        {"detector": "detect"},
        {"embedder": "embed_images"},
        {"embedder": "embed_texts"},
    ],
    ids=lambda stage: "".join(stage.values()),
)
def test_what_they_raise_is_an_error_with_its_text(stage):
    reason = RuntimeError("the model is\non holiday")
    with stand_ins.open(**raising(reason, **stage)) as context:
        with pytest.raises(libitem.BackendError, match="RuntimeError: the model is on holiday") as e:
            context.check(BLACK)
        assert e.value.__cause__ is reason
        results = list(context.check_many([BLACK, BLUE]))
        assert all("on holiday" in str(r.error) for r in results)


def test_errors_of_libitem_keep_their_code():
    with stand_ins.open(**raising(libitem.PackError("gone"), captioner="caption")) as context:
        with pytest.raises(libitem.PackError, match="gone"):
            context.check(BLACK)
    with stand_ins.open(**raising(MemoryError(), captioner="caption")) as context:
        with pytest.raises(libitem.OutOfMemoryError):
            context.check(BLACK)
    with stand_ins.open(**raising(SystemExit(3), captioner="caption")) as context:
        with pytest.raises(libitem.BackendError, match="SystemExit"):
            context.check(BLACK)
    long = "ä" * 3000
    with stand_ins.open(**raising(ValueError(long), captioner="caption")) as context:
        with pytest.raises(libitem.BackendError, match="ääää"):
            context.check(BLACK)


@pytest.mark.parametrize(
    "method, answer, said",
    [
        ("caption", [], "0 answers for 1 pictures"),
        ("caption", ["a" * 100000], "a caption of 100000 bytes"),
        ("caption", ["a\0b"], "without NUL"),
        ("caption", ["\ud800"], "surrogates"),
        ("caption", [3], "TypeError"),
        ("caption", [Caption("a dog", math.nan)], "log-probability"),
        ("caption", None, "TypeError"),
        ("detect", [[(99, (0, 0, 5, 5), 0.5)]], "99"),
        ("detect", [[(0, (0, 0, 500, 5), 0.5)]], "box"),
        ("detect", [[(0, (0, 0), 0.5)]], "box has four"),
        ("detect", [[(0, (0, 0, 5, 5, 5), 0.5)]], "four numbers, not 5"),
        ("detect", [[(-1, (0, 0, 5, 5), 0.5)]], "phrase"),
        ("detect", [[("a", (0, 0, 5, 5), 0.5)]], "ArgumentError"),
        ("detect", [[(0, (0, 0, 5, 5))]], "ValueError"),
        ("embed_images", np.ones((1, 5)), "shape"),
        ("embed_images", np.full((1, 16), math.nan), "not finite|NaN|nan"),
        ("embed_images", np.ones((1, 16)), "length"),
        ("embed_texts", "text", "ValueError"),
    ],
)
def test_answers_that_are_none(method, answer, said):
    one = type("Wrong", (StandIn,), {method: lambda self, *arguments: answer})()
    with stand_ins.open(captioner=one, detector=one, embedder=one) as context:
        with pytest.raises(libitem.BackendError, match=said):
            if method == "embed_texts":
                context.embed_texts(["a"])
            elif method == "embed_images":
                context.embed_images([BLACK])
            else:
                context.check(BLACK)


def test_names_and_widths_are_checked():
    for changed in ({"name": 3}, {"id": None}):
        with pytest.raises(TypeError, match="must be a str"):
            stand_ins.open(captioner=type("Nameless", (StandIn,), changed)())
    with pytest.raises(libitem.BackendError, match="width"):
        stand_ins.open(embedder=type("Wide", (StandIn,), {"width": 9000})())


def test_pictures_may_be_kept_beyond_the_call():
    kept = []

    class Keeper(StandIn):
        def caption(self, pictures, call):
            kept.extend(picture.pixels for picture in pictures)
            return super().caption(pictures, call)

    with stand_ins.open(captioner=Keeper()) as context:
        for shade in range(20):
            context.check(np.full((200, 300, 3), shade, np.uint8))
    assert [int(pixels[0, 0, 0]) for pixels in kept] == list(range(20))


def test_a_call_that_is_cancelled():
    class Patient(StandIn):
        def caption(self, pictures, call: Call):
            cancel.set()
            while not call.cancelled:
                pass
            raise libitem.CancelledError("stopped")

    cancel = libitem.Cancel()
    with stand_ins.open(captioner=Patient()) as context:
        with pytest.raises(libitem.CancelledError):
            context.check(BLACK, cancel=cancel)
    assert cancel.is_set


def module(folder):
    """The module for item-conformance, compiled; None: this Python cannot be put into a program."""
    library = Path(sysconfig.get_config_var("LIBDIR"), str(sysconfig.get_config_var("LDLIBRARY")))
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not shutil.which("cc") or not header.exists() or library.suffix == ".a":
        return None
    source = Path(__file__).with_name("conformance_module.c")
    made = folder / "python.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", source, "-o", made,
         f"-I{ROOT / 'include'}", f"-I{header.parent}", f"-L{library.parent}",
         f"-l{library.stem[3:]}", f"-Wl,-rpath,{library.parent}"],
        check=True,
    )
    return made


def conformance(made, settings):
    env = {**os.environ, "LD_LIBRARY_PATH": str(BUILD / "lib"), "PYTHONHOME": sysconfig.get_config_var("prefix")}
    env["PYTHONPATH"] += os.pathsep + sysconfig.get_path("purelib")
    return subprocess.run(
        [BUILD / "cli" / "conformance" / "item-conformance", "--settings", settings, made],
        env=env,
        capture_output=True,
        text=True,
    )


def test_they_pass_the_conformance_test(tmp_path):
    made = module(tmp_path)
    if made is None:
        pytest.skip("no shared libpython with headers, or no C compiler")
    done = conformance(made, "stand_ins:StandIn")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") > 50 and "not ok" not in done.stdout

