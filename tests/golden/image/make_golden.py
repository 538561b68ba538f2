# SPDX-License-Identifier: Apache-2.0
"""Makes the golden pictures and tables of this folder: python3 make_golden.py

Pillow 13.0.0 and NumPy 2.4.6. The same versions give the same bytes."""
import io
import itertools
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

import icc_profiles
import png_writer as png
import reference

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = HERE / "pictures"

# ---- samples ----


def noise(seed, count):
    """Bytes by a hash of their index, the same as in the C tests."""
    v = (np.arange(count, dtype=np.uint64) + seed * 7919) * 2654435761 & 0xFFFFFFFF
    v ^= v >> 15
    v = v * 2246822519 & 0xFFFFFFFF
    v ^= v >> 13
    return (v >> 24).astype(np.uint8)


def scene(width, height, channels, seed=1):
    """Waves with some noise, so that codecs have something to do; 8 bits."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 90 * np.sin(x / (3.1 + c) + seed) * np.cos(y / (4.3 + c)) + 20 * c
              for c in range(channels)]
    rough = noise(seed, width * height * channels).reshape(height, width, channels) / 16
    return np.clip(np.dstack(planes) + rough, 0, 255).astype(np.uint8)


# ---- pieces of files ----


def exif(order, value, kind=3):
    """EXIF data with some other tag and the orientation."""
    e = "<" if order == b"II" else ">"
    number = struct.pack(e + "H", value) + b"\0\0" if kind == 3 else struct.pack(e + "I", value)
    entries = [struct.pack(e + "HHI", 0x0103, 3, 1) + struct.pack(e + "H", 6) + b"\0\0",
               struct.pack(e + "HHI", 0x0112, kind, 1) + number]
    return (order + struct.pack(e + "HI", 42, 8) + struct.pack(e + "H", len(entries))
            + b"".join(entries) + bytes(4))


def xmp(value, element=False):
    inner = (f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>"
             if element else f'<rdf:Description tiff:Orientation="{value}"/>')
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{inner}</rdf:RDF></x:xmpmeta>'.encode()


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def insert(jpeg, *segments):
    """Segments right behind the start mark."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def exif_segment(data):
    return segment(0xE1, b"Exif\0\0" + data)


def xmp_segment(data):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + data)


def told():
    """XMP, EXIF and a C2PA manifest store (without manifests) that tell an origin."""
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    packet = ('<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
              'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
              f'e:DigitalSourceType="{kind}"/></rdf:RDF>').encode()
    tiff = b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 0x131, 2, 8, 26) + bytes(4) + b"NovelAI\0"
    uuid = b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71"
    label = struct.pack(">I4s", 30, b"jumd") + uuid + b"\3c2pa\0"
    return packet, tiff, struct.pack(">I4s", 8 + len(label), b"jumb") + label


def icc_segments(profile, parts):
    size = -(-len(profile) // parts)
    return [segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, parts]) + profile[i * size:(i + 1) * size])
            for i in range(parts)]


def jpeg(samples, mode=None, **options):
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples, mode)
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 80, **options})
    return out.getvalue()


def sampling(data, old, new):
    """Another division of the same blocks: sampling factors of the first component."""
    at = data.index(b"\xff\xc0")
    assert data[at + 11] == old
    return data[:at + 11] + bytes([new]) + data[at + 12:]


def adobe(data, transform):
    """The transform of the Adobe mark set to another one."""
    at = data.index(b"Adobe") + 11
    return data[:at] + bytes([transform]) + data[at + 1:]


# ---- the pictures ----


def jpegs():
    colour, grey, ink = scene(37, 29, 3), scene(37, 29, 1), scene(37, 29, 4)
    yield "baseline_420", jpeg(colour, subsampling=2)
    yield "baseline_422", jpeg(colour, subsampling=1)
    yield "baseline_444", jpeg(colour, subsampling=0)
    yield "baseline_440", sampling(jpeg(scene(32, 32, 3), subsampling=1), 0x21, 0x12)
    yield "baseline_411", sampling(jpeg(scene(64, 64, 3), subsampling=2, quality=30), 0x22, 0x41)
    yield "baseline_restart", jpeg(colour, subsampling=2, restart_marker_blocks=2)
    yield "progressive_420", jpeg(colour, subsampling=2, progressive=True)
    yield "progressive_444", jpeg(colour, subsampling=0, progressive=True)
    yield "grey", jpeg(grey)
    yield "grey_progressive", jpeg(grey, progressive=True)
    yield "rgb", jpeg(colour, keep_rgb=True)
    yield "cmyk", jpeg(ink, "CMYK")
    yield "cmyk_progressive", jpeg(ink, "CMYK", progressive=True)
    yield "ycck", adobe(jpeg(ink, "CMYK"), 2)
    yield "quality_100", jpeg(colour, quality=100, subsampling=0)
    yield "quality_5", jpeg(colour, quality=5)
    for width, height in ((1, 1), (1, 40), (40, 1), (8, 8), (17, 16)):
        yield f"size_{width}x{height}", jpeg(scene(width, height, 3))


