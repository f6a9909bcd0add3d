#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""examples.py PROGRAM [KIND [SET-UP]]: the manuals' examples, run as written

Takes the commands out of the EXAMPLES of each page and out of README.md, and
runs each block in a folder of its own, with a guest and a driver medium made of
fixtures/ under the names that the examples use.  It has to succeed, and to print
what the row for it in the table below says.

KIND: which blocks: "plain" (default), "appliance" (those that start guestfish's)
or "libvirt" (those that need a libvirtd, with the domain "vm" in it, which the
command SET-UP defines).  The others are counted as left out.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
FIXTURES = os.path.join(TOP, "fixtures")
TIMEOUT = 600
LEFT_OUT = {"libvirt": "run by tests/libvirt/examples.sh",
            "appliance": "run by tests/guest/examples.sh",
            "set-up": "installs packages, builds or runs all tests"}


class Example:
    """@prints: a pattern in what it prints.  @before: what was done to the guest:
    "injected", "interrupted", "go on" where the last block ended.  @after: a
    command that has to succeed then."""

    def __init__(self, prints, need="plain", before="a guest", after=None):
        self.prints, self.need = prints, need
        self.before, self.after = before, after


INJECTED = "Result: .*edits written"
INJECT = ("v2v-virtio inject vm.qcow2 --virtio-iso virtio-win.iso "
          "--domain-xml vm.xml --output-xml vm.xml && cp vm.xml vm-virtio.xml")
# In the order in which they stand there.
PAGES = {
    "README.md": [
        Example(INJECTED, after="grep -q virtio vm-virtio.xml"),
        Example("", "set-up"),
        Example("is as it was before"),
        Example("Domain .* started", "libvirt"),
        Example("Result: .* 0 broken", before="injected"),
        Example("is as it was before", before="injected"),
        Example("viostor/w10/amd64"),
        Example("", "set-up"),
    ],
    "v2v-virtio": [
        Example(r"Domain .* started", "libvirt"),
        Example(r"Domain .* defined", "libvirt"),
        Example("", after='jq -e \'.status == "done"\' vm.qcow2.json'),
    ],
    "v2v-virtio-inject": [
        Example(INJECTED, after="grep -q virtio vm-virtio.xml"),
        Example("package viostor new oem3.inf", after="! ls vm.qcow2.v2v-*"),
        Example(INJECTED, before="the XML names vm.vmdk",
                after="test -s vm-virtio.qcow2"),
        Example(INJECTED),
    ],
    "v2v-virtio-check": [
        Example("Result: +0 block"),
        Example("^fast-startup$", before="fast startup"),
        Example("^vm.qcow2: clear$"),
    ],
    "v2v-virtio-verify": [
        Example("0 broken", before="injected"),
        Example("^broken: controller-not-covered: "),
        Example("^not yet$"),
    ],
    "v2v-virtio-batch": [
        Example(r"1 machine: 1 done, 0 failed, 0 left", after="test -s look.html"),
        Example(r"1 machine: 1 done, 0 failed, 0 left", after="test -e vm.qcow2.v2v-undo-1"),
        Example("", before="go on",
                after="grep -q done weekend.csv && grep -q vm.qcow2 weekend.html now.html"),
        Example("^2: .*/vm.qcow2: image-unreadable: ", before="a broken one"),
    ],
    "v2v-virtio-xml": [
        Example(r"^\+.*bus=.virtio"),
        Example("", after="grep -q /dev/urandom vm.xml"),
        Example("Domain .* defined", "libvirt"),
    ],
    "v2v-virtio-undo": [
        Example("vm.qcow2", before="injected"),
        Example("undone|restored|was before", before="injected"),
        Example("^(./)?vm.qcow2$", before="injected"),
    ],
    "v2v-virtio-recover": [
        Example("", before="interrupted", after="! ls *.v2v-*"),
        Example("", before="interrupted", after="! ls *.v2v-*"),
        Example("^discarded$", before="interrupted"),
    ],
    "v2v-virtio-drivers": [
        Example("(?m)^viostor"),
        Example("viostor/w10/amd64"),
        Example(r"^viostor \d+\.\d+"),
    ],
    "v2v-virtio-report": [
        Example("^done\nnull\nnull$"),
        Example("^start-override: SYSTEM", before="go on"),
        Example(r"(?m)^SYSTEM\\ControlSet001\\Services\\viostor Start$",
                before="go on"),
        Example(r"(?m)^Following the boot chain\nholds$", before="injected"),
    ],
    "v2v-virtio-windows": [
        Example(r"set SYSTEM\\ControlSet001\\Services\\viostor Start: the driver"),
        Example('"Start"=dword:00000000', "appliance", "injected"),
        Example("", "appliance", "injected",
                after="v2v-virtio verify vm.qcow2 | grep -q controller-not-covered"),
    ],
}


def blocks_of_page(name):
    with open(os.path.join(TOP, "man", name + ".pod"), encoding="utf-8") as f:
        paragraphs = f.read().split("\n\n")
    inside, found, last = False, [], ""
    for text in paragraphs:
        if text.startswith("=head1"):
            inside = text.strip() == "=head1 EXAMPLES"
        elif inside and text.startswith(" "):
            block = re.sub("^ ", "", text, flags=re.M)
            if last.startswith(" "):        # an empty line inside of a block
                found[-1] += "\n\n" + block
            else:
                found.append(block)
        last = text
    return found


def blocks_of_readme():
    """What is indented by four and begins with a command of this project."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        text = f.read()
    blocks = re.findall(r"^(?: {4}\S.*\n(?: {4}.*\n| *\n(?= {4}))*)", text, re.M)
    found = [re.sub(r"^ {4}", "", block, flags=re.M) for block in blocks]
    return [block for block in found
            if re.match(r"(v2v-virtio|scripts/|cmake|sudo|apt)", block)]


def run(command, cwd, env):
    """As somebody would type it who stops at what fails."""
    done = subprocess.run(["bash", "-euc", command], cwd=cwd, env=env,
                          stdin=subprocess.DEVNULL, timeout=TIMEOUT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return done.returncode, done.stdout


def make(command, *args):
    subprocess.run([os.path.join(FIXTURES, command), *args], check=True,
                   stdout=subprocess.DEVNULL)


class Bench:
    """A folder for each block, with the files that the examples name."""

    def __init__(self, work, program, set_up):
        self.work, self.set_up, self.number = work, set_up, 0
        self.goods = os.path.join(work, "goods")
        bin_folder = os.path.join(work, "bin")
        os.mkdir(bin_folder)
        os.mkdir(self.goods)
        os.symlink(os.path.realpath(program), os.path.join(bin_folder, "v2v-virtio"))
        os.mkdir(os.path.join(work, "tmp"))
        self.env = dict(os.environ, LC_ALL="C.UTF-8",
                        TMPDIR=os.path.join(work, "tmp"),
                        PATH=bin_folder + ":" + os.environ["PATH"])
        self.env.pop("VIRTIO_WIN", None)
        make("mkguest", os.path.join(self.goods, "vm.qcow2"))
        make("mkiso", os.path.join(self.goods, "virtio-win.iso"))

    def folder(self, before):
        if before != "go on":
            self.number += 1
            self.fill(self.place(), before)
        return self.place()

    def place(self):
        return os.path.join(self.work, str(self.number))

    def fill(self, place, before):
        os.mkdir(place)
        for name in os.listdir(self.goods):
            shutil.copy(os.path.join(self.goods, name), place)
        with open(os.path.join(place, "vms.csv"), "w", encoding="utf-8") as f:
            f.write("image\nvm.qcow2\n")
        with open(os.path.join(place, "recovery-key"), "w", encoding="utf-8") as f:
            f.write("-".join(["000011"] * 8) + "\n")
        if before == "fast startup":
            make("mkguest", "--fast-startup", os.path.join(place, "vm.qcow2"))
        with open(os.path.join(FIXTURES, "domain.xml"), encoding="utf-8") as f:
            xml = f.read().replace("/var/lib/libvirt/images", place)
        with open(os.path.join(place, "vm.xml"), "w", encoding="utf-8") as f:
            f.write(xml.replace("<name>fixture<", "<name>vm<"))
        if before == "the XML names vm.vmdk":
            self.must("sed -i s/vm.qcow2/vm.vmdk/ vm.xml", place)
        elif before == "injected":
            self.must(INJECT, place)
        elif before == "a broken one":
            self.must("echo noise >vm.qcow2", place)
        elif before == "interrupted":
            self.interrupt(place)
        if self.set_up:
            self.must(self.set_up, place)
        self.must("qemu-img convert -O vmdk -o subformat=streamOptimized "
                  "vm.qcow2 vm.vmdk", place)

    def must(self, command, place):
        status, output = run(command, place, self.env)
        if status != 0:
            sys.exit(f"{command}: exit status {status}\n{output}")

    def interrupt(self, place):
        """All processes of an injection are killed once it has begun to write."""
        image = os.path.join(place, "vm.qcow2")
        for _ in range(50):
            shutil.copy(os.path.join(self.goods, "vm.qcow2"), place)
            with subprocess.Popen(["bash", "-c", INJECT], cwd=place, env=self.env,
                                  start_new_session=True,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as injection:
                while (injection.poll() is None and
                       not os.path.exists(image + ".v2v-state")):
                    time.sleep(0.001)
                if injection.poll() is None:
                    os.killpg(injection.pid, signal.SIGKILL)
            while run("pgrep -f " + place, place, self.env)[0] == 0:
                time.sleep(0.1)    # those that served it hold its locks
            if os.path.exists(image + ".v2v-state"):
                return
            run("rm -f vm.qcow2.v2v-*", place, self.env)
        sys.exit("an injection was never caught while it wrote")


def try_example(bench, name, number, block, example):
    place = bench.folder(example.before)
    status, output = run(block, place, bench.env)
    wrong = []
    if status != 0:
        wrong.append(f"exit status {status}")
    if not re.search(example.prints, output, re.M):
        wrong.append(f"prints nothing like {example.prints}")
    if example.after and run(example.after, place, bench.env)[0] != 0:
        wrong.append(f"afterwards this fails: {example.after}")
    print(f"{'not ok' if wrong else 'ok'} - {name}, example {number}", flush=True)
    if wrong:
        print(f"{block}\n{output}\n" + "\n".join(wrong))
    return not wrong


def main():
    program = sys.argv[1]
    kind = sys.argv[2] if len(sys.argv) > 2 else "plain"
    set_up = sys.argv[3] if len(sys.argv) > 3 else None
    tried, good, left = 0, True, {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp"),
                                     prefix="v2v-examples.") as work:
        bench = Bench(work, program, set_up)
        for name, examples in PAGES.items():
            blocks = (blocks_of_readme() if name == "README.md"
                      else blocks_of_page(name))
            if len(blocks) != len(examples) or len(blocks) < 3:
                print(f"not ok - {name} has {len(blocks)} examples (three at "
                      f"least), {len(examples)} of them are known here")
                good = False
                continue
            for i, (block, example) in enumerate(zip(blocks, examples), 1):
                if example.need != kind:
                    left[example.need] = left.get(example.need, 0) + 1
                    continue
                tried += 1
                good &= try_example(bench, name, i, block, example)
    for need, count in left.items():
        print(f"{count} left out: {LEFT_OUT.get(need, 'plain ones: ctest')}")
    print(f"{tried} examples run")
    return 0 if good and tried > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
