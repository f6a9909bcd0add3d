#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""against-windows.py PLAN-TOOL MKHIVE WORK: what we write against what Windows wrote.

Carries out the plan for viostor, NetKVM and vioserial on a real Windows 10
hive with real drivers, and compares the result key by key, in both directions,
with captures of what Windows 10 wrote when it installed the same drivers
($V2V_SHARED/data/windows-registry).  Skipped (77) without them.

Not compared, since they belong to the one capture: dates, sizes, paths of the
source, the signing submission (Properties), Tag, SignerScore, StatusFlags, the
damaged Source.  The captures are of older INFs: INF_DIFFERS lists what the INF
in hand says otherwise.
"""
import datetime
import json
import lzma
import os
import re
import struct
import subprocess
import sys

try:
    import hivex
except ImportError:
    print("skipped: python3-hivex is not installed")
    sys.exit(77)

NOT_COMPARED = {"source", "signerscore", "statusflags", "filesize", "oempath",
                "tag", "updatedate", "oeminfmap"}
# may be absent: Tag is optional, UpdateDate came after 1709
NOT_REQUIRED = {"tag", "updatedate"}
# value -> why our INF differs from the captured one
INF_DIFFERS = {"messagenumberlimit": "256 in the captured viostor, 257 now"}
# what we may write beyond a capture -> why
MORE = {
    "importdate": "the captures were stripped of dates",
    "filesize": "in viostor's capture only",
    "grouppolicy": "not yet in the captured INF",
    "dmaremappingcompatible": "not yet in the captured INF",
    "catalog": "", "@class-index": "not captured for viostor",
}
DRIVERS = (("viostor", "viostor/w10/amd64/viostor.inf"),
           ("netkvm", "NetKVM/w10/amd64/netkvm.inf"),
           ("vioserial", "vioserial/w10/amd64/vioser.inf"))
PARTS = (("SoftwareRegistry", "SOFTWARE"), ("SystemRegistry", "SYSTEM"),
         ("SystemRegistryDrivers", "SYSTEM"), ("DriversRegistry", "DRIVERS"))


def to_hex(text):
    return ",".join("%02x" % b for b in text.encode("utf-16-le"))


def fill_in(text, words):
    """the captures' place-holders"""
    text = re.sub(r'\{\{\s*"([^"]*)"\s*\|\s*add:driverName\s*\|\s*toHex\s*\}\}',
                  lambda m: to_hex(m[1] + words["driverName"]), text)
    text = re.sub(r'\{\{\s*"([^"]*)"\s*\|\s*toHex\s*\}\}',
                  lambda m: to_hex(m[1]), text)
    text = re.sub(r"\{\{\s*(\w+)\s*\|\s*toHex\s*\}\}",
                  lambda m: to_hex(words[m[1]]), text)
    text = re.sub(r"\{\{\s*(\w+)\s*\|\s*lower\s*\}\}",
                  lambda m: words[m[1]].lower(), text)
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda m: words[m[1]], text)


def parse_reg(text):
    keys, cur = {}, None
    for line in text.splitlines():
        if line.startswith("["):
            cur = keys.setdefault(line[1:-1].lstrip("\\"), {})
            continue
        m = re.match(r'(@|"(?:[^"\\]|\\.)*")=(.*)$', line)
        if not m:
            continue
        name = "" if m[1] == "@" else m[1][1:-1]
        if m[2].startswith("dword:"):
            cur[name] = (4, struct.pack("<I", int(m[2][6:], 16)))
        else:
            h = re.match(r"hex\(([0-9a-f]+)\):(.*)$", m[2])
            cur[name] = (int(h[1], 16),
                         bytes(int(b, 16) for b in h[2].split(",") if b))
    return keys


def read_key(h, path):
    node = h.root()
    for part in path.split("\\"):
        node = h.node_get_child(node, part)
        if node is None:
            return None, None
    values = {h.value_key(v).lower(): h.value_value(v)
              for v in h.node_values(node)}
    return node, {k: (t & 0xffffffff, d) for k, (t, d) in values.items()}


def version_blob(inf, class_guid):
    """the 48 bytes, computed here from the INF's text"""
    m = re.search(r"^DriverVer\s*=\s*(\d+)/(\d+)/(\d+)\s*,\s*([\d.]+)", inf,
                  re.M | re.I)
    days = (datetime.date(int(m[3]), int(m[1]), int(m[2])) -
            datetime.date(1601, 1, 1)).days
    parts = [int(x) for x in m[4].split(".")]
    g = class_guid.strip("{}").split("-")
    guid = struct.pack("<IHH", *(int(x, 16) for x in g[:3])) + \
        bytes.fromhex(g[3] + g[4])
    return b"\x00\xff\x09\x00" + bytes(4) + guid + \
        struct.pack("<Q", days * 864000000000) + \
        struct.pack("<4H", *reversed(parts)) + bytes(8)


