#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""item tag: what it writes into XMP sidecars, what it keeps, and what it leaves alone.

usage: test_tag.py PROGRAM KILL-AT-RENAME [TEST]...

The second argument is a library to preload, tests/cli/kill_at_rename.c. Tests that need answers are
skipped where the engine or the small pack is missing; all but one where the program has no Exempi.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

from cases import Case, as_nobody, command, item, lines, main
from make_inputs import PICTURES, ROOT

ENGINE = os.environ.get("ITEM_ENGINE_PATH")
PACK = Path(os.environ.get("ITEM_PACK_PATH", ROOT / "packs" / "small"))
KILLER = None
OURS = "{https://libitem.invalid/xmp/1.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
META = "{adobe:ns:meta/}"
NAMES = {"verdict", "probability", "reason", "caption", "fingerprint", "pack", "version", "date"}
CLAIM = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"

# As darktable, digiKam and others write, and what none of them would: made for this test.
SIDECAR = f"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="by hand">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dt="http://darktable.sf.net/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:item="http://other.invalid/item/"
    xmlns:odd="urn:odd" xmlns:ai="https://libitem.invalid/xmp/1.0/"
    xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmp:Rating="4" dt:xmp_version="5" item:verdict="theirs" ext:DigitalSourceType="{CLAIM}">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">My d\u00f6g &amp; me</rdf:li>
    <rdf:li xml:lang="de-DE">Mein Hund</rdf:li><rdf:li xml:lang="fr-FR">Mon chien</rdf:li></rdf:Alt></dc:description>
   <dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>beach</rdf:li></rdf:Bag></dc:subject>
   <dt:history><rdf:Seq><rdf:li dt:num="0" dt:operation="flip" dt:params="gz02eJw"/></rdf:Seq></dt:history>
   <odd:deep rdf:parseType="Resource"><odd:list><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></odd:list></odd:deep>
   <ai:caption><rdf:Bag><rdf:li>of an old version</rdf:li></rdf:Bag></ai:caption>
   <ai:later>of a new version</ai:later>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
