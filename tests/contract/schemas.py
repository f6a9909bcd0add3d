#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""schemas.py PROGRAM FIXTURES

A document of each command, and of failures, is valid; and the schemas are
strict: whatever is added to an object of such a document, or taken from it, is
a violation.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

import documents
import guest

INJECT = ["inject", "vm.qcow2", "--virtio-iso", "virtio-win.iso"]
XML = ["--domain-xml", "vm.xml", "--output-xml", "out.xml"]
# In this order: each finds what the one before it has left.
RUNS = [
    (0, ["check", "vm.qcow2"]),
    (3, ["verify", "vm.qcow2"]),
    (0, ["drivers", "list", "virtio-win.iso"]),
    (0, ["drivers", "explain", "vm.qcow2", "virtio-win.iso"]),
    (0, INJECT + ["--dry-run"]),
    (0, INJECT + XML),
    (0, INJECT + XML),
    (0, ["verify", "vm.qcow2", "--domain-xml", "out.xml"]),
    (0, ["undo", "--list"]),
    (0, ["undo", "vm.qcow2"]),
    (2, ["undo", "vm.qcow2"]),
    (0, ["recover", "vm.qcow2"]),
    (2, ["recover", "none/vm.qcow2"]),
    (0, ["xml", "vm.xml", "--diff"]),
    (2, ["xml", "none.xml"]),
    (5, ["check", "text.img"]),
    (5, ["inject", "text.img", "--virtio-iso", "virtio-win.iso"]),
    (2, ["drivers", "list", "none.iso"]),
    (2, ["eject", "vm.qcow2"]),
    (2, ["inject", "--nonsense"]),
    (2, ["undo", "--list", "none"]),
    (0, ["batch", "vms.csv", "--check", "--virtio-iso", "virtio-win.iso"]),
    (2, ["batch", "vms.csv", "--check", "--virtio-iso", "virtio-win.iso"]),
    (0, ["batch", "vms.csv", "--check", "--report-only", "--report", "vms.html"]),
    (2, ["batch", "none.csv", "--virtio-iso", "virtio-win.iso"]),
]


def run(program, status, arguments):
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode != status:
        raise SystemExit(f"{arguments}: exit status {done.returncode} for {status}: {done.stderr}")
    return json.loads(done.stdout)


def objects(value, path=()):
    """Paths of all objects in @value; of a list its first element stands for all."""
    if isinstance(value, dict):
        yield path
        for key, child in value.items():
            yield from objects(child, path + (key,))
    elif isinstance(value, list) and value:
        yield from objects(value[0], path + (0,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def mutants(document):
    """Each with one field too many or too few, and what was done to it."""
    for path in objects(document):
        mutant = copy.deepcopy(document)
        at(mutant, path)["not-in-any-schema"] = 1
        yield f"{path} with a field more", mutant
        for key in at(document, path):
            mutant = copy.deepcopy(document)
            del at(mutant, path)[key]
            yield f"{path} without {key}", mutant


def may_lack(document, path):
    """What need not be there: of a failed run the details."""
    return document["status"] == "failed" and path.startswith("() without")


def judge(validators, document):
    """Problems with it, and how many mutants were tried."""
    name = documents.schema_of(document)
    wrong, count = documents.violations(validators, name, document), 0
    for what, mutant in mutants(document):
        if may_lack(document, what):
            continue
        count += 1
        try:
            found = documents.violations(validators, documents.schema_of(mutant), mutant)
        except (KeyError, TypeError, AttributeError):
            continue
        if not found:
            wrong.append(f"{name} allows {what}")
    return wrong, count


def same_in_batch(program):
    """A run of a batch is one as by hand: its document says the same."""
    alone = run(program, 0, ["check", os.path.abspath("vm.qcow2"),
                             "--virtio-iso", os.path.abspath("virtio-win.iso")])
    with open("vms.csv.check.results/2.json", encoding="utf-8") as f:
        kept = json.load(f)["result"]
    return [] if kept == alone else [f"a batch has {kept} for {alone}"]


def main():
    program, fixtures = map(os.path.abspath, sys.argv[1:3])
    validators, wrong, count = documents.load(), [], 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        guest.make(fixtures, folder)
        guest.need_direct(program)
        with open("text.img", "w", encoding="utf-8") as f:
            f.write("no image\n")
        with open("vms.csv", "w", encoding="utf-8") as f:
            f.write("image\nvm.qcow2\n")
        for status, arguments in RUNS:
            more, tried = judge(validators, run(program, status, arguments))
            wrong += [f"{arguments}: {why}" for why in more]
            count += tried
        wrong += same_in_batch(program)
    print(*wrong, sep="\n")
    print(f"{len(RUNS)} documents, {count} mutants of them, {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