def jpegs_oriented():
    base = jpeg(scene(21, 14, 3), subsampling=0)
    for value, order in itertools.product(range(0, 10), (b"II", b"MM")):
        yield f"exif_{order.decode()}_{value}", insert(base, exif_segment(exif(order, value)))
    long_kind = exif(b"MM", 6, kind=4)
    yield "exif_long", insert(base, exif_segment(long_kind))
    swapped = b"II\0*" + exif(b"II", 8)[4:]
    yield "exif_swapped_42", insert(base, exif_segment(swapped))
    yield "exif_cut", insert(base, exif_segment(exif(b"II", 6)[:20]))
    yield "exif_far", insert(base, exif_segment(b"II*\0\xff\xff\xff\xff" + bytes(20)))
    yield "exif_odd", insert(base, exif_segment(b"XX*\0" + bytes(20)))
    yield "xmp_attribute", insert(base, xmp_segment(xmp(8)))
    yield "xmp_element", insert(base, xmp_segment(xmp(3, element=True)))
    yield "xmp_and_exif", insert(base, xmp_segment(xmp(8)), exif_segment(exif(b"II", 6)))
    packet, tiff, store = told()
    yield "origin", insert(base, xmp_segment(packet), exif_segment(tiff),
                           segment(0xEB, b"JP\0\1\0\0\0\1" + store))
    cmyk = jpeg(scene(21, 14, 4), "CMYK")
    yield "cmyk_exif_6", insert(cmyk, exif_segment(exif(b"MM", 6)))
    big = jpeg(scene(70, 90, 3, 4), quality=40)
    yield "strips_exif_7", insert(big, exif_segment(exif(b"MM", 7)))


def jpegs_profiled():
    colour, grey, ink = scene(37, 29, 3, 2), scene(37, 29, 1, 2), scene(37, 29, 4, 2)
    rgb = icc_profiles.rgb()
    yield "icc_rgb", insert(jpeg(colour), *icc_segments(rgb, 1))
    yield "icc_rgb_v4", insert(jpeg(colour), *icc_segments(icc_profiles.rgb_v4(), 1))
    yield "icc_rgb_table", insert(jpeg(colour), *icc_segments(icc_profiles.rgb_table(), 1))
    yield "icc_parts", insert(jpeg(colour), *reversed(icc_segments(rgb, 3)))
    yield "icc_part_missing", insert(jpeg(colour), *icc_segments(rgb, 3)[:2])
    yield "icc_cut", insert(jpeg(colour), *icc_segments(rgb[:200], 1))
    yield "icc_grey", insert(jpeg(grey), *icc_segments(icc_profiles.grey(), 1))
    yield "icc_rgb_on_grey", insert(jpeg(grey), *icc_segments(rgb, 1))
    yield "icc_grey_on_rgb", insert(jpeg(colour), *icc_segments(icc_profiles.grey(), 1))
    yield "icc_cmyk", insert(jpeg(ink, "CMYK"), *icc_segments(icc_profiles.cmyk(), 1))
    yield "icc_exif_5", insert(jpeg(colour), *icc_segments(rgb, 1), exif_segment(exif(b"II", 5)))


def depth_samples(width, height, channels, depth, seed=3):
    if depth == 16:
        raw = noise(seed, width * height * channels * 2).view(">u2").astype(np.uint16)
        return raw.reshape(height, width, channels)
    return scene(width, height, channels, seed) >> (8 - depth)


def iccp(profile):
    return b"iCCP", b"test\0\0" + zlib.compress(profile)


