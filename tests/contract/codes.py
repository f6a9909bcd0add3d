#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""codes.py TOP

One namespace: no two of check's findings, verify's links, warnings and errors
have the same code unless they mean the same; every code that a failure is given
is in one of the tables; every error's code is used and in a manual.
"""
import glob
import os
import re
import sys

# In two tables, since two look for the same thing.
SHARED = {
    "boot-file-missing": "check finds that the file of a boot driver is gone, verify the link",
    "san-policy": "the policy that leaves disks offline",
    "driver-newer": "the guest has a newer driver, which stays",
    "start-override": "the mark that keeps Windows from loading a boot driver",
    "driver-secure-boot": "a driver that is refused where Secure Boot is on",
    "driver-signature": "a remark on the signature of a driver",
    "sandbox-partial": "a layer of the sandbox is not to be had: without --sandbox require a warning",
}


def sources(top):
    texts = {}
    for pattern in ("src/*/*.c", "registry/*.c", "inf-parser/*.c"):
        for path in glob.glob(os.path.join(top, pattern)):
            with open(path, encoding="utf-8") as f:
                # literals that go over two lines are one
                texts[os.path.relpath(path, top)] = re.sub(r'"\s*\n\s*"', "", f.read())
    return texts


def first_of_rows(text, then):
    return re.findall(r'\{\s*"([a-z0-9-]+)",\s*' + then, text)


def codes_of(texts):
    everything = "\n".join(texts.values())
    own = texts["src/cli/codes.c"]
    return {
        "check": first_of_rows(texts["src/check/codes.c"], "CHECK_"),
        "verify": first_of_rows(texts["src/verify/codes.c"], '"'),
        "warning": sorted(set(re.findall(r'v2v_warn\(\s*"[a-z-]+",\s*"([a-z0-9-]+)"', everything))),
        "error": first_of_rows(own, '"') + re.findall(r'\{\s*V2V_ERR_[A-Z]+,\s*"([a-z-]+)"', own),
    }


def given(texts):
    """Codes that a failure is given, as literals."""
    found = set()
    for path, text in texts.items():
        if not path.startswith("src/base/"):
            found |= set(re.findall(
                r'v2v_(?:refuse|fail_as|error_name|error_name_class)\(\s*[^;]*?"([a-z0-9-]+)"', text))
    return found


def main():
    top = os.path.abspath(sys.argv[1])
    texts = sources(top)
    codes = codes_of(texts)
    known = {code for names in codes.values() for code in names}
    wrong = []
    where = {}
    for kind, names in codes.items():
        if len(names) < 5:
            wrong.append(f"{kind}: only {len(names)} codes found: has the table another form?")
        wrong += [f"{kind} has {name} twice" for name in set(names) if names.count(name) > 1]
        for name in set(names):
            where.setdefault(name, []).append(kind)
    shared = {name for name, kinds in where.items() if len(kinds) > 1}
    wrong += [f"{name} is a code of {where[name]}" for name in shared - set(SHARED)]
    wrong += [f"{name} is not shared" for name in set(SHARED) - shared]
    wrong += [f"a failure is given {name}, which no table has" for name in given(texts) - known]
    others = "\n".join(text for path, text in texts.items() if path != "src/cli/codes.c")
    classes = set(re.findall(r'\{\s*V2V_ERR_[A-Z]+,\s*"([a-z-]+)"', texts["src/cli/codes.c"]))
    wrong += [f"no error is given {name}" for name in set(codes["error"]) - classes
              if f'"{name}"' not in others]
    manual = "\n".join(open(path, encoding="utf-8").read()
                       for path in glob.glob(f"{top}/man/*.pod"))
    wrong += [f"{name} ({where[name]}) is not in the manual" for name in sorted(known)
              if f"C<{name}>" not in manual]
    print(*wrong, sep="\n")
    print(", ".join(f"{len(names)} of {kind}" for kind, names in codes.items()),
          f"- {len(known)} codes, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
