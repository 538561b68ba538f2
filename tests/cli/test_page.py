#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of `item report` in headless Chromium: filters, keys, boxes, and all of it without scripts.

usage: test_page.py PROGRAM [TEST]...
       test_page.py PROGRAM --figures N    what a page of N pictures costs the browser
       test_page.py PROGRAM --screenshot FILE [dark]

Skipped (exit code 77) where Chromium, the engine or the small pack is missing.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from make_inputs import PICTURES, ROOT

PACK = Path(os.environ.get("ITEM_PACK_PATH", ROOT / "packs" / "small"))
CHROMIUM = shutil.which("chromium")
PROGRAM = None

# What a person sees, and does, told as JSON in the page's title.
LOOK = """<script>
document.title = JSON.stringify({
  cards: [...document.querySelectorAll('article')].filter(c => c.offsetHeight > 0).length,
  form: getComputedStyle(document.querySelector('form')).display});
</script></body>"""
ACTIONS = """<script>
let waited = 0;
function begin() {  // a window that was just opened may not have the focus yet
  if (!document.hasFocus() && waited++ < 80) return setTimeout(begin, 50);
  act();
}
function act() {
const said = {}, cards = [...document.querySelectorAll('article')];
const shown = () => cards.filter(c => !c.hidden).length;
const key = name => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));
const search = document.getElementById('search'), unsure = document.querySelector('[value=unsure]');
const opacity = c => getComputedStyle(c.querySelector('.p i')).opacity;
said.first = [shown(), document.getElementById('count').textContent];
search.value = 'DOG water'; let start = performance.now();
search.dispatchEvent(new Event('input', {bubbles: true}));
said.words = shown(); document.body.offsetHeight; said.filter_ms = performance.now() - start;
search.value = ''; unsure.checked = false;
unsure.dispatchEvent(new Event('input', {bubbles: true}));
said.no_unsure = shown();
unsure.checked = true; unsure.dispatchEvent(new Event('input', {bubbles: true}));
key('ArrowRight'); said.at_first = cards.indexOf(document.activeElement);
key('ArrowRight'); said.at_second = cards.indexOf(document.activeElement);
key('End'); key('ArrowDown'); said.below = cards.indexOf(document.activeElement);
key('/'); said.searching = document.activeElement === search;
key('Escape'); said.left = document.activeElement !== search;
const boxed = cards.find(c => c.querySelector('.p i'));
said.box_before = opacity(boxed); boxed.focus(); said.box_after = opacity(boxed);
document.title = JSON.stringify(said);
}
begin();
</script></body>"""


def item(*args, codes=(0,)):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, timeout=300, check=False)
    if done.returncode not in codes:
        raise AssertionError(f"exit code {done.returncode}: {done.stderr.decode()}")


def browse(page, *options):
    """What Chromium makes of a page; it keeps nothing and asks nobody."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home}",
             "--disable-background-networking", "--virtual-time-budget=5000",
             "--window-size=1200,900", *options, Path(page).as_uri()],
            capture_output=True, timeout=120, check=True, env={**os.environ, "HOME": home}).stdout.decode()


def told(text, script):
    """What a script that was added to a page tells in its title."""
    with tempfile.TemporaryDirectory() as work:
        copy = Path(work) / "page.html"
        copy.write_text(text.replace("</body>", script))
        title = re.search(r"<title>(.*?)</title>", browse(copy, "--dump-dom"), re.S).group(1)
    return json.loads(title)


def make_page(work, pictures=None):
    """A page of the sample pictures, or of so many copies of them."""
    folder = work / "pictures"
    samples = sorted(PICTURES.glob("*.jpg"))
    folder.mkdir()
    for i in range(pictures or len(samples)):
        sample = samples[i % len(samples)]
        shutil.copy(sample, folder / (f"{i:05}.jpg" if pictures else sample.name))
    (folder / "<b>broken.jpg").write_text("no picture")
    item("scan", "--index", work / "index", "--pack", PACK, folder, codes=(1,))
    item("report", "--index", work / "index", "--out", work / "page.html", "--title", "Samples")
    return work / "page.html"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.page = make_page(Path(cls.folder.name))
        cls.count = len(list(PICTURES.glob("*.jpg")))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_what_a_person_does(self):
        said = told(self.page.read_text(), ACTIONS)
        self.assertEqual(said["first"], [self.count, f"{self.count} of {self.count} shown"])
        self.assertEqual(said["words"], 1)
        self.assertLess(said["no_unsure"], self.count)
        self.assertEqual((said["at_first"], said["at_second"]), (0, 1))
        self.assertGreater(said["below"], 2)
        self.assertTrue(said["searching"] and said["left"])
        self.assertEqual((said["box_before"], said["box_after"]), ("0", "1"))

    def test_without_scripts(self):
        text = re.sub(r"<script>.*?</script>", "", self.page.read_text(), flags=re.S)
        self.assertEqual(told(text, LOOK), {"cards": self.count, "form": "none"})
        self.assertEqual(told(self.page.read_text(), LOOK)["form"], "flex")

    def test_nothing_is_loaded(self):
        text = self.page.read_text()
        self.assertEqual(re.findall(r"""(?:src|href)=["']?(?!data:)[a-z]""", text), [])
        self.assertIn("default-src 'none'", text)


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop(1)
    if not CHROMIUM or not os.environ.get("ITEM_ENGINE_PATH") or not (PACK / "item.json").exists():
        print("skipped: Chromium, the engine or the small pack is missing")
        sys.exit(77)
    if len(sys.argv) > 2 and sys.argv[1] in ("--figures", "--screenshot"):
        with tempfile.TemporaryDirectory() as work:
            figures = sys.argv[1] == "--figures"
            page = make_page(Path(work), int(sys.argv[2]) if figures else None)
            if figures:
                print(f"{page.stat().st_size / 1e6:.1f} MB, words filtered and laid out in "
                      f"{told(page.read_text(), ACTIONS)['filter_ms']:.0f} ms")
            else:
                browse(page, f"--screenshot={Path(sys.argv[2]).resolve()}", "--hide-scrollbars",
                       *(["--force-dark-mode"] if sys.argv[3:] else []))
        return
    unittest.main()


if __name__ == "__main__":
    main()
