#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs a build into its prefix and uses it as an application does, through pkg-config.

usage: tests/install/run.py BUILD-FOLDER
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def output(command, **more):
    """Runs a command, shows it, returns what it printed; ends the test when it fails."""
    print("$", " ".join(str(c) for c in command), flush=True)
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    print(done.stdout[-1000:] + done.stderr, end="", flush=True)
    if done.returncode:
        sys.exit(f"failed with exit code {done.returncode}")
    return done.stdout


class Installed:
    def __init__(self, build):
        options = json.loads(output(["meson", "introspect", build, "--buildoptions"]))
        value = {o["name"]: o["value"] for o in options}
        self.prefix = Path(value["prefix"])
        self.libdir = self.prefix / value["libdir"]
        if build.resolve().parent not in self.prefix.parents:
            sys.exit(f"the prefix {self.prefix} is not beside the build: not touched")
        shutil.rmtree(self.prefix, ignore_errors=True)  # nothing of an older install may help
        output(["meson", "install", "-C", build, "--no-rebuild"])
        self.env = {**os.environ, "PKG_CONFIG_PATH": str(self.libdir / "pkgconfig")}

    def flags(self, *what):
        return output(["pkg-config", *what], env=self.env).split()

    def engines(self):
        return sorted(self.libdir.glob("item-*/libitem-torch.so"))


def build_and_run(place, work, compiler, name, libs, defines=(), arguments=(), path=()):
    program = work / name
    language = ["-x", "c++", "-std=c++17"] if compiler == "g++" else ["-x", "c", "-std=c99"]
    output([compiler, *WARNINGS, *language, HERE / "use.c", "-x", "none", *defines,
            *place.flags("--cflags", "item"), *libs, "-o", program])
    folders = os.pathsep.join(str(p) for p in (place.libdir, *path))
    said = output([program, *arguments], env={**os.environ, "LD_LIBRARY_PATH": folders})
    if '"caption"' not in said:
        sys.exit("no caption in the answer")
    return said


def check_hardening(library, soname=None):
    """Full RELRO, a stack that is no code, canaries and checked lengths; and the soname."""
    dynamic = output(["readelf", "-dW", library])
    segments = output(["readelf", "-lW", library])
    symbols = output(["nm", "-D", "--undefined-only", library])
    stack = [line.split() for line in segments.splitlines() if "GNU_STACK" in line]
    wanted = {
        "all names are bound at load": "BIND_NOW" in dynamic or "NOW" in dynamic,
        "RELRO": "GNU_RELRO" in segments,
        "no code on the stack": stack and "E" not in stack[0][-2],
        "canaries": "__stack_chk_fail" in symbols,
        "checked lengths": "_chk@" in symbols.replace("__stack_chk_fail", ""),
        "soname": soname is None or f"[{soname}]" in dynamic,
        "no text relocations": "TEXTREL" not in dynamic,
    }
    missing = [name for name, there in wanted.items() if not there]
    if missing:
        sys.exit(f"{library}: missing: {', '.join(missing)}")


def abi():
    """The part of the version that the soname carries: both numbers before 1.0."""
    version = output([HERE.parent.parent / "tools" / "version.sh"]).split(".")
    return version[0] if version[0] != "0" else ".".join(version[:2])


def check_program(place):
    """The installed `item` runs without any variable in the environment."""
    program = place.prefix / "bin" / "item"
    if program.exists():
        output([program, "--version"])
        output([program, "phrases", "two dogs on the grass"])
        if not list(place.prefix.rglob("man1/item.1*")):
            sys.exit("the manual page is not installed")
        if len(list(place.prefix.rglob("completions/item")) +
               list(place.prefix.rglob("site-functions/_item"))) != 2:
            sys.exit("completion is not installed")


def check_moved(place, work, engines):
    """An install that is moved as a whole finds its library, its pack and its engine."""
    moved = work / "moved"
    shutil.copytree(place.prefix, moved, symlinks=True)
    program = moved / "bin" / "item"
    if program.exists():
        if str(moved) not in output([program, "pack", "show"]):
            sys.exit("the moved pack was not taken")
        if engines and str(moved) not in output([program, "doctor"]).split("BLAS")[0]:
            sys.exit("the moved engine was not taken")


def check_backend(place, work):
    """The backend of docs/backends.md, built outside of the tree, conforms; with make and meson."""
    if not (place.prefix / "bin" / "item-conformance").exists():
        return
    examples = HERE.parent.parent / "examples"
    path = os.pathsep.join([str(place.prefix / "bin"), os.environ["PATH"]])
    env = {**place.env, "PATH": path, "LD_LIBRARY_PATH": str(place.libdir),
           "CFLAGS": " ".join(["-O2", *WARNINGS])}
    made, built = work / "made", work / "built"
    shutil.copytree(examples / "backend", made)
    shutil.copytree(examples / "backend", built)
    if ", 0 failed" not in output(["make", "-C", made, "all", "check"], env=env):
        sys.exit("the example does not conform")
    said = output([made / "colours", examples / "pictures" / "surfing_dog.jpg"], env=env)
    answer = json.loads(said)
    if "patch" not in answer["caption"] or not answer["objects"]:
        sys.exit("the answer is not the example's")
    output(["meson", "setup", built / "build", built], env=env)
    output(["meson", "test", "-C", built / "build"], env=env)


def main(build):
    place = Installed(build)
    engines = place.engines()
    shared = place.flags("--libs", "item")
    static = [place.libdir / "libitem.a", *(f for f in place.flags("--static", "--libs", "item")
                                            if f != "-litem")]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for compiler in ("gcc", "g++"):
            build_and_run(place, work, compiler, f"static-{compiler}", static)
            said = build_and_run(place, work, compiler, f"shared-{compiler}", shared,
                                 arguments=["engine"] if engines else [])
            if engines and str(engines[0]) not in said:
                sys.exit("the engine beside libitem was not taken")
        if engines:
            build_and_run(place, work, "gcc", "linked-gcc", place.flags("--libs", "item-torch", "item"),
                          ["-DWITH_TORCH"], ["linked"], [engines[0].parent])
        check_moved(place, work, engines)
        check_backend(place, work)
    check_program(place)
    check_hardening(place.libdir / "libitem.so", f"libitem.so.{abi()}")
    for engine in engines:
        check_hardening(engine)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
