#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""steps.py PROGRAM TRANSACTION-TOOL [--seed N] [--keep-going]

Ends a change, an undo and a recovery before every single thing that they do to
a file: by SIGKILL, and by an error of that call (ENOSPC, EIO).  Likewise each
of their children before each of its writes.  Then the verdict of kill.py.

strace counts "when=N" for each call and each process (thread) alone, and with
-P only calls that name or use that file; so a first, undisturbed run tells the
list of steps (call, file, N), and each of them is then met for certain.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import harness

SIZE = 8 << 20
MUTATING = ("openat", "write", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
            "unlinkat", "mkdir", "rmdir", "ftruncate")
MODES = ("fchmod", "fchown")
FLUSHES = ("fsync", "fdatasync")
BIRTHS = ("clone", "clone3", "fork", "vfork", "execve")
ERRORS = {"fsync": "EIO", "fdatasync": "EIO", "unlink": "EIO", "unlinkat": "EIO"}
NO_ERROR = ("rmdir",)  # an empty scratch directory that stays harms nobody
CHILD_CALLS = ("pwrite64", "pwritev", "fallocate", "fdatasync")

NEW = ".v2v-new"

Step = collections.namedtuple("Step", "call path nth")
WRAPPER = """#!/bin/sh
n=1
while ! mkdir "$STEPS_COUNT/$n" 2>/dev/null; do n=$((n + 1)); done
test "$n" = "$STEPS_CHILD" || exec {program} "$@"
# -D: the traced one keeps our number, by which it is given its socket
exec strace -D -f -o "$STEPS_LOG" -e trace="$STEPS_CALL" -e inject="$STEPS_INJECT" {program} "$@"
"""


# The steps of an undisturbed run ------------------------------------------

def parse(line):
    """"123 call(args) = 0": (pid, call, all that follows), or None."""
    match = re.match(r"(\d+)\s+(\w+)\((.*)", line)
    return match.groups() if match else None


def joined(lines):
    """Calls that others interrupted, in one line again."""
    begun = {}
    for line in lines:
        pid = line.split(None, 1)[0]
        if line.endswith("<unfinished ...>\n"):
            begun[pid] = line[:-len("<unfinished ...>\n")]
        elif "<... " in line:
            yield begun.pop(pid, pid) + line.split("resumed>", 1)[1]
        else:
            yield line


def own_pids(calls):
    """The process and those of its children that run no other program."""
    first, parents, others = calls[0][0], {}, set()
    for n, (pid, call, rest) in enumerate(calls):
        result = re.search(r"= (\d+)$", rest)
        if call == "execve" and n > 0 and result:
            others.add(pid)
        elif call in BIRTHS and result:
            parents[result.group(1)] = pid
    def is_own(pid):
        return pid == first or (pid not in others and pid in parents and is_own(parents[pid]))
    return {pid for pid, _, _ in calls if is_own(pid)}


def file_of(call, rest, root):
    """What strace -P is to be given; None: it is not one of our files."""
    if call in ("write", "ftruncate") + MODES + FLUSHES:
        names = re.findall(r"^\d+<([^>]*)>", rest)
    else:
        names = re.findall(r'"([^"]*)"', rest)
    names = [name for name in names if name.startswith(root + "/")]
    return names[0] if names else None  # of a rename -P looks at the old name


def record(argv, bench):
    """The steps of @argv, in their order."""
    log = f"{bench.root}.log"
    calls = MUTATING + MODES + FLUSHES + BIRTHS
    done = harness.run("strace", "-f", "--seccomp-bpf", "-y", "-s", "300", "-o", log, "-e",
                       "trace=" + ",".join(calls), *argv, env=bench.env)
    if done.returncode != 0:
        raise SystemExit(f"undisturbed: {argv}: {done.stderr}")
    calls = [c for c in map(parse, joined(open(log, errors="replace"))) if c]
    pids, seen, steps = own_pids(calls), collections.Counter(), []
    for pid, call, rest in calls:
        if pid not in pids or call in BIRTHS:
            continue
        path = file_of(call, rest, bench.root)
        for key in {path, None}:
            seen[pid, call, key] += 1
        if path is None or " = -1 E" in rest or (call == "openat" and "O_CREAT" not in rest):
            continue  # it changes nothing
        if path.startswith(f"{bench.root}/tmp/"):
            path = None  # its name is another one each time
        steps.append(Step(call, path, seen[pid, call, path]))
    return steps


def record_children(argv, bench):
    """For each child in their order: {call: most often by one of its threads}."""
    log = f"{bench.root}.log"
    harness.must("strace", "-f", "--seccomp-bpf", "-o", log, "-e", "trace=" + ",".join(CHILD_CALLS + BIRTHS),
                 *argv, env=bench.env)
    calls = [c for c in map(parse, joined(open(log, errors="replace"))) if c]
    own, parents, children, counts = own_pids(calls), {}, [], collections.Counter()
    for pid, call, rest in calls:
        result = re.search(r"= (\d+)$", rest)
        if call == "execve" and result and pid not in own:
            children.append(pid)
        elif call in BIRTHS and result:
            parents[result.group(1)] = pid
        elif call in CHILD_CALLS:
            counts[pid, call] += 1

    def child_of(pid):
        return pid if pid in children or pid not in parents else child_of(parents[pid])

    most = {child: {} for child in children}
    for (pid, call), count in counts.items():
        child = child_of(pid)
        if child in most:
            most[child][call] = max(count, most[child].get(call, 0))
    return list(most.values())


