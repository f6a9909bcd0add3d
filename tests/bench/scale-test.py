#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scale-test.py - does scale.py calculate as by hand?"""
import math
import os
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import scale

WAY = "a:wall=4,cpu=1,memory=1000,io=30,iso=20"
HOST = ["--cores", "8", "--memory", "3500", "--storage", "500", "--dispatch", "2",
        "--refill", "1"]


def limits(nodes, way=WAY):
    args = scale.parse(HOST + ["--way", way])
    return scale.limits(args.way[0][1], nodes, args)


def main():
    one = limits(1)
    assert one == {"cores": 7200, "memory": 2700, "storage": 36000,
                   "dispatch": math.inf}, one
    ten = limits(10)
    assert ten["memory"] == 21600 and ten["dispatch"] == 1800, ten
    args = scale.parse(HOST + ["--images", "5400", "--nodes", "1", "10", "--way", WAY])
    rows = scale.table(args).split("\n")[2:]
    assert rows[0].endswith("| 40 % | memory | 2.0 |"), rows
    assert rows[1].endswith("| 40 % | dispatch | 3.0 |"), rows
    too_large = scale.parse(HOST + ["--nodes", "1", "--way", WAY.replace("1000", "4000")])
    assert scale.table(too_large).endswith("| does not fit | inf |")
    for wrong in ("a", "a:wall=1", WAY.replace("4", "x"), WAY.replace("wall=4", "wall=0")):
        done = subprocess.run([sys.executable, f"{HERE}/scale.py", *HOST, "--way", wrong],
                              capture_output=True, check=False)
        assert done.returncode == 2, wrong


if __name__ == "__main__":
    main()
