#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus of the fuzz targets (but its found-* files) and the files of the pack.

    make_corpus.py        writes corpus/ and pack/ beside itself; Python 3.9 or newer, no package
"""
import hashlib
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "golden" / "image"))
import icc_profiles  # noqa: E402  (lies there)

EMBEDDER = "dummy/32 1"
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["a", "dog", "car", "by", "red", "##s", "##ing", "play", ",", ".", "2", "\u4e2d", "cafe"]


def put(target, name, data):
    path = HERE / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


# ---- safetensors and what is made of them ----

def safetensors(tensors, meta=None):
    """tensors: (name, dtype, shape, bytes)"""
    header, data = {}, b""
    if meta:
        header["__metadata__"] = meta
    for name, dtype, shape, raw in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def make_safetensors():
    put("corpus/safetensors", "two", safetensors(
        [("a", "F32", [2, 2], floats(1, 2, 3, 4)), ("b.c", "BF16", [3], bytes(6))], {"kind": "x"}))
    put("corpus/safetensors", "kinds", safetensors(
        [(d, d, [1], bytes(n)) for d, n in (("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2),
                                           ("I64", 8), ("I32", 4), ("I8", 1), ("U8", 1),
                                           ("BOOL", 1))] + [("none", "U8", [0], b"")]))
    put("corpus/safetensors", "nothing", safetensors([]))
    put("corpus/safetensors", "short_header", struct.pack("<Q", 1 << 40) + b"{}")
    put("corpus/safetensors", "overlap", safetensors([("a", "U8", [2], b"ab")]).replace(
        b"[0,2]", b"[1,3]"))


# ---- torch checkpoints: zips of a pickle and storages, pickles alone, indexes ----

def stored(entries):
    """A zip as torch writes it, but for its padding."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, data in entries:
            file.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def storage(kind, count, key=b"0"):
    return (b"(" + text(b"storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(b"cpu") + b"K"
            + bytes([count]) + b"tQ")


def tensor(where, offset, shape, strides):
    def numbers(values):
        return b"(" + b"".join(b"K" + bytes([v]) for v in values) + b"t"
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + where + b"K" + bytes([offset])
            + numbers(shape) + numbers(strides) + b"\x89ccollections\nOrderedDict\n)RtR")


def make_torchfile():
    row = tensor(storage(b"FloatStorage", 6), 0, [2, 3], [3, 1])
    column = tensor(storage(b"HalfStorage", 12), 1, [3, 2], [1, 3])
    parameter = b"ctorch._utils\n_rebuild_parameter\n" + row + b"\x88ccollections\nOrderedDict\n)R\x87R"
    state = (b"\x80\x02ccollections\nOrderedDict\n)Rq\x00(" + text(b"a") + row + text(b"b") + column
             + text(b"c") + parameter + b"u}" + text(b"_metadata") + b"}sb.")
    put("corpus/torchfile", "state.pkl", state)
    put("corpus/torchfile", "nested.pkl", b"\x80\x02}(" + text(b"epoch") + b"K\x03" + text(b"lr") + b"G"
        + bytes(8) + text(b"names") + b"](K\x01NM\x00\x01J\xff\xff\xff\xffe" + text(b"state_dict") + b"}"
        + text(b"w") + row + b"su.")
    put("corpus/torchfile", "frames.pkl", b"\x80\x04\x95" + bytes(8) + b"}\x8c\x01w\x94\x8c\x0ctorch._utils"
        b"\x8c\x12_rebuild_tensor_v2\x93\x94(" + storage(b"ByteStorage", 24)
        + b"K\x04K\x05\x85K\x02\x85\x89)tR\x94s.")
    put("corpus/torchfile", "system.pkl", b"cos\nsystem\n(" + text(b"ls") + b"tR.")
    put("corpus/torchfile", "deep.pkl", b"(" * 90 + b"t" * 90 + b"\x85" * 90 + b".")
    put("corpus/torchfile", "memo.pkl", b"}q\x00r\x01\x00\x00\x00h\x00j\x01\x00\x00\x00s\x8a\x01\xff0.")
    whole = [("m/data.pkl", state), ("m/byteorder", b"little"), ("m/data/0", bytes(range(24))),
             ("m/version", b"3\n")]
    put("corpus/torchfile", "whole.zip", stored(whole))
    put("corpus/torchfile", "without.zip", stored(whole[1:]))
    put("corpus/torchfile", "twice.zip", stored(whole + [("m/data/1", b"")]).replace(
        b"m/data/1", b"m/data/0"))
    put("corpus/torchfile", "cut.zip", stored(whole)[:-30])