# One disturbed run ----------------------------------------------------------

class Case:
    """A run from a state of the bench that can be set up again and again."""

    def __init__(self, name, bench, argv, goal):
        self.name, self.bench, self.argv, self.goal = name, bench, argv, goal
        self.saved = f"{bench.root}.{name.replace(' ', '-')}"
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(bench.root, self.saved)

    def reset(self):
        shutil.rmtree(self.bench.root)
        shutil.copytree(self.saved, self.bench.root)

    def follow(self, how):
        """The program works in a child, and with seccomp, which is faster,
        strace sends no signals."""
        if self.argv[0] == self.bench.program:
            return ["-f"] if how.startswith("signal") else ["-f", "--seccomp-bpf"]
        return []

    def disturb(self, step, how):
        """Run; how it ended."""
        log = f"{self.bench.root}.log"
        argv = ["strace", "-o", log, "-e", f"trace={step.call}",
                "-e", f"inject={step.call}:{how}:when={step.nth}"]
        argv += ["-P", step.path] if step.path else []
        argv += self.follow(how)
        self.reset()
        done = harness.run(*argv, *self.argv, env=self.bench.env)
        if not re.search(rf"INJECTED|\b{step.call}\(.* = \?", open(log, errors="replace").read()):
            raise AssertionError("the call was not met")
        return done

    def disturb_child(self, nth, call, how):
        """As disturb(), of the Nth program that is started."""
        bin_, count = f"{self.bench.root}.bin", f"{self.bench.root}.count"
        for folder in bin_, count:
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
        for name in "qemu-img", "qemu-nbd":
            with open(f"{bin_}/{name}", "w") as f:
                f.write(WRAPPER.format(program=shutil.which(name)))
            os.chmod(f"{bin_}/{name}", 0o755)
        self.reset()
        return harness.run(*self.argv, env={
            **self.bench.env, "PATH": f"{bin_}:{os.environ['PATH']}", "STEPS_COUNT": count,
            "STEPS_CHILD": str(nth), "STEPS_LOG": f"{self.bench.root}.log",
            "STEPS_CALL": call, "STEPS_INJECT": f"{call}:{how}"})

    def verdict(self, done):
        """A run that says that it has done it, has."""
        state = self.bench.judge()
        if done.returncode == 0 and self.goal and state != self.goal:
            raise AssertionError(f"success was reported, and all is {state}")
        return state

    def points(self, killing):
        """Kills where nothing happens in between are the same kill."""
        for step in record(self.argv, self.bench):
            if killing and step.call not in FLUSHES + MODES:
                yield step, "signal=SIGKILL"
            elif not killing and step.call not in NO_ERROR:
                yield step, "error=" + ERRORS.get(step.call, "ENOSPC")  # a full disk


class Sweep:
    def __init__(self, keep_going):
        self.keep_going, self.seen, self.failed = keep_going, collections.Counter(), []
        self.lock = threading.Lock()

    def note(self, case, how, state):
        with self.lock:
            self.seen[case.name, how.split(":")[0], state] += 1

    def fail(self, case, what, why):
        with self.lock:
            self.failed.append(what)
            print(f"FAILED {case.name}: {what}: {why}", flush=True)
        if not self.keep_going:
            raise SystemExit(1)

    def attempt(self, case, what, how, disturb):
        if self.failed and not self.keep_going:
            raise SystemExit(1)  # the other thread's
        try:
            self.note(case, how, case.verdict(disturb()))
        except AssertionError as why:
            self.fail(case, f"{how} at {what}", why)

    def calls(self, case, kinds=(True, False)):
        """Every step of the process itself."""
        for killing in kinds:
            case.reset()
            for step, how in case.points(killing):
                name = os.path.basename(step.path or "the scratch directory")
                self.attempt(case, f"{step.call} {step.nth} of {name}", how,
                             lambda: case.disturb(step, how))

    def children(self, case):
        """The first write of each child, and all of the commit's.  Which of its
        threads makes them is chance: not each N is met, which the random kills
        make good."""
        case.reset()
        recorded = record_children(case.argv, case.bench)
        for child, counts in enumerate(recorded, 1):
            for call, most in counts.items():
                for nth in range(1, most + 1 if child == len(recorded) else 2):
                    for how in ("signal=SIGKILL", "error=" + ERRORS.get(call, "ENOSPC")):
                        self.attempt(case, f"{call} {nth} of child {child}", "child " + how,
                                     lambda: case.disturb_child(child, call, f"{how}:when={nth}"))


# A guest that has run since -------------------------------------------------

