#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names of pictures for `item`: arguments, folders, standard input. No name is lost in silence.

usage: test_names.py PROGRAM [TEST]...
"""
import json
import os
import resource
import signal
import subprocess
import time

import make_inputs
from cases import Case, as_nobody, command, item, lines, main


class Names(Case):
    def listed(self, *args, **more):
        return [a["file"] for a in lines(item("check", "--json", "--pack", self.pack, *args,
                                              **more))]

    def tree(self, name):
        top = self.work / name
        for sub in ("b/inner", "a", ".hidden"):
            (top / sub).mkdir(parents=True)
        for file in ("z.jpg", "b/2.jpg", "b/10.jpg", "b/inner/x.jpg", "a/1.jpg", ".hidden/h.jpg",
                     ".h.jpg"):
            (top / file).write_bytes(b"")
        (top / "a" / "loop").symlink_to(top)
        return top

    def test_folder_is_sorted(self):
        top = self.tree("tree")
        wanted = [f"{top}/{n}" for n in ("a/1.jpg", "b/10.jpg", "b/2.jpg", "b/inner/x.jpg",
                                         "z.jpg")]
        self.assertEqual(self.listed(top), wanted)
        self.assertEqual(self.listed(f"{top}/"), wanted)

    def test_order_given(self):
        top = self.tree("order")
        self.assertEqual(self.listed(top / "z.jpg", top / "a", top / "b" / "2.jpg"),
                         [f"{top}/z.jpg", f"{top}/a/1.jpg", f"{top}/b/2.jpg"])

    def test_standard_input(self):
        first, second = self.work / "one two.jpg", self.work / "line\nbreak.jpg"
        self.assertEqual(self.listed("-", stdin=f"{first}\n\n{first}".encode()),
                         [str(first)] * 2)
        self.assertEqual(self.listed("-0", "-", stdin=f"{second}\0{first}\0".encode()),
                         [str(second), str(first)])
        self.assertEqual(self.listed(first, "-", second, stdin=b""), [str(first), str(second)])

    def test_many_names(self):
        names = [f"/nowhere/{i}.jpg" for i in range(5000)]
        self.assertEqual(self.listed("-", stdin="\n".join(names).encode()), names)

    def test_unreadable_folder(self):
        done = item("check", "--pack", self.pack, self.work / "nothing")
        self.assertEqual(done.returncode, 1)

    def test_answer_before_the_next_name(self):
        with subprocess.Popen(command("check", "--json", "--pack", self.pack, "-"),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            for i in range(3):
                process.stdin.write(f"/nowhere/{i}.jpg\n".encode())
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["file"],
                                 f"/nowhere/{i}.jpg")
            process.stdin.close()
            self.assertEqual(process.wait(20), 1)


class Lost(Case):
    """What keeps names from being read is told, and the exit code says so."""

    def check(self, *args, **more):
        return item("check", "--json", "--pack", self.pack, *args, **more)

    def test_folder_below_that_is_unreadable(self):
        top = self.work / "top"
        (top / "b").mkdir(parents=True)
        for name in ("a.jpg", "b/hidden.jpg", "c.jpg"):
            (top / name).write_bytes(b"")
        (top / "b").chmod(0)
        answers = lines(as_nobody(self, "check", "--json", "--pack", self.pack, top))
        self.assertEqual([a["file"] for a in answers],
                         [f"{top}/{n}" for n in ("a.jpg", "b", "c.jpg")])
        self.assertIn("ermission", answers[1]["error"]["message"])

    def test_folder_whose_files_cannot_be_reached(self):
        top = self.work / "listed"
        top.mkdir()
        (top / "a.jpg").write_bytes(b"")
        top.chmod(0o744)
        done = as_nobody(self, "check", "--json", "--pack", self.pack, top)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ermission", lines(done)[0]["error"]["message"])

    def test_links_to_nothing(self):
        top = self.work / "links"
        top.mkdir()
        (top / "gone.jpg").symlink_to(top / "nowhere.jpg")
        (top / "self.jpg").symlink_to(top / "self.jpg")
        self.assertEqual(self.check(top).stdout, b"")
        self.assertEqual(len(lines(self.check(top / "gone.jpg", top / "self.jpg"))), 2)

    def test_standard_input_that_is_a_folder(self):
        folder = os.open(self.work, os.O_RDONLY)
        for args in (("check", "--json", "--pack", self.pack, "-"), ("phrases", "-")):
            done = subprocess.run(command(*args), stdin=folder, capture_output=True)
            self.fails(done, 1, "standard input", "directory")
        os.close(folder)

    def test_standard_input_that_is_closed(self):
        done = subprocess.run(command("check", "--json", "--pack", self.pack, "-"),
                              capture_output=True, preexec_fn=lambda: os.close(0))
        self.fails(done, 1, "standard input")

    def test_names_ended_by_nul_without_the_option(self):
        self.fails(self.check("-", stdin=b"/one.jpg\0/two.jpg\0"), 1, "-0")
        self.fails(item("phrases", "-", stdin=b"a dog\0a cat\0"), 1, "-0")
        done = self.check("-", stdin=b"/one.jpg\n/two\0/three\n/four.jpg\n")
        self.assertEqual([a["file"] for a in lines(done)], ["/one.jpg"])
        self.assertIn(b"-0", done.stderr)

    def test_a_picture_instead_of_names(self):
        picture = make_inputs.jpeg() + b"\nline\0" * 200
        for kind in (["check"], ["check", "--json"], ["caption"], ["embed"]):
            done = item(*kind, "--pack", self.pack, "-", stdin=picture)
            self.fails(done, 1, "holds no file names (a picture?)", "-0")
            self.assertEqual(done.stdout, b"")
        self.fails(item("phrases", "-", stdin=picture), 1, "-0")

    def test_nothing_to_look_at_is_told(self):
        empty = self.work / "empty"
        (empty / "below").mkdir(parents=True)
        for kind in (["check"], ["check", "--json"], ["caption"], ["embed"]):
            for args, stdin, said in (([empty], b"", f"no pictures in {empty}"),
                                      (["-"], b"", "no names on standard input"),
                                      (["-"], b"\n\n", "no names on standard input"),
                                      (["-"], os.fsencode(empty), f"no pictures in {empty}")):
                done = item(*kind, "--pack", self.pack, *args, stdin=stdin)
                self.fails(done, 0, said)
                self.assertEqual(done.stdout, b"")
        done = self.check(empty, "/nowhere.jpg")
        self.assertEqual([a["file"] for a in lines(done)], ["/nowhere.jpg"])
        self.assertIn(b"no pictures in", done.stderr)

    def test_standard_input_that_does_not_wait(self):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        with subprocess.Popen(command("check", "--json", "--pack", self.pack, "-"), stdin=reader,
                              stdout=subprocess.PIPE) as process:
            os.close(reader)
            time.sleep(0.2)
            os.write(writer, b"/one.jpg\n/two.jpg\n")
            os.close(writer)
            answers = process.stdout.read().splitlines()
        self.assertEqual([json.loads(a)["file"] for a in answers], ["/one.jpg", "/two.jpg"])


class Interrupted(Case):
    def test_folders_are_left_at_once(self):
        folder = self.work / "wide"
        folder.mkdir()
        for i in range(500):
            (folder / str(i)).touch()
        with subprocess.Popen(command("check", "--json", "--pack", self.pack, *[folder] * 2000),
                              stdout=subprocess.DEVNULL) as process:
            status = f"/proc/{process.pid}/status"
            while True:  # until the program has its own handler
                caught = [line for line in open(status) if line.startswith("SigCgt:")][0]
                if int(caught.split()[1], 16) & 1 << signal.SIGINT - 1:
                    break
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 130)
        if "ASAN_OPTIONS" not in os.environ:  # which looks for leaks at the end
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.assertLess(busy, 3)  # seconds of a processor; the whole walk takes six


if __name__ == "__main__":
    main(__doc__)
