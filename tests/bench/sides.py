# SPDX-License-Identifier: Apache-2.0
"""The sides of `make bench-models`: processes that answer a line with milliseconds."""
import glob
import os
import subprocess
import time
from pathlib import Path


def kept_memory():
    """An allocator that keeps what it got: page faults cost the reference up to half its time."""
    for pattern in ("/usr/lib/*/libjemalloc.so.2", "/usr/lib/*/libtcmalloc*.so.*"):
        found = sorted(glob.glob(pattern))
        if found:
            return {"LD_PRELOAD": found[0]}
    return {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
            "MALLOC_TOP_PAD_": str(1 << 28)}


class Process:
    def __init__(self, call, env):
        self.name = Path(call[0]).name
        self.start = time.perf_counter()
        self.child = subprocess.Popen([str(c) for c in call], env=os.environ | env, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.first = None  # seconds from the start to the first answer
        self.said = ""     # what an answer tells besides its milliseconds

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name} ended with {self.child.wait()}")
        if self.first is None:
            self.first = time.perf_counter() - self.start
        took, _, self.said = answer.strip().partition(" ")
        return float(took)

    def memory(self, what):
        """A line of the kernel's account, MB; getrusage() would count this process in."""
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if what in line)

    def end(self):
        self.child.stdin.close()
        self.child.wait()
