#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name must exist: files, headings, functions, macros. And each source file
begins by saying what it is for.

In every *.md:
    [text](path#heading)    the file, from the page's folder, and its heading
    `lib/core/check.c`      a path below a folder of this repository
    `lib/core/check.c: f()` a function that is defined in that file
    `item_f()`, `ITEM_X`    names of libitem that stand in a source file; ITEM_X_... any that begins so
README.md links every page of docs/.

usage: tools/check_docs.py [ROOT]
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {".c", ".h", ".cc", ".py", ".sh", ".map", ".build", ".in", ".txt"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PLACE = re.compile(r"^([\w./-]+\.(?:c|h|cc|py|sh)): ([\w, ()]+)$")
NAME = re.compile(r"\b(item[ix]?_\w+|itx_\w+|ITEM[IX]?_\w+)(\.\.\.)?")
# what a page calls something that does not exist yet: the next node of the symbol map
EXAMPLES = {"ITEM_1_1"}


def tracked(root):
    """Files of the repository: what git does not ignore, or, where there is no git, all."""
    done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                          cwd=root, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        return [root / name for name in done.stdout.splitlines() if (root / name).is_file()]
    return [p for p in root.rglob("*") if p.is_file()]


def headings(page):
    """The anchors that a forge makes of a page's headings."""
    titles = re.findall(r"^#+ +(.*?) *$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


class Tree:
    def __init__(self, root):
        files = tracked(root)
        self.root = root
        self.pages = sorted(p for p in files if p.suffix == ".md")
        self.tops = {p.relative_to(root).parts[0] for p in files}
        text = "\n".join(p.read_text(errors="replace") for p in files
                         if p.suffix in SOURCES and "docs" not in p.relative_to(root).parts[:1])
        self.names = set(re.findall(r"\b(?:item[ix]?_|itx_|ITEM[IX]?_)\w+", text))
        self.paths = {str(p.relative_to(root)) for p in files}

    def knows(self, name, open_end):
        if name in EXAMPLES or name in self.names:
            return True
        return (open_end or name.endswith("_")) and any(n.startswith(name) for n in self.names)


def defines(path, name):
    """A function starts a line with its type, and `name(` is no call there."""
    text = path.read_text()
    if path.suffix == ".py":
        return re.search(rf"^\s*(?:def|class) {name}\b", text, re.M) is not None
    pattern = rf"^(?!\s|#|/|\*|return\b)[^;=\n]*\b{name}\([^;]*?\)[^;{{]*\n?\{{"
    return re.search(pattern, text, re.M) is not None


def wrong_links(tree, page, text):
    for target in LINK.findall(text):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"no file {target}"
        elif anchor and file.suffix == ".md" and anchor not in headings(file):
            yield f"no heading {target}"


def wrong_spans(tree, text):
    for span in SPAN.findall(text):
        place = PLACE.match(span)
        if place:
            file = tree.root / place.group(1)
            if not file.exists():
                yield f"no file {place.group(1)}"
                continue
            for name in re.findall(r"\w+", place.group(2)):
                if not defines(file, name):
                    yield f"{place.group(1)} defines no {name}"
        elif re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", span) and span.split("/")[0] in tree.tops:
            if not (tree.root / span).exists():
                yield f"no file {span}"
        for name, open_end in NAME.findall(span) if "/" not in span or place else []:
            if not tree.knows(name, open_end):
                yield f"nothing is called {name}"


def not_linked(tree):
    """Pages of docs/ that README does not lead to."""
    readme = tree.root / "README.md"
    linked = LINK.findall(readme.read_text()) if readme.exists() else []
    for page in tree.pages:
        name = str(page.relative_to(tree.root))
        if linked and name.startswith("docs/") and name not in linked:
            yield f"README.md: no link to {name}"


def silent_files(tree):
    """Source files that begin without a comment."""
    for name in sorted(tree.paths):
        path = tree.root / name
        if path.suffix not in {".c", ".h", ".cc", ".py", ".sh", ".map"} and path.name != "meson.build":
            continue
        lines = [line for line in path.read_text(errors="replace").splitlines()
                 if line.strip() and not line.startswith("#!") and "SPDX-License" not in line]
        if lines and not re.match(r"/\*|//|\"\"\"|#(?! ?(include|define|if))", lines[0]):
            yield f"{name}: does not begin by saying what it is for"


def complaints(root):
    tree = Tree(root)
    said = [*not_linked(tree), *silent_files(tree)]
    for page in tree.pages:
        text = page.read_text()
        # blocks of code are programs and their output: links and names in prose alone
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        wrong = [*wrong_links(tree, page, prose), *wrong_spans(tree, prose)]
        said += [f"{page.relative_to(root)}: {line}" for line in wrong]
    return len(tree.pages), said


def main(args):
    pages, said = complaints(Path(args[0]).resolve() if args else ROOT)
    print("\n".join([*said, f"{pages} pages, {len(said)} complaints"]))
    return len(said) > 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
