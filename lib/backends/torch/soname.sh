#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# soname.sh "COMPILER AND ITS FLAGS" [FOLDER] - prints the soname of the libtorch_cpu that is linked, such as
# libtorch_cpu.so.1.13: the engine refuses a process in which another one is mapped.
set -eu
if [ $# -gt 1 ]; then
  file=$2/libtorch_cpu.so
else
  file=$($1 -print-file-name=libtorch_cpu.so)
fi
name=$(objdump -p "$file" | sed -n 's/^ *SONAME *//p')
test -n "$name"
printf '%s' "$name"