""".encode()
BROKEN = {  # content: words of the reason
    b"": "no element found",
    b"no XML": "line 1: syntax error",
    SIDECAR[:len(SIDECAR) // 2]: "line 9: unclosed token",
    SIDECAR.replace("\u00f6".encode(), b"\xff"): "not well-formed",
    b"<html><p>A letter</p></html>": "no XMP, or more than that",
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>': "no XMP, or more than that",
    b"<svg>" + SIDECAR.split(b"\n", 1)[1] + b"</svg>": "no XMP, or more than that",
    SIDECAR.replace(b"</rdf:RDF>", b"</rdf:RDF><letter/>"): "no XMP, or more than that",
    SIDECAR.replace(b"dog<", b"<a>" * 200000 + b"</a>" * 200000 + b"<"): "no XMP, or more than that",
    SIDECAR.replace(b"<x:xmp", b'<!DOCTYPE x [<!ENTITY a "A">]><x:xmp', 1): "no XMP, or more than that",
    SIDECAR.decode().encode("utf-16"): "not in UTF-8",
    SIDECAR.replace(b"UTF-8", b"ISO-8859-1"): "not in UTF-8",
    SIDECAR.replace(b"<ai:later>", b"".join(b"<odd:p%d>1</odd:p%d>" % (i, i) for i in range(4001)) + b"<ai:later>"):
        "too many properties",
    SIDECAR.replace(b"<odd:list>", b"<odd:list " + b"".join(b'odd:p%d="1" ' % i for i in range(4001)) + b">"):
        "too many properties",
    SIDECAR.replace(b"<rdf:li>dog", b"<rdf:li/>" * 500000 + b"<rdf:li>dog"): "too many properties",
    SIDECAR.replace(b'xmp:Rating="4"', b'xmp:Rating="4" rdf:li="5"'): "XML that is no XMP",
    SIDECAR.replace(b"<dc:subject>", b"<dc:subject/><dc:subject>"): "XML that is no XMP",
}

# Theirs as they are, byte for byte: what Exempi by itself would rename, mend, join or drop.
THEIRS = {
    "digikam": b'''<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
   tiff:Software="digiKam-7.9.0" xmp:CreatorTool="digiKam-7.9.0" tiff:Artist="Me" exif:GPSTimeStamp="12:00:00">
   <dc:creator><rdf:Seq><rdf:li>Me</rdf:li></rdf:Seq></dc:creator> <!-- theirs -->
   <dc:subject><rdf:Seq><rdf:li>in order</rdf:li></rdf:Seq></dc:subject>
   <dc:rights><rdf:Alt><rdf:li xml:lang="x-default">one</rdf:li><rdf:li xml:lang="de">other</rdf:li></rdf:Alt></dc:rights>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
''' + b" " * 2000 + b'<?xpacket end="w"?>',
    "one line": b'\xef\xbb\xbf<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description '
                b"r:about='uuid:1 &amp; 2' xmlns:o='urn:o' o:a='&gt; /> =\"&apos;'/></r:RDF>",
    "lines of Windows": b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\r\n <rdf:RDF '
                        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\r\n </rdf:RDF>\r\n</x:xmpmeta>\r\n',
}


def value(element):
    """A property as XMP means it, however it is written."""
    language = element.get("{http://www.w3.org/XML/1998/namespace}lang")
    fields = {k: (None, v) for k, v in element.attrib.items()
              if k.startswith("{") and not k.startswith("{http://www.w3.org/")}
    children = list(element)
    if len(children) == 1 and children[0].tag in (RDF + "Bag", RDF + "Seq", RDF + "Alt"):
        return children[0].tag, [value(li) for li in children[0]]
    fields.update({c.tag: value(c) for c in children})
    return language, fields or (element.text or "")


def properties(text):
    tree = ET.fromstring(text)
    assert tree.tag == META + "xmpmeta" and len(tree) == 1
    found = {}
    for description in tree[0]:
        found.update({k: (None, v) for k, v in description.attrib.items() if not k.startswith(RDF)})
        found.update({c.tag: value(c) for c in description})
    return found


def ours(text):
    return {k[len(OURS):]: v[1] for k, v in properties(text).items() if k.startswith(OURS)}


class Folder(Case):
    def setUp(self):
        self.pictures = self.work / self.id()
        self.pictures.mkdir()

    def picture(self, name="a.jpg"):
        path = self.pictures / name
        shutil.copy(PICTURES / "chelsea.jpg", path)
        return path

    def sidecar(self, content=SIDECAR, name="a.jpg.xmp"):
        path = self.pictures / name
        path.write_bytes(content)
        return path

    def listed(self):
        return sorted(os.listdir(self.pictures))


class WithoutEngine(Folder):
    def test_wrong_use(self):
        self.fails(item("tag"), 2, "name a picture")
        self.fails(item("tag", "--caption", "mine", "a.jpg"), 2, "unknown option --caption")
        self.fails(item("tag", "--pack", self.work / "nowhere", "a.jpg"), 2, "nowhere")

    def test_a_failed_picture_leaves_its_sidecar(self):
        (self.pictures / "a.jpg").write_text("no picture\n")
        path = self.sidecar()
        done = item("tag", "--json", "--pack", self.pack, self.pictures)
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line["error"]["code"] for line in lines(done)], ["ITEM_E_FORMAT"])
        self.assertEqual(path.read_bytes(), SIDECAR)
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def test_the_program_knows_no_claim(self):
        for source in (ROOT / "cli").glob("*.[ch]"):
            self.assertIsNone(re.search("DigitalSourceType|AlgorithmicMedia", source.read_text()), source)


@unittest.skipUnless(ENGINE and (PACK / "item.json").exists(), "the engine or the small pack is missing")
class WithEngine(Folder):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ["ITEM_ENGINE_PATH"] = ENGINE
        cls.cache = cls.work / "cache"

    def tag(self, *args):
        return subprocess.run(command("tag", "--pack", PACK, "--cache", self.cache, *args),
                              capture_output=True, timeout=300)

    def tags(self, *args):
        done = self.tag(*args)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout)
        return done.stdout.decode()

    def refused(self, path, *words):
        """One failure with these words, and nothing written."""
        before = self.listed()
        done = self.tag("--json", path)
        self.assertEqual(done.returncode, 1)
        message = lines(done)[0]["error"]["message"]
        for word in words:
            self.assertIn(word, message)
        self.assertEqual(self.listed(), before)
        self.assertEqual(self.tag("--dry-run", path).returncode, 1)

    def test_a_new_sidecar(self):
        picture = self.picture()
        before = picture.read_bytes()
        old = os.umask(0o027)
        said = self.tags(picture)
        os.umask(old)
        path = self.pictures / "a.jpg.xmp"
        self.assertRegex(said, rf"^written +unsure +{path}\n$")
        found = ours(path.read_text())
        checked = lines(item("check", "--json", "--pack", PACK, "--cache", self.cache, picture))[0]
        self.assertEqual(set(found), NAMES)
        self.assertEqual(set(properties(path.read_text())), {OURS + name for name in NAMES})
        for name in ("verdict", "caption", "fingerprint"):
            self.assertEqual(found[name], checked[name])
        self.assertAlmostEqual(float(found["probability"]), checked["probability"], delta=2e-4)
        self.assertRegex(found["date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)
        self.assertIsNone(re.search(b"(?i)digitalsourcetype|algorithmicmedia|iptc", path.read_bytes()))
        self.assertEqual(picture.read_bytes(), before)
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def test_what_others_wrote_stays(self):
        self.picture()
        path = self.sidecar()
        path.chmod(0o604)
        self.tags(self.pictures)
        before, after = properties(SIDECAR), properties(path.read_bytes())
        self.assertEqual(before[OURS + "later"], after[OURS + "later"])
        changed = {k for k in before | after if before.get(k) != after.get(k)}
        self.assertEqual(changed, {OURS + name for name in NAMES})
        self.assertEqual(len(before), 10)
        self.assertEqual(path.read_bytes().count(b"DigitalSourceType"), 1)  # theirs
        self.assertEqual(path.stat().st_mode & 0o7777, 0o604)

    def test_every_byte_of_others_stays(self):
        path = self.sidecar()
        picture = self.picture()
        for name, theirs in THEIRS.items():
            with self.subTest(name):
                path.write_bytes(theirs)
                begin, end = re.fullmatch(rb"(.*?)([ ]*</r\w*:RDF>.*)", theirs, re.DOTALL).groups()
                sizes = set()
                for prior in ("0.01", "0.02", "0.03"):  # put in, and twice replaced
                    self.assertIn("written", self.tags("--prior", prior, picture))
                    text = path.read_bytes()
                    self.assertTrue(text.startswith(begin) and text.endswith(end), text)
                    self.assertEqual(text.count(b"<item:verdict>"), 1)
                    about = re.search(rb"r?d?f?:about=(\S+|'.*?')", theirs)
                    self.assertEqual(text.count(about[1] if about else b'rdf:about=""'), 2 if about else 1)
                    ET.fromstring(text)
                    sizes.add(len(text))
                self.assertEqual(len(sizes), 1)

    def test_ours_among_others(self):
        """Another program wrote our properties into its own elements, under a prefix of its own."""
        path = self.sidecar(SIDECAR.replace(b'xmp:Rating="4"', b"xmp:Rating=\"4\" ai:verdict = '>/>'\n ai:pack=\"x\"")
                            .replace(b"<dc:subject>", b"<ai:date/><ai:reason>x</ai:reason>\n  <dc:subject>"))
        self.picture()
        self.tags(self.pictures)
        text = path.read_bytes()
        gone = b"   <ai:caption><rdf:Bag><rdf:li>of an old version</rdf:li></rdf:Bag></ai:caption>\n"
        begin = SIDECAR.replace(gone, b"").split(b" </rdf:RDF>")[0]
        begin = begin.replace(b"<dc:subject>", b"\n  <dc:subject>")
        self.assertTrue(text.startswith(begin), text)
        self.assertEqual(set(ours(text)), NAMES | {"later"})
        self.assertIn("unchanged", self.tags(self.pictures))

    def test_a_packet_without_an_end(self):
        path = self.sidecar(b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" /><!-- e -->')
        self.tags(self.picture())
        text = path.read_bytes()
        self.assertTrue(text.startswith(b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" >\n  <rdf:D'))
        self.assertTrue(text.endswith(b"</rdf:Description>\n</rdf:RDF><!-- e -->"))
        self.assertEqual({child.tag[len(OURS):] for child in ET.fromstring(text)[0]}, NAMES)

    def test_again_nothing_changes(self):
        self.picture()
        path = self.sidecar()
        self.tags(self.pictures)
        first, facts = path.read_bytes(), path.stat()
        self.assertIn("unchanged", self.tags(self.pictures))  # the sidecar is taken for no picture
        self.assertEqual((path.read_bytes(), path.stat().st_mtime_ns), (first, facts.st_mtime_ns))
        self.assertIn("written", self.tags("--prior", "0.01", self.pictures))
        before, after = properties(first), properties(path.read_bytes())
        changed = {k for k in before | after if before.get(k) != after.get(k)}
        self.assertIn(OURS + "probability", changed)
        self.assertLessEqual(changed, {OURS + "probability", OURS + "fingerprint", OURS + "date"})

    def test_without_a_verdict(self):
        path = self.picture()
        self.tags(path)
        self.tags("--head", "none", path)
        found = ours((self.pictures / "a.jpg.xmp").read_text())
        self.assertEqual(found["verdict"], "none")
        self.assertNotIn("probability", found)

    def test_which_name(self):
        for name in ("a.jpg", "b.jpg", ".c", "d"):
            self.picture(name)
        other = self.sidecar(name="a.xmp")
        self.sidecar(name="b.xmp")
        self.sidecar(name="b.jpg.xmp")
        self.tags(*[self.pictures / name for name in ("a.jpg", "b.jpg", ".c", "d")])
        self.assertEqual(self.listed(), sorted(
            ["a.jpg", "a.xmp", "b.jpg", "b.xmp", "b.jpg.xmp", ".c", ".c.xmp", "d", "d.xmp"]))
        self.assertIn("verdict", ours(other.read_text()))
        self.assertIn("verdict", ours((self.pictures / "b.jpg.xmp").read_text()))
        self.assertEqual((self.pictures / "b.xmp").read_bytes(), SIDECAR)

    def test_names_of_all_kinds(self):
        names = [b"a\nb.jpg", b"\xff\xfe.jpg", b"-0 & <x>.jpg"]
        for name in names:
            self.picture(os.fsdecode(name))
        told = [line["state"] for line in lines(self.tag("--json", self.pictures))]
        self.assertEqual(told, ["written"] * 3)
        self.assertEqual(sorted(os.listdir(os.fsencode(self.pictures))),
                         sorted(names + [name + b".xmp" for name in names]))
        self.assertEqual(self.tags(self.pictures).count("\n"), 3)
        long = self.picture("n" * 248 + ".jpg")
        self.refused(long, "cannot be read: File name too long")

    def test_a_dry_run(self):
        self.picture()
        path = self.sidecar()
        said = self.tags("--dry-run", self.pictures)
        self.assertIn("would write", said)
        self.assertIn("item:verdict unsure", said)
        self.assertEqual(path.read_bytes(), SIDECAR)
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def test_broken_sidecars(self):
        for i, content in enumerate(BROKEN):
            self.picture(f"{i}.jpg")
            self.sidecar(content, f"{i}.jpg.xmp")
        self.picture("good.jpg")
        done = self.tag("--json", self.pictures)
        self.assertEqual(done.returncode, 1)
        told = {Path(line["file"]).stem: line for line in lines(done)}
        self.assertEqual(told["good"]["state"], "written")
        for i, (content, why) in enumerate(BROKEN.items()):
            message = told[str(i)]["error"]["message"]
            self.assertTrue(message.startswith(f"{i}.jpg.xmp: the sidecar "), message)
            self.assertIn(why, message)
            self.assertIn("left as it is", message)
            self.assertEqual((self.pictures / f"{i}.jpg.xmp").read_bytes(), content)

    def test_what_is_no_plain_file(self):
        picture = self.picture()
        path, target = self.pictures / "a.jpg.xmp", self.sidecar(name="target")
        for there in (target, self.pictures / "nowhere"):
            path.symlink_to(there)
            self.refused(picture, "a.jpg.xmp: the sidecar is a symbolic link")
            path.unlink()
        self.assertEqual(target.read_bytes(), SIDECAR)
        path.mkdir()
        self.refused(picture, "is no file")
        path.rmdir()
        os.mkfifo(path)
        self.refused(picture, "is no file")
        path.unlink()
        self.sidecar().chmod(0o444)
        self.refused(picture, "it is read-only")
        self.assertEqual(path.read_bytes(), SIDECAR)

    def test_no_right_to_write(self):
        picture = self.picture()
        path = self.sidecar()
        for folder in (self.pictures, path):
            folder.chmod(0o555 if folder == self.pictures else 0o666)
        if as_nobody(self, "check", "--pack", PACK, picture).returncode != 0:
            self.skipTest("nobody may not read the engine or the pack where they lie")
        done = as_nobody(self, "tag", "--pack", PACK, picture)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"the sidecar cannot be written: Permission denied", done.stdout)
        self.assertEqual(path.read_bytes(), SIDECAR)
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def test_a_full_disk(self):
        picture = self.picture()
        path = self.sidecar()
        done = subprocess.run(["sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$@"', "sh",
                               *command("tag", "--pack", PACK, picture)], capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"the sidecar cannot be written: File too large", done.stdout)
        self.assertEqual(path.read_bytes(), SIDECAR)
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def preloaded(self, picture):
        checks = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        return subprocess.run(command("tag", "--pack", PACK, picture), capture_output=True, timeout=300,
                              env={**os.environ, "LD_PRELOAD": KILLER, "ASAN_OPTIONS": checks})

    def test_another_program_is_quicker(self):
        done = self.preloaded(self.picture())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"another program wrote the sidecar meanwhile: tag again", done.stdout)
        self.assertEqual((self.pictures / "a.jpg.xmp").read_bytes(), b"theirs")
        self.assertEqual(self.listed(), ["a.jpg", "a.jpg.xmp"])

    def test_killed_before_the_new_one_is_in_place(self):
        picture = self.picture()
        path = self.sidecar()
        done = self.preloaded(picture)
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        self.assertEqual(path.read_bytes(), SIDECAR)
        beside = [name for name in self.listed() if name.startswith(".item-tag-")]
        self.assertEqual(len(beside), 1)
        self.assertEqual(set(ours((self.pictures / beside[0]).read_text())), NAMES | {"later"})
        self.tags(self.pictures)
        self.assertIn("verdict", ours(path.read_text()))


class WithoutExempi(Case):
    def test_it_says_what_is_missing(self):
        self.fails(item("tag", "a.jpg"), 2, "built without Exempi", "libexempi-dev", "-Dexempi=enabled")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    KILLER = str(Path(sys.argv.pop(2)).resolve())
    able = b"without Exempi" not in subprocess.run([sys.argv[1], "tag"], capture_output=True).stderr
    if able:
        del WithoutExempi
    else:
        del WithoutEngine, WithEngine
    del Folder, Case  # they hold no tests
    main(__doc__)