def free_place(areas):
    """A sector that is in none of the areas, nor among the first."""
    return next(offset for offset in range(SIZE - 512, 1 << 19, -512)
                if all(offset + 512 <= start or start + length <= offset
                       for start, length, _ in areas))


def guest_has_run(sweep, bench, _):
    """The image is whole and its state file says "committing" yet.  Whoever
    started the guest then must find its disk as the guest has left it."""
    bench.reset()
    case = Case("guest has run", bench, bench.change, None)
    committed = [s for s in record(bench.change, bench)
                 if s.call == "rename" and s.path.endswith(".v2v-state" + NEW)][-1]
    areas = json.load(open(f"{bench.image}.v2v-undo-1.json"))["areas"]
    assert areas[0][0] > 0, "the witness at the start is to be in no area"
    for name, offset in (("a committed area", areas[len(areas) // 2][0] + 512),
                         ("a witness", 0), ("elsewhere", free_place(areas))):
        case.disturb(committed, "signal=SIGKILL")
        try:
            see_guest_kept(bench, offset, name != "elsewhere")
            sweep.note(case, "written", name)
        except AssertionError as why:
            sweep.fail(case, f"write to {name}", why)


def see_guest_kept(bench, offset, refused):
    """Write there as a guest would, recover, and look.  What is written where
    nothing was changed or watched may pass, but it stays."""
    left = f"{bench.root}.left"
    harness.must("qemu-io", "-f", bench.guest.fmt, "-c", f"write -q -P 0x5a {offset} 512",
                 bench.image)
    harness.must("qemu-img", "convert", "-f", bench.guest.fmt, "-O", "raw", bench.image, left)
    files = sorted(os.listdir(f"{bench.root}/vm"))
    done = bench.settle()
    if not harness.same_content(bench.image, bench.guest.fmt, left):
        raise AssertionError("what the guest had written is overwritten")
    if refused and (done.returncode != 3 or sorted(os.listdir(f"{bench.root}/vm")) != files):
        raise AssertionError(f"not refused: {done.returncode}: {done.stdout}{done.stderr}")


# All of it ------------------------------------------------------------------

def recoveries(sweep, bench, kinds):
    """Recoveries that are ended in turn, of changes that were ended when the
    state file had just been written: whatever comes next has not been done."""
    bench.reset()
    change = Case("change", bench, bench.change, None)
    steps = record(bench.change, bench)
    for n, step in enumerate(steps[:-1]):
        if step.call != "rename" or step.path != f"{bench.result}.v2v-state{NEW}":
            continue
        change.disturb(steps[n + 1], "signal=SIGKILL")
        wait_for_children(bench)
        sweep.calls(Case(f"recovery {step.nth}", bench, bench.recover, None), kinds)


def wait_for_children(bench):
    while harness.alive(bench.root + "/"):
        time.sleep(0.01)


def changes(sweep, bench, kinds):
    bench.reset()
    sweep.calls(Case("change", bench, bench.change, "new"), kinds)


def undos(sweep, bench, kinds):
    bench.reset()
    harness.must(*bench.change, env=bench.env)
    sweep.calls(Case("undo", bench, bench.undo, "old"), kinds)


def commits(sweep, bench, _):
    bench.reset()
    sweep.children(Case("children", bench, bench.change, "new"))


BOTH, KILLS = (True, False), (True,)
PLAN = [  # what, of which format, how, options of the bench
    (changes, "qcow2", BOTH, {}),
    (undos, "qcow2", BOTH, {}),
    (commits, "qcow2", BOTH, {}),
    (recoveries, "qcow2", BOTH, {}),
    (changes, "qcow2", BOTH, {"output": True}),
    (recoveries, "qcow2", KILLS, {"output": True}),
    (changes, "qcow2", KILLS, {"work_dir": True}),
    (changes, "raw", KILLS, {}),
    (guest_has_run, "qcow2", KILLS, {}),
    (guest_has_run, "raw", KILLS, {}),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep-going", action="store_true")
    args = harness.parse_arguments(parser)
    if not shutil.which("strace"):
        print("skipped: no strace")
        return 77
    here = harness.make_folder("steps")
    # a script stands for qemu-nbd, which could not note what it does
    harness.Bench.unboxed = True
    guests = {fmt: harness.Guest(f"{here}/{fmt}", fmt, args.seed, args.tool, SIZE)
              for fmt in ("qcow2", "raw")}
    sweep = Sweep(args.keep_going)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = [pool.submit(what, sweep, harness.Bench(f"{here}/{n}", guests[fmt], args.program,
                                                       **options), kinds)
                for n, (what, fmt, kinds, options) in enumerate(PLAN)]
        for future in done:
            try:
                future.result()
            except SystemExit:
                pool.shutdown(cancel_futures=True)
                break
    for key, count in sorted(sweep.seen.items()):
        print(count, *key)
    print(f"{sum(sweep.seen.values())} steps, {len(sweep.failed)} failed")
    if sweep.failed:
        print(f"kept: {here}")
        return 1
    shutil.rmtree(here)
    return 0


if __name__ == "__main__":
    sys.exit(main())