class Checker:
    def __init__(self):
        self.bad = []
        self.values = self.keys = 0

    def key(self, h, path, wanted, driver):
        node, have = read_key(h, path)
        if node is None:
            self.bad.append(f"{driver}: no key {path}")
            return
        self.keys += 1
        for name, (kind, data) in wanted.items():
            low = name.lower()
            if low not in have:
                if low not in NOT_REQUIRED:
                    self.bad.append(f"{driver}: {path}: no value {name!r}")
                continue
            if low in NOT_COMPARED:
                continue
            self.values += 1
            if have[low][0] != kind:
                self.bad.append(f"{driver}: {path}: {name!r} is of type "
                                f"{have[low][0]:#x}, Windows' {kind:#x}")
            elif have[low][1] != data and low not in INF_DIFFERS:
                self.bad.append(f"{driver}: {path}: {name!r} is "
                                f"{have[low][1].hex()}, Windows' {data.hex()}")
        for name in have:
            if name not in {w.lower() for w in wanted} and name not in MORE \
                    and not path.lower().endswith("driverdatabase"):
                # other drivers' ids under the same key
                if not re.match(r"(oem\d+|\w+)\.inf$", name):
                    self.bad.append(f"{driver}: {path}: {name!r} is not in "
                                    "what Windows wrote")


def count_keys(h, node):
    return 1 + sum(count_keys(h, c) for c in h.node_children(node))


def main():
    tool, mkhive, work = sys.argv[1:4]
    shared = os.environ.get("V2V_SHARED", "")
    data = os.path.join(shared, "data")
    medium = os.path.join(data, "virtio-win", "virtio-win-subset.iso")
    if not shared or not os.path.exists(medium):
        print("skipped: no real hives and drivers (V2V_SHARED)")
        return 77
    hives = os.path.join(work, "in")
    out = os.path.join(work, "out")
    for d in (hives, out):
        os.makedirs(d, exist_ok=True)
    with lzma.open(os.path.join(data, "hives/win10-1709-clean/SYSTEM.xz")) as f:
        open(os.path.join(hives, "SYSTEM"), "wb").write(f.read())
    registry = os.path.join(os.path.dirname(mkhive), "registry")
    words = {"BUILD": "16299", "PRODUCT": "Windows 10 Pro",
             "EDITION": "Professional", "INSTALLATION": "Client", "NT": "6.3",
             "ARCH_DIR": "amd64", "ARCH_HEX": "09", "DB_VERSION": "0a000000"}
    for name in ("SOFTWARE", "DRIVERS"):
        text = [os.path.join(registry, name + ".reg")]
        if name == "SOFTWARE":
            text.append(os.path.join(registry, "SOFTWARE-10.reg"))
        subprocess.check_call(
            [mkhive] + [f"-D{k}={v}" for k, v in words.items()] +
            ["-o", os.path.join(hives, name)] + text)
    plan = subprocess.run([tool, hives, medium, "viostor,NetKVM,vioserial",
                           out], stdout=subprocess.PIPE, text=True, check=True)
    packages = {}
    for line in plan.stdout.splitlines():
        if line.startswith("package "):
            _, driver, _, oem, name, *_ = line.split()
            packages[driver.lower()] = (oem, name)
    check = Checker()
    for driver, inf_path in DRIVERS:
        with open(os.path.join(data, "windows-registry",
                               driver + ".json")) as f:
            capture = json.load(f)
        inf = subprocess.run(["7z", "x", "-so", medium, inf_path],
                             stdout=subprocess.PIPE, check=True
                             ).stdout.decode("latin-1")
        guid = re.search(r"^ClassGUID\s*=\s*(\{[^}]*\})", inf, re.M | re.I)[1]
        oem, name = packages[driver]
        blob = version_blob(inf, guid)
        words = {"infFile": oem, "packageName": name, "driverName": driver,
                 "classGuid": guid,
                 "driverVersion": ",".join("%02x" % b for b in blob)}
        before = check.keys
        for part, hive in PARTS:
            if part not in capture:
                continue
            h = hivex.Hivex(os.path.join(out, hive))
            wanted = parse_reg(fill_in(capture[part], words))
            for path, values in wanted.items():
                if "\\Properties" not in path:
                    check.key(h, path, values, driver)
            # nothing below the package's key that Windows did not write
            root = f"DriverDatabase\\DriverPackages\\{name}"
            if any(p.startswith(root) for p in wanted):
                extra_keys(check, h, root, wanted, driver)
        print(f"{driver}: {check.keys - before} keys compared")
    for line in check.bad:
        print("DIFFERS", line)
    print(f"{check.keys} keys, {check.values} values compared, "
          f"{len(check.bad)} differ")
    return 1 if check.bad or check.keys < 40 else 0


def extra_keys(check, h, path, wanted, driver):
    node, _ = read_key(h, path)
    lower = {p.lower() for p in wanted}
    parents = {p[:i] for p in lower for i, c in enumerate(p) if c == "\\"}
    for child in h.node_children(node):
        sub = path + "\\" + h.node_name(child)
        if sub.lower() not in lower and sub.lower() not in parents and \
                "\\services" not in sub.lower():
            check.bad.append(f"{driver}: {sub} is not in what Windows wrote")
        extra_keys(check, h, sub, wanted, driver)


if __name__ == "__main__":
    sys.exit(main())