def make_index():
    shards = {"weight_map": {"a": "m-1.bin", "b.c": "m-2.bin", "d": "m-1.bin"}}
    put("corpus/index", "two.json", json.dumps({"metadata": {"total_size": 96}, **shards}))
    put("corpus/index", "away.json", json.dumps({"weight_map": {"a": "../m.bin"}}))
    put("corpus/index", "empty.json", json.dumps({"weight_map": {}}))
    put("corpus/index", "number.json", json.dumps({"weight_map": {"a": 1}}))


def facts(layout="cosine/both/1", width=32):
    threshold = {"score": 2.5, "rate": 0.01, "real": 1000, "above": 10}
    return {"format": 1, "layout": layout, "vector_width": width, "embedder": EMBEDDER,
            "pipeline": "", "working_size": 64, "working_filter": "bicubic", "size_min": 32,
            "size_max": 0, "temperature": 1.25, "bias": -0.5,
            "thresholds": {"fpr1": threshold, "fpr5": {**threshold, "score": None, "rate": 0.05}},
            "real_below": -1.5, "real_share": 0.1, "ai": 1000, "scope_limit": 9.5,
            "scope_quantile": 0.999, "caption_least": None, "caption_quantile": 0.01,
            "callers_captions": False, "trained_on": "nothing", "library": "0.1.0"}


def head(features, hidden=0, **changes):
    tensors = [("mean", "F32", [features], floats(*[0.0] * features)),
               ("scale", "F32", [features], floats(*[1.0] * features))]
    sizes = [features] + ([hidden] if hidden else []) + [1]
    for i in range(len(sizes) - 1):
        count = sizes[i] * sizes[i + 1]
        tensors.append((f"layers.{i}.weight", "F32", [sizes[i + 1], sizes[i]],
                        floats(*[0.25 - 0.5 * (j % 2) for j in range(count)])))
        tensors.append((f"layers.{i}.bias", "F32", [sizes[i + 1]], floats(*[0.5] * sizes[i + 1])))
    text = json.dumps({**facts(), **changes}, separators=(",", ":"))
    return safetensors(tensors, {"item_head": text})


def make_head():
    put("corpus/head", "logistic", head(COSINE))
    put("corpus/head", "hidden", head(COSINE, hidden=3, size_max=4096, trained_on="caf\u00e9"))
    put("corpus/head", "newer", head(COSINE, format=2))
    put("corpus/head", "facts", json.dumps(facts(), separators=(",", ":")))
    put("corpus/head", "deep", "[" * 5000)


def newer_columns(width, rows, unit):
    """What format 2 of a data set has more: one phrase, two views, three numbers of layers."""
    return [("picture", "U8", [rows, 16], bytes(range(16)) + bytes(16)),
            ("caption", "I32", [rows], struct.pack("<2i", 4, 0)),
            ("caption_prior", "F64", [rows], struct.pack("<2d", -2.5, float("nan"))),
            ("named_count", "I32", [rows], struct.pack("<2i", 1, 0)),
            ("named", "F32", [1, width], floats(*unit)),
            ("views", "F32", [rows, 2, width], floats(*unit * rows * 2)),
            ("layers", "F32", [rows, 3], floats(*[0.5] * 3 * rows))]


