#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program `item` as its callers meet it: arguments, answers, exit codes, bad input.

usage: test_cli.py PROGRAM [TEST]...    (meson sets ITEM_ENGINE_PATH where an engine is built)

Nothing here loads an engine: the pack is one of the tests, the engine's path names no file. The
answers of networks are tested in test_answers.py.
"""
import hashlib
import json
import os
import pty
import signal
import subprocess
import time

import make_inputs
from cases import Case, as_nobody, command, item, lines, main

COMMANDS = ["check", "scan", "find", "report", "caption", "detect", "embed", "tokenize", "phrases", "pack", "doctor",
            "features", "train", "calibrate", "eval"]


class Usage(Case):
    def test_help_of_each_command(self):
        whole = item("--help")
        self.assertEqual(whole.returncode, 0)
        for command in COMMANDS:
            self.assertIn("\n  " + command, whole.stdout.decode())
            done = item(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn(f"usage: item {command}", done.stdout.decode())

    def test_version(self):
        self.assertRegex(item("--version").stdout.decode(), r"^item \d+\.\d+\.\d+\n$")

    def test_nothing_asked(self):
        done = item()
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"usage", done.stderr)

    def test_wrong_use(self):
        self.fails(item("chekc"), 2, "chekc")
        self.fails(item("help", "chekc"), 2, "chekc")
        self.fails(item("check"), 2, "name a picture")
        self.fails(item("check", "--colour", "a.jpg"), 2, "--colour", "--help")
        self.fails(item("check", "a.jpg", "--pack"), 2, "--pack needs a value")
        self.fails(item("check", "--json=1", "a.jpg"), 2, "--json takes no value")
        said = self.fails(item("check", "--threshold", "fpr2", "a.jpg"), 2, "--threshold", "fpr1")
        self.assertNotIn("option", said)
        self.fails(item("check", "--batch", "0", "a.jpg"), 2, "--batch", "64")
        self.fails(item("check", "--precision=fp8", "a.jpg"), 2, "--precision", "bf16")
        self.fails(item("check", "--threads", "none", "a.jpg"), 2, "--threads")
        self.fails(item("check", "--device", "gpu", "a.jpg"), 2, '"gpu" is not cpu, cuda or cuda:N')
        self.fails(item("detect", "a.jpg"), 2, "--query")
        self.fails(item("embed"), 2, "--text")
        self.fails(item("tokenize"), 2, "text")
        self.fails(item("phrases"), 2, "text")
        self.fails(item("pack", "open"), 2, "show|verify")
        self.fails(item("doctor", "packs/small"), 2, "unexpected argument packs/small")
        self.fails(item("train", "manifest.csv"), 2, "--out")
        for hidden in ("many", "-18446744073709551615", " 5", "+5", "5,", ",", "1,2,3,4", "65537"):
            self.fails(item("train", "--out", "h", "--hidden", hidden, "m.csv"), 2, "--hidden")
        self.fails(item("train", "--out", "h", "--epochs", "0", "m.csv"), 2, "--epochs")
        self.fails(item("eval"), 2, "manifest")
        self.fails(item("eval", "a.csv", "b.csv"), 2, "one manifest")

    def test_errors_cannot_draw(self):
        for args in ("\x1b[31mred", "\u202ejpg"), ("check", "--\x1b[31mred\u202ejpg"):
            said = item(*args).stderr.decode()
            self.assertIn("\\x1b[31mred", said)
            self.assertNotIn("\x1b", said)
            self.assertNotIn("\u202e", said)

    def test_options_end(self):
        done = item("check", "--json", "--pack", self.pack, "--", "--json")
        self.assertEqual(lines(done)[0]["file"], "--json")

    def test_no_engine_is_loaded(self):
        text = self.work / "text.jpg"
        text.write_text("no picture")
        for args in (["--help"], ["check", "--help"], ["phrases", "two dogs on the grass"],
                     ["tokenize", "--pack", self.pack, "a dog"], ["pack", "show", self.pack],
                     ["check", "--pack", self.pack, text]):
            loaded = self.work / "loaded"  # the loader adds its process id
            done = item(*args, LD_DEBUG="files", LD_DEBUG_OUTPUT=str(loaded))
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertNotIn(b"engine", done.stdout + done.stderr)
            lists = list(self.work.glob("loaded.*"))
            names = lists[0].read_text(errors="replace")
            self.assertIn("libpng", names)
            self.assertNotRegex(names, "libtorch|libitem-torch")
            lists[0].unlink()


class BadPictures(Case):
    def check(self, *args, **more):
        return item("check", "--json", "--pack", self.pack, *args, **more)

    def test_each_has_its_line(self):
        names = make_inputs.write(self.work / "bad", make_inputs.BAD)
        for batch in ("1", "8"):
            done = self.check("--batch", batch, *names)
            answers = lines(done)
            self.assertEqual(done.returncode, 1)
            self.assertEqual([a["file"] for a in answers], [str(n) for n in names])
            for answer, (_, code) in zip(answers, make_inputs.BAD.values()):
                self.assertEqual(set(answer), {"file", "error"})
                self.assertEqual(set(answer["error"]), {"code", "message"})
                self.assertTrue(answer["error"]["message"])
                self.assertNotIn("\n", answer["error"]["message"])
                self.assertNotIn("\x1b", answer["error"]["message"])
                if code:
                    self.assertEqual(answer["error"]["code"], code, answer)

    def test_people_see_no_control_characters(self):
        names = make_inputs.write(self.work / "shown", make_inputs.BAD)
        done = item("check", "--pack", self.pack, *names)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(b"\x1b", done.stdout)
        self.assertIn(b"line\\nbreak \\x1b[31m.png", done.stdout)
        self.assertEqual(done.stdout.count(b"failed"), len(names))

    def test_a_name_stands_once(self):
        for name in (b"/nowhere/a\rb\n.jpg", b"/nowhere/\x1b.jpg", "/nowhere/\x85.jpg".encode(),
                     "/nowhere/\u202egpj".encode(), b"/nowhere/\xe9.jpg", b"/nowhere/plain.jpg"):
            done = item("check", "--pack", self.pack, name)
            self.assertEqual(done.stdout.count(b"/nowhere/"), 1, done.stdout)
            self.assertIn(b"cannot be opened", done.stdout)
        self.assertIn(b"a\\rb\\n.jpg",
                      item("check", "--pack", self.pack, b"/nowhere/a\rb\n.jpg").stdout)

    def test_what_is_no_file(self):
        missing, pipe = self.work / "missing.jpg", self.work / "pipe.jpg"
        os.mkfifo(pipe)
        names = [missing, pipe, "", "/dev/null"]
        answers = lines(self.check(*names))
        self.assertEqual([a["file"] for a in answers], [str(n) for n in names])
        self.assertEqual(answers[0]["error"]["code"], "ITEM_E_IO")
        self.assertTrue(all("error" in a for a in answers))

    def test_unreadable(self):
        path = self.work / "secret.jpg"
        path.write_bytes(make_inputs.jpeg())
        path.chmod(0)
        done = as_nobody(self, "check", "--json", "--pack", self.pack, path)
        answer = lines(done)[0]
        self.assertEqual(answer["error"]["code"], "ITEM_E_IO")
        self.assertIn("ermission", answer["error"]["message"])

    def test_name_that_is_no_utf8(self):
        path = os.fsencode(self.work) + b"/caf\xe9.jpg"
        with open(path, "wb"):
            pass
        for names in ([path], [path, path, path]):
            for batch in ("1", "8"):
                answers = lines(self.check("--batch", batch, *names))
                self.assertEqual(len(answers), len(names))
                self.assertTrue(all(a["file"].endswith("caf\ufffd.jpg") for a in answers))
        self.assertIn(b"caf\\xe9.jpg", item("check", "--pack", self.pack, path).stdout)

    def test_without_engine_every_good_picture_says_so(self):
        names = make_inputs.write(self.work / "good", make_inputs.GOOD)
        done = self.check(*names)
        self.assertEqual(done.returncode, 1)
        for answer in lines(done):
            self.assertEqual(answer["error"]["code"], "ITEM_E_NO_ENGINE", answer)
            self.assertIn("libtorch", answer["error"]["message"])

    def test_each_text_has_its_line(self):
        done = item("embed", "--json", "--pack", self.pack, "--text", "a", "--text", b"\xff")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([set(a) for a in lines(done)], [{"text", "error"}] * 2)
        self.assertEqual([a["text"] for a in lines(done)], ["a", "\ufffd"])

    def test_other_commands_tell_too(self):
        name = make_inputs.write(self.work / "other", {"x.jpg": b"no picture"})[0]
        for command in (["caption"], ["detect", "--query", "dog"], ["embed"]):
            done = item(*command, "--json", "--pack", self.pack, name)
            self.assertEqual(done.returncode, 1, command)
            self.assertEqual(set(lines(done)[0]), {"file", "error"}, command)


class Terminal(Case):
    """What is drawn for people, on a terminal alone."""

    def open_terminal(self):
        try:
            return pty.openpty()
        except OSError as why:  # a bare chroot or container
            self.skipTest(f"no pseudo-terminals here: {why}")

    def on_terminal(self, *args, **env):
        outside, inside = self.open_terminal()
        done = subprocess.Popen(command(*args), stdout=inside, stderr=inside,
                                env={**os.environ, "TERM": "xterm", **env})
        os.close(inside)
        said = b""
        try:
            while part := os.read(outside, 4096):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(outside)
        done.wait(20)
        return said

    def test_colours(self):
        name = make_inputs.write(self.work / "colour", {"x.jpg": b"no picture"})[0]
        args = ("check", "--pack", self.pack, name)
        self.assertIn(b"\x1b[31mfailed", self.on_terminal(*args))
        self.assertNotIn(b"\x1b", self.on_terminal(*args, NO_COLOR="1"))
        self.assertNotIn(b"\x1b", item(*args).stdout)

    def test_lines_are_wrapped(self):
        name = make_inputs.write(self.work / "wrapped", {"plain.png": make_inputs.png(9, 9)})[0]
        said = self.on_terminal("check", "--pack", self.pack, name, NO_COLOR="1").decode()
        message = said.splitlines()[2:]
        self.assertGreater(len(message), 1)
        self.assertTrue(all(line.startswith(" " * 15) for line in message))

    def test_json_and_progress_take_turns(self):
        outside, inside = self.open_terminal()
        with subprocess.Popen(command("check", "--json", "--pack", self.pack, "-"), stdout=inside,
                              stdin=subprocess.PIPE, stderr=inside) as process:
            os.close(inside)
            time.sleep(1.1)  # short work has no progress line
            process.stdin.write(b"/nowhere.jpg\n")
            process.stdin.close()
            said = b""
            while not said.endswith(b"}\r\n"):
                said += os.read(outside, 4096)
        os.close(outside)
        self.assertIn(b"/s", said)
        self.assertTrue(said.split(b"{")[0].endswith(b"\r\x1b[K"), said)


class Captions(Case):
    def test_bad_captions(self):
        picture = make_inputs.PICTURES / "chelsea.jpg"
        for caption, code in ((b"\xff\xfe", "ITEM_E_FORMAT"), (b"dog " * 25000, "ITEM_E_LIMIT")):
            done = item("check", "--json", "--pack", self.pack, "--caption", caption, picture)
            self.assertEqual(done.returncode, 1, done.stderr)
            said = done.stdout + done.stderr
            self.assertIn(b"caption", said)
            self.assertLess(len(said), 2000)
            if done.stdout:
                self.assertEqual(lines(done)[0]["error"]["code"], code)


class Ends(Case):
    def start(self, **more):
        return subprocess.Popen(command("check", "--json", "--pack", self.pack, "-"),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)

    def test_interrupt(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = self.start()
            process.stdin.write(b"/nowhere/1.jpg\n")
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(number)
            self.assertEqual(process.wait(20), code)
            self.assertEqual(process.communicate()[1], b"")

    def test_closed_pipe(self):
        process = self.start()
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate(b"/nowhere.jpg\n" * 2000, timeout=60)
        self.assertEqual(said, b"item: cannot write: Broken pipe\n")
        self.assertEqual(process.returncode, 128 + signal.SIGPIPE)

    def test_closed_pipe_of_each_command(self):
        for args in self.asked():
            reader, writer = os.pipe()
            os.close(reader)
            done = subprocess.run(command(*args), stdout=writer, stderr=subprocess.PIPE)
            os.close(writer)
            self.fails(done, 128 + signal.SIGPIPE, "cannot write: Broken pipe")

    def asked(self):
        return [["check", "--json", "--pack", self.pack, "/nowhere.jpg"],
                ["check", "--pack", self.pack, "/nowhere.jpg"], ["phrases", "a dog"],
                ["pack", "show", self.pack], ["pack", "verify", "--json", self.pack],
                ["doctor", "--pack", self.pack], ["--help"], ["train", "--help"], ["--version"]]

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            for args in self.asked():
                done = subprocess.run(command(*args), stdout=full, stderr=subprocess.PIPE)
                self.fails(done, 1, "cannot write: No space left")
        for args in self.asked():
            done = subprocess.run(command(*args), stderr=subprocess.PIPE,
                                  preexec_fn=lambda: os.close(1))
            self.fails(done, 1, "cannot write: Bad file")


class Words(Case):
    def test_tokenize(self):
        done = item("tokenize", "--json", "--pack", self.pack, "a dogs", "", "cat")
        self.assertEqual(lines(done), [{"text": "a dogs", "tokens": [2, 4, 5, 6, 3]},
                                       {"text": "", "tokens": [2, 3]},
                                       {"text": "cat", "tokens": [2, 1, 3]}])
        plain = item("tokenize", "--pack", self.pack, "a dog")
        self.assertEqual(plain.stdout, b"2 4 5 3\n")

    def test_phrases(self):
        text = "two brown dogs run on the grass"
        answer = lines(item("phrases", "--json", text))[0]
        self.assertEqual(answer["text"], text)
        self.assertEqual([p["phrase"] for p in answer["phrases"]], ["two brown dogs", "grass"])
        first = answer["phrases"][0]
        self.assertEqual(text[first["start"]:first["end"]], "two brown dogs")

    def test_lines_of_standard_input(self):
        done = item("phrases", "--json", "-", stdin=b"a dog\na cat\n")
        self.assertEqual([a["text"] for a in lines(done)], ["a dog", "a cat"])

    def test_bad_texts(self):
        self.fails(item("phrases", b"\xff"), 1, "UTF-8")
        self.fails(item("tokenize", "--pack", self.pack, b"\xff"), 1, "UTF-8")
        for args in (["phrases"], ["tokenize", "--pack", self.pack]):
            bad, good = lines(item(*args, "--json", "-", stdin=b"\xff\na dog\n"))
            self.assertEqual(bad["error"]["code"], "ITEM_E_FORMAT")
            self.assertEqual((bad["text"], good["text"]), ("\ufffd", "a dog"))
        long = item("phrases", "--json", "-", stdin=b"a dog and " * 100000)
        self.assertIn(long.returncode, (0, 1))
        self.assertLess(long.stderr.count(b"\n"), 2)


class Training(Case):
    def manifest(self, text):
        path = self.work / "manifest.csv"
        path.write_text(text)
        return path

    def train(self, source):
        return item("train", "--pack", self.pack, "--out", self.work / "head", source)

    def test_no_manifest(self):
        self.fails(self.train(self.work / "none.csv"), 1, "none.csv")
        self.fails(self.train(self.manifest("")), 1, "manifest.csv")
        self.fails(self.train(self.manifest("path,label\na.jpg,fake\n")), 1, "manifest.csv", "fake")
        empty = self.work / "empty-folder"
        empty.mkdir()
        self.fails(self.train(empty), 1, "empty-folder")
        self.assertFalse((self.work / "head").exists())

    def test_files_that_cannot_be_written_are_told_first(self):
        for path, why in ((self.work / "nowhere" / "head", "No such file"),
                          (self.work, "no regular file"), ("/dev/null", "no regular file")):
            self.fails(item("train", "--out", path, "none.csv"), 2, str(path), why)
            self.fails(item("eval", "--save", path, "none.csv"), 2, str(path), why)
            self.fails(item("train", "--out", "head", "--save", path, "none.csv"), 2, str(path))
        locked = self.work / "read-only"
        locked.mkdir()
        locked.chmod(0o555)
        self.fails(as_nobody(self, "train", "--out", locked / "head", "none.csv"), 2, "ermission")

    def test_vectors_have_no_split(self):
        for args in (["train", "--out", "head"], ["eval"]):
            self.fails(item(*args, "--split", "test", "v.safetensors"), 2,
                       "--split works on manifests", "v.safetensors")

    def test_an_evaluation_needs_a_head(self):
        self.assertNotIn(b"none", item("eval", "--help").stdout)
        for source in ("v.safetensors", "manifest.csv"):
            self.fails(item("eval", "--head", "none", "--pack", self.pack, source), 2,
                       "--head none")

    def test_vectors_and_heads_that_are_none(self):
        path = self.work / "x.safetensors"
        path.write_bytes(b"nothing")
        self.fails(item("eval", "--head", path, path), 1, "x.safetensors")
        self.fails(item("eval", "--pack", self.pack, "--head", path, path), 1, "x.safetensors")

    def test_no_engine(self):
        make_inputs.write(self.work / "set" / "ai", make_inputs.GOOD)
        make_inputs.write(self.work / "set" / "real", make_inputs.GOOD)
        self.fails(self.train(self.work / "set"), 1, "libtorch")


class Packs(Case):
    def copy(self, name):
        return make_inputs.tiny_pack(self.work / name)

    def test_show_and_verify(self):
        shown = json.loads(item("pack", "show", "--json", self.pack).stdout)
        self.assertEqual(shown["name"], "tiny")
        self.assertEqual(set(shown["stages"]), {"captioner", "detector", "embedder"})
        done = item("pack", "verify", self.pack)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"no verdict", item("pack", "show", "--pack", self.pack).stdout)

    def shows_of_head(self, photographs, **how):
        """What `pack show` says of a pack with such a head; doctor says the same of it."""
        pack = self.copy(f"headed {photographs} {how}")
        listed = json.loads((pack / "item.json").read_text())
        make_inputs.tiny_head(pack / "head.safetensors", photographs, **how)
        content = (pack / "head.safetensors").read_bytes()
        listed["head"] = {"file": "head.safetensors", "bytes": len(content),
                          "sha256": hashlib.sha256(content).hexdigest()}
        (pack / "item.json").write_text(json.dumps(listed))
        said = item("pack", "show", pack).stdout.decode()
        head = said[said.index("\nhead  "):]
        self.assertTrue(item("doctor", "--pack", pack).stdout.decode().endswith(head))
        return head

    def test_show_and_doctor_tell_of_the_head(self):
        for photographs in (1594, 80):
            said = self.shows_of_head(photographs)
            self.assertRegex(said, r"layout +cosine/global/1\n")
            self.assertRegex(said, rf"fpr5 +at most 5 % .* score 1.25, from {photographs} photogr")
            self.assertRegex(said, r"fpr1 +at most 1 % .* score 2.5," if photographs > 99 else
                             r"fpr1 +no picture is called ai: 80 photographs are too few")
            self.assertRegex(said, r"real +at most 10 % of AI pictures .* below score -1, from 50 AI")
            self.assertRegex(said, r"thresholds hold over all photographs that training held out")
            self.assertNotIn("always unsure", said)
        self.assertIn(b"no verdict", item("doctor", "--pack", self.pack).stdout)

    def test_show_and_doctor_tell_of_a_mute_head(self):
        """It has met enough photographs, so that they cannot be too few."""
        said = self.shows_of_head(1594, mute=True)
        for name, verdict in (("fpr1", "ai"), ("fpr5", "ai"), ("real", "real")):
            self.assertRegex(said, rf"{name} +no picture is called {verdict}: in training the scores")
        self.assertNotIn("too few", said)
        self.assertRegex(said, r"verdicts +always unsure with this head")
        few = self.shows_of_head(19, mute=True)
        self.assertRegex(few, r"fpr5 +no picture is called ai: 19 photographs are too few")

    def test_missing_file(self):
        pack = self.copy("missing")
        (pack / "vocab.txt").unlink()
        self.fails(item("pack", "verify", pack), 1, "vocab.txt")
        self.fails(item("check", "--pack", pack, "a.jpg"), 2, "vocab.txt")

    def test_wrong_hash(self):
        pack = self.copy("changed")
        words = (pack / "vocab.txt").read_bytes()
        (pack / "vocab.txt").write_bytes(words.replace(b"dog", b"cat"))
        self.fails(item("pack", "verify", pack), 1, "vocab.txt", "SHA-256")
        self.fails(item("check", "--pack", pack, "a.jpg"), 2, "vocab.txt")

    def test_no_pack(self):
        empty = self.work / "empty"
        empty.mkdir()
        broken = self.copy("broken")
        (broken / "item.json").write_text("{")
        self.fails(item("pack", "show", self.work / "nowhere"), 1, "nowhere")
        self.fails(item("pack", "show", empty), 1, "empty: is no pack: it has no item.json")
        self.fails(item("pack", "show", broken), 1, "item.json")
        self.fails(item("check", "--pack", empty, "a.jpg"), 2, "item.json")

    def test_pack_that_cannot_be_reached(self):
        (self.work / "locked").mkdir()
        pack = self.copy("locked/pack")
        (self.work / "locked").chmod(0)
        done = as_nobody(self, "pack", "show", pack)
        (self.work / "locked").chmod(0o700)
        self.fails(done, 1, "locked/pack", "Permission denied")

    def test_pack_of_a_published_model(self):
        model, made = make_inputs.tiny_model(self.work / "model"), self.work / "made"
        done = item("pack", "create", "--captioner", self.pack, "--clip", model, made)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"item train --pack", done.stdout)  # how a head is made
        shown = lines(item("pack", "verify", "--json", made))[0]
        self.assertEqual(sorted(shown["stages"]), ["captioner", "embedder"])
        self.assertEqual(item("pack", "verify", model).returncode, 0)
        linked = made / "embedder" / "model.safetensors"
        self.assertEqual(linked.stat().st_ino, (model / "model.safetensors").stat().st_ino)
        self.fails(item("pack", "create", "--clip", model, made), 1, "is there already")
        self.fails(item("pack", "create", "--clip", model), 2, "usage: item pack create")
        self.fails(item("pack", "create", made), 2, "usage: item pack create")
        self.fails(item("pack", "show", "--clip", model), 2, "show|verify")
        copied = item("pack", "create", "--copy", "--json", "--clip", model, self.work / "copied")
        self.assertEqual(lines(copied)[0]["name"], "copied")
        self.assertNotEqual((self.work / "copied/embedder/model.safetensors").stat().st_ino,
                            linked.stat().st_ino)

    def test_published_model(self):
        model = make_inputs.tiny_model(self.work / "published")
        done = lines(item("tokenize", "--json", "--model", model, "a b", ""))
        self.assertEqual([d["tokens"] for d in done], [[2, 0, 1, 3], [2, 3]])
        self.fails(item("embed", "--model", self.work, "--text", "a"), 2, "nor is it a model")
        failed = item("caption", "--json", "--model", model, make_inputs.PICTURES / "chelsea.jpg")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("no captioner", lines(failed)[0]["error"]["message"])
        (model / "config.json").write_text('{"model_type": "git"}')
        self.fails(item("detect", "--model", model, "--query", "a", "b.jpg"), 2,
                   ", owlvit, and open_clip")

    def test_options_of_captions(self):
        self.fails(item("caption", "--max-tokens", "0", "a.jpg"), 2, "--max-tokens", "1 to 512")
        self.fails(item("caption", "--prompt", b"\xff", "a.jpg"), 2, "--prompt", "UTF-8")
        self.fails(item("caption", "--sample", "11", "a.jpg"), 2, "--sample", "0 to 10")
        self.fails(item("caption", "--seed", "-1", "a.jpg"), 2, "--seed", "a whole number")

    def test_shown_texts_cannot_draw(self):
        pack = self.copy("drawn")
        listed = json.loads((pack / "item.json").read_text())
        listed["name"] = "\x1b[31mred"
        listed["stages"]["captioner"]["licence"] = "\x1b]0;title\x07\u061c"
        del listed["stages"]["detector"]["licence"]
        (pack / "item.json").write_text(json.dumps(listed))
        for args in (["pack", "show", pack], ["pack", "verify", pack], ["doctor", "--pack", pack]):
            said = item(*args).stdout
            self.assertNotIn(b"\x1b", said)
            self.assertIn(b"\\x1b[31mred", said)
            self.assertNotIn(b"(null)", said)
        self.assertIn(b"title\\x07\\u061c", item("pack", "show", pack).stdout)

    def test_head_of_another_kind(self):
        head = self.work / "head.safetensors"
        head.write_bytes(b"no head")
        self.fails(item("check", "--pack", self.pack, "--head", head, "a.jpg"), 2,
                   "head.safetensors")
        head.write_bytes(make_inputs.jpeg())
        self.fails(item("check", "--pack", self.pack, "--head", head, "a.jpg"), 2,
                   "head.safetensors: is no safetensors file")

    def test_doctor_without_engine(self):
        done = item("doctor", "--pack", self.pack)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"libtorch", done.stdout)
        self.assertIn(b"tiny 1", done.stdout)


if __name__ == "__main__":
    main(__doc__)
