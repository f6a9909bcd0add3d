#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""only-planned.py PLAN-TOOL HIVES MEDIUM DRIVERS WORK: the edit does what the plan says and nothing else.

Carries out the plan on copies of the hives and reads both with reglookup,
which shares no code with hivex: every key, value and time stamp is the same,
but for what the plan names; and all of that is there.  A second plan for the
result plans no package anew.
"""
import os
import re
import shutil
import subprocess
import sys
import urllib.parse


def run(*args):
    return subprocess.run(args, stdout=subprocess.PIPE, check=True,
                          stderr=subprocess.DEVNULL).stdout


def read(path):
    """path -> (type, value, time); a key is a path of type KEY"""
    entries = {}
    for line in run("reglookup", path).decode("latin-1").splitlines()[1:]:
        fields = line.split(",")
        # a key and a value of one name are two entries
        name = (fields[0].lower(), fields[1] == "KEY")
        entries.setdefault(name, []).append(tuple(fields[1:4]))
    return entries


def quote(text):
    """as reglookup writes names"""
    out = ""
    for byte in text.encode("utf-8"):
        c = chr(byte)
        out += c if 32 < byte < 127 and c not in "%/,\"\\" or c == " " \
            else "%%%02X" % byte
    return out


EDIT = re.compile(r'^(SYSTEM|SOFTWARE|DRIVERS) (\w+) (.*?)(?: "([^"]*)" '
                  r'(dword|qword|sz|expand_sz|multi_sz|hex\([0-9a-f]+\))'
                  r'(?: (.*))?)?$')
# how reglookup calls a type
READER = {"dword": "DWORD", "qword": "QWORD", "sz": "SZ",
          "expand_sz": "EXPAND_SZ", "multi_sz": "MULTI_SZ", "hex(3)": "BINARY",
          "hex(0)": "NONE"}


def as_read(kind, data):
    """the plan's value as reglookup shows it; None: only the type is known"""
    if kind in ("dword", "qword"):
        return "0x%0*X" % (8 if kind == "dword" else 16, int(data, 16))
    if kind in ("sz", "expand_sz"):
        return data[1:-1]
    return None


def planned(text, hive):
    """(keys that may appear, values that may change, values that must be with
    their type and data, keys that must not be)"""
    keys, values, must, gone = set(), set(), {}, set()
    for line in text.splitlines():
        m = EDIT.match(line)
        if not m or m[1] != hive:
            continue
        path = ""
        for part in m[3].split("\\"):
            path += "/" + quote(part).lower()
            keys.add(path)
        if m[2] == "delete":
            gone.add(path)
        elif m[2] != "key":
            name = path + "/" + (quote(m[4]).lower() if m[4] else "")
            values.add(name)
            if m[2] == "set":
                must[name] = (READER.get(m[5]), as_read(m[5], m[6]))
    return keys, values, must, gone


def check(hive, before, after, text):
    old, new = read(before), read(after)
    keys, values, must, gone = planned(text, hive)
    bad = []
    for name in old.keys() | new.keys():
        path, is_key = name
        if old.get(name) == new.get(name):
            continue
        if any(path == g or path.startswith(g + "/") for g in gone):
            continue
        if path not in (keys if is_key else values):
            bad.append(f"{hive}: {path}: {old.get(name)} became "
                       f"{new.get(name)}, and no edit says so")
        elif is_key and name in old:
            bad.append(f"{hive}: {path}: the key's time stamp changed")
    for path, (kind, data) in must.items():
        for have in new.get((path, False), [("nothing", "")]):
            if have[0] == "nothing" or kind and have[0] != kind or \
                    data is not None and urllib.parse.unquote(have[1]) != data:
                bad.append(f"{hive}: {path} is planned as {kind} {data}, and "
                           f"is {have}")
    bad += [f"{hive}: {path} should be gone" for path in gone
            if (path, True) in new]
    print(f"{hive}: {len(old)} entries before, {len(new)} after, "
          f"{len(must)} planned values")
    return bad, len(old)


def main():
    tool, hives, medium, drivers, work = sys.argv[1:6]
    if not shutil.which("reglookup"):
        print("skipped: reglookup is not installed")
        return 77
    os.makedirs(work, exist_ok=True)
    text = run(tool, hives, medium, drivers, work).decode()
    bad, seen = [], 0
    for hive in ("SYSTEM", "SOFTWARE", "DRIVERS"):
        path = os.path.join(hives, hive)
        if os.path.exists(path):
            b, n = check(hive, path, os.path.join(work, hive), text)
            bad += b
            seen += n
    again = run(tool, work, medium, drivers).decode()
    packages = [l for l in again.splitlines() if l.startswith("package ")]
    bad += ["second run: " + l for l in packages
            if " same " not in l and not l.endswith(" device-path")]
    if not packages:
        bad.append("no package was planned")
    print("\n".join(bad[:20]) or f"{seen} entries compared, none differs")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
