#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make some files of tests/fuzz/corpus-disk/ for fuzz-disk.c.  place-*: of
volumes whose files and MFT are in many pieces, the sectors that are read on
the way to a file; bitlocker-*: of volumes with keys, all that is not empty.
Run by hand after a change; needs what fixtures/mkguest
does."""
import os
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "..", "fixtures")
OUT = os.path.join(HERE, "corpus-disk")
sys.path.insert(0, FIXTURES)
import sddl

SECTOR, LIST = 512, 0x20
DESCRIPTOR = sddl.parse("O:BAG:SYD:(A;;FA;;;WD)").hex()


def run(*args, **kw):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **kw)


def fill(disk, *entries):
    lines = "".join("\t".join((e[0], DESCRIPTOR, *e[1:])) + "\n"
                    for e in entries)
    run("./ntfs-fill", disk, input=lines.encode())


def first_run(attr):
    """(lcn, count) of a non-resident attribute"""
    at, = struct.unpack_from("<H", attr, 32)
    n, m = attr[at] & 15, attr[at] >> 4
    return (int.from_bytes(attr[at + 1 + n:at + 1 + n + m], "little"),
            int.from_bytes(attr[at + 1:at + 1 + n], "little"))


def attributes(record):
    at, = struct.unpack_from("<H", record, 20)
    while struct.unpack_from("<I", record, at)[0] != 0xFFFFFFFF:
        length, = struct.unpack_from("<I", record, at + 4)
        yield record[at:at + length]
        at += length


def record(disk, offset):
    r = bytearray(disk[offset:offset + 1024])
    if r[:4] != b"FILE":
        return None
    usa, = struct.unpack_from("<H", r, 4)
    for i in (1, 2):
        r[i * SECTOR - 2:i * SECTOR] = r[usa + 2 * i:usa + 2 * i + 2]
    return r


def sectors_read(disk, number):
    """Of the boot sector, the records 0, 2, 3 and @number, those that belong
    to 0 and @number, their attribute lists, and the journal's start."""
    cluster = SECTOR * disk[13]
    yield 0
    mft = struct.unpack_from("<Q", disk, 48)[0] * cluster
    for offset in range(0, len(disk) - 1023, SECTOR):
        r = record(disk, offset)
        if r is None:
            continue
        base, mine = struct.unpack_from("<Q4xI", r, 32)
        if mine < 4 and offset != mft + mine * 1024:
            continue                   # $MFTMirr
        if mine not in (0, 2, 3, number) and (
                base == 0 or base & (1 << 48) - 1 not in (0, number)):
            continue
        yield from (offset // SECTOR, offset // SECTOR + 1)
        for attr in attributes(r):
            if attr[8] and (mine == 2 or attr[0] == LIST):
                lcn, count = first_run(attr)
                n = min(count * cluster, 8192) // SECTOR
                yield from range(lcn * cluster // SECTOR,
                                 lcn * cluster // SECTOR + n)


def write(name, number, choose=sectors_read):
    with open("disk", "rb") as f:
        disk = f.read()
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(struct.pack("<BI", number << 1, len(disk) // SECTOR))
        for s in sorted(set(choose(disk, number))):
            data = disk[s * SECTOR:(s + 1) * SECTOR]
            if any(data):
                f.write(struct.pack("<I", s) + data)


def number_of(name):
    out = subprocess.run(["ifind", "-n", "/" + name, "disk"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return int(out)


def make(cluster, size):
    with open("disk", "wb") as f:
        f.truncate(size)
    run("mkntfs", "-qFf", "-c", cluster, "disk")


os.environ["PATH"] += ":/usr/sbin:/sbin"
tmp = tempfile.TemporaryDirectory()
os.chdir(tmp.name)
flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libntfs-3g"],
                       check=True, stdout=subprocess.PIPE, text=True).stdout
run("cc", "-o", "ntfs-fill", FIXTURES + "/ntfs-fill.c", *flags.split())

# clusters of 512 bytes: the file's start is in many pieces, its run list in
# many records, the first part not in its first
make("512", 4 << 20)
fill("disk", ("fill", "big", "500000"), ("weave", "warp", "30000"),
     ("drop", "warp.weft"), ("crowd", "warp", "30"))
write("place-file", number_of("warp"))

# clusters of 4096 bytes: the run list of the MFT is in several records
make("4096", 16 << 20)
fill("disk", ("fill", "big", "6000000"), ("weave", "warp", "200000"),
     ("drop", "warp.weft"))
fill("disk", *(("file", f"f{i}", "/dev/null") for i in range(1500)))
write("place-mft", number_of("warp"))

# master keys, and one that only the second copy of the metadata has
for name, *options in (("locked", "tpm", "recovery-password"),
                       ("suspended", "--damage", "1", "tpm", "clear-key")):
    run(FIXTURES + "/mkbitlocker", "disk", *options)
    write("bitlocker-" + name, 0,
          lambda disk, number: range(len(disk) // SECTOR))
