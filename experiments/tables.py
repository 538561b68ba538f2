#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of OUT/*.json into a page, between the marker lines

    <!-- table NAME -->
    <!-- end -->

usage: tables.py [OUT [PAGE]]

All else in the page is left as it is, and so is a table that OUT has no result for.
"""
import csv
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACE = re.compile(r"(<!-- table ([\w-]+) -->\n).*?(<!-- end -->)", re.S)


def number(value):
    if value is None or value != value:  # no number: a figure that does not exist
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def cell(value):
    """A text, a number, [value, low, high], or nothing."""
    if isinstance(value, list):
        middle, *ends = map(number, value)
        return f"{middle} ({' to '.join(ends)})" if ends else middle
    return number(value).replace("|", "\\|").replace("\n", " ")


def markdown(table):
    lines = ["| " + " | ".join(table["columns"]) + " |", "|" + "---|" * len(table["columns"])]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in table["rows"]]
    return "\n".join(lines) + ("\n\n" + table["note"] if table.get("note") else "")


def origin(facts):
    """The line below each table: how to repeat it, and what it was made with."""
    versions = ", ".join(value if key == "item" else f"{key} {value}"
                         for key, value in facts["versions"].items())
    return (f"`{facts['command']}`, {facts['date']}; {versions}; {facts['processor']}; "
            f"pack {facts['inputs']['pack'][:12]}.")


def looks_table(path=HERE / "looks.csv"):
    with open(path, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    columns = ["look", "date", "commit", "what was looked at", "why"]
    body = [[i + 1, r["date"], r["commit"], r["arms"], r["why"]] for i, r in enumerate(rows)]
    return markdown({"columns": columns, "rows": body}) + f"\n\nLooks so far: {len(rows)}."


def all_tables(out):
    """Text by the name of a marker."""
    texts = {"looks": looks_table()}
    for path in sorted(Path(out).glob("*.json")):
        facts = json.loads(path.read_text("utf-8"))
        for name, table in facts.get("tables", {}).items():
            texts[name] = markdown(table) + "\n\n" + origin(facts)
    return texts


def fill(page, texts):
    """The page with its tables, and the names that have no place in it."""
    def put(match):
        text = texts.get(match.group(2))
        return match.group(0) if text is None else f"{match.group(1)}{text}\n{match.group(3)}"

    placed = {name for _, name, _ in PLACE.findall(page)}
    return PLACE.sub(put, page), sorted(set(texts) - placed)


def render(out, page):
    page = Path(page)
    if not page.exists():
        print(f"{page}: is not there, so no table was written")
        return
    filled, homeless = fill(page.read_text("utf-8"), all_tables(out))
    page.write_text(filled, encoding="utf-8")
    for name in homeless:
        print(f"{page.name}: no place for the table {name}")


def main(args):
    out = args[0] if args else HERE.parent / "build" / "experiments"
    render(out, args[1] if len(args) > 1 else HERE.parent / "docs" / "experiments.md")


if __name__ == "__main__":
    main(sys.argv[1:])
