#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""corpus.py DOMAIN-REWRITE [FOLDER...] - rewrites domain XMLs and asks libvirt's
qemu driver: what it defined it must define after the rewrite, what booted
first must boot first, and a second rewrite changes nothing.  The domains are
those of the table below, and all *.xml of the folders.

Run by corpus.sh, which starts the libvirtd."""
import glob
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
MODES = {"virtio-blk": [], "virtio-scsi": ["--scsi"]}
ADD = ["--add", "all", "--nic-queues", "4"]
ADDING = {"virtio-blk, all added": ADD,
          "virtio-scsi, all added": ["--scsi", *ADD]}
FULL = os.environ.get("V2V_FULL")
REFUSED = 3, 5  # exit statuses: the guest, the file

# Disks: device, name, bus, and what else is in it.  Layouts that mix buses,
# orders of names, and what stays.
LAYOUTS = {
    "one": ["disk 0"],
    "names backwards": ["disk 1", "disk 0"],
    "cdrom first": ["cdrom 0", "disk 1"],
    "cdrom on another bus": ["cdrom 0 {cdrom}", "disk 0", "disk 1"],
    "virtio data": ["disk 0", "disk a virtio"],
    "virtio data, a gap": ["disk 0", "disk 1", "disk b virtio"],
    "virtio data in front": ["disk a virtio", "disk 0"],
    "usb stick": ["disk a usb", "disk 1"],
    "mixed": ["disk 1", "disk a virtio", "disk 0 {other}", "cdrom 0 {cdrom}"],
    "scsi cdrom": ["disk 0", "cdrom d scsi", "disk e scsi"],
    "many": ["disk %d" % i for i in range(4)],
    "far": ["disk h scsi", "disk i scsi"],
}
MACHINES = {  # buses to move from, bus of CD-ROMs, another bus
    "pc": (["ide", "sata", "scsi"], "ide", "sata"),
    "q35": (["sata", "scsi"], "sata", "scsi"),
}
PREFIX = {"ide": "hd", "sata": "sd", "scsi": "sd", "usb": "sd", "virtio": "vd"}
BOOTS = {
    "no boot": "",
    "hd": "<boot dev='hd'/>",
    "cdrom hd": "<boot dev='cdrom'/><boot dev='hd'/>",
    "orders": None,  # of each disk, the last one first
}


def disk(words, bus, order, names):
    """"cdrom 0 {cdrom}": its device, its place on the bus, and the bus; a name
    that is taken is the next free one."""
    device, place, *own = words.split()
    bus = own[0] if own else bus
    letter = "abcdefghij".index(place) if place.isalpha() else int(place)
    while (name := PREFIX[bus] + chr(ord("a") + letter)) in names:
        letter += 1
    names.add(name)
    boot = f"\n      <boot order='{order}'/>" if order else ""
    return f"""    <disk type='file' device='{device}'>
      <driver name='qemu' type='raw'/>
      <source file='/images/{name}.{bus}'/>
      <target dev='{name}' bus='{bus}'/>{boot}
    </disk>
"""


def domain(machine, bus, layout, boot):
    cdrom, other = MACHINES[machine][1:]
    words = [w.format(cdrom=cdrom, other=other) for w in LAYOUTS[layout]]
    names = set()
    disks = [disk(w, bus, len(words) - i if BOOTS[boot] is None else 0, names)
             for i, w in enumerate(words)]
    return f"""<domain type='qemu'>
  <name>corpus</name>
  <memory>65536</memory>
  <os>
    <type machine='{machine}'>hvm</type>
    {BOOTS[boot] or ""}
  </os>
  <devices>
{"".join(disks)}    <interface type='user'>
      <model type='e1000'/>
    </interface>
  </devices>
