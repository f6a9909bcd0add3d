#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scale.py - what a batch of very many images would need, on paper.

    scale.py --images 10000 --nodes 1 10 100 --cores 32 --memory 128000
        --storage 1000 --dispatch 0.2 --refill 3
        --way direct:wall=2.1,cpu=0.9,memory=512,io=40,iso=20
        --way appliance:wall=60,cpu=50,memory=1536,io=60,iso=20

A way is what was measured of one image (bench.sh, batch.py): wall and cpu in
seconds, memory in MiB that a task is given, io and iso in MiB that it reads and
writes of the image and reads of the medium.  cores and memory are those of a node;
storage is what the shared storage gives to all nodes together, MiB/s; dispatch, in
seconds, is what Slurm needs to start a task, and refill how long a place stays empty
until the next task of a job array has it.  One node has "batch" and no Slurm.

Each of these allows so many images an hour, and the fewest count.  It is assumed
that nothing else runs, that wall does not grow with the number of tasks before one
of these is used up, and that the medium lies on the shared storage and no node
remembers it; its part of what is read and written there is printed.
"""
import argparse
import math
import sys

SECONDS = 3600
NAMES = ("wall", "cpu", "memory", "io", "iso")


def parse_way(text):
    name, _, rest = text.partition(":")
    try:
        way = {key: float(value) for key, value in (w.split("=") for w in rest.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: NAME:wall=...,cpu=...") from None
    if set(way) != set(NAMES) or min(way.values()) < 0 or not way["wall"] or not way["memory"]:
        raise argparse.ArgumentTypeError(f"{text}: it needs {', '.join(NAMES)}")
    return name, way


def rate(amount, each):
    """Images an hour, when there is so much in a second and each needs so much."""
    return SECONDS * amount / each if each > 0 else math.inf


def limits(way, nodes, args):
    """Images an hour, by what would be used up.  A task has a core and its memory
    as long as it runs, whether it computes or waits."""
    by_memory = int(args.memory // way["memory"])
    empty = args.refill if nodes > 1 else 0
    return {
        "cores": rate(nodes * args.cores, max(way["wall"], way["cpu"]) + empty),
        "memory": rate(nodes * by_memory, way["wall"] + empty),
        "storage": rate(args.storage, way["io"] + way["iso"]),
        "dispatch": rate(1, args.dispatch) if nodes > 1 else math.inf,
    }


def row(name, way, nodes, args):
    found = limits(way, nodes, args)
    first = min(found, key=found.get)
    cells = [name, str(nodes)] + [f"{n:.0f}" if n < math.inf else "-" for n in found.values()]
    traffic = way["io"] + way["iso"]
    cells += [f"{way['iso'] / traffic * 100:.0f} %" if traffic > 0 else "-"]
    hours = args.images / found[first] if found[first] > 0 else math.inf
    return cells + [first if hours < math.inf else "does not fit", f"{hours:.1f}"]


def table(args):
    head = ["way", "nodes", "cores", "memory", "storage", "dispatch", "the ISO's part",
            "first", "hours"]
    rows = [row(name, way, nodes, args) for name, way in args.way for nodes in args.nodes]
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def parse(argv):
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--images", type=int, default=10000)
    ap.add_argument("--nodes", type=int, nargs="+", default=[1, 10, 100])
    for name in ("cores", "memory", "storage", "dispatch", "refill"):
        ap.add_argument(f"--{name}", type=float, required=True)
    ap.add_argument("--way", type=parse_way, action="append", required=True)
    return ap.parse_args(argv)


def main():
    args = parse(sys.argv[1:])
    print(f"Images an hour that each allows, and hours for {args.images}:\n\n{table(args)}")


if __name__ == "__main__":
    main()