def pngs():
    for kind, channels, depths in ((png.GREY, 1, (1, 2, 4, 8, 16)), (png.RGB, 3, (8, 16)),
                                   (png.GREY_ALPHA, 2, (8, 16)), (png.RGBA, 4, (8, 16))):
        for depth, interlaced in itertools.product(depths, (False, True)):
            samples = depth_samples(19, 13, channels, depth)
            name = f"type{kind}_{depth}{'_interlaced' if interlaced else ''}"
            yield name, png.write(samples, kind, depth, interlaced)
    for depth, interlaced in itertools.product((1, 2, 4, 8), (False, True)):
        colours = noise(5, 3 << depth).tobytes()
        samples = depth_samples(19, 13, 1, depth)
        name = f"palette_{depth}{'_interlaced' if interlaced else ''}"
        yield name, png.write(samples, png.PALETTE, depth, interlaced, [(b"PLTE", colours)])
        alpha = noise(6, (1 << depth) * 3 // 4 or 1).tobytes()
        yield name + "_alpha", png.write(samples, png.PALETTE, depth, interlaced,
                                         [(b"PLTE", colours), (b"tRNS", alpha)])
    for width, height in ((1, 1), (2, 3), (5, 1), (1, 9)):
        for interlaced in (False, True):
            name = f"size_{width}x{height}{'_interlaced' if interlaced else ''}"
            yield name, png.write(scene(width, height, 3), png.RGB, 8, interlaced)


def pngs_with_chunks():
    colour, grey = scene(19, 13, 3), scene(19, 13, 1)
    rgb = iccp(icc_profiles.rgb())
    yield "icc_rgb", png.write(colour, png.RGB, 8, before=[rgb])
    yield "icc_rgba", png.write(scene(19, 13, 4), png.RGBA, 8, before=[rgb])
    yield "icc_rgb_16", png.write(depth_samples(19, 13, 3, 16), png.RGB, 16, before=[rgb])
    yield "icc_grey", png.write(grey, png.GREY, 8, before=[iccp(icc_profiles.grey())])
    yield "icc_grey_alpha", png.write(scene(19, 13, 2), png.GREY_ALPHA, 8,
                                      before=[iccp(icc_profiles.grey())])
    yield "icc_grey_16", png.write(depth_samples(19, 13, 1, 16), png.GREY, 16,
                                   before=[iccp(icc_profiles.grey())])
    yield "icc_palette", png.write(grey >> 4, png.PALETTE, 8,
                                   before=[rgb, (b"PLTE", noise(5, 48).tobytes())])
    yield "icc_broken", png.write(colour, png.RGB, 8, before=[iccp(b"no profile at all")])
    yield "gamma", png.write(colour, png.RGB, 8, before=[(b"gAMA", struct.pack(">I", 100000))])
    yield "exif_before", png.write(colour, png.RGB, 8, before=[(b"eXIf", exif(b"MM", 6))])
    yield "exif_after", png.write(colour, png.RGB, 8, after=[(b"eXIf", exif(b"II", 3))])
    yield "exif_named", png.write(colour, png.RGB, 8, before=[(b"eXIf", b"Exif\0\0" + exif(b"II", 6))])
    yield "exif_interlaced", png.write(colour, png.RGB, 8, True, [(b"eXIf", exif(b"II", 8))])
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6)
    yield "xmp", png.write(colour, png.RGB, 8, before=[(b"iTXt", text)])
    packet, tiff, store = told()
    steps = b"a fox\nSteps: 20, Sampler: Euler, Seed: 1"
    yield "origin", png.write(colour, png.RGB, 8, before=[
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet), (b"eXIf", tiff), (b"caBX", store),
        (b"zTXt", b"parameters\0\0" + zlib.compress(steps))])
    yield "apng", apng(colour, True)
    yield "apng_still_first", apng(colour, False)


def apng(first, in_animation):
    """Two frames; the default picture is the first of them, or stands outside."""
    def control(number):
        return b"fcTL", struct.pack(">IIIIIHHBB", number, 19, 13, 0, 0, 1, 10, 0, 0)
    second = zlib.compress(png.filtered(255 - first, 8))
    before = [(b"acTL", struct.pack(">II", 2 if in_animation else 1, 0))]
    before += [control(0)] if in_animation else []
    number = 1 if in_animation else 0
    after = [control(number), (b"fdAT", struct.pack(">I", number + 1) + second)]
    return png.write(first, png.RGB, 8, before=before, after=after)


