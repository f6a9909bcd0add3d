#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: moved-image.py DOMAIN-REWRITE IN.xml REWRITTEN.xml OUT.xml

Gives each hard disk of IN.xml that has a path another image, and compares the
result with REWRITTEN.xml, which is IN.xml rewritten without that, changed here
by the same rules in another language.  Fails if they differ, if libvirt's
schema took REWRITTEN.xml and not OUT.xml, or if a second run changes OUT.xml.
"""
import copy
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

NEW = "/new/<a&b>'\u00e9.qcow2"
SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
REFUSED = 3
AMBIGUOUS = 2


def hard_disks(root):
    return [d for d in root.findall("devices/disk")
            if d.get("device", "disk") in ("disk", "lun")]


def path_of(disk):
    source = disk.find("source")
    if source is None:
        return None
    return source.get("file", source.get("dev"))


def move(disk):
    source, driver = disk.find("source"), disk.find("driver")
    if "type" in disk.attrib:
        disk.set("type", "file")
    policy = source.get("startupPolicy")
    source.attrib = {"file": NEW}
    if policy is not None:
        source.set("startupPolicy", policy)
    for child in list(source):
        if child.tag != "seclabel" and not child.tag.startswith("{"):
            source.remove(child)
    if driver is None:
        driver = ET.Element("driver")
        disk.insert(list(disk).index(source) + 1, driver)
    driver.set("type", "qcow2")
    for tag in ("backingStore", "auth"):
        for child in disk.findall(tag):
            disk.remove(child)


def expected_status(disks, disk):
    if [path_of(d) for d in disks].count(path_of(disk)) > 1:
        return AMBIGUOUS
    if (disk.get("device") == "lun" or
            any(disk.find(path) is not None for path in
                ("mirror", "shareable", "encryption", "source/encryption"))):
        return REFUSED
    return 0


def canonical(root):
    return ET.canonicalize(ET.tostring(root, "unicode"), strip_text=True)


def is_valid(path):
    return subprocess.run(["xmllint", "--noout", "--nonet", "--relaxng",
                           SCHEMA, path], capture_output=True).returncode == 0


def judge(rewrite, given, rewritten, out, valid, number):
    tree = ET.parse(rewritten)
    disks = hard_disks(tree.getroot())
    disk = disks[number]
    path = path_of(disk)
    if path is None:
        return None

    def run(source, result):
        return subprocess.run([rewrite, "--from", path, "--to", NEW, source, result],
                              capture_output=True, text=True)

    done = run(given, out)
    status = expected_status(disks, disk)
    if done.returncode != status:
        return f"exit status {done.returncode}, not {status}: {done.stderr}"
    if status != 0:
        return None
    move(disk)
    if canonical(tree.getroot()) != canonical(ET.parse(out).getroot()):
        return "not as expected"
    if valid and not is_valid(out):
        return "libvirt's schema does not accept the result"
    run(out, out + ".again")
    with open(out, "rb") as first, open(out + ".again", "rb") as second:
        if first.read() != second.read():
            return "a second run changes it"
    return None


def main():
    rewrite, given, rewritten, out = sys.argv[1:]
    if not os.path.exists(SCHEMA):
        sys.exit(f"{SCHEMA} is missing (package libvirt0)")
    valid = is_valid(rewritten)
    failed = 0
    for number in range(len(hard_disks(ET.parse(given).getroot()))):
        why = judge(rewrite, given, rewritten, out, valid, number)
        if why is not None:
            print(f"FAIL moved image of hard disk {number}: {why}")
            failed = 1
    sys.exit(failed)


if __name__ == "__main__":
    main()
