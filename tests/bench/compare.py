#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py - an injection by each way there is, side by side, and the floor:
reading as many bytes as the job needs from a qcow2 image through qemu-img, and
writing as many as it changes with cp.  bench.sh calls it."""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import measure


def ways(program, medium, tools):
    """name -> (command before the image, environment)"""
    inject = [program, "inject", "--virtio-iso", medium, "--no-undo", "--backend"]
    # virt-v2v takes what it puts into a guest from these two
    peer = {**os.environ, "VIRTIO_WIN": medium, "VIRT_TOOLS_DATA_DIR": tools}
    return {"direct": ([*inject, "direct"], None),
            "libguestfs": ([*inject, "libguestfs"], None),
            "virt-v2v-in-place": (["virt-v2v-in-place", "-i", "disk"], peer)}


def needs(program, image, medium):
    """(bytes to read, bytes to write): what hives and drivers the job takes, each
    once, and which files and pages of hives it changes"""
    run = subprocess.run(
        [program, "inject", image, "--virtio-iso", medium, "--no-undo", "--backend",
         "direct", "-v", "--json"], capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    files = sum(f["bytes"] for f in json.loads(run.stdout)["files"])
    hives, changed = {}, 0
    for line in run.stderr.splitlines():
        if m := re.search(r"facts: (\S+): (\d+) bytes$", line):
            hives.setdefault(m[1], int(m[2]))
        elif m := re.search(r"guest: \S+: (\d+) of \d+ bytes written", line):
            changed += int(m[1])
    if not hives or not changed:
        sys.exit(f"no bytes of hives in what \"inject -v\" says:\n{run.stderr}")
    return sum(hives.values()) + files, files + changed


def floor(folder, read, written):
    """A command, without a sync: the pages may stay in memory"""
    source, change = f"{folder}/read.qcow2", f"{folder}/written"
    with open(f"{folder}/raw", "wb") as f:
        f.write(os.urandom(-(-read // 65536) * 65536))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2",
                    f"{folder}/raw", source], check=True)
    with open(change, "wb") as f:
        f.write(os.urandom(written))
    return ["sh", "-c", f"qemu-img dd -f qcow2 -O raw bs=1M if={source} "
            f"of={folder}/raw && cp {change} {folder}/out"]


def runs_of(args, folder):
    """(bytes read and written, name -> [Cost, ...], what stopped it or None).  The
    ways take turns, so that none has the quiet minutes for itself."""
    image = f"{folder}/vm.img"
    shutil.copyfile(args.image, image)
    sizes = needs(args.program, image, args.medium)
    commands = {"floor": (floor(folder, *sizes), None)}
    for name, (command, env) in ways(args.program, args.medium,
                                     args.tools).items():
        if name in args.ways:
            commands[name] = ([*command, image], env)
    costs, stop = {name: [] for name in commands}, None
    try:
        for _ in range(args.runs):
            for name, (command, env) in commands.items():
                shutil.copyfile(args.image, image)
                costs[name].append(measure.measure(command, env))
                print(f"{name}: {costs[name][-1]}", file=sys.stderr)
    except KeyboardInterrupt:
        stop = "interrupted"
    except measure.Failure as e:
        stop = e
    return sizes, {name: all_of for name, all_of in costs.items() if all_of}, stop


def ratios(costs):
    """What the claims are about: each way beside the floor"""
    medians = {name: measure.median(all_of) for name, all_of in costs.items()}
    for name, cost in medians.items():
        if name != "floor":
            yield (f"{name}: {cost.wall / medians['floor'].wall:.1f} times the "
                   f"floor's wall, {cost.cpu / medians['floor'].cpu:.1f} times its "
                   "CPU")
    peer = medians.get("virt-v2v-in-place")
    for name in ("direct", "libguestfs") if peer else ():
        if name in medians:
            yield (f"{name}: 1/{peer.wall / medians[name].wall:.1f} of "
                   f"virt-v2v-in-place's wall, 1/{peer.cpu / medians[name].cpu:.1f} "
                   "of its CPU")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--runs", type=int, default=5)
    ap.add_argument("--ways", type=lambda text: text.split(","), required=True)
    ap.add_argument("--tools", help="folder with rhsrvany.exe")
    ap.add_argument("--data", help="file for bars.gp")
    ap.add_argument("program")
    ap.add_argument("image")
    ap.add_argument("medium")
    args = ap.parse_args()
    start = measure.machine()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(args.image)) as folder:
        (read, written), costs, stop = runs_of(args, folder)
    print(f"{start} before and {measure.load()} after; {len(costs['floor'])} runs: "
          "median (least-most)\n")
    print(measure.table(os.path.basename(args.medium), costs) + "\n")
    print(f"- floor: {read / 1e6:.0f} MB read, {written / 1e6:.2f} MB written")
    for line in ratios(costs):
        print("- " + line)
    if args.data:
        measure.write_data(args.data, costs)
    if stop is not None:
        sys.exit(f"compare.py: stopped: {stop}")


if __name__ == "__main__":
    main()
