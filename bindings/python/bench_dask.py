#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What libitem.dask costs over a plain loop, and how it grows: the figures of docs/dask.md.

usage: bench_dask.py [ROUNDS [PICTURES [ROWS [FOLDER]]]]   (LIBITEM_LIBRARY and the like: docs/python.md)

Two processes of one thread each check the same pictures in turns: as a plain loop over check_many(),
half of the pictures each, and as the workers of a local cluster, which also hash, write Parquet and
ask what is known. Contexts are open before. Then what an output of ROWS answers has is read, as at the
begin of each run. FOLDER has JPEG files; with fewer than PICTURES they are taken again and again.
"""

import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import dask
import dask.bag
import libitem
import libitem.dask
from dask.distributed import Client, LocalCluster
from libitem import _parquet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "pictures"
BATCH = 8
kept = []


def ready(barrier):
    libitem.set_threads(1)
    kept.append(libitem.open(batch=BATCH))
    list(kept[0].check_many(map(str, EXAMPLES.glob("*.jpg"))))
    barrier.wait()


def loop(files):
    return sum(result.error is None for result in kept[0].check_many(files))


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copies(source, folder, count):
    found = sorted(source.rglob("*.jpg"))[:count]
    names = [str(folder / f"{i:05}.jpg") for i in range(count)]
    for i, name in enumerate(names):
        shutil.copy(found[i % len(found)], name)
    return names


def compare(pool, files, folder, rounds):
    """Seconds of both ways, turn by turn."""
    bag = dask.bag.from_sequence(files, npartitions=max(len(files) // 24, 2))

    def plain():
        assert sum(pool.map(loop, [files[::2], files[1::2]], chunksize=1)) == len(files)

    def clustered(out):
        assert libitem.dask.check(bag, out, batch=BATCH) == len(files)

    clustered(folder / "warm")  # the workers open their contexts
    times = []
    for i in range(rounds):
        works = [plain, lambda: clustered(folder / f"out{i}")]
        order = (0, 1) if i % 2 == 0 else (1, 0)
        took = {which: seconds(works[which]) for which in order}
        times.append((took[0], took[1]))
        print(f"turn {i + 1}: loop {took[0]:.2f} s, dask {took[1]:.2f} s", flush=True)
    return times


def grown(out, source, count):
    """An output of many answers, made of one's rows."""
    row = next(row for _, row in _parquet.rows(str(source), list(_parquet.COLUMNS)))
    for start in range(0, count, 1000):
        rows = [{**row, "path": f"/pictures/{i:09}.jpg"} for i in range(start, start + 1000)]
        _parquet.write(out / f"part-{start:09}.parquet", rows)


def main(rounds="5", pictures="240", count="100000", source=EXAMPLES):
    rounds, pictures, count = int(rounds), int(pictures), int(count)
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = copies(Path(source), folder, pictures)
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
        with LocalCluster(**options, dashboard_address=None) as cluster, Client(cluster):
            with spawn.Pool(2, ready, (spawn.Barrier(2),)) as pool:
                times = compare(pool, files, folder, rounds)
            ratio = statistics.median(b / a for a, b in times)
            alone = statistics.median(a for a, _ in times)
            sizes = [part.stat().st_size for part in _parquet.parts(str(folder / "warm"))]
            print(f"{pictures / alone:.2f} pictures a second on two processes; dask {ratio:.4f} times "
                  f"the loop's time (median of {rounds}); {sum(sizes) / pictures:.0f} bytes a row")
            (folder / "grown").mkdir()
            grown(folder / "grown", folder / "warm", count)
            known = seconds(lambda: _parquet.known(str(folder / "grown")).__enter__())
            print(f"reading what an output of {count} answers has: {known:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
