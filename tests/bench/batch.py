#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""batch.py - what a batch of many images costs with 1, 2 and 4 at once, beside as
many "inject" one after the other.  bench.sh calls it."""
import argparse
import csv
import os
import shlex
import shutil
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import grow
import measure

JOBS = (1, 2, 4)


def make_fleet(args, folder):
    """Fresh images, and nothing of an older batch."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    images = [f"{folder}/vm-{i}.qcow2" for i in range(args.images)]
    for image in images:
        shutil.copyfile(f"{args.work}/base.qcow2", image)
    with open(f"{folder}/vms.csv", "w", encoding="ascii", newline="") as f:
        csv.writer(f).writerows([["image"]] + [[image] for image in images])
    return images


def one_by_one(args, folder):
    images = make_fleet(args, folder)
    commands = [shlex.join(grow.inject(args, image)) for image in images]
    return measure.measure(["sh", "-ec", "\n".join(commands)])


def batch(args, folder, jobs):
    make_fleet(args, folder)
    return measure.measure([args.program, "batch", f"{folder}/vms.csv", "--virtio-iso",
                            args.medium, "--no-undo", "--quiet", "--jobs", str(jobs)])


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--images", type=int, default=64)
    for hive in ("system", "software"):
        ap.add_argument(f"--{hive}-mb", type=int, default=grow.USUAL[f"--{hive}-mb"])
    ap.add_argument("--work", default="/var/tmp")
    ap.add_argument("program")
    ap.add_argument("medium")
    args = ap.parse_args()
    start = measure.machine()
    rows = {}
    with tempfile.TemporaryDirectory(dir=args.work) as args.work:
        grow.make_guest(f"{args.work}/base.qcow2", system_mb=args.system_mb,
                        software_mb=args.software_mb)
        fleet = f"{args.work}/fleet"
        rows["inject, one by one"] = [one_by_one(args, fleet) for _ in range(args.runs)]
        for jobs in JOBS:
            rows[f"batch --jobs {jobs}"] = [batch(args, fleet, jobs)
                                            for _ in range(args.runs)]
            print(f"{jobs} jobs", file=sys.stderr)
    title = f"{args.images} images, hives of {args.system_mb + args.software_mb} MB"
    print(measure.table(title, rows) + "\n")
    for name, costs in rows.items():
        rate = args.images / statistics.median(cost.wall for cost in costs) * 60
        print(f"{name}: {rate:.0f} images a minute")
    print(f"\n{start} before and {measure.load()} after; {args.runs} runs: median "
          "(least-most)")


if __name__ == "__main__":
    try:
        main()
    except measure.Failure as e:
        sys.exit(f"batch.py: {e}")