def make_dataset():
    width, rows = 2, 2
    unit = [1.0, 0.0]
    columns = [("label", "U8", [rows], bytes([0, 1])), ("flags", "U8", [rows], bytes([0, 1]))]
    for name, values in (("objects", (1, 0)), ("picture_width", (64, 0)), ("picture_height", (48, 0)),
                         ("name", (1, 2)), ("source", (3, 3)), ("generator", (0, 4)),
                         ("scene", (0, 0))):
        columns.append((name, "I32", [rows], struct.pack("<2i", *values)))
    columns.append(("file_bytes", "I64", [rows], struct.pack("<2q", 1000, 0)))
    columns.append(("caption_logprob", "F64", [rows], struct.pack("<2d", -0.5, float("nan"))))
    columns.append(("texts", "U8", [27], b"\0one.jpg\0two.png\0here\0some\0"))
    for name, count in (("image", rows), ("text", rows), ("crops", 1), ("phrases", 1)):
        columns.append((name, "F32", [count, width], floats(*unit * count)))
    text = json.dumps({"format": 1, "width": width, "embedder": "dummy", "pipeline": "",
                       "working_size": 0, "working_filter": "lanczos", "callers_captions": False})
    put("corpus/dataset", "two", safetensors(columns, {"item_dataset": text}))
    put("corpus/dataset", "format_2", safetensors(columns + newer_columns(width, rows, unit),
                                                  {"item_dataset": text.replace(": 1", ": 2", 1)}))
    put("corpus/dataset", "no_texts", safetensors(columns[:2], {"item_dataset": text}))
    put("corpus/dataset", "newer", safetensors([], {"item_dataset": '{"format": 9}'}))


# ---- packs ----

