#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make tests/fuzz/corpus-hive/: small hives for fuzz-hive.c, without the part
of the base block that is empty.  Run by hand after a change."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "corpus-hive")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "fixtures"))
import regf

SECTOR = 512
HIVES = {
    "empty": "",
    "values": r'''
[\A]
@="default"
"Start"=dword:00000003
"Long"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f
"List"=list:"one","three"
"None"=hex(0):
"Wide"=str(2):"%SystemRoot%\\system32"
[\A\B\C]
"Prop"=hex(ffff0012):01,02,03,04,05
''',
    "tree": "".join(f'[\\K{i}\\L\\M{j}]\n"v{j}"=dword:{j}\n'
                    for i in range(3) for j in range(3)),
    "long": '[\\A]\n"x"=count:16400\n"y"=dword:1\n',
    "names": '[\\caf\u00e9\\\u0414\u0438\u0441\u043a]\n"\u20ac"="x"\n',
}


def leaf(hive, kind):
    """The same with every "lh" list in another form: "lf", or "li", which has
    half the length."""
    data = bytearray(hive)
    at = data.find(b"lh", regf.PAGE)
    while at >= 0:
        count = int.from_bytes(data[at + 2:at + 4], "little")
        data[at:at + 2] = kind
        if kind == b"li":
            for i in range(count):
                where = at + 4 + 8 * i
                data[at + 4 + 4 * i:at + 8 + 4 * i] = data[where:where + 4]
        at = data.find(b"lh", at + 4)
    return bytes(data)


def index(hive):
    """The root's list below an "ri", which takes the place of free space."""
    data = bytearray(hive)
    root = regf.PAGE + int.from_bytes(data[36:40], "little") + 4
    free = regf.PAGE + 32
    while (size := int.from_bytes(data[free:free + 4], "little", signed=True)) < 0:
        free -= size
    data[free + 4:free + 12] = b"ri\1\0" + data[root + 28:root + 32]
    data[free:free + 4] = (-16).to_bytes(4, "little", signed=True)
    data[free + 16:free + 20] = (size - 16).to_bytes(4, "little")
    data[root + 28:root + 32] = (free - regf.PAGE).to_bytes(4, "little")
    return bytes(data)


def patched(hive, tag, n, at, new):
    """The content of the @n-th cell with that tag, from @at on, is @new."""
    data = bytearray(hive)
    where = regf.PAGE
    for _ in range(n + 1):
        where = data.index(tag, where + 1)
    data[where + at:where + at + len(new)] = new
    return bytes(data)


NOWHERE = (0x7FFFFFF8).to_bytes(4, "little")


def write(name, hive):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(hive[:SECTOR] + hive[regf.PAGE:])


os.makedirs(OUT, exist_ok=True)
for name, text in HIVES.items():
    root = regf.Key("ROOT")
    regf.parse_reg(text, root)
    made = regf.write_hive(root, name)
    write(name, made)
    if name == "tree":
        write("tree-lf", leaf(made, b"lf"))
        write("tree-li", leaf(made, b"li"))
        write("tree-ri", index(made))
        # what hivex 1.3.23 follows when it deletes a key: an assertion, a
        # write outside the hive, a key that is its own child
        write("class", patched(made, b"nk", 2, 0x30, NOWHERE))
        write("security", patched(made, b"sk", 0, 4,
                                  2 * NOWHERE + b"\1\0\0\0"))
        write("loop", patched(made, b"lh", 0, 4, made[36:40]))
        # two keys of one name: one is deleted, the other one is still there
        write("twins", patched(made, b"M1", 0, 0, b"M0"))