</domain>
"""


def all_domains():
    """(name, bytes)"""
    for machine, (buses, *_) in MACHINES.items():
        for bus, layout, boot in itertools.product(buses, LAYOUTS, BOOTS):
            yield (f"{machine}, {bus}, {layout}, {boot}",
                   domain(machine, bus, layout, boot).encode())


def domains():
    """Every fifth: all layouts, and each with other buses and boots."""
    return itertools.islice(all_domains(), 0, None,
                            1 if FULL else 5)


def domains_of(folder):
    for path in sorted(glob.glob(f"{folder}/**/*.xml", recursive=True)):
        with open(path, "rb") as f:
            content = f.read()
        if re.search(rb"<domain[\s>]", content):
            yield os.path.relpath(path, folder), content


# A daemon that died would refuse everything, and nothing would be compared.
GONE = re.compile("failed to connect to the hypervisor|Disconnected from|"
                  "End of file while reading data|client socket is closed")


class Libvirt:
    def __init__(self, folder):
        self.path = f"{folder}/ask.xml"

    def virsh(self, *args):
        run = subprocess.run(["virsh", "-q", *args], capture_output=True,
                             text=True, errors="replace", timeout=60)
        if GONE.search(run.stderr):
            raise ConnectionError(run.stderr)
        return run

    def write(self, xml):
        """With our name, and this machine's emulator; a domain that needs KVM
        is the same without."""
        text = xml.decode("utf-8", "surrogateescape")
        text = re.sub(r"<uuid>[^<]*</uuid>", "", text)
        text = re.sub(r"(<name(?:\s[^>]*)?>)[^<]*</name>", r"\1corpus</name>",
                      text, count=1)
        arch = "i386" if re.search(r"arch=['\"]i686", text) else "x86_64"
        text = re.sub(r"<emulator>[^<]*</emulator>",
                      f"<emulator>/usr/bin/qemu-system-{arch}</emulator>", text)
        with open(self.path, "wb") as f:
            f.write(text.encode("utf-8", "surrogateescape"))

    def why_not_defined(self, xml):
        """None: it is"""
        self.write(xml)
        run = self.virsh("define", self.path)
        if run.returncode == 0:
            self.virsh("undefine", "corpus", "--keep-nvram")
            return None
        return run.stderr.strip()

    def argv(self, xml):
        """None: libvirt cannot make a command of it, or is not asked: its
        version 9.0 looks for devices to pass through, and dies without."""
        if b"hostdev" in xml:
            return None
        self.write(xml)
        run = self.virsh("domxml-to-native", "qemu-argv", "--xml", self.path)
        return shlex.split(run.stdout) if run.returncode == 0 else None


def properties(word):
    """{"driver":...} as JSON, or driver,name=value,..."""
    if word.startswith("{"):
        return json.loads(word)
    pairs = [p.partition("=") for p in word.split(",")]
    return {k if sep else "driver": v if sep else k for k, sep, v in pairs}


def boots(argv):
    """What is booted, in order: storage, or a MAC address"""
    nodes, devices = {}, []
    for option, word in zip(argv, argv[1:]):
        if option == "-blockdev":
            node = properties(word)
            nodes[node.pop("node-name")] = node
        if option == "-device":
            devices.append(properties(word))

    def shown(device):
        node = nodes.get(device.get("drive"), {})
        while "file" in node:
            node = nodes[node["file"]]
        return (json.dumps({k: v for k, v in node.items()
                            if k not in ("cache", "discard")}, sort_keys=True)
                if node else device.get("mac") or "no medium")

    booted = [d for d in devices if "bootindex" in d]
    return [shown(d) for d in sorted(booted, key=lambda d: int(d["bootindex"]))]


def valid(*paths):
    """Those that match libvirt's schema"""
    run = subprocess.run(["xmllint", "--noout", "--nonet", "--relaxng", SCHEMA,
                          *paths], capture_output=True, text=True,
                         errors="replace")
    return [p for p in paths if f"{p} validates" in run.stderr.splitlines()]


class Counts:
    domains = refused = defined = booted = valid = 0


class Corpus:
    def __init__(self, rewrite, folder):
        self.rewrite, self.folder = rewrite, folder
        self.libvirt = Libvirt(folder)
        self.counts = Counts()

    def rewritten(self, xml, options):
        """(exit status, bytes or what was said)"""
        given, result = f"{self.folder}/in.xml", f"{self.folder}/out.xml"
        with open(given, "wb") as f:
            f.write(xml)
        run = subprocess.run([self.rewrite, *options, given, result],
                             capture_output=True, text=True, errors="replace",
                             timeout=60)
        if run.returncode != 0:
            return run.returncode, run.stderr
        with open(result, "rb") as f:
            return 0, f.read()

    def why_wrong(self, xml, options):
        """None: nothing is"""
        status, result = self.rewritten(xml, options)
        if status in REFUSED:
            self.counts.refused += 1
            return None
        if status != 0:
            return f"exit status {status}: {result}"
        why = self.why_schema_minds(f"{self.folder}/in.xml",
                                    f"{self.folder}/out.xml")
        if why is not None:
            return why
        if self.rewritten(result, options) != (0, result):
            return "a second rewrite is not the first"
        return self.why_libvirt_minds(xml, result)

    def why_schema_minds(self, given, result):
        found = valid(given, result)
        self.counts.valid += given in found
        if given in found and result not in found:
            return "does not match libvirt's schema any more"
        return None

    def why_libvirt_minds(self, xml, result):
        """A command is made of what can be defined only."""
        before = self.libvirt.argv(xml)
        if before is not None:
            return self.why_not_booted(before, result)
        if self.libvirt.why_not_defined(xml) is not None:
            return None
        self.counts.defined += 1
        why = self.libvirt.why_not_defined(result)
        return why and f"is not defined any more: {why}"

    def why_not_booted(self, before, result):
        self.counts.booted += 1
        after = self.libvirt.argv(result)
        if after is None:
            return ("cannot be started any more: "
                    f"{self.libvirt.why_not_defined(result)}")
        if boots(before) != boots(after):
            return f"boots {boots(after)}, not {boots(before)}"
        return None

    def judge(self, name, xml, modes):
        """How many modes fail"""
        failed = 0
        self.counts.domains += 1
        for mode, options in modes.items():
            try:
                why = self.why_wrong(xml, options)
            except ConnectionError as error:
                sys.exit(f"libvirtd died of {name}, to {mode}: {error}")
            if why is not None:
                print(f"FAILED: {name}, to {mode}: {why}")
                failed += 1
        return failed


def main():
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(sys.argv[1], folder)
        failed = sum(corpus.judge(name, xml, MODES) for name, xml in domains())
        failed += sum(corpus.judge(name, xml, MODES | ADDING if FULL else MODES)
                      for folder in sys.argv[2:]
                      for name, xml in domains_of(folder))
        c = corpus.counts
        print(f"{c.domains} domains: {c.refused} refused, "
              f"{c.valid} valid, {c.booted} as commands, {c.defined} only "
              f"defined; "
              f"{failed} failed")
        sys.exit(failed > 0 or c.booted == 0)


if __name__ == "__main__":
    main()
