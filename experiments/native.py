# SPDX-License-Identifier: Apache-2.0
"""The C API through ctypes, for what the program does not print: vectors of objects, captions of
the caller's for each picture, crops of any box."""
import ctypes as c

import numpy as np

import common

RGB = 1                                        # ITEM_PIXELS_RGB
CAPTION, LINE = 2, 7                           # ITEM_TEXT_...
IMAGE, TEXT, CROP, PHRASE = 2, 3, 4, 5         # ITEM_VALUES_...


class Error(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("code", c.c_int32), ("system", c.c_int32),
                ("reserved", c.c_uint32), ("message", c.c_char * 496)]


class Options(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("max_objects", c.c_uint32), ("caption", c.c_char_p),
                ("captions", c.POINTER(c.c_char_p)), ("cancel", c.c_void_p), ("progress", c.c_void_p),
                ("progress_user", c.c_void_p), ("sample", c.c_double), ("sample_seed", c.c_uint64)]


class Object(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("phrase_index", c.c_uint32), ("phrase", c.c_char_p),
                ("box", c.c_double * 4), ("score", c.c_double), ("similarity", c.c_double),
                ("contribution", c.c_double)]


class Summary(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("verdict", c.c_int32), ("reason", c.c_int32),
                ("objects", c.c_uint32),
                *((name, c.c_double) for name in (
                    "probability", "score", "threshold", "real_below", "promised_fpr", "similarity",
                    "contribution", "caption_logprob", "caption_margin")),
                ("width", c.c_uint32), ("height", c.c_uint32)]


class Timings(c.Structure):
    _fields_ = [("struct_size", c.c_uint32), ("reserved", c.c_uint32),
                *((name, c.c_double) for name in ("decode", "resize", "caption", "phrases", "detect",
                                                  "embed", "judge", "total"))]


def sized(kind):
    return kind(struct_size=c.sizeof(kind))


def load(program):
    """The library beside a program, of a build folder or an installation."""
    found = sorted(program.parent.parent.rglob("libitem.so"))
    if not found:
        raise common.Refused(f"{program}: no libitem.so beside it")
    lib = c.CDLL(str(found[0]))
    for name in ("item_result_text", "item_phrases_get"):
        getattr(lib, name).restype = c.c_char_p
    lib.item_result_values.restype = c.POINTER(c.c_float)
    lib.item_result_values.argtypes = [c.c_void_p, c.c_int32, c.c_uint32, c.POINTER(c.c_size_t)]
    lib.item_result_text.argtypes = [c.c_void_p, c.c_int32]
    lib.item_phrases_get.argtypes = [c.c_void_p, c.c_uint32, c.c_void_p, c.c_void_p]
    for name in ("item_result_unref", "item_image_unref", "item_ctx_unref", "item_config_unref",
                 "item_phrases_free"):
        getattr(lib, name).argtypes = [c.c_void_p]
        getattr(lib, name).restype = None
    return lib


class Context:
    """A pack, opened with settings of item_config_set()."""

    def __init__(self, args, pack=None, **settings):
        self.lib = load(args.item)
        config, self.ctx = c.c_void_p(), c.c_void_p()
        self.do("config_new", c.byref(config))
        for name, value in settings.items():
            self.do("config_set", config, name.encode(), str(value).encode())
        self.do("ctx_open", str(pack or args.pack).encode(), config, c.byref(self.ctx))
        self.lib.item_config_unref(config)

    def do(self, name, *words):
        err = sized(Error)
        if getattr(self.lib, "item_" + name)(*words, c.byref(err)) != 0:
            raise common.Refused(err.message.decode())

    def close(self):
        self.lib.item_ctx_unref(self.ctx)

    # ---- pictures --------------------------------------------------------------------------------
    def values(self, result, which, index=0):
        count = c.c_size_t()
        at = self.lib.item_result_values(result, which, index, c.byref(count))
        return np.ctypeslib.as_array(at, (count.value,)).copy() if at else None

    def answer(self, result):
        """caption, image, text, and of the objects crops, phrases, boxes and names; None: failed."""
        err, summary, times = sized(Error), sized(Summary), sized(Timings)
        if self.lib.item_result_status(result, c.byref(err)) != 0:
            return None
        self.do("result_get_summary", result, c.byref(summary))
        self.do("result_get_timings", result, c.byref(times))
        out = {"caption": self.lib.item_result_text(result, CAPTION).decode(),
               "logprob": summary.caption_logprob, "size": (summary.width, summary.height),
               "score": summary.score, "image": self.values(result, IMAGE),
               "text": self.values(result, TEXT),
               "times": {name: getattr(times, name) for name, _ in Timings._fields_[2:]}, "boxes": [], "names": [], "crops": [], "phrases": []}
        for i in range(summary.objects):
            found = sized(Object)
            self.do("result_get_object", result, i, c.byref(found))
            out["boxes"].append(list(found.box))
            out["names"].append(found.phrase.decode())
            out["crops"].append(self.values(result, CROP, i))
            out["phrases"].append(self.values(result, PHRASE, i))
        return out

    def check(self, paths, captions=None, some=16):
        """One answer() a file; `captions` are the caller's, entries may be None."""
        out = []
        for start in range(0, len(paths), some):
            names = [str(p).encode() for p in paths[start:start + some]]
            options = sized(Options)
            if captions is not None:
                texts = [t if t is None else t.encode() for t in captions[start:start + some]]
                options.captions = (c.c_char_p * len(texts))(*texts)
            results = (c.c_void_p * len(names))()
            self.do("check_files", self.ctx, (c.c_char_p * len(names))(*names), c.c_size_t(len(names)),
                    c.byref(options), results)
            for result in map(c.c_void_p, results):
                out.append(self.answer(result))
                self.lib.item_result_unref(result)
        return out

    # ---- vectors ---------------------------------------------------------------------------------
    def embed(self, pictures, width, some=32):
        """Unit vectors of arrays [height x width x 3] of bytes."""
        out = np.zeros((len(pictures), width), np.float32)
        for start in range(0, len(pictures), some):
            part = [np.ascontiguousarray(p, np.uint8) for p in pictures[start:start + some]]
            images = (c.c_void_p * len(part))()
            for i, pixels in enumerate(part):
                h, w, _ = pixels.shape
                at = c.c_void_p()
                self.do("image_from_pixels", c.c_void_p(pixels.ctypes.data), RGB, w, h,
                        c.c_size_t(3 * w), None, c.byref(at))
                images[i] = at.value
            place = out[start:start + len(part)]
            self.do("embed_images", self.ctx, images, c.c_size_t(len(part)), None,
                    place.ctypes.data_as(c.POINTER(c.c_float)), c.c_size_t(width))
            for image in images:
                self.lib.item_image_unref(image)
        return out

    def embed_texts(self, texts, width):
        """{text: unit vector}."""
        texts = list(dict.fromkeys(texts))
        out = np.zeros((len(texts), width), np.float32)
        if texts:
            self.do("embed_texts", self.ctx, (c.c_char_p * len(texts))(*(t.encode() for t in texts)),
                    c.c_size_t(len(texts)), None, out.ctypes.data_as(c.POINTER(c.c_float)),
                    c.c_size_t(width))
        return dict(zip(texts, out))

    def noun_phrases(self, text):
        found, out = c.c_void_p(), []
        self.do("phrases_find", text.encode(), c.byref(found))
        while phrase := self.lib.item_phrases_get(found, len(out), None, None):
            out.append(phrase.decode())
        self.lib.item_phrases_free(found)
        return out
