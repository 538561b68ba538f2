#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""item scan and item find as their callers meet them: killed, cancelled, on a full disk, on folders
that cannot be read and files that change.

usage: test_scan.py PROGRAM [TEST]...

Nothing here loads an engine: the pack has no networks, so that every picture fails for a reason
that is the picture's or nobody's. The answers of networks are tested in test_answers.py.
"""
import csv
import fcntl
import io
import json
import os
import sqlite3
import subprocess

import make_inputs
from cases import Case, as_nobody, command, item, lines, main


class Scan(Case):
    def setUp(self):
        self.pictures = self.work / self.id()
        self.index = self.work / (self.id() + ".item")
        self.pictures.mkdir()

    def write(self, name, content):
        path = self.pictures / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1700000000, 1700000000))  # what was just written is read again
        return path

    def scan(self, *args):
        return item("scan", "--index", self.index, "--pack", self.pack, *args)

    def find(self, *args):
        return item("find", "--index", self.index, *args)

    def counts(self, *args):
        return lines(self.scan("--json", *args))[-1]["scan"]

    def test_wrong_use(self):
        self.fails(item("scan"), 2, "--index")
        self.fails(item("find"), 2, "--index")
        self.fails(self.find(), 2, "cannot be opened", "No such file")
        self.fails(self.scan(), 2, "no folder was scanned before")
        self.fails(self.scan(self.work / "nowhere"), 1, "nowhere: cannot be scanned")
        self.fails(self.find("a.jpg"), 2, "unexpected argument a.jpg")
        self.fails(self.find("--json", "--csv"), 2, "one of --json, --csv and -0")
        self.fails(self.find("--verdict", "fake"), 2, "--verdict: fake is not real, unsure")
        self.fails(self.find("--sort", "size"), 2, "--sort: size is not path")
        for bad in ("1.5", "-1", "many", "", "0.5x"):
            self.fails(self.find("--least", bad), 2, "--least")
        self.fails(self.find("--least", "0.6", "--most", "0.5"), 2, "--least is more than --most")
        for bad in ("2024-02-30", "2024-13-01", "yesterday", "2024-01-01x", ""):
            self.fails(self.find("--since", bad), 2, "--since", "2024-07-31")
        self.fails(self.find("--caption", " "), 2, "caption has no words")

    def test_failures_are_told_once(self):
        self.write("text.jpg", b"no picture\n")
        self.write("notes.txt", b"no picture\n")
        first = self.scan("--json", self.pictures)
        self.assertEqual(first.returncode, 1)
        told = lines(first)
        self.assertEqual(told[0]["error"]["code"], "ITEM_E_FORMAT")
        self.assertIn("text.jpg: not a picture: a text", told[0]["error"]["message"])
        self.assertEqual((told[1]["scan"]["failed"], told[1]["scan"]["other"]), (1, 1))
        again = lines(self.scan("--json"))
        self.assertEqual(len(again), 1)
        self.assertEqual(again[0]["scan"]["failed"], 1)
        self.assertIn(b"0 pictures: 0 unchanged, 0 checked, 1 failed", self.scan().stdout)

    def test_without_an_engine_nothing_is_kept(self):
        self.write("good.png", make_inputs.png(80, 60))
        self.write("text.jpg", b"no picture\n")
        self.fails(self.scan(self.pictures), 1, "engine")
        self.assertEqual(self.find("--failed").stdout, b"")

    def test_a_folder_that_is_not_there(self):
        self.scan(self.pictures)
        slip = self.find("--folder", self.work / "slip")
        self.assertEqual((slip.returncode, slip.stdout), (0, b""))
        self.assertIn(b"there is no folder", slip.stderr)
        self.assertEqual(self.find("--folder", self.work).stderr, b"")

    def test_ways_to_print(self):
        odd = 'a "quoted", line\nbreak.jpg'
        self.write(odd, b"no picture\n")
        self.write("b.jpg", b"")
        self.scan(self.pictures)
        names = self.find("--failed", "-0").stdout.split(b"\0")
        real = self.pictures.resolve()
        self.assertEqual([os.fsdecode(n) for n in names], [str(real / odd), str(real / "b.jpg"), ""])
        rows = list(csv.DictReader(io.StringIO(self.find("--failed", "--csv").stdout.decode(),
                                               newline="")))
        self.assertEqual(rows[0]["path"], str(real / odd))
        self.assertEqual({r["state"] for r in rows}, {"failed"})
        self.assertIn("empty file", rows[1]["error"])
        self.assertEqual(len(rows[0]["sha256"]), 64)
        told = lines(self.find("--failed", "--json"))
        self.assertEqual([t["file"] for t in told], [str(real / odd), str(real / "b.jpg")])
        self.assertIn(b"empty file", self.find("--failed").stdout)
        self.assertEqual(self.find("--failed", "--limit", "1", "-0").stdout.count(b"\0"), 1)

    def test_names_that_are_no_utf8(self):
        self.write(os.fsdecode(b"\xff\xfe.jpg"), b"no picture\n")
        self.scan(self.pictures)
        self.assertTrue(self.find("--failed", "-0").stdout.endswith(b"/\xff\xfe.jpg\0"))
        self.assertTrue(lines(self.find("--failed", "--json"))[0]["file"].endswith("\ufffd\ufffd.jpg"))

    def test_folders_that_cannot_be_read(self):
        self.write("below/text.jpg", b"no picture\n")
        self.write("text.jpg", b"another text\n")
        (self.pictures / "below").chmod(0)
        own = self.work / "nobody"
        own.mkdir()
        own.chmod(0o777)
        done = as_nobody(self, "scan", "--index", own / "index", "--pack", self.pack, "--cache", "none",
                         self.pictures)
        (self.pictures / "below").chmod(0o755)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"below", done.stdout)
        self.assertIn(b"the folder cannot be read: Permission denied", done.stdout)
        self.assertIn(b"1 failed, 1 folders that cannot be read", done.stdout)

    def test_an_index_that_may_only_be_read(self):
        self.write("text.jpg", b"no picture\n")
        self.scan(self.pictures)
        for beside in ("-wal", "-shm"):
            self.assertFalse(os.path.exists(f"{self.index}{beside}"))
        odd = self.work / "read ?only%23"
        odd.mkdir()
        self.index.rename(odd / "index")
        (odd / "index").chmod(0o444)
        odd.chmod(0o555)
        done = as_nobody(self, "find", "--index", odd / "index", "--failed", "--json")
        self.assertEqual((done.returncode, len(lines(done))), (0, 1), done.stderr)

    def test_a_folder_whose_files_are_hidden(self):
        self.write("below/text.jpg", b"no picture\n")
        self.write("below/text2.jpg", b"no picture either\n")
        own = self.work / "hidden"
        own.mkdir()
        own.chmod(0o777)
        (self.pictures / "below").chmod(0o744)
        done = as_nobody(self, "scan", "--index", own / "index", "--pack", self.pack, "--cache", "none",
                         self.pictures)
        (self.pictures / "below").chmod(0o755)
        if os.geteuid() == 0:
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"below\n", done.stdout)
            self.assertIn(b"1 folders that cannot be read", done.stdout)

    def test_a_folder_that_is_gone_takes_nothing_along(self):
        self.write("text.jpg", b"no picture\n")
        self.scan(self.pictures)
        self.pictures.rename(self.work / "elsewhere")
        done = self.scan()
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot be scanned: No such file", done.stdout)
        self.assertEqual(len(lines(self.find("--failed", "--json"))), 1)

    def test_other_programs_files_are_left_alone(self):
        base = sqlite3.connect(self.index)
        base.execute("CREATE TABLE letters (text)")
        base.commit()
        base.close()
        before = self.index.read_bytes()
        self.fails(self.scan(self.pictures), 2, "is no index of libitem, and is left as it is")
        self.fails(self.find(), 2, "is no index of libitem")
        self.assertEqual(self.index.read_bytes(), before)

    def test_two_scans(self):
        for i in range(300):
            self.write(f"{i}.jpg", b"text %d\n" % i)
        self.scan(self.pictures)
        lock = open(f"{self.index}-lock", "rb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.fails(self.scan(), 1, "another scan is running on this index")
        self.assertEqual(len(lines(self.find("--failed", "--json"))), 300)  # asking goes on
        lock.close()
        self.assertEqual(self.counts()["failed"], 300)

    def test_many_names(self):
        for i in range(20):
            (self.pictures / str(i)).mkdir()
        for i in range(5000):
            self.write(f"{i % 20}/{i}.txt", b"")
        self.write("last.jpg", b"text\n")
        counts = self.counts(self.pictures)
        self.assertEqual((counts["other"], counts["failed"]), (5000, 1))
        counts = self.counts()
        self.assertEqual((counts["other"], counts["failed"]), (5000, 1))

    def test_100_000_names(self):
        """In one folder: files under 49,500 names each, and 1,000 broken pictures."""
        for i, number in enumerate((49500, 49500, 1000)):
            file = self.write(f"{i}.jpg" if i == 2 else f"{i}.txt", b"text\n")
            for j in range(1, number):
                os.link(file, f"{self.pictures}/{i}-{j}{file.suffix}")
        first = lines(self.scan("--json", self.pictures))
        self.assertEqual(len(first), 1001)
        self.assertEqual((first[-1]["scan"]["failed"], first[-1]["scan"]["other"]), (1000, 99000))
        self.assertEqual(len(lines(self.scan("--json"))), 1)

    def test_links_make_no_loops(self):
        (self.pictures / "loop").symlink_to(self.pictures)
        (self.pictures / "self.jpg").symlink_to("self.jpg")
        self.write("text.jpg", b"text\n")
        self.assertEqual(self.counts(self.pictures)["failed"], 1)

    def test_import(self):
        row = {"path": "/pictures/a.jpg", "bytes": 3, "mtime_ns": 1, "sha256": "0" * 64,
               "answer": {"file": "/pictures/a.jpg", "caption": "two dogs on a beach",
                          "objects": [{"phrase": "two dogs"}], "verdict": "unsure",
                          "probability": 0.5, "reason": {"code": "weak_evidence"},
                          "width": 4, "height": 5, "fingerprint": "1" * 64, "provenance": []}}
        text = "".join(json.dumps({**row, "path": f"/pictures/{i:04}.jpg"}) + "\n"
                       for i in range(2500)).encode()
        found = item("find", "--index", self.index, "--import", "-", "--object", "dog", "--json",
                     stdin=text)
        self.assertEqual(len(lines(found)), 2500)
        self.assertEqual(lines(found)[7]["file"], "/pictures/0007.jpg")
        rows = self.work / "rows"
        rows.write_bytes(json.dumps({**row, "path": "/b.jpg"}).encode() + b"\nno row\n")
        self.fails(self.find("--import", rows), 1, "rows, after line 0: row 2:")
        self.fails(self.find("--import", self.work / "none"), 1, "none: cannot be opened")
        self.assertEqual(self.find("-0").stdout.count(b"\0"), 2500)

    def test_a_full_disk(self):
        """No file may grow beyond the limit: the batch that does not fit is lost, no more."""
        for i in range(2000):
            self.write(f"{i:04}.jpg", b"text %d\n" % i)
        self.fails(subprocess.run(["sh", "-c", 'trap "" XFSZ; ulimit -f 1000; exec "$@"', "sh",
                                   *command("scan", "--index", self.index, "--pack", self.pack,
                                            self.pictures)],
                                  capture_output=True, timeout=60), 1, "the index cannot be")
        known = len(lines(self.find("--failed", "--json")))
        self.assertTrue(0 < known < 2000, known)
        self.assertEqual(self.counts()["failed"], 2000)
        self.assertEqual(len(lines(self.find("--failed", "--json"))), 2000)


if __name__ == "__main__":
    main(__doc__)
