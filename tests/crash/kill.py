#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill.py PROGRAM TRANSACTION-TOOL [--rounds N] [--seed N] [--full-disk]
        [--formats NAME,NAME...]

Kills a change, an undo or a recovery of an image at a random instant: the
program itself, one of its children, or all of them at once; with --full-disk
it fills the file system at that instant (and needs root, for a tmpfs).  Then,
each time: the image is what it was or what it was to become, never anything
else, and its metadata is in order; the domain XML goes with it; "recover"
leaves no file of ours but the undo's; and "undo" brings back the old content
to the bit.

The disk is large and nearly empty: a change has to add many blocks to the
image, and that is what a kill must not leave half done.
"""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import harness

SIZE = 1 << 30
SIZES = {"vhdx": 1 << 28}  # QEMU reads through what a VHDX has not allocated
FORMATS = ["qcow2", "raw", "vmdk", "vdi", "vhdx", "vpc", "qed"]
SAME_GUEST = 10  # rounds, then comes the next format


class Killer:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seen = {}

    def kill(self, victim, process):
        children = harness.descendants(process.pid)
        if victim == "child" and children:
            pids = [self.random.choice(children)]
        elif victim == "all":
            pids = [process.pid] + children
        else:
            pids = [process.pid]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL if victim != "asked" else signal.SIGTERM)
            except ProcessLookupError:
                pass

    def interrupt(self, argv, env, victim, most, ballast=None):
        """Run and, at some instant, kill or fill the disk."""
        process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            process.wait(self.random.uniform(0, most))
        except subprocess.TimeoutExpired:
            if ballast:
                self.fill(ballast)
            if not ballast or self.random.random() < 0.3:
                self.kill(victim, process)
        process.wait(60)

    def fill(self, ballast):
        """Take all that is free but a little."""
        free = os.statvfs(os.path.dirname(ballast))
        room = free.f_bavail * free.f_frsize - self.random.choice([0, 0, 65536, 1 << 20])
        with open(ballast, "wb") as f:
            try:
                os.posix_fallocate(f.fileno(), 0, max(room, 1))
            except OSError:
                pass  # the other one was faster: it is full

    def measure(self, bench):
        """How long an undisturbed run takes: where the kills have to fall."""
        bench.reset()
        start = time.monotonic()
        harness.must(*bench.change, env=bench.env)
        middle = time.monotonic()
        harness.must(*bench.undo, env=bench.env)
        end = time.monotonic()
        self.most = {"change": 1.1 * (middle - start), "undo": 1.1 * (end - middle)}
        self.most["twice"] = self.most["change"]

    def round(self, bench, full):
        what = self.random.choice(["change", "change", "undo", "twice"])
        victim = self.random.choice(["itself", "child", "all", "asked"])
        ballast = f"{bench.root}.ballast" if full else None
        bench.reset()
        if what == "undo":
            harness.must(*bench.change, env=bench.env)
        self.interrupt(bench.undo if what == "undo" else bench.change, bench.env, victim,
                       self.most[what], ballast)
        if what == "twice":  # the recovery is killed as well
            self.interrupt(bench.recover, bench.env, victim, 0.2)
        if full and os.path.exists(ballast):
            os.unlink(ballast)
        key = (what, "full disk" if full else victim, bench.judge())
        self.seen[key] = self.seen.get(key, 0) + 1


def rounds(killer, args, here, root):
    for n in range(args.rounds):
        if n % SAME_GUEST == 0:
            fmt = args.formats[n // SAME_GUEST % len(args.formats)]
            guest = harness.Guest(f"{here}/guest", fmt, args.seed + n, args.tool,
                                  SIZES.get(fmt, SIZE))
            bench = harness.Bench(root, guest, args.program)
            killer.measure(bench)
        try:
            killer.round(bench, args.full_disk)
        except AssertionError as why:
            print(f"round {n}, {guest.fmt}: {why}; seen so far: {killer.seen}")
            print(f"kept: {here}")
            return 1
    for key, count in sorted(killer.seen.items()):
        print(count, *key)
    print(f"{args.rounds} rounds")
    if {key[2] for key in killer.seen} != {"old", "new"}:
        print("the kills fell all on one side of the commit")
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=70)
    parser.add_argument("--full-disk", action="store_true")
    parser.add_argument("--formats", type=lambda names: names.split(","), default=FORMATS)
    args = harness.parse_arguments(parser)
    here = harness.make_folder("kill")
    os.mkdir(f"{here}/small")
    if args.full_disk and harness.run("mount", "-t", "tmpfs", "-o", "size=400m", "none",
                                      f"{here}/small").returncode != 0:
        shutil.rmtree(here)
        print("skipped: tmpfs cannot be mounted here")
        return 77
    status = rounds(Killer(args.seed), args, here, f"{here}/small/bench")
    if status == 0:
        if args.full_disk:
            harness.must("umount", f"{here}/small")
        shutil.rmtree(here)
    return status


if __name__ == "__main__":
    sys.exit(main())