def entry(name):
    data = (HERE / "pack" / name).read_bytes()
    return {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def make_pack():
    put("pack", "vocab.txt", "\n".join(BERT + WORDS) + "\n")
    put("pack", "weights.safetensors", safetensors([("scale", "F32", [1], floats(1.5))]))
    put("pack", "head.safetensors", head(COSINE))
    files = {"weights": entry("weights.safetensors"), "vocab": entry("vocab.txt")}
    stage = {"family": "fake", "licence": "none", "source": "here", "files": files,
             "config": {"number": 2.5, "text": "words"}}
    embedder = {**stage, "config": {"width": 32},
                "tokenizer": {"kind": "wordpiece", "file": "vocab", "limit": 6}}
    pack = {"schema": 1, "name": "fuzz", "version": "7", "licence": "none", "card": "README.md",
            "stages": {"captioner": stage, "detector": stage, "embedder": embedder}}
    put("corpus/pack", "whole.json", json.dumps(pack, indent=1))
    put("corpus/pack", "head.json", json.dumps(
        {**pack, "stages": {"embedder": embedder}, "head": entry("head.safetensors")}))
    put("corpus/pack", "newer.json", json.dumps({**pack, "schema": 2}))
    put("corpus/pack", "twice.json", '{"schema": 1, "schema": 1}')
    put("corpus/pack", "outside.json", json.dumps(
        {**pack, "head": {**entry("head.safetensors"), "file": "../head.safetensors"}}))
    for name in ("link", "outside", "folder", "item.json"):
        put("corpus/pack", f"{name}.json", json.dumps(
            {**pack, "stages": {}, "head": {**entry("vocab.txt"), "file": name}}))
    put("corpus/pack", "deep.json", "[" * 3000)
    put("corpus/pack", "escapes.json", json.dumps({**pack, "name": "\u0001\n\u202e\U0001f436 caf\u00e9",
                                                   "stages": {"captioner": {**stage, "more": 1}}}))


# ---- published models ----

def put_model(name, **files):
    put("corpus/published", name, "\0".join(mark + (text if isinstance(text, str) else json.dumps(text))
                                            for mark, text in files.items()))


def make_published():
    golden = HERE.parent / "golden" / "models"

    def config(name):
        return (golden / name / "config.json").read_text()

    words = {"v": {"a</w>": 0, "d": 1, "o": 2, "g</w>": 3, "do": 4, "<|startoftext|>": 5, "<|endoftext|>": 6},
             "m": "#version: 0.2\nd o\n"}
    bert = "\n".join(BERT + ["[MASK]"] + WORDS) + "\n"
    index = {"metadata": {}, "weight_map": {"scale": "a.safetensors"}}
    card = "---\nlicense: \"mit\"\n---\n# A model\n"
    put_model("clip", c=config("clip-gelu"), p={"size": 32, "crop_size": [32, 32], "image_mean": [0, 0.5, 1]},
              R=card, **words)
    put_model("clip_json", c=config("clip-gelu"), t=(golden / "clip" / "tokenizer.json").read_text(),
              T={"model_max_length": 77}, s={"unk_token": "<|endoftext|>"}, a={"<more>": 7})
    put_model("open_clip", o=(golden / "clip-open" / "open_clip_config.json").read_text(), **words)
    put_model("both", c={"model_type": "bert"}, o={"model_cfg": {"embed_dim": 8}}, **words)
    put_model("blip", c=config("blip-sparse"), w=bert, g={"max_length": 20}, L="MIT License\n")
    put_model("owlv2", c=config("owlv2"), p={"size": {"height": 32, "width": 32}}, i=index, **words)
    put_model("shards", c={"model_type": "owlvit"}, i={"weight_map": {"scale": "b.safetensors",
                                                                      "x": "../a.safetensors"}}, **words)
    put_model("unknown", c={"model_type": "t5\u202e"})
    put_model("width", c={"model_type": "clip", "projection_dim": 1e9}, **words)
    put_model("licence", c={"model_type": "blip"}, w=bert, R="---\nlicense:\t\u0001\xff'\n")


# ---- texts ----

def make_texts():
    put("corpus/manifest", "plain.csv", "path,label\na.jpg,ai\n/b.png,real\n")
    put("corpus/manifest", "all.csv",
        "\ufeffpath,label,generator,source,split,prompt\r\n"
        '../a.jpg,ai,"one ""two""",here,train,"a dog,\na car"\r\n\r\nb.jpg,real,,,,\r\n')
    put("corpus/manifest", "open_quote.csv", 'path,label\n"a,ai\n')
    put("corpus/manifest", "nul.csv", b"path,label\na\0.jpg,ai\n")
    put("corpus/manifest", "columns.csv", "label,other,path\nreal,x,a\nai,y\n")
    put("corpus/manifest", "twice.csv", "path,path,label\na,b,ai\n")

    words = "\n".join(BERT + WORDS) + "\n"
    put("corpus/wordpiece", "plain", words + "\0a red dog, playing by 2 cars.")
    put("corpus/wordpiece", "marks", words + "\0Cafe\u0301 \u4e2d\u6587 \u00c5\u0327\u0301 \uac01 [SEP] [MASK]\u200b\u00ad")
    put("corpus/wordpiece", "long", words + "\0" + "dogs" * 60 + " a" * 40)
    put("corpus/wordpiece", "no_special", "a\nb\n\0a b")
    put("corpus/wordpiece", "crlf", "\r\n".join(BERT + ["a", "a", ""]) + "\0a")
    put("corpus/wordpiece", "bad_text", words.encode() + b"\0a \xc3 dog")

    captions = {
        "plain": "a woman in a red dress is riding two brown horses on the beach",
        "both": "A couple of dogs and the other dog. No cats; 1,000 sheep, a pair of scissors!",
        "post": "#sunset @friend https://example.org/a?b=c \U0001f436\U0001f436 it's my cat's 2nd toy\u2014WOW...",
        "lists": "a painting of a bunch of bananas, apples, and oranges on the top of a table",
        "marks": "caf\u00e9 \u201cold town\u201d \u4e2d\u6587 na\u00efve\u0301 \u202eevil\u202c\tt\r\nx",
        "long": "the very big old red wooden house " * 30,
    }
    for name, text in captions.items():
        put("corpus/phrases", name, text)
    put("corpus/phrases", "bad", b"a dog \xed\xa0\x80 and \xf8 cat")

    put("corpus/config", "all", "\n".join((
        "precision=auto", "device=cpu", "threshold=fpr5", "prior=0.2", "head=none", "beams=3",
        "max_objects=4", "detector_score=0.25", "batch=2", "max_pixels=100000",
        "max_file_bytes=4096", "max_decode_bytes=1000000", "max_scans=3", "accept_truncated=1",
        "map_files=0", "verify=all")))
    put("corpus/config", "wrong", "\n".join((
        "precision=fp64", "device=", "threshold=1.5", "prior=nan", "beams=9", "batch=-1",
        "max_objects=0x10", "detector_score=1e400", "max_pixels=18446744073709551616", "=", "none",
        "verify", "threshold=0,5", "head=")))
    put("corpus/config", "head", "head=no/such/file\nmax_objects=0\ndetector_score=0")


# ---- metadata and structs ----

def make_metadata():
    def ifd(order, orientation, count=1, following=0):
        return struct.pack(order + "H", 1) + struct.pack(order + "HHIHH", 0x112, 3, count,
                                                         orientation, 0) + struct.pack(order + "I", following)
    little = b"II*\0\x08\0\0\0" + ifd("<", 6)
    big = b"MM\0*\0\0\0\x08" + ifd(">", 8, following=8)
    xmp = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmlns:tiff="t" '
           'tiff:Orientation="3"/><tiff:Orientation>5</tiff:Orientation></x:xmpmeta>')
    for kind, name in ((0, "jpeg"), (3, "png")):
        put("corpus/metadata", f"exif_{name}", bytes([kind]) + little)
        put("corpus/metadata", f"exif_{name}_loop", bytes([kind]) + big)
    put("corpus/metadata", "xmp_jpeg", bytes([1]) + xmp.encode())
    put("corpus/metadata", "xmp_png", bytes([5]) + xmp.encode())
    profiles = (("rgb", 0, icc_profiles.rgb()), ("rgb_v4", 0, icc_profiles.rgb_v4()),
                ("grey", 64, icc_profiles.grey()), ("cmyk", 128, icc_profiles.cmyk()))
    for name, channels, profile in profiles:
        put("corpus/metadata", f"icc_jpeg_{name}", bytes([channels + 2]) + profile)
    put("corpus/metadata", "icc_jpeg_parts", bytes([2]) + icc_profiles.rgb() + bytes(70000))
    put("corpus/metadata", "icc_png", bytes([4]) + icc_profiles.rgb_table())


