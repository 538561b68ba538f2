#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# wheel.sh FOLDER - builds the wheel of pyproject.toml and tries it. FOLDER is the package `torch` of an
# environment that has the release which pyproject.toml names, and NumPy; nothing of it is copied.
#
# The wheel, in build/wheel, holds libitem, its libraries but libtorch's (auditwheel brings them), the
# small pack and the engine. It is of no one Python: ctypes calls it.
set -eu
if [ $# -ne 1 ] || [ ! -f "$1/lib/libtorch_cpu.so" ]; then
  echo "usage: bindings/python/wheel.sh SITE-PACKAGES/torch" >&2
  exit 2
fi
torch=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
tools/venv.sh wheel bindings/python/wheel-requirements.txt
PATH=$PWD/build/wheel-venv/bin:$PATH
made=$PWD/build/wheel
rm -rf "$made"
python -m build --wheel --no-isolation --skip-dependency-check \
  "-Csetup-args=-Dtorch=$torch" -o "$made/plain" .
auditwheel repair --exclude 'libtorch*.so' --exclude 'libc10*.so' --exclude libgomp.so.1 \
  -w "$made" "$made"/plain/*.whl
wheel tags --remove --python-tag py3 --abi-tag none "$made"/*.whl
rm -r "$made/plain"

# an environment that has the wheel, and that torch and NumPy
try=$made/try
python -m venv "$try"
site=$("$try/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
dirname "$torch" >"$site/torch.pth"
"$try/bin/pip" install --quiet --disable-pip-version-check --no-deps "$made"/*.whl
picture=$PWD/examples/pictures/surfing_dog.jpg
unset LIBITEM_LIBRARY PYTHONPATH
for first in 'import libitem' 'import torch'; do
  (cd / && "$try/bin/python" - "$picture" "$first") <<'PROGRAM'
import subprocess
import sys

exec(sys.argv[2])
import libitem

with libitem.open() as item:
    print(f"{sys.argv[2]}:", item.check(sys.argv[1]), item.engine_info()["version"])
import torch

assert float((torch.ones(3, 3) @ torch.ones(3, 3)).sum()) == 27
core = {line.split()[-1] for line in open("/proc/self/maps") if "libtorch_cpu" in line}
assert core == {str(libitem._torch.installed().folder / "lib" / "libtorch_cpu.so")}, core
engine = libitem.load().replace("libitem.so.0.2", "item-0.2/libitem-torch-ops.so")
said = subprocess.run(["readelf", "-d", engine], capture_output=True, text=True).stdout
assert "[$ORIGIN/../../../torch/lib]" in said, said  # nothing of the building machine
assert libitem.load().startswith(sys.prefix) and libitem.default_pack().startswith(sys.prefix)
PROGRAM
done
ls "$made"/*.whl
