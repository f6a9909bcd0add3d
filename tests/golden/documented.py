#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""documented.py TOP: what golden plans write is in v2v-virtio-windows(7), and
what that page names is written by one.

A heading there is "=head3 HIVE, HIVE: KEY" or "=head3 File: PATH", with words in
capitals for names that differ; "\\..." at its end are the keys and values that
an INF brings.  The values of a key are the items behind it.
"""
import glob
import os
import re
import sys

PAGE = "man/v2v-virtio-windows.pod"
# Of no driver of fixtures/: their names are looked for in src/plan.
UNPLANNED = ["Driver", "TrustedPublisher"]
CAPITALS = [                       # in a plan, and its word in the page
    (r"oem\d+\.", "oemN."),
    (r"[\w-]+\.inf_\w+_HASH", "PACKAGE"),
    (r"ControlSet\d+", "ControlSetNNN"),
    (r"PCI[\\#]VEN_[^\\ ]+", "ID"),
    (r"(DeviceIds\\)\{[0-9a-f-]+\}", r"\1{CLASS}"),
    (r"(Properties\\)\{[0-9a-f-]+\}", r"\1{SET}"),
    (r"(Configurations\\)[^\\]+", r"\1SECTION"),
    (r"(Services\\(?:EventLog\\System\\)?)(?!EventLog\\)[^\\]+", r"\1SERVICE"),
    (r"(drivers/)[^/]+$|((?:PACKAGE|drivers|VirtIO\\DRIVER)\\)\w+\.\w{3}$",
     r"\1\2FILE"),
]


def in_capitals(text):
    text = re.sub(r"(VirtIO\\)\w+", r"\1DRIVER", text)
    for pattern, word in CAPITALS:
        text = re.sub(pattern, word, text)
    return text


def read_page():
    """{(hive, key): {value}}"""
    page, here = {}, []
    with open(PAGE, encoding="utf-8") as f:
        paragraphs = f.read().split("\n\n")
    for text in paragraphs:
        head = re.match(r"=head3 ([\w, ]+): (.*)", text)
        if head:
            here = [(hive, head[2]) for hive in head[1].split(", ")]
            page.update((place, set()) for place in here)
        elif text.startswith("=head"):
            here = []
        elif text.startswith("=item"):
            for place in here:
                page[place].update(re.findall(r"C<(.+?)>", text))
    return page


def read_plans():
    """(hive, key, value, is it deleted) of every line"""
    for name in glob.glob("tests/golden/*.plan"):
        with open(name, encoding="utf-8") as f:
            for line in f:
                place = re.match(r"file (\S.*) \S+ bytes$", line)
                if place:
                    yield "File", place[1].replace("/", "\\"), None, False
                place = re.match(r'(SYSTEM|SOFTWARE|DRIVERS) (\w+) (.*?)'
                                 r'(?: "([^"]*)" \S+.*)?$', line)
                if place:
                    yield place[1], place[3], place[4], place[2] == "delete"


def find(page, hive, key, value, deleted):
    """Its heading; None: it is not documented."""
    if deleted:
        service = key.split("\\")[-2]
        key = r"ControlSetNNN\Services\NAME\StartOverride"
        named = service in page.get((hive, key), ()) or service == "viostor"
        return (hive, key) if named else None
    key = in_capitals(key)
    if (hive, key) in page and (
            value is None or value in page[hive, key] or
            {"": "(default)"}.get(value, in_capitals(value)) in page[hive, key]):
        return hive, key
    while "\\" in key:
        if (hive, key + "\\...") in page:
            return hive, key + "\\..."
        key = key[:key.rindex("\\")]
    return None


def main():
    os.chdir(sys.argv[1])
    page, seen, wrong = read_page(), set(), set()
    for hive, key, value, deleted in read_plans():
        heading = find(page, hive, key, value, deleted)
        if heading:
            seen.add(heading)
        else:
            wrong.add(f"the page lacks {hive}: {in_capitals(key)} {value or ''}")
    for hive, key in set(page) - seen:
        if not any(word in key for word in UNPLANNED):
            wrong.add(f"no plan writes {hive}: {key}")
    print("\n".join(sorted(wrong)))
    print(f"{len(seen)} keys and folders")
    return 1 if wrong or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
