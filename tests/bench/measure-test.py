#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""measure-test.py - does measure.py see what is easily missed: a daemon that the
command leaves behind, memory that nobody maps, an appliance?"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import measure

# burns a second of CPU below init, were it not for the subreaper
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while time.process_time() < 1:
            pass
        os.write(os.open("/dev/null", os.O_WRONLY), bytes(50_000_000))
"""
MEMFD = """
import os, time
os.write(os.memfd_create("x"), bytes(100_000_000))
time.sleep(2)
"""
FAILURES = []


def expect(name, true, cost):
    print(f"{'ok' if true else 'not ok'} - {name}")
    if not true:
        print(f"    {cost}")
        FAILURES.append(name)


def python(text):
    return measure.measure([sys.executable, "-c", text])


def appliance(folder):
    """Something with QEMU's name and the appliance's port, twice"""
    qemu = f"{folder}/qemu-system-none"
    os.symlink("/bin/sh", qemu)
    run = f"{qemu} -c 'sleep 1; true' {measure.APPLIANCE.decode()}"
    return measure.measure(["sh", "-c", f"{run}; {run}; {qemu} -c 'sleep 1; true'"])


def main():
    cost = python(DAEMON)
    expect("a daemon's CPU", 0.9 < cost.cpu < 3, cost)
    expect("a daemon's bytes", 50 <= cost.written < 51, cost)
    cost = python(MEMFD)
    expect("a file in memory", 100 <= cost.memory < 130, cost)
    with tempfile.TemporaryDirectory() as folder:
        cost = appliance(folder)
    expect("two appliances, and a QEMU that is none", cost.launches == 2, cost)
    try:
        measure.measure(["false"])
        expect("a command that fails", False, None)
    except measure.Failure:
        expect("a command that fails", True, None)
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
