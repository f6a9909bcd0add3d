# SPDX-License-Identifier: GPL-2.0-or-later
"""A made-up Windows and a driver medium, for runs without an appliance."""
import os
import subprocess
import sys


def must(*argv, **options):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{argv}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def make(fixtures, folder):
    """vm.qcow2, virtio-win.iso and vm.xml in @folder, which becomes ours."""
    os.chdir(folder)
    must(f"{fixtures}/mkguest", "vm.qcow2")
    must(f"{fixtures}/mkiso", "virtio-win.iso")
    with open(f"{fixtures}/domain.xml", encoding="utf-8") as f:
        xml = f.read().replace("/var/lib/libvirt/images/", f"{folder}/")
    with open("vm.xml", "w", encoding="utf-8") as f:
        f.write(xml)


def need_direct(program):
    """Skip where there is no backend but the appliance."""
    done = subprocess.run([program, "check", "vm.qcow2", "--backend", "direct"],
                          capture_output=True, text=True, check=False)
    if "built without" in done.stderr:
        print(f"skipped: {done.stderr.strip()}")
        sys.exit(77)
