#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C program that tells how the compiler lays out the public headers, as JSON.

usage: tools/layout.py PROGRAM.c PROGRAM.d     (the second: make's list of what was read)

Bindings compare their declarations with what the program prints (tests/layout/layout.json in a
build folder). Types are the headers' own, without names of parameters; the compiler compares them
with the declarations that they were read from:

    structs    {name: {"size": bytes, "members": {name: [offset, size, type]}}}
    constants  {name: number or text}
    functions  {name: [type of the result, [types of the parameters]]}
    types      {name: type}: what else is declared, handles left out
    defaults   {name of a struct: bytes that its ITEM_..._INIT gives, in hexadecimal}
"""
import json
import re
import sys
from pathlib import Path

import api_list

NO_CONSTANT = re.compile(r"ITEM_(API|\w+_INIT)$")
STRUCT = re.compile(r"^typedef struct (item_\w+) \{(.*?)^\} \1;", re.M | re.S)
FUNCTION = re.compile(r"^ITEM_API ([^;{]*?)\b(item_\w+)\(([^;]*)\);", re.M)
TYPE = re.compile(r"^typedef ((?!struct \w+ (?:\{|\w+;))[^;]*);", re.M)
INIT = re.compile(r"^#define (ITEM_\w+)_INIT\b", re.M)
POINTED = re.compile(r"(.*)\(\*(\w*)\)\((.*)\)$")
PLAIN = re.compile(r"(.*?[ *])(\w*)((?:\[\w+\])*)$")


def bare(text):
    """A header without comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def tidy(text):
    """`const struct item_row *`: one blank between words, none of them `struct`."""
    text = re.sub(r"\bstruct\b", " ", text)
    return re.sub(r"\* (?=[*(]|$)", "*", re.sub(r"\s+", " ", text.replace("*", " * "))).strip()


def parameters(text):
    """Types of a list of parameters; no type in the headers has a comma of its own."""
    return [] if text.strip() == "void" else [declared(p)[1] for p in text.split(",")]


def declared(text):
    """(name, type) of a declaration."""
    text = " ".join(text.split())
    pointed = POINTED.match(text)
    if pointed:
        result, name, takes = pointed.groups()
        return name, f"{tidy(result)} (*)({', '.join(parameters(takes)) or 'void'})"
    kind, name, array = PLAIN.match(text).groups()
    return name, tidy(kind) + array


def typedefs(text):
    """Everything that a name stands for but structs and handles; functions count as such."""
    for declaration in TYPE.findall(text):
        function = re.match(r"([^(]*[ *])(item_\w+)\((?!\*)(.*)\)$", " ".join(declaration.split()))
        if function:
            result, name, takes = function.groups()
            yield name, f"{tidy(result)} ({', '.join(parameters(takes))})"
        else:
            yield declared(declaration)


def read(text):
    """What the headers say by themselves: members and constants by name, functions, types."""
    text = bare(text)
    return {
        "structs": {name: dict(declared(m) for m in body.split(";") if m.strip())
                    for name, body in STRUCT.findall(text)},
        "constants": [c for c in api_list.CONSTANT.findall(text) if not NO_CONSTANT.match(c)],
        "functions": {name: [tidy(result), parameters(takes)]
                      for result, name, takes in FUNCTION.findall(text)},
        "types": dict(typedefs(text)),
        "defaults": [name.lower() for name in INIT.findall(text)],
    }


def assertions(found):
    """Lets the compiler compare each type with what it was read from."""
    for struct, kinds in found["structs"].items():
        for name, kind in kinds.items():
            yield f"SAME(__typeof__((({struct} *)0)->{name}), {kind});"
    for name, (result, takes) in found["functions"].items():
        yield f"SAME(__typeof__({name}), {result}({', '.join(takes) or 'void'}));"
    for name, kind in found["types"].items():
        yield f"SAME({name}, {kind});"


def put(text):
    """A statement that prints a text as it is."""
    return f"    fputs({json.dumps(text)}, stdout);"


def section(key, entries):
    """Statements that print an object; each entry is a list of statements."""
    yield put(f'"{key}": {{')
    for i, statements in enumerate(entries):
        yield put(",\n" if i else "\n")
        yield from statements
    yield put("}")


def measured(struct, kinds):
    """Statements that print size and members of a struct."""
    members = ([put(f'"{name}": '), f"    MEMBER({struct}, {name});", put(f', "{kind}"]')]
               for name, kind in kinds.items())
    return [put(f'"{struct}": {{"size": '), f"    show_number(sizeof({struct}));", put(", "),
            *section("members", members), put("}")]


def body(found):
    """Statements that print the dump."""
    yield put("{")
    yield from section("structs", (measured(*s) for s in found["structs"].items()))
    yield put(",\n")
    yield from section("constants", ([put(f'"{c}": '), f"    SHOW({c});"]
                                     for c in found["constants"]))
    for key in ("functions", "types"):
        yield put(",\n")
        yield from section(key, ([put(f'"{name}": {json.dumps(kind)}')]
                                 for name, kind in found[key].items()))
    yield put(",\n")
    yield from section("defaults", ([put(f'"{name}": "'), f"    INIT({name}, {name.upper()}_INIT);",
                                     put('"')] for name in found["defaults"]))
    yield put("}\n")


def program(found):
    return "\n".join([
        "/* Made by tools/layout.py of the public headers. */",
        *(f"#include <item/{h}>" for h in api_list.headers()),
        "#include <stdio.h>",
        'static void show_number(long long n) { printf("%lld", n); }',
        'static void show_text(const char *t) { printf("\\"%s\\"", t); }',
        "#define SHOW(c) _Generic((c), char *: show_text, default: show_number)(c)",
        '#define MEMBER(s, m) printf("[%zu, %zu", offsetof(s, m), sizeof(((s *)0)->m))',
        "static void show_bytes(const void *of, size_t n)",
        '{ for (const unsigned char *b = of; n--; b++) printf("%02x", *b); }',
        "#define INIT(s, i) do { const s a = i; show_bytes(&a, sizeof a); } while (0)",
        "#define SAME(a, b) _Static_assert(__builtin_types_compatible_p(a, b), #a)",
        *assertions(found), "int main(void)", "{", *body(found), "    return 0;", "}", ""])


def main(out, depends):
    headers = [api_list.INCLUDE / h for h in api_list.headers()]
    Path(out).write_text(program(read("\n".join(h.read_text() for h in headers))))
    read_from = headers + sorted({h.parent for h in headers})  # a folder: a header may be added
    Path(depends).write_text(f"{out}: {' '.join(map(str, read_from))}\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
