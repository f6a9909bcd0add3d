#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: added-features.py DOMAIN-REWRITE IN.xml REWRITTEN.xml OUT.xml

Rewrites IN.xml with all that can be added, and compares the result with
REWRITTEN.xml, which is IN.xml rewritten without, changed here by the same rules
in another language.  Fails if they differ, if libvirt's schema took
REWRITTEN.xml and not OUT.xml, if a second run changes OUT.xml, or if adding to
REWRITTEN.xml gives something else.
"""
import filecmp
import subprocess
import sys
import xml.etree.ElementTree as ET

SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
QUEUES = "4"
ADD = ["--add", "all", "--nic-queues", QUEUES]
HYPERV = ["<relaxed state='on'/>", "<vapic state='on'/>",
          "<spinlocks state='on' retries='8191'/>"]
CLOCK = "<timer name='hypervclock' present='yes'/>"
RNG = ("<rng model='virtio'>"
       "<backend model='random'>/dev/urandom</backend></rng>")
STATS = "<stats period='5'/>"
CHANNEL = ("<channel type='unix'><target type='virtio' "
           "name='org.qemu.guest_agent.0'/></channel>")
PANIC = "<panic model='isa'><address type='isa' iobase='0x505'/></panic>"


def add(parent, xml):
    parent.append(ET.fromstring(xml))


def child(parent, name, **attributes):
    found = parent.find(name)
    return (found if found is not None
            else ET.SubElement(parent, name, attributes))


def add_devices(devices):
    balloon = devices.find("memballoon")
    if devices.find("rng") is None:
        add(devices, RNG)
    if balloon is None:
        balloon = ET.SubElement(devices, "memballoon", model="virtio")
    if balloon.find("stats") is None and "virtio" in balloon.get("model"):
        add(balloon, STATS)
    if devices.find("channel/target[@name='org.qemu.guest_agent.0']") is None:
        add(devices, CHANNEL)
    if all(p.get("model") == "hyperv" for p in devices.findall("panic")):
        add(devices, PANIC)


def add_settings(root):
    hyperv = child(child(root, "features"), "hyperv")
    for xml in HYPERV:
        element = ET.fromstring(xml)
        if hyperv.find(element.tag) is None and hyperv.get("mode") != "passthrough":
            hyperv.append(element)
    clock = child(root, "clock", offset="utc")
    if clock.find("timer[@name='hypervclock']") is None:
        add(clock, CLOCK)


def is_virtio_scsi(controller):
    return (controller.get("type") == "scsi" and
            controller.get("model", "") in ("virtio-scsi", "virtio-transitional",
                                            "virtio-non-transitional"))


def place(name):
    """0 for sda, 26 for sdaa"""
    n = 0
    for letter in name[2:]:
        n = n * 26 + ord(letter) - ord("a") + 1
    return n - 1


def controller_of(root, disk):
    """The virtio-scsi one of a disk, or None"""
    address = disk.find("address[@type='drive']")
    index = (int(address.get("controller", "0")) if address is not None
             else place(disk.find("target").get("dev")) // 7)
    for c in root.findall("devices/controller"):
        if is_virtio_scsi(c) and c.get("index", "0") == str(index):
            return c
    return None


def tune(root):
    """discard of disks, and what shall have an iothread"""
    workers = []
    for disk in root.findall("devices/disk"):
        bus, kind = disk.find("target").get("bus"), disk.get("device", "disk")
        if kind not in ("disk", "lun") or disk.get("type") == "vhostuser":
            continue
        controller = controller_of(root, disk) if bus == "scsi" else None
        if controller is not None and controller not in workers:
            workers.append(controller)
        if kind == "disk" and (bus == "virtio" or controller is not None):
            driver = child(disk, "driver")
            driver.set("discard", driver.get("discard", "unmap"))
        if kind == "disk" and bus == "virtio":
            workers.append(disk)
    return [w for w in workers if w.find("driver[@iothread]") is None and
            w.find("driver[@ioeventfd='off']") is None]


def add_iothreads(root, workers):
    named = root.find("iothreadids/iothread")
    if not workers or root.findtext("iothreads") == "0":
        return
    if named is None and root.find("iothreads") is None:
        add(root, "<iothreads>1</iothreads>")
    for worker in workers:
        child(worker, "driver").set("iothread",
                                    "1" if named is None else named.get("id"))


def add_queues(root):
    for nic in root.findall("devices/interface"):
        model = nic.find("model")
        if (model is not None and model.get("type", "").lower().startswith("virtio")
                and nic.get("type") in ("network", "bridge", "direct", "ethernet")):
            child(nic, "driver").set("queues", QUEUES)


def shape(element):
    """What must be equal: the order of children says nothing to libvirt."""
    children = sorted(shape(c) for c in element)
    return (element.tag, sorted(element.attrib.items()),
            (element.text or "").strip() if not children else "", children)


def valid(path):
    return subprocess.run(["xmllint", "--noout", "--nonet", "--relaxng", SCHEMA,
                           path], capture_output=True).returncode == 0


def main():
    rewrite, given, rewritten, out = sys.argv[1:]
    root = ET.parse(rewritten).getroot()

    def same_as_out(source):
        again = out + ".again"
        subprocess.run([rewrite, *ADD, source, again], check=True,
                       stdout=subprocess.DEVNULL)
        return filecmp.cmp(out, again, shallow=False)

    subprocess.run([rewrite, *ADD, given, out], check=True,
                   stdout=subprocess.DEVNULL)
    add_devices(root.find("devices"))
    add_settings(root)
    add_iothreads(root, tune(root))
    add_queues(root)
    if shape(root) != shape(ET.parse(out).getroot()):
        return "not what was to be added"
    if valid(rewritten) and not valid(out):
        return "no longer valid"
    if not same_as_out(out):
        return "not idempotent"
    if not same_as_out(rewritten):
        return "added later it is something else"
    return None


why = main()
if why:
    print(f"added features: {why}")
sys.exit(why is not None)