def pngs_with_key():
    """A transparent colour, with the expectation made from the samples themselves (reference.py
    tells why): (name, file, expected picture)."""
    for kind, channels, depths in ((png.GREY, 1, (1, 2, 4, 8, 16)), (png.RGB, 3, (8, 16))):
        for depth, interlaced in itertools.product(depths, (False, True)):
            samples = depth_samples(19, 13, channels, depth)
            if depth == 16: # one that differs in the low byte alone stays opaque
                samples[0, 0] = samples[6, 9] ^ 1
            key = samples[6, 9]
            chunk = b"tRNS", b"".join(struct.pack(">H", int(v)) for v in key)
            full = samples * (255 // ((1 << depth) - 1)) if depth < 8 else samples >> max(0, depth - 8)
            shown = np.repeat(full, 3, axis=2) if channels == 1 else full
            expected = reference.on_white(Image.fromarray(shown.astype(np.uint8)),
                                          reference.key_alpha(samples, key))
            name = f"key_type{kind}_{depth}{'_interlaced' if interlaced else ''}"
            yield name, png.write(samples, kind, depth, interlaced, [chunk]), expected


def webp(samples, **options):
    out = io.BytesIO()
    Image.fromarray(samples).save(out, "WEBP", **{"quality": 70, **options})
    return out.getvalue()


def animation(first, **options):
    """Three frames, of which the writer stores what changes."""
    frames = [Image.fromarray(samples) for samples in (first, scene(33, 21, 4, 8), scene(33, 21, 4, 9))]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=40, **options)
    return out.getvalue()


def webps():
    colour, clear = scene(33, 21, 3), scene(33, 21, 4)
    yield "lossy", webp(colour)
    yield "lossless", webp(colour, lossless=True)
    yield "lossy_alpha", webp(clear)
    yield "lossless_alpha", webp(clear, lossless=True)
    yield "large_lossy", webp(scene(700, 500, 3, 5))
    yield "large_lossless", webp(scene(300, 200, 3, 5), lossless=True)
    for width, height in ((1, 1), (1, 40), (40, 1), (17, 16)):
        yield f"webp_{width}x{height}", webp(scene(width, height, 3))
    for value in (3, 5, 6, 8):
        yield f"webp_exif_{value}", webp(colour, exif=exif(b"MM", value))
    yield "webp_xmp", webp(colour, xmp=xmp(6))
    yield "webp_icc", webp(colour, icc_profile=icc_profiles.rgb())
    yield "webp_icc_alpha", webp(clear, lossless=True, icc_profile=icc_profiles.rgb())
    yield "webp_animation", animation(clear, lossless=True)
    empty = np.zeros((21, 33, 4), np.uint8)
    empty[4:14, 6:20] = clear[4:14, 6:20]
    yield "webp_animation_small", animation(empty, lossless=True)
    yield "webp_animation_lossy", animation(clear)


def all_pictures():
    for ending, sources in ((".jpg", (jpegs, jpegs_oriented, jpegs_profiled)),
                            (".png", (pngs, pngs_with_chunks)), (".webp", (webps,))):
        for name, data in itertools.chain(*(source() for source in sources)):
            yield name + ending, data, reference.rgb(data)
    for name, data, expected in pngs_with_key():
        yield name + ".png", data, expected


def bad_input():
    """Files for the tests of bad input and limits, without digests."""
    white = np.full((96, 128, 3), 255, np.uint8)
    yield "white.jpg", jpeg(white, subsampling=0, restart_marker_blocks=1)
    yield "white_progressive.jpg", jpeg(white, subsampling=0, progressive=True)
    rough = np.dstack([np.full((96, 128, 1), 255, np.uint8)] * 3)
    rough[:, 1:] -= scene(127, 96, 3) >> 6
    yield "white.png", png.write(rough, png.RGB, 8)
    yield "thin_1x20000.jpg", jpeg(np.full((20000, 1, 1), 90, np.uint8))
    yield "thin_20000x1.png", png.write(np.full((1, 20000, 1), 90, np.uint8), png.GREY, 8)
    one = png.write(np.zeros((1, 1, 3), np.uint8), png.RGB, 8)
    for side in (60000, 2**31 - 1):
        header = png.chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        yield f"huge_{side}x{side}.png", one[:8] + header + one[33:]
    zeros = zlib.compress(bytes(64 << 20), 9)
    yield "bombs.png", png.write(np.zeros((1, 1, 3), np.uint8), png.RGB, 8, before=[
        (b"iCCP", b"test\0\0" + zeros), (b"zTXt", b"Comment\0\0" + zeros)])


def make_pictures():
    PICTURES.mkdir(exist_ok=True)
    lines = ["# file\twidth\theight\tSHA-256 of the RGB bytes"]
    for name, data, expected in all_pictures():
        (PICTURES / name).write_bytes(data)
        lines.append(f"{name}\t{expected.width}\t{expected.height}\t{reference.digest(expected)}")
    for name, data in bad_input():
        (PICTURES / name).write_bytes(data)
    (HERE / "pictures.tsv").write_text("\n".join(lines) + "\n")


