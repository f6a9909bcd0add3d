#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""grow.py - what an injection by the direct backend costs as the disk, the number
of files in it, the SOFTWARE hive and the number of images at once grow.  bench.sh
calls it."""
import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import measure

GB = 1024                              # mkguest counts in MB
# what grows: (its title, unit, option of mkguest, per unit, all, --quick)
GROWS = {
    "disk": ("Virtual size", "GB", "--size", GB, (20, 100, 500, 2048), (20, 2048)),
    "files": ("Files", "k", "--files", 1000, (2, 20, 100, 500), (2, 20)),
    "hive": ("SOFTWARE hive", "MB", "--software-mb", 1, (10, 50, 100, 200), (10, 50)),
    "images": ("Images at once", "", None, 1, (1, 2, 4, 8, 16, 32), (1, 4)),
}
USUAL = {"--size": 20 * GB, "--files": 2000, "--software-mb": 10, "--system-mb": 5}


def make_guest(path, **changes):
    options = {**USUAL, **{"--" + name.replace("_", "-"): value
                           for name, value in changes.items()}}
    command = [f"{HERE}/../../fixtures/mkguest", "--gpt", path]
    for option in options.items():
        command[2:2] = map(str, option)
    subprocess.run(command, check=True)


def inject(args, image):
    return [args.program, "inject", image, "--virtio-iso", args.medium, "--no-undo",
            "--backend", "direct", "--quiet"]


def one_image(args, folder, option, amount):
    base, image = f"{folder}/base.qcow2", f"{folder}/vm.qcow2"
    make_guest(base, **{option.strip("-").replace("-", "_"): amount})
    costs = []
    for _ in range(args.runs):
        shutil.copyfile(base, image)
        costs.append(measure.measure(inject(args, image)))
    return costs


def at_once(args, folder, count):
    """So many programs at the same time, each with an image of its own"""
    base = f"{folder}/base.qcow2"
    if not os.path.exists(base):
        make_guest(base)
    images = [f"{folder}/vm-{i}.qcow2" for i in range(count)]
    each = [f"{shlex.join(inject(args, image))} & pids=\"$pids $!\"" for image in images]
    script = "\n".join([*each, "for pid in $pids; do wait $pid || exit; done"])
    costs = []
    for _ in range(args.runs):
        for image in images:
            shutil.copyfile(base, image)
        costs.append(measure.measure(["sh", "-c", script]))
    return costs


def grow(args, what):
    title, unit, option, per_unit, *amounts = GROWS[what]
    rows = {}
    with tempfile.TemporaryDirectory(dir=args.work) as folder:
        for amount in amounts[args.quick]:
            rows[f"{amount} {unit}".strip()] = (
                one_image(args, folder, option, amount * per_unit) if option
                else at_once(args, folder, amount))
            print(f"{title}: {amount} {unit}", file=sys.stderr)
    print(measure.table(title, rows) + "\n")
    if args.data:
        measure.write_data(f"{args.data}-{what}", rows)


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--runs", type=int, default=5)
    ap.add_argument("--quick", action="store_true")
    ap.add_argument("--work", default="/var/tmp")
    ap.add_argument("--data", help="start of the names of files for lines.gp")
    ap.add_argument("--what", type=lambda text: text.split(","), default=list(GROWS))
    ap.add_argument("program")
    ap.add_argument("medium")
    args = ap.parse_args()
    start = measure.machine()
    for what in args.what:
        grow(args, what)
    print(f"{start} before and {measure.load()} after; {args.runs} runs: median "
          "(least-most)")


if __name__ == "__main__":
    try:
        main()
    except measure.Failure as e:
        sys.exit(f"grow.py: {e}")
