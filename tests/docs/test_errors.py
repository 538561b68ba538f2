#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/errors.md has every status, every reason, and every line that the library says under a
status; and each line on the page is still said by some source."""
import functools
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SELECTION = {"ITEM_E_ARGUMENT"}  # too many, and they tell the cure themselves
# what itx_loader_fail() says ends behind `weights of "...": `
FAIL = re.compile(r"\b(?:itemi|itx)_(?!loader)\w*fail\w*\(([^;]*?)\);", re.S)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
VARIES = re.compile(r"%[-+ #0]*[\d.*]*(?:ll|[hlzt])?[a-zA-Z]?")


def sources(*folders):
    return {p: p.read_text() for f in folders for p in sorted((ROOT / f).rglob("*.c*"))}


def joined(text):
    """Neighbouring literals as one, with nothing but what the compiler would join between."""
    text = text.replace('\\"', "'")
    text = re.sub(r'"\s*PRI\w+\s*"', "u", text)
    text = re.sub(r'"\s*PRI\w+', 'u"', text)
    return re.sub(r'"\s*"', "", text)


def said_under_a_status(texts):
    """(status, format) of each failure that names both."""
    for path, text in texts.items():
        for match in FAIL.finditer(joined(text)):
            status = re.search(r"\bITEM_E_\w+", match.group(1))
            formats = STRING.findall(match.group(1))
            if status and formats:
                yield path, status.group(0), formats[0]


@functools.cache
def pattern(words):
    """A line of the page as a test on formats: ... stands for anything."""
    parts = (re.escape(part) for part in re.split(r"\.\.\.\.?", words.replace('"', "'")))
    return re.compile("^" + ".*".join(parts) + "$", re.S)


def page_lines(page):
    """{heading: lines} of the tables' first column."""
    found = {}
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        heading, _, text = section.partition("\n")
        cells = re.findall(r"^\| (`.*?`) \|", text, re.M)
        found[heading] = [words for cell in cells for words in re.findall(r"`([^`]+)`", cell)]
    return found


@functools.cache
def said(format_):
    """A format as the page writes it; backticks of a message cannot stand in a code span."""
    return VARIES.sub("...", format_).replace("`", "")


def fits(words, format_):
    # a line without words, `...: ...`, stands for a message without any, not for all
    if not re.search(r"[A-Za-z]", words) and re.search(r"[A-Za-z]", said(format_)):
        return False
    return pattern(words).match(said(format_)) is not None


def missing_messages(lines, failures):
    for path, status, format_ in failures:
        if status not in SELECTION and not any(fits(w, format_) for w in lines.get(status, ())):
            yield f"{status}: {path.relative_to(ROOT)} says \"{format_}\""


def stale_messages(lines, formats):
    for heading, listed in lines.items():
        if heading == "Reasons of a verdict":
            continue
        for words in listed:
            bare = words.removeprefix("item: ") if heading == "The program" else words
            if not any(fits(bare, f) or fits(words, f) for f in formats):
                yield f"{heading}: nothing says \"{words}\""


def missing_names(page, lines):
    header = (ROOT / "include/item/base.h").read_text()
    statuses = re.findall(r"^#define (ITEM_(?:OK|E_\w+)) ", header, re.M)
    yield from (f"no section on {s}" for s in statuses if s not in lines)
    judge = (ROOT / "lib/core/head_judge.c").read_text()
    codes = re.findall(r"\[ITEM_REASON_\w+\] = \{\s*\"(\w+)\"", judge)
    table = lines.get("Reasons of a verdict", ())
    yield from (f"no reason {c}" for c in codes if c not in table)
    if len(statuses) < 14 or len(codes) < 9:
        yield f"{len(statuses)} statuses and {len(codes)} reasons found: the sources look different"


def complaints(page, failures, formats):
    lines = page_lines(page)
    return [*missing_names(page, lines), *missing_messages(lines, failures),
            *stale_messages(lines, formats)]


def can_fail(page, failures, formats):
    """What is taken from the page, or said by nobody, is seen."""
    taken = [("## ITEM_E_FORKED\n", "## Forks\n"), ("| `settings` |", "| `setting` |"),
             ("`a JPEG of more than ... scans at ... x ...`", "`a JPEG`"), ("`cancelled`", "`stopped`"),
             ("`left out: ...`", "`let in: ...`")]
    return [before for before, after in taken
            if before not in page or not complaints(page.replace(before, after, 1), failures, formats)]


def main():
    page = (ROOT / "docs" / "errors.md").read_text()
    library, program = sources("lib"), sources("cli")
    failures = list(said_under_a_status(library))
    formats = {f for t in (*library.values(), *program.values()) for f in STRING.findall(joined(t))}
    formats |= {f for _, _, f in failures}
    bad = complaints(page, failures, formats)
    bad += [f"a change goes unseen: {before}" for before in can_fail(page, failures, formats)]
    print("\n".join([*bad, f"{len(failures)} messages with a status, {len(bad)} complaints"]))
    return bool(bad) or len(failures) < 200


if __name__ == "__main__":
    sys.exit(main())
