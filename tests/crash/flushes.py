#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""flushes.py TRANSACTION-TOOL

A power cut loses whatever was not flushed, in any order.  So, watched by
strace: each thing that a later step relies on is flushed, with the name that
it has, before that step begins.
"""
import os
import re
import subprocess
import sys
import tempfile

CALLS = "fsync,fdatasync,rename,unlink,pwrite64,pwritev,write,execve,fallocate"


def record(tool):
    """(call, file) in order; of a rename the new name, of an execve argv."""
    subprocess.run("truncate -s 8M s.raw && printf '\\125\\252' | dd of=s.raw bs=1 "
                   "seek=510 conv=notrunc status=none && qemu-img convert -O qcow2 s.raw vm.img && "
                   "qemu-io -f qcow2 -c 'write -q -P 1 0 8M' vm.img && echo old > vm.xml",
                   shell=True, check=True)
    subprocess.run(["strace", "-f", "-y", "-s", "200", "-o", "trace", "-e", "trace=" + CALLS,
                    tool, "vm.img", "7", "-x", "vm.xml"], check=True)
    started = {}
    for line in open("trace", errors="replace"):
        pid, rest = line.split(None, 1)
        if rest.startswith("<..."):  # resumed: it ends here
            rest = started.pop(pid, "")
        elif "<unfinished" in rest:
            started[pid] = rest
            continue
        match = re.match(r"(\w+)\((.*)", rest)
        if not match or " = -1 " in rest:
            continue
        call, rest = match.groups()
        if call == "execve":
            yield call, " ".join(re.findall(r'"([^"]*)"', rest))
        elif call in ("rename", "unlink"):
            yield call, re.findall(r'"([^"]*)"', rest)[-1]
        else:
            found = re.match(r"\d+<([^>]*)>", rest)
            yield call, found.group(1) if found else ""


class Trace:
    def __init__(self, events, here):
        self.events, self.here, self.failed = list(events), here, 0

    def find(self, call, name, after=0):
        for i in range(after, len(self.events)):
            if self.events[i][0] == call and name in self.events[i][1]:
                return i
        raise SystemExit(f"never: {call} {name} after {self.events[after:after + 3]}")

    def last(self, calls, name, before):
        found = [i for i in range(before)
                 if self.events[i][0] in calls and self.events[i][1].endswith(name)]
        return found[-1] if found else -1

    def check(self, what, holds):
        print("ok" if holds else "NOT OK", "-", what)
        self.failed += not holds

    def durable(self, name, before):
        """Flushed after it was last written, and named durably before @before."""
        write = self.last(("write", "pwrite64", "pwritev", "fallocate"), name, before)
        flush = self.last(("fsync", "fdatasync"), name, before)
        self.check(f"{name}: written, then flushed", 0 <= write < flush)

    def name_durable(self, name, before):
        rename = self.last(("rename",), name, before)
        flush = self.last(("fsync",), self.here, before)
        self.check(f"{name}: renamed, then its folder flushed", 0 <= rename < flush)


def main():
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(dir="/var/tmp") as here:
        os.chdir(here)
        trace = Trace(record(tool), here)
        os.chdir("/")
    first = trace.find("rename", "vm.img.v2v-state")
    create = trace.find("execve", "qemu-img create")
    trace.check("the state file comes before the overlay", first < create)
    committing = trace.find("rename", "vm.img.v2v-state", first + 1)
    for name in ("v2v-overlay", "v2v-undo-1", "v2v-undo-1.json.v2v-new", "v2v-undo-1.xml.v2v-new",
                 "v2v-xml.v2v-new", "v2v-state.v2v-new"):
        trace.durable("vm.img." + name, committing)
    for name in ("v2v-undo-1.json", "v2v-undo-1.xml", "v2v-xml"):
        trace.name_durable("vm.img." + name, committing)
    commit = trace.find("execve", "qemu-img commit")
    trace.name_durable("vm.img.v2v-state", commit)
    trace.check("the image is not written before",
                trace.last(("write", "pwrite64", "pwritev", "fallocate"), "vm.img", commit) == -1)
    committed = trace.find("rename", "vm.img.v2v-state", committing + 1)
    trace.durable("vm.img", committed)
    xml = trace.find("rename", "vm.xml", committed)
    trace.durable("vm.xml.v2v-new", xml)
    overlay = trace.find("unlink", "vm.img.v2v-overlay")
    trace.name_durable("vm.img.v2v-state", overlay)
    trace.name_durable("vm.xml", overlay)
    state = trace.find("unlink", "vm.img.v2v-state")
    trace.check("the state file is deleted when the other deletions are durable",
                overlay < trace.last(("fsync",), here, state) < state)
    trace.check("nothing comes after it", trace.last(("rename", "unlink"), "", len(trace.events)) == state)
    return trace.failed != 0


if __name__ == "__main__":
    sys.exit(main())
