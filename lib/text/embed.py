#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the tagger's weights into a C file: embed.py chunker.bin OUT.c

64-bit numbers compile many times faster than single bytes and are aligned.
"""
import sys

data = open(sys.argv[1], "rb").read()
data += b"\0" * (-len(data) % 8)
numbers = [f"{int.from_bytes(data[i:i + 8], sys.byteorder):#x}," for i in range(0, len(data), 8)]
with open(sys.argv[2], "w", encoding="ascii") as out:
    out.write('#include "text/tagger_data.h"\n\nconst uint64_t itemi_tagger_data[] = {\n')
    for i in range(0, len(numbers), 8):
        out.write("".join(numbers[i:i + 8]) + "\n")
    out.write("};\n")