def make_provenance():
    xmp = ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
           'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:p="http://ns.adobe.com/photoshop/1.0/" '
           'e:DigitalSourceType="a/digitalCapture"><p:Credit>Made with Google AI</p:Credit>'
           '</rdf:Description></rdf:RDF>').encode()
    bomb = b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x>&c;</x>'
    folder = b"\x1a\0\0\0\0\0\0\0"
    exif = b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHI", 0x131, 2, 8) + folder + b"NovelAI\0"
    comment = (b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHI", 0x9286, 7, 44) + folder + b"UNICODE\0"
               + "Steps: 1, Seed: 12".encode("utf-16-be"))
    store = (struct.pack(">I4sI4s", 38, b"jumb", 30, b"jumd") + b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"
             + b"\3c2pa\0" + b"\x6fclaim_generator\x67ChatGPT\x74claim_generator_info\xa1\x64name\x61a")
    for place in (0, 3, 8):
        put("corpus/provenance", f"xmp_{place}", bytes([place]) + xmp)
        put("corpus/provenance", f"bomb_{place}", bytes([place]) + bomb)
    for place in (1, 9):
        put("corpus/provenance", f"exif_{place}", bytes([place]) + exif)
        put("corpus/provenance", f"comment_{place}", bytes([place]) + comment)
    for place in (2, 7, 10):
        put("corpus/provenance", f"c2pa_{place}", bytes([place]) + store)
    put("corpus/provenance", "c2pa_11", b"\x0b" + bytes(4) + b"manifest\0" + bytes(8) + store)
    put("corpus/provenance", "itxt_packed", b"\x04\1\0\0\0" + zlib.compress(b"Steps: 1, Seed: 2"))
    put("corpus/provenance", "itxt", b"\x04\0\0en\0\0Steps: 1, Sampler: a")
    for name, text in (("prompt", '{"class_type":1}'), ("parameters", '"sui_image_params"'),
                       ("Description", "Job ID: 01234567-89ab-cdef-0123-456789abcdef")):
        put("corpus/provenance", f"text_{name}", b"\x05" + name.encode() + b"\0" + text.encode())
    put("corpus/provenance", "ztxt", b"\x06\0" + zlib.compress(b"a" * 100000))
    pictures = HERE.parent / "golden" / "image" / "pictures"
    for place, name in ((2, "c2pa_edited.jpg"), (7, "c2pa_created.png"), (10, "c2pa_created.webp")):
        file = (pictures / name).read_bytes()
        begin = file.index(b"jumb") - 4
        store = file[begin:begin + int.from_bytes(file[begin:begin + 4], "big")]
        put("corpus/provenance", f"manifest_{place}", bytes([place]) + store)
    avif = (pictures / "origin.avif").read_bytes()
    meta = avif.index(b"meta") + 8
    tables = avif[meta:meta + int.from_bytes(avif[meta - 8 - 4:meta - 8], "big") - 12]
    put("corpus/provenance", "meta_12", b"\x0c" + tables)
    put("corpus/provenance", "parts_12", b"\x0c" + tables + struct.pack(">I4sII4sHHH", 26, b"iref", 0, 14, b"dimg", 1, 1, 1))
    put("corpus/provenance", "webp", b"\x0fRIFF\0\0\0\0WEBPEXIF" + struct.pack("<I", len(exif)) + exif)


