#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make tests/fuzz/corpus-log/: base blocks and logs for fuzz-log.c, which
makes the checksums and hashes of the logs right by itself.  Run by hand after
a change."""
import functools
import operator
import os
import struct

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus-log")
PAGE, OLD, NEW = 4096, 1, 6


def base(kind, first, second, hbins=PAGE):
    b = bytearray(512)
    struct.pack_into("<4sIIQIIIIII", b, 0, b"regf", first, second, 1, 1, 5,
                     kind, 1, 32, hbins)
    words = struct.unpack_from("<127I", b)
    struct.pack_into("<I", b, 508, functools.reduce(operator.xor, words))
    return bytes(b)


def hive(first, second):
    bins = struct.pack("<4sIIQQI", b"hbin", 0, PAGE, 0, 0, 0)
    return base(0, first, second).ljust(PAGE, b"\0") + bins.ljust(PAGE, b"\0")


def entry(sequence, hbins=PAGE, offset=0):
    """One small page, to keep the corpus so."""
    e = struct.pack("<4sIIIIIQQII", b"HvLE", 1024, 0, sequence, hbins, 1, 0, 0,
                    offset, 512)
    return e.ljust(1024, b"\x5a")


def new(sequence, *entries):
    return base(NEW, sequence, sequence) + b"".join(entries)


def old(sequence, bits):
    return (base(OLD, sequence, sequence) +
            (b"DIRT" + bytes([bits])).ljust(512, b"\0") +
            b"\xa5" * 512 * bin(bits).count("1"))


def write(name, primary, log1=b"", log2=b""):
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(struct.pack("<II", len(primary), len(log1)) + primary + log1 +
                log2)


os.makedirs(OUT, exist_ok=True)
write("clean", hive(9, 9), new(9, entry(9)))
write("new", hive(9, 8), new(20, entry(20), entry(21)), new(22, entry(22)))
write("other-order", hive(9, 8), new(22, entry(22)),
      new(20, entry(20), entry(21)))
write("grows", hive(9, 8), b"", new(20, entry(20, 3 * PAGE, 2 * PAGE)))
write("stale", hive(9, 8), new(7, entry(7)), new(8, entry(8)))
write("old", hive(9, 8), old(9, 0x81), old(10, 0x03))
write("bad-base", b"\xff" * 64 + hive(9, 8)[64:], new(20, entry(20)),
      old(19, 1))