# ---- resizing ----

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
           "lanczos": Image.Resampling.LANCZOS}
# source, result, box
SIZES = [
    ((640, 427), (224, 149), None), ((427, 640), (149, 224), None), ((300, 200), (301, 199), None),
    ((224, 224), (224, 224), None), ((57, 31), (224, 224), None), ((31, 57), (640, 480), None),
    ((1, 1), (1, 1), None), ((1, 1), (7, 5), None), ((9, 7), (1, 1), None), ((1, 400), (1, 37), None),
    ((400, 1), (37, 1), None), ((1, 33), (5, 33), None), ((2, 3), (3, 2), None), ((997, 3), (13, 3), None),
    ((3, 997), (3, 13), None), ((5, 997), (40, 13), None), ((500, 100), (500, 50), None),
    ((500, 100), (250, 100), None), ((100, 700), (90, 100), None), ((100, 700), (98, 100), None),
    ((640, 480), (224, 224), (100, 50, 480, 430)), ((640, 480), (224, 224), (0.25, 0.5, 639.75, 479.5)),
    ((640, 480), (160, 120), (320, 240, 480, 360)), ((640, 480), (64, 64), (3.3, 470.1, 9.7, 479.9)),
    ((640, 480), (200, 480), (0, 0, 320, 480)), ((640, 480), (640, 96), (0, 100.5, 640, 300.25)),
    ((97, 89), (50, 50), (96, 88, 97, 89)), ((97, 89), (3, 200), (10.5, 0, 11, 89)),
    ((210, 900), (100, 60), (7.125, 33, 201, 899.5)), ((90, 61), (64, 64), (0, 0, 0.125, 0.25)),
]
# source, result, the part of it: mostly a square in the middle
PARTS = [
    ((640, 427), (335, 224), (55, 0, 279, 224)), ((427, 640), (224, 335), (0, 55, 224, 279)),
    ((30, 900), (224, 6720), (0, 3248, 224, 3472)), ((900, 30), (6720, 224), (3248, 0, 3472, 224)),
    ((500, 224), (500, 224), (138, 0, 362, 224)), ((300, 224), (150, 224), (100, 7, 150, 9)),
    ((224, 300), (224, 150), (100, 7, 101, 150)), ((100, 700), (90, 100), (80, 90, 90, 100)),
    ((1, 20000), (8, 4480000), (0, 2239888, 8, 2240112)), ((1, 20000), (8, 4480000), (0, 0, 8, 9)),
    ((20000, 1), (4480000, 8), (2239888, 0, 2240112, 8)),
    ((20000, 1), (4480000, 8), (4479990, 7, 4480000, 8)),
]


def resize_source(kind, seed, width, height):
    data = noise(seed, width * height * 3)
    if kind == "edges":
        data = np.where(data > 127, 255, 0).astype(np.uint8)
    return Image.fromarray(data.reshape(height, width, 3))


def make_resize():
    lines = ["# kind\tseed\tsource\tresult\tbox\tpart\tfilter\tSHA-256 of the RGB bytes"]
    seed = 0
    cases = [(*case, None) for case in SIZES] + [(size, result, None, part)
                                                 for size, result, part in PARTS]
    for (size, result, box, part), filter_name in itertools.product(cases, FILTERS):
        seed += 1
        kind = "edges" if seed % 3 == 0 else "noise"
        image = resize_source(kind, seed, *size)
        out = image.resize(result, FILTERS[filter_name], box=box)
        where = " ".join(repr(float(v)) for v in box) if box else "-"
        asked = " ".join(map(str, part)) if part else "-"
        lines.append(f"{kind}\t{seed}\t{size[0]} {size[1]}\t{result[0]} {result[1]}\t{where}\t{asked}\t"
                     f"{filter_name}\t{reference.digest(out.crop(part) if part else out)}")
    (HERE / "resize.tsv").write_text("\n".join(lines) + "\n")


def make_data(folder):
    """Digests of the pictures of the data folder, which are not part of this repository."""
    lines = ["# file\twidth\theight\tSHA-256 of the RGB bytes; - : must be refused"]
    for path in sorted(pathlib.Path(folder).iterdir()):
        try:
            out = reference.rgb(str(path))
            lines.append(f"{path.name}\t{out.width}\t{out.height}\t{reference.digest(out)}")
        except (OSError, ValueError, SyntaxError):
            lines.append(f"{path.name}\t0\t0\t-")
    (HERE / "data_raw.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    make_pictures()
    make_resize()
    if len(sys.argv) > 1: # the folder data/raw
        make_data(sys.argv[1])