def make_structs():
    """Sizes of 0.1 on 64-bit machines, in the order of the calls in fuzz_structs.c."""
    sizes = {"image_options": 56, "check_options": 48, "dataset_info": 80, "row": 104,
             "train_options": 152, "eval_options": 64, "image_info": 48, "ctx_info": 56,
             "summary": 96, "object": 72, "timings": 72, "get_row": 104, "get_info": 80,
             "error": 512, "captioner": 48, "detector": 48, "embedder": 64, "allocator": 40,
             "extract_options": 40}
    for call, (name, size) in enumerate(sizes.items()):
        # a table's version is 1, its width 8
        start = struct.pack("<II", size, 1 if name in ("captioner", "detector", "embedder") else 0)
        body = bytearray(start + bytes(size - 8))
        if name == "embedder":
            body[32] = 8
        first = bytes([call, 255]) + bytes(body)
        put("corpus/structs", name, first)
        put("corpus/structs", name + "_newer",
            bytes([call, 0xf7]) + struct.pack("<I", size + 16) + first[6:] + bytes(16))
        put("corpus/structs", name + "_unknown",
            bytes([call, 255]) + struct.pack("<I", size + 8) + first[6:] + b"\0\0\0\1\0\0\0\0")
        put("corpus/structs", name + "_older", bytes([call, 0]) + struct.pack("<I", size // 2) + first[6:])
        put("corpus/structs", name + "_none", bytes([call, 0]) + b"\xff\xff\xff\xff" + bytes(64))


    def train(validation, draws=100):
        return bytes([4, 3]) + struct.pack("<10I7dQ2I", 152, 0, 0, 0, 3, 16, 1, 2, 0, 0, 1e-2, 0.1, 0,
                                           validation, 0.1, 0.999, 0.01, 1, draws, 0) + bytes(40)
    put("corpus/structs", "train_plain", train(0.25))
    put("corpus/structs", "train_tiny_validation", train(1e-12))
    put("corpus/structs", "train_draws", train(0, draws=0xffffffff))
    put("corpus/structs", "eval_plain",
        bytes([5, 1]) + struct.pack("<4IdQ", 64, 10, 5, 0, 0.95, 1) + bytes(32))


def make_backend():
    """Answers in the order of the calls in fuzz_backend.c; a byte 192 is the number 0."""
    text = b"a red dog by a car"
    caption = bytes([len(text)]) + text + bytes([0, 190, 193, 0, 0])
    box = bytes([0, 192, 192, 224, 224, 240])
    detect = bytes([2]) + box + bytes([1]) + box[1:] + bytes([0])
    plain = caption + detect + bytes([0, 1, 2, 0]) + bytes([0, 1, 2, 0])
    put("corpus/backend", "plain", plain * 3)
    put("corpus/backend", "odd_vectors", caption + detect + bytes([255] * 12) * 2)
    put("corpus/backend", "odd_boxes", caption + bytes([3]) + bytes(range(243, 255)) * 3)
    put("corpus/backend", "failure", caption[:-1] + bytes([241]) * 3)
    put("corpus/backend", "bad_text", bytes([3, 97, 0xff, 98, 0, 190, 193, 0, 0]))
    put("corpus/backend", "no_end", bytes([2, 97, 98, 255]) + plain)


def make_resize():
    """Flags, sizes less 1, box, part; see fuzz_resize.c."""
    def case(name, flags, source, target, box, part=()):
        data = bytes([flags]) + struct.pack("<4H", *(v - 1 for v in source + target))
        data += struct.pack("<4d", *box) if flags & 8 else struct.pack(
            "<4H", *(round(v * 64) for v in box))
        put("corpus/resize", name, data + struct.pack(f"<{len(part)}H", *part))
    case("bilinear_smaller", 0x51, (64, 48), (16, 12), (0, 0, 64, 48))
    case("bicubic_larger", 0x52, (16, 12), (40, 50), (1.5, 2.25, 9.75, 11))
    case("lanczos_strip", 0x57, (2000, 1), (7, 3), (0, 0, 0, 0))
    case("whole", 0x57, (33, 70), (20, 9), (0, 0, 0, 0))
    case("copy", 0x51, (20, 20), (4, 4), (3, 5, 7, 9))
    case("tiny_box", 0x5b, (64, 48), (3, 3), (5.0, 5.0, 5.0000001, 5.0000001))
    case("odd_box", 0x5a, (64, 48), (3, 3), (float("nan"), -1e300, float("inf"), 1e-300))
    case("no_filter", 0x50, (8, 8), (4, 4), (0, 0, 8, 8))
    case("part", 0x22, (64, 48), (100, 90), (1.5, 2.25, 63.75, 41), (3, 80, 60, 90))
    case("part_of_millions", 0x26, (1, 9000), (16, 65536), (0, 0, 0, 0), (0, 32000, 16, 32016))
    case("part_down_first", 0x25, (40, 400), (30, 20), (0, 0, 0, 0), (7, 3, 9, 19))
    case("part_copy", 0x21, (20, 20), (4, 4), (3, 5, 7, 9), (1, 1, 3, 4))
    case("part_empty", 0x25, (20, 20), (4, 4), (0, 0, 0, 0), (2, 1, 2, 4))
    case("part_outside", 0x25, (20, 20), (4, 4), (0, 0, 0, 0), (2, 1, 5, 4))
    case("square_smaller", 0x84, (64, 48), (16, 32768), (0, 0, 0, 0))
    case("square_larger", 0x80, (64, 48), (90, 1), (3, 5, 40, 9))
    case("square_strip", 0x84, (1, 9000), (60, 60000), (0, 0, 0, 0))
    case("square_of_one", 0x84, (100, 163), (1, 1), (0, 0, 0, 0))
    case("square_odd_box", 0x88, (64, 48), (9, 9), (0.5, 0, 3, 4))


# ---- tokenizers ----

CLIP = ["<|startoftext|>", "<|endoftext|>"]
MERGES = ["l o", "lo w</w>", "e r</w>", "n e", "ne w", "i d", "\u00c3 \u00a9</w>"]
SPLIT = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def byte_pairs():
    letters = [*"lowernidst!'0<|>", "\u00c3", "\u00a9"]
    pieces = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in MERGES] + CLIP
    return {piece: i for i, piece in enumerate(pieces)}


def added(first, names, **flags):
    return [{"id": first + i, "content": n, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True, **flags} for i, n in enumerate(names)]


def clip_json(**flags):
    vocabulary = byte_pairs()
    end = len(vocabulary) - 2
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Removed", "invert": True}
    return {
        "truncation": None, "added_tokens": added(end, CLIP, **flags),
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            split, {"type": "ByteLevel", "add_prefix_space": False}]},
        "post_processor": {"type": "RobertaProcessing", "sep": [CLIP[1], end + 1], "cls": [CLIP[0], end]},
        "model": {"type": "BPE", "unk_token": CLIP[1], "continuing_subword_prefix": "",
                  "end_of_word_suffix": "</w>", "vocab": vocabulary, "merges": MERGES}}


