#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens and closes the small pack again and again, and tells what that leaves behind.

    bindings/python/soak.py [OPENS [CHECKS]]     10,000 and 0; ends with 1 where it grew

One of ten contexts compares the pack's files with their hashes, which takes most of an opening's time. CHECKS of
them check a picture as well, so that networks are opened. Prints memory and open files after each tenth. At the
end there may be no more files than after half, and at most 5 % more memory; with networks, which move
it up and down, memory is only printed. Uses build/release.
"""

import gc
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests"))
from conftest import DOG, libitem  # the build folder's libitem, and a picture


def held():
    """Resident bytes, and open files."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE"), len(os.listdir("/proc/self/fd"))


def turn(opens, checks):
    """Opens and closes contexts: by close(), by `with`, and by letting go of them."""
    for i in range(opens):
        verify = "small" if i % 10 == 0 else "none"
        context = libitem.open(verify=verify, log=lambda level, line: None)
        if i < checks:
            context.check(DOG)
        if i % 3 == 0:
            context.close()
        elif i % 3 == 1:
            with context:
                pass
        del context


def main(opens="10000", checks="0"):
    begun, seen = time.monotonic(), []
    for tenth in range(1, 11):
        turn(int(opens) // 10, int(checks) // 10)
        seen.append(held())
        print(f"{int(opens) // 10 * tenth} contexts, {time.monotonic() - begun:.0f} s: "
              f"{seen[-1][0] / 1e6:.1f} MB, {seen[-1][1]} files", flush=True)
    (memory, files), (memory_after, files_after) = seen[4], seen[-1]
    grown = int(checks) == 0 and memory_after > 1.05 * memory
    return int(grown or files_after > files)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
