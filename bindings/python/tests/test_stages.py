# SPDX-License-Identifier: Apache-2.0
"""Single stages, data sets and heads."""

import libitem
import numpy as np
import pytest
from conftest import DOG, PICTURES


def test_caption_and_detect(item, dog):
    captioned = item.caption(DOG)
    assert captioned.caption == item.caption_many([DOG, DOG])[1].caption
    assert captioned.verdict == "none" and len(captioned.boxes) == 0
    found = item.detect(DOG, "a dog")
    assert repr(found) == "<libitem.Result picture: none, found: a dog>"
    assert found.objects[0].phrase == "a dog" and found.boxes.shape[1] == 4
    assert len(item.detect(DOG, ["a dog", "a ball"], max_objects=1).objects) == 1
    assert len(item.detect_many([DOG, DOG], ["a dog"])) == 2
    assert item.caption_many([]) == []


def test_vectors(item, dog):
    texts = item.embed_texts(["a dog", "", "größer 𝄞"])
    pictures = item.embed_images([DOG, libitem.Image(DOG)])
    assert texts.shape == (3, item.info["width"]) and pictures.shape[0] == 2
    for rows in (texts, pictures):
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-4)
    assert item.embed_texts([]).shape == (0, item.info["width"])
    vectors, layers = item.embed_layers([DOG])
    assert vectors[0] == pytest.approx(pictures[0], abs=1e-5)
    assert layers.shape == (1, item.info["layers_width"])


def test_scores(item):
    caption = item.caption(DOG)
    scores = item.score([DOG, DOG, None], [caption.caption, "a green car", "a dog"])
    assert scores.shape == (3,) and scores[0] > scores[1]
    assert scores[0] == pytest.approx(caption.caption_logprob, abs=1e-4)
    with pytest.raises(ValueError, match="1 pictures and 2 texts"):
        item.score([DOG], ["a", "b"])


def test_tokens(item):
    assert item.tokenize("a dog")[1:-1]
    long = item.tokenize("dog " * 1000)
    assert len(long) > 2 and all(isinstance(token, int) for token in long)


def test_phrases_count_characters():
    text = "Im Café, a black dog and a ball"
    found = libitem.phrases(text)
    assert "black dog" in [phrase.text for phrase in found]
    for phrase in found:
        assert text[phrase.start : phrase.end].lower().endswith(phrase.text.split()[-1])
    assert libitem.phrases("") == []


def test_misalignment_and_head(item, dog):
    image, text = dog.image_vector, dog.text_vector
    crops = [o.crop_vector for o in dog.objects]
    phrases = [o.phrase_vector for o in dog.objects]
    features = libitem.misalign(dog.layout, image, text, crops, phrases)
    assert features.shape == dog.features.shape
    alone = libitem.misalign("cosine/global/1", image, text)
    assert alone[0] == pytest.approx(dog.similarity, abs=1e-5)
    judged = item.apply_head(dog.features)
    assert judged["verdict"] in ("real", "unsure", "ai")
    assert judged["score"] == pytest.approx(dog.score, abs=1e-5)
    with pytest.raises(libitem.MismatchError):
        item.apply_head([0.0])
    with pytest.raises(libitem.ArgumentError):
        libitem.misalign("no/such/1", image, text)
    with pytest.raises(ValueError, match="same width"):
        libitem.misalign("cosine/global/1", image, text[:5])


def test_facts(item):
    assert libitem.version().startswith("0.2.")
    assert item.pack == "small 1" and item.info["has_head"] is True
    assert item.engine_info()["version"]
    pack = libitem.pack_info()
    assert pack["name"] == "small" and libitem.default_pack().endswith("small")


def pictures(folder, first=0, sources=("one", "two"), count=12):
    """Two sources of each label, told apart by their colours."""
    from PIL import Image as pillow

    for label, base in (("ai", (200, 60, 60)), ("real", (60, 60, 200))):
        for source in sources:
            place = folder / label / source
            place.mkdir(parents=True)
            for i in range(first, first + count):
                noise = np.random.default_rng(i).integers(0, 50, (60, 80, 3))
                pixels = np.array(base) + noise + 2 * len(source) + (i % 3) * 10
                pillow.fromarray(pixels.astype(np.uint8)).save(place / f"{i}.png")


def test_train_evaluate_calibrate(fakes, tmp_path):
    pictures(tmp_path / "train")
    told = []
    data = libitem.extract(
        fakes, tmp_path / "train", progress=lambda done, total: told.append(done)
    )
    assert (len(data), data.info["ai"], data.info["sources"]) == (48, 24, 2)
    assert told[-1] == 48
    row = data[-1]
    assert row["label"] in ("ai", "real") and row["image"].shape == (16,)
    assert len(list(data)) == 48
    data.save(tmp_path / "data.safetensors")
    again = libitem.Dataset.load(tmp_path / "data.safetensors")
    assert len(again) == 48 and again.remove("label", "ai") == 24
    head = tmp_path / "head.safetensors"
    with libitem.train(data, layout="difference/global/1", hidden=(), draws=20) as report:
        assert 0 <= report.number("headline.auc") <= 1
        assert report.to_dict() and report.markdown and "<html" in report.html
        report.write_head(head)
    with pytest.raises(libitem.MismatchError, match="trained on 48"):
        libitem.evaluate(data, head, draws=20)

    pictures(tmp_path / "test", 100, ("three", "fourth"))
    others = libitem.extract(fakes, tmp_path / "test")
    judged = libitem.evaluate(others, head, draws=20, controls=data)
    assert judged.to_dict()["data"]["rows"] == 48
    files = [str(p) for p in (tmp_path / "test" / "real").rglob("*.png")]
    photographs = libitem.extract(fakes, files, label="real")
    assert photographs.info["real"] == 24
    with pytest.raises(libitem.ArgumentError, match="24 different photographs"):
        libitem.calibrate(photographs, head)  # 59 are wanted
    calibrated = libitem.calibrate(photographs, head, confidence=0.5)
    calibrated.write_head(tmp_path / "calibrated.safetensors")


def test_extract_takes_files_with_a_label_alone(fakes):
    with pytest.raises(TypeError, match="label"):
        libitem.extract(fakes, [DOG])
    with pytest.raises(TypeError, match="label"):
        libitem.extract(fakes, str(PICTURES), label="real")
    with pytest.raises(TypeError, match="no option depth"):
        libitem.train(libitem.extract(fakes, [DOG], label="real"), depth=3)


def test_what_progress_raises_ends_the_call(fakes, tmp_path):
    pictures(tmp_path)

    def tell(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        libitem.extract(fakes, tmp_path, progress=tell)