def bert_json():
    around = [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}},
              {"SpecialToken": {"id": "[SEP]"}}]
    pieces = BERT + WORDS
    return {
        "truncation": {"direction": "Right", "max_length": 128},
        "added_tokens": added(0, BERT) + added(len(pieces), ["[DEC]"]),
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing", "single": around},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {p: i for i, p in enumerate(pieces)}}}


def make_tokenizers():
    def three(target, name, *parts):
        put(f"corpus/{target}", name, "\0".join(
            p if isinstance(p, str) else json.dumps(p, separators=(",", ":")) for p in parts))

    merges = "#version: 0.2\n" + "\n".join(MERGES) + "\n"
    text = "Low lower NEWER<|endoftext|>!! e\u0301 \u00e9 it's 200 <|EndOfText|>\u3000\u0301\u0323"
    three("bpe", "plain", byte_pairs(), merges, text)
    three("bpe", "long", byte_pairs(), merges, "lo" * 300 + " " * 40 + "\u0323\u0301" * 60)
    three("bpe", "absent", byte_pairs(), "l x\n", "low")
    three("bpe", "gap", {"l": 0, "</w>": 2}, merges, "low")
    three("bpe", "one_id", {**byte_pairs(), "w": 0}, merges, "low")
    three("bpe", "no_json", "l\no\n", merges, "low")
    three("tokenizerjson", "clip", clip_json(), "", text)
    three("tokenizerjson", "clip_published", clip_json(normalized=True),
          {"bos_token": CLIP[0], "pad_token": "!", "tokenizer_class": "CLIPTokenizer"}, text)
    three("tokenizerjson", "clip_file", clip_json(normalized=True),
          {"tokenizer_class": "PreTrainedTokenizerFast"}, text)
    three("tokenizerjson", "bert", bert_json(), "", "A red dog's car [DEC][MASK] \u4e2dx plays, playing.")
    three("tokenizerjson", "bert_numbered", bert_json(), {
        "added_tokens_decoder": {"1": {"content": "[UNK]", "special": True, "normalized": False}},
        "additional_special_tokens": ["[ENC]"], "clean_up_tokenization_spaces": True}, "a [ENC] dog")
    three("tokenizerjson", "unigram", {"model": {"type": "Unigram", "vocab": [["a", 0.5]]}}, "", "a")


def make_pictures():
    put("corpus/picture", "empty.jpg", b"\xff\xd8\xff\xd9")
    put("corpus/picture", "gif", b"GIF89a\1\0\1\0")
    put("corpus/picture", "signature.png", b"\x89PNG\r\n\x1a\n")


COSINE = 7  # features of cosine/both/1

if __name__ == "__main__":
    for make in (make_safetensors, make_head, make_dataset, make_pack, make_texts, make_metadata,
                 make_provenance,
                 make_structs, make_backend, make_resize, make_tokenizers, make_pictures,
                 make_torchfile, make_index, make_published):
        make()
