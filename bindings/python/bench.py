#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Python costs over C: the same pictures, context and process, in turns.

usage: bench.py [ROUNDS [PICTURE...]]      (LIBITEM_LIBRARY and the like as docs/python.md says)

Prints medians and their ratio for pictures one by one and in batches, on the pack's networks. Their
times vary by more than Python costs; so the last lines tell that cost by itself, on stand-ins
of C that need no network, and what share of a check it is.
"""

import ctypes
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import libitem
from libitem import _library
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PICTURES = sorted(map(str, (ROOT / "examples" / "pictures").glob("*.jpg")))


def compiled(folder):
    """The C side, on the libitem that is loaded."""
    made = Path(folder, "bench.so")
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", HERE / "bench.c", "-o", made,
         f"-I{ROOT / 'include'}", libitem.load()],
        check=True,
    )
    side = ctypes.CDLL(str(made))
    side.bench_single.restype = side.bench_batches.restype = ctypes.c_double
    side.bench_single.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    side.bench_batches.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_char_p),
                                   ctypes.c_size_t, ctypes.c_size_t]
    return side


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def turns(rounds, of_c, of_python):
    """Medians of both and of their ratio, turn by turn: neither has the better half of the minute."""
    times = ([], [])
    of_c(), of_python()
    for i in range(rounds):
        for which in ((0, 1), (1, 0))[i % 2]:
            times[which].append((of_c, of_python)[which]())
    ratio = statistics.median(b / a for a, b in zip(*times))
    return *map(statistics.median, times), ratio


def told(what, of_c, of_python, ratio):
    print(f"{what:<36} C {of_c * 1e3:9.3f} ms, Python {of_python * 1e3:9.3f} ms: "
          f"{ratio:.4f} times", flush=True)
    return of_python - of_c


def stand_ins():
    """A context on libitem's own dummies, which compute next to nothing."""
    config = _library.make("item_config_new", release="item_config_unref")
    for stage in ("captioner", "detector", "embedder"):
        ops = getattr(_library.library(), f"item_dummy_{stage}")()
        _library.call(f"item_config_set_{stage}", config.address, ops, None)
    return libitem.Context(config, needs_engine=False)


def main(rounds, pictures):
    with tempfile.TemporaryDirectory() as folder:
        side = compiled(folder)
        run(side, rounds, pictures, Path(folder, "small.png"))


def compare(side, rounds, item, pictures, what):
    """Seconds that Python costs, and that C takes: a picture alone, and one of a batch."""
    shared, one, n = item._share(), str(pictures[0]), len(pictures)
    names = (ctypes.c_char_p * n)(*(str(p).encode() for p in pictures))
    item.check(one)
    alone = turns(rounds, lambda: side.bench_single(shared.address, one.encode()),
                  lambda: seconds(lambda: item.check(one)))
    batch = turns(max(rounds // 4, 3),
                  lambda: side.bench_batches(shared.address, names, n, item.info["batch"]),
                  lambda: seconds(lambda: list(item.check_many(pictures))))
    return (told(f"one picture, {what}", *alone), alone[0],
            told(f"{n} pictures in batches, {what}", *batch) / n, batch[0] / n)


def run(side, rounds, pictures, small):
    Image.new("RGB", (32, 32), "red").save(small)
    with libitem.open() as item:
        _, alone, _, batch = compare(side, rounds, item, pictures, "networks")
    with stand_ins() as item:
        cost, _, in_batch, _ = compare(side, 20 * rounds, item, [small] * 64, "none")
    print(f"Python costs {cost * 1e6:.0f} us a call, {cost / alone:.2%} of a check; and "
          f"{in_batch * 1e6:.0f} us a picture of a batch, {in_batch / batch:.2%}")


def main(rounds, pictures):
    with tempfile.TemporaryDirectory() as folder:
        run(compiled(folder), rounds, pictures, Path(folder, "small.png"))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments[0]) if arguments else 20, arguments[1:] or PICTURES)
