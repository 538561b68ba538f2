# SPDX-License-Identifier: Apache-2.0
"""Checking pictures on the small pack: inputs, results and their other forms."""

import io
import json
import math
import pickle
import subprocess

import libitem
import numpy as np
import pytest
from conftest import BUILD, DOG, PICTURES, ROOT


def alike(mine, wanted):
    """Equal, but for the last digits of numbers: docs/same-answer.md."""
    if isinstance(wanted, dict):
        return mine.keys() == wanted.keys() and all(alike(mine[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(mine) == len(wanted) and all(map(alike, mine, wanted))
    if isinstance(wanted, float):
        return mine == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    return bool(mine == wanted)


def test_the_answer_is_that_of_the_program(item, dog):
    said = subprocess.run(
        [BUILD / "cli" / "item", "check", "--json", DOG], capture_output=True, text=True, check=True
    )
    wanted, mine = json.loads(said.stdout), dog.to_dict()
    for known in (wanted, mine):
        known.pop("timings_ms")
    assert list(mine) == list(wanted)
    assert alike(mine, wanted), (mine, wanted)


def test_properties_are_what_the_json_says(dog):
    said = dog.to_dict()
    for name in (
        "file",
        "verdict",
        "caption",
        "caption_source",
        "model_caption",
        "layout",
        "pack",
        "precision",
        "fingerprint",
        "width",
        "height",
        "backends",
    ):
        assert getattr(dog, name) == said[name], name
    for name in ("probability", "score", "similarity", "contribution", "caption_logprob"):
        assert getattr(dog, name) == pytest.approx(said[name], rel=1e-8), name
    assert (dog.reason, dog.reason_line) == (said["reason"]["code"], said["reason"]["text"])
    assert dog.threshold_name == said["threshold"]["name"]
    assert dog.threshold > 0 or dog.threshold == math.inf
    assert list(dog.warnings) == said["warnings"]
    assert dog.timings == pytest.approx(said["timings_ms"], rel=1e-6)
    assert dog.error is None and dog.tokens.dtype == np.int32


def test_objects_and_boxes(dog):
    said = dog.to_dict()["objects"]
    assert [o.phrase for o in dog.objects] == [o["phrase"] for o in said]
    for found, wanted, box in zip(dog.objects, said, dog.boxes):
        assert list(found.box) == pytest.approx(wanted["box"], rel=1e-8) == list(box)
        assert found.score == pytest.approx(wanted["score"], rel=1e-8)
        assert found.similarity == pytest.approx(wanted["similarity"], rel=1e-7)
        assert np.linalg.norm(found.crop_vector) == pytest.approx(1, abs=1e-4)
        assert float(found.crop_vector @ found.phrase_vector) == pytest.approx(
            found.similarity, abs=1e-5
        )


def test_vectors_are_not_copied_and_keep_their_owner(item):
    result = item.check(DOG)
    vector, boxes, handle = result.image_vector, result.boxes, result._handle
    again = libitem._images.view(vector.ctypes.data, vector.shape, np.float32, None)
    assert np.shares_memory(vector, again) and not vector.flags.owndata
    assert np.shares_memory(boxes, result.objects[0].box)
    before, corners = vector.copy(), boxes.copy()
    alive = handle._release
    del result, handle, again
    assert alive.alive  # the array keeps what it looks into
    assert (vector == before).all() and (boxes == corners).all()
    with pytest.raises(ValueError):
        vector[0] = 1
    del vector
    assert not alive.alive


def test_every_kind_of_input_gives_the_answer_of_its_file(item, dog):
    data = open(DOG, "rb").read()
    from PIL import Image as pillow

    pixels = np.array(libitem.Image(DOG).pixels)
    wide = np.zeros((pixels.shape[0], pixels.shape[1] + 5, 3), np.uint8)
    wide[:, :-5] = pixels
    clear = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    inputs = [
        PICTURES / "surfing_dog.jpg",
        data,
        bytearray(data),
        memoryview(data),
        io.BytesIO(data),
        libitem.Image(DOG),
        pixels,
        wide[:, :-5],
        pixels[::-1][::-1],
        np.asfortranarray(pixels),
        clear,
        pillow.fromarray(pixels),
        pillow.fromarray(clear),
    ]
    with open(DOG, "rb") as file:
        results = list(item.check_many([*inputs, file]))
    for result in results:
        assert result.error is None
        assert result.caption == dog.caption
        assert result.probability == pytest.approx(dog.probability, abs=1e-4)
        assert result.fingerprint == dog.fingerprint


def test_pillow_pictures_are_turned_upright(item):
    from PIL import Image as pillow

    turned = pillow.open(DOG).transpose(pillow.Transpose.ROTATE_90)
    exif = pillow.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    data = io.BytesIO()
    turned.save(data, "JPEG", exif=exif)
    as_bytes = libitem.Image(data.getvalue())
    as_pillow = libitem.Image(pillow.open(io.BytesIO(data.getvalue())))
    assert as_bytes.info["orientation"] == 6
    assert as_bytes.pixels.shape == as_pillow.pixels.shape == libitem.Image(DOG).pixels.shape


@pytest.mark.parametrize("mode", ["1", "P", "LA", "CMYK", "I;16", "YCbCr"])
def test_pillow_pictures_of_other_modes(mode):
    from PIL import Image as pillow

    assert libitem.Image(pillow.new(mode, (9, 7))).pixels.shape == (7, 9, 3)


def test_an_image_has_pixels_that_are_not_copied():
    image = libitem.Image(DOG)
    pixels = image.pixels
    assert pixels.shape == (image.height, image.width, 3) and not pixels.flags.owndata
    assert np.shares_memory(pixels, image.pixels)
    del image
    assert pixels.mean() > 0
    small = libitem.Image(np.full((2, 3), 9, np.uint8))
    assert (pickle.loads(pickle.dumps(small)).pixels == 9).all()


def test_many_in_order_with_bad_ones_between(item):
    names = ["surfing_dog.jpg", "nope.jpg", "surfing_dog.jpg"]
    paths = [str(PICTURES / name) for name in names] + [str(ROOT / "README.md")]
    results = list(item.check_many([*paths, b"", DOG]))
    assert [r.file for r in results] == [*paths, "", DOG]
    kinds = [type(r.error).__name__ if r.error else "" for r in results]
    assert kinds == ["", "FileError", "", "FormatError", "FormatError", ""]
    assert results[1].verdict == "none" and math.isnan(results[1].probability)
    assert results[1].to_dict()["error"]["code"] == "ITEM_E_IO"
    assert results[4].to_dict()["error"]["code"] == "ITEM_E_FORMAT"
    assert "README.md" in str(results[3].error)


def test_errors_are_raised_when_asked(item):
    many = item.check_many([DOG, str(ROOT / "README.md")], errors="raise")
    assert next(many).error is None
    with pytest.raises(libitem.FormatError, match="README.md"):
        next(many)
    with pytest.raises(ValueError, match="errors"):
        item.check_many([], errors="ignore")


def test_many_reads_no_further_than_a_batch(fakes):
    taken = []

    def pictures():
        for i in range(100):
            taken.append(i)
            yield np.full((20, 30, 3), i, np.uint8)

    many = fakes.check_many(pictures())
    next(many)
    assert len(taken) == fakes.info["batch"] == 8


def test_progress(fakes, capsys):
    told = []
    pictures = [np.zeros((20, 30, 3), np.uint8)] * 20
    list(fakes.check_many(pictures, progress=lambda done, total: told.append((done, total))))
    assert told == [(8, 20), (16, 20), (20, 20)]
    list(fakes.check_many(pictures, progress=True))
    assert "20/20" in capsys.readouterr().err


def test_captions_of_the_caller(fakes):
    picture = np.zeros((20, 30, 3), np.uint8)
    assert fakes.check(picture, caption="a cat").caption == "a cat"
    results = list(fakes.check_many([picture] * 3, captions=["a cat", None, "a cow"]))
    assert [r.caption for r in results] == ["a cat", "a red dog and a ball", "a cow"]
    assert [r.caption_source for r in results] == ["caller", "model", "caller"]
    with pytest.raises(ValueError, match="fewer captions"):
        list(fakes.check_many([picture] * 3, captions=["a cat"]))


def generated(folder):
    """A PNG with the text that a generator writes into its pictures."""
    from PIL import Image as pillow
    from PIL import PngImagePlugin

    told = PngImagePlugin.PngInfo()
    told.add_text("parameters", "a <b>dog</b>\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 64x64")
    pillow.new("RGB", (64, 64), "red").save(folder / "made.png", pnginfo=told)
    return folder / "made.png"


def test_what_a_file_says_of_its_origin(fakes, dog, tmp_path):
    path = generated(tmp_path)
    (claim,) = libitem.provenance(path)
    assert (claim.kind, claim.claim) == ("generator", "ai") and "dog" in claim.value
    assert libitem.provenance(path.read_bytes()) == (claim,)
    results = [fakes.check(path), *fakes.check_many([path, path.read_bytes()])]
    for result in (*results, pickle.loads(pickle.dumps(results[0]))):
        assert result.provenance == (claim,)
    (said,) = results[0].to_dict()["provenance"]
    assert (said["kind"], said["claim"], said["text"]) == (claim.kind, claim.claim, claim.text)
    assert claim.text in results[0].to_frame()["provenance"][0]
    page = results[0]._repr_html_()
    assert "The file says" in page and "<b>dog" not in page
    assert dog.provenance == () == libitem.Result(None).provenance
    with pytest.raises(libitem.FileError):
        libitem.provenance("no such file.png")
    with pytest.raises(TypeError):
        libitem.provenance(3)


def test_results_pickle(item, dog):
    for result in (dog, *item.check_many([str(ROOT / "README.md"), b""])):
        copy = pickle.loads(pickle.dumps(result))
        assert copy.to_dict() == result.to_dict()
        assert repr(copy) == repr(result)
        assert copy.verdict == result.verdict and copy.timings == result.timings
        assert np.array_equal(copy.boxes, result.boxes)
        assert np.array_equal(copy.image_vector, result.image_vector)
        assert type(copy.error) is type(result.error)
        for mine, theirs in zip(copy.objects, result.objects):
            assert mine.phrase == theirs.phrase
            assert np.array_equal(mine.crop_vector, theirs.crop_vector)


def test_frames(item, dog):
    frame = libitem.to_frame(item.check_many([DOG, str(ROOT / "README.md")]))
    assert list(frame["verdict"]) == [dog.verdict, "none"]
    assert list(frame["error"]) == ["", "ITEM_E_FORMAT"]
    assert frame["probability"][0] == pytest.approx(dog.probability, abs=1e-6)
    assert frame["phrases"][0] == "dog"
    assert list(dog.to_frame().columns) == list(frame.columns)
    assert len(libitem.to_frame([])) == 0


def test_notebooks_show_picture_boxes_caption_and_verdict(item, dog):
    page = dog._repr_html_()
    assert "data:image/jpeg;base64," in page and page.count("<rect ") == len(dog.objects)
    for text in (dog.reason_line, dog.verdict, "dog 68%", "surfing_dog.jpg"):
        assert text in page
    assert "&ldquo;" + dog.caption in page and "<script" not in page
    failed = next(item.check_many([str(ROOT / "README.md")]))
    assert "not a picture" in failed._repr_html_()


def test_what_is_shown_is_escaped(fakes):
    picture = np.zeros((20, 30, 3), np.uint8)
    result = fakes.check(picture, caption="<script>alert(1)</script> a dog & a cat")
    page = result._repr_html_()
    assert "<script" not in page and "&lt;script&gt;" in page and "data:image/jpeg" in page
    assert "data:image" not in pickle.loads(pickle.dumps(result))._repr_html_()


def test_a_result_without_head_has_nan_and_no_verdict(fakes):
    result = fakes.check(np.zeros((20, 30, 3), np.uint8))
    assert result.verdict == "none" and math.isnan(result.probability)
    assert result.to_dict()["probability"] is None
