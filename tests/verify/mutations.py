#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mutations.py TREE-TOOL FIXTURES WORK [NAME]

Breaks every link of the boot chain, one at a time, on injected guests of
several Windows, and sees the code that belongs to it and no other.  (Guests as
other tools leave them, and other recipes: tests/unit/test-verify-*.c.)
"""
import os
import re
import shutil
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
import guests
from guests import CATROOT, DWORD, MULTI_SZ, STORE, SZ

TOOL, FIXTURES, WORK = sys.argv[1:4]
ONLY = sys.argv[4] if len(sys.argv) > 4 else None
BOOT_MANAGER = r"Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
DISK_CLASS = r"ControlSet001\Control\Class\{4d36e967-e325-11ce-bfc1-08002be10318}"
SERVICES = r"ControlSet001\Services"
VIOSTOR = SERVICES + r"\viostor"
DB = "DriverDatabase"
IDS = [r"PCI\VEN_1AF4&DEV_1001", r"PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00",
       r"PCI\VEN_1AF4&DEV_1042", r"PCI\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01"]

GUESTS = {                        # mkguest's options, and the drivers
    "win10": ([], "viostor,NetKVM"),
    "win11": (["--gpt", "--version", "win11"], "viostor,NetKVM"),
    "2k22": (["--gpt", "--version", "2k22"], "viostor,NetKVM"),
    "winxp": (["--version", "winxp", "--arch", "x86"], "viostor"),
}
NEW, UEFI, BIOS = ("win10", "win11", "2k22"), ("win11", "2k22"), ("win10", "winxp")
ALL = tuple(GUESTS)
OLD_STORE = ("win10", "2k22")     # drivers run from System32\\drivers
CASES = []


def case(code, on=ALL, state="broken"):
    """The function breaks the guest; CODE and nothing else is then wrong.  None:
    it is as sound as before."""
    def add(function):
        name = function.__name__.strip("_").replace("_", "-")
        CASES.append((name, code, state, on, function))
        return function
    return add


def edit(code, change, on=ALL, state="broken", hive="SYSTEM", name=None):
    """A case that is one change of a hive."""
    def function(g):
        with g.hive(hive) as h:
            change(h)
    function.__name__ = name or code
    case(code, on, state)(function)


def oem(h, hive_inf):
    """oemN.inf of the package of this INF"""
    packages = h.keys(DB + r"\DriverPackages")
    name = next(p for p in packages if p.lower().startswith(hive_inf + "_"))
    return h.text(DB + "\\DriverPackages\\" + name, "")


def package_key(h, inf="viostor.inf"):
    return DB + "\\DriverPackages\\" + next(
        p for p in h.keys(DB + r"\DriverPackages") if p.lower().startswith(inf + "_"))


def driver(g):
    """viostor.sys, where its service has it: Windows 11's runs from the store."""
    with g.hive() as h:
        path = h.text(VIOSTOR, "ImagePath").replace("\\", "/")
    return "Windows/" + path


def inf_key(h, inf="viostor.inf"):
    return DB + "\\DriverInfFiles\\" + oem(h, inf)


# ---- disk, boot manager, BCD ------------------------------------------------
def patch_disk(g, offset, data):
    """The disk is shared with the guest that this one was copied from."""
    disk = f"{g.path}/disk0.raw"
    subprocess.run(["cp", "--sparse=always", disk, disk + ".new"], check=True)
    os.rename(disk + ".new", disk)
    with open(disk, "r+b") as f:
        f.seek(offset)
        f.write(data)


@case("no-active-partition", BIOS)
def active_flag(g):
    patch_disk(g, 446, b"\0")


@case("boot-manager-missing", NEW)
def boot_manager(g):
    names = [f"{g.boot}/bootmgr", f"{g.boot}/EFI/Microsoft/Boot/bootmgfw.efi"]
    os.unlink(next(n for n in names if os.path.exists(n)))


@case("boot-manager-missing", NEW)
def empty_boot_manager(g):
    names = [f"{g.boot}/bootmgr", f"{g.boot}/EFI/Microsoft/Boot/bootmgfw.efi"]
    os.truncate(next(n for n in names if os.path.exists(n)), 0)


@case("fallback-loader-missing", UEFI, "warns")
def fallback(g):
    os.unlink(f"{g.boot}/EFI/Boot/bootx64.efi")


@case("bcd-missing", NEW)
def bcd(g):
    os.unlink(g.hive_path("BCD"))


@case("bcd-unreadable", NEW)
def bcd_noise(g):
    with open(g.hive_path("BCD"), "wb") as f:
        f.write(b"no hive" * 4096)


def loader(h):
    return "Objects\\" + h.text(BOOT_MANAGER + r"\Elements\23000003", "Element")


edit("bcd-no-boot-manager", lambda h: h.drop(BOOT_MANAGER), NEW, hive="BCD")
edit("bcd-no-default", lambda h: h.drop(BOOT_MANAGER + r"\Elements\23000003"),
     NEW, hive="BCD")
edit("bcd-no-default", lambda h: h.drop(loader(h)), NEW, hive="BCD",
     name="default-entry")
edit("bcd-loader-missing", lambda h: h.sz(loader(h) + r"\Elements\12000002",
     "Element", h.text(loader(h) + r"\Elements\12000002", "Element")
     .replace("winload", "nothing")), NEW, hive="BCD", name="bcd-loader-path")
edit("bcd-wrong-system-root", lambda h: h.sz(loader(h) + r"\Elements\22000002",
     "Element", r"\Winnt"), NEW, hive="BCD")


@case("bcd-wrong-device", NEW)
def bcd_device(g):
    """The partition that the firmware starts from, or one that is not there."""
    with g.hive("BCD") as h:
        key = loader(h) + r"\Elements\21000001"
        kind, data = h.values(key)["Element"]
        h.set(key, "Element", kind, data[:32] + b"\1" * 16 + data[48:])


edit("bcd-wrong-device", lambda h: h.drop(loader(h) + r"\Elements\21000001"),
     NEW, hive="BCD", name="no-osdevice")


@case("bcd-unreadable", NEW)
def bcd_is_empty(g):
    os.truncate(g.hive_path("BCD"), 0)


@case(None, NEW)
def bcd_is_huge(g):
    """Not looked into: whether test signatures are allowed is not known."""
    os.truncate(g.hive_path("BCD"), 1 << 30)


@case("bcd-loader-missing", NEW)
def winload(g):
    g.remove("Windows/System32/winload." + ("efi" if g.boot != g.system else "exe"))


@case("kernel-missing")
def kernel(g):
    g.remove("Windows/System32/ntoskrnl.exe")


@case("kernel-missing")
def empty_kernel(g):
    g.truncate("Windows/System32/ntoskrnl.exe")


@case("nt-loader-missing", ("winxp",))
def nt_loader(g):
    g.remove("ntldr")


@case("boot-ini-missing", ("winxp",))
def boot_ini(g):
    g.remove("boot.ini")


@case("boot-ini-wrong", ("winxp",))
def boot_ini_partition(g):
    text = open(g.file("boot.ini"), encoding="ascii").read()
    with open(g.file("boot.ini"), "w", encoding="ascii") as f:
        f.write(text.replace("partition(1)", "partition(3)"))


edit("select-default-missing", lambda h: h.dword("Select", "Default", 7))

# ---- the service of the boot disk's driver ----------------------------------
edit("service-missing", lambda h: h.drop(VIOSTOR))
edit("service-wrong-type", lambda h: h.dword(VIOSTOR, "Type", 16))
edit("service-not-boot-start", lambda h: h.dword(VIOSTOR, "Start", 3))
edit("service-disabled", lambda h: h.dword(VIOSTOR, "Start", 4))
edit("start-override", lambda h: h.dword(VIOSTOR + r"\StartOverride", "0", 3))
edit("start-override", lambda h: h.dword(VIOSTOR + r"\StartOverride", "5", 3),
     name="start-override-5")
edit("service-no-group", lambda h: h.unset(VIOSTOR, "Group"), state="warns")
edit("image-path-refused", lambda h: h.sz(VIOSTOR, "ImagePath",
     r"System32\drivers\..\..\x.sys", guests.EXPAND_SZ))
edit("driver-file-missing", lambda h: h.sz(VIOSTOR, "ImagePath",
     r"System32\drivers\elsewhere.sys", guests.EXPAND_SZ), name="image-path")


@case("driver-file-missing")
def driver_file(g):
    g.remove(driver(g))


@case("driver-file-missing")
def driver_is_folder(g):
    name = driver(g)
    g.remove(name)
    os.mkdir(g.file(name))


@case("driver-not-pe")
def empty_driver(g):
    g.truncate(driver(g))


@case("driver-not-pe")
def driver_cut(g):
    g.truncate(driver(g), 100)


@case("driver-wrong-machine")
def driver_of_another_machine(g):
    arch = "amd64" if "x86" in GUESTS[g.name][0] else "x86"
    subprocess.run([f"{FIXTURES}/mkpe", arch, g.file(driver(g))], check=True)


@case("import-missing")
def storport(g):
    g.remove("Windows/System32/drivers/storport.sys")


@case("import-missing")
def empty_storport(g):
    g.truncate("Windows/System32/drivers/storport.sys")


@case("driver-signature", NEW)
def driver_altered(g):
    g.alter(driver(g))


@case("driver-signature", NEW)
def catalog(g):
    """The fixtures' drivers have no signature of their own."""
    with g.hive() as h:
        name = oem(h, "viostor.inf").replace(".inf", ".cat")
    g.remove(f"{CATROOT}/{name}")


# ---- device id to service ---------------------------------------------------
@case("device-id-missing", NEW)
def modern_ids(g):
    with g.hive() as h:
        for name in IDS[2:]:
            h.drop(DB + "\\DeviceIds\\" + name)


@case("device-id-missing", NEW)
def one_id(g):
    with g.hive() as h:
        h.drop(DB + "\\DeviceIds\\" + IDS[1])


@case("device-id-missing", NEW)
def all_ids(g):
    with g.hive() as h:
        for name in IDS:
            h.drop(DB + "\\DeviceIds\\" + name)


edit("inf-not-registered", lambda h: h.drop(inf_key(h)), NEW)
edit("inf-not-active", lambda h: h.unset(inf_key(h), "Active"), NEW)
edit("package-missing", lambda h: h.drop(package_key(h)), NEW)
edit("package-not-listed", lambda h: h.multi(inf_key(h), "", "other.inf_amd64_0"),
     NEW)
edit("package-version", lambda h: h.unset(package_key(h), "Version"), NEW)
edit("package-version", lambda h: h.set(package_key(h), "Version", guests.BINARY,
     bytes(20)), NEW, name="short-version")
edit("descriptor-missing", lambda h: h.drop(package_key(h) + "\\Descriptors\\" +
     IDS[3]), NEW)
edit("configuration-missing", lambda h: h.drop(package_key(h) +
     r"\Configurations\viostor_inst"), NEW)
edit("configuration-not-listed", lambda h: h.unset(inf_key(h), "Configurations"),
     NEW)
edit("configuration-no-service", lambda h: h.unset(package_key(h) +
     r"\Configurations\viostor_inst", "Service"), NEW)
edit("configuration-no-service", lambda h: h.sz(package_key(h) +
     r"\Configurations\viostor_inst", "Service", ""), NEW, name="empty-service")
# with a separator in it a name would lead to another key
edit("configuration-no-service", lambda h: h.sz(package_key(h) +
     r"\Configurations\viostor_inst", "Service", r"..\viostor"), NEW,
     name="service-path")
edit("descriptor-missing", lambda h: h.sz(package_key(h) + "\\Descriptors\\" +
     IDS[3], "Configuration", r"..\viostor_inst"), NEW, name="configuration-path")


def wrong_part(h, at, data, inf="viostor.inf"):
    version = h.get(package_key(h, inf), "Version")
    h.set(package_key(h, inf), "Version", guests.BINARY,
          version[:at] + data + version[at + len(data):])


edit("package-architecture", lambda h: wrong_part(h, 2, b"\0\0"), NEW, "warns")
edit("package-class", lambda h: wrong_part(h, 8, bytes(16)), NEW, "warns")
edit("service-owner", lambda h: h.multi(VIOSTOR, "Owners", "oem77.inf"), NEW,
     "warns")


@case("package-not-configured", NEW)
def staged_only(g):
    """As pnputil leaves it without the device, but with the service."""
    with g.hive() as h:
        for key in ("Configurations", "Descriptors", "Strings"):
            h.drop(package_key(h) + "\\" + key)
        h.unset(inf_key(h), "Configurations")


@case("critical-device-missing", ("winxp",))
def critical_devices(g):
    with g.hive() as h:
        key = r"ControlSet001\Control\CriticalDeviceDatabase"
        for name in h.keys(key):
            if "1af4" in name.lower():
                h.drop(f"{key}\\{name}")


def each_critical_device(h, value):
    key = r"ControlSet001\Control\CriticalDeviceDatabase"
    for name in h.keys(key):
        if "1af4" in name.lower():
            h.unset(f"{key}\\{name}", value)


edit("critical-device-no-service", lambda h: each_critical_device(h, "Service"),
     ("winxp",))
edit("critical-device-no-class", lambda h: each_critical_device(h, "ClassGUID"),
     ("winxp",))


# ---- the package ------------------------------------------------------------
@case("package-dangling", OLD_STORE, "warns")
def store(g):
    g.remove(f"{STORE}/{g.package('viostor.inf')}")


@case("store-file-missing", OLD_STORE, "warns")
def store_sys(g):
    g.remove(f"{STORE}/{g.package('viostor.inf')}/viostor.sys")


@case("store-file-altered", OLD_STORE, "warns")
def store_altered(g):
    g.alter(f"{STORE}/{g.package('viostor.inf')}/viostor.sys")


@case("driver-file-missing", ("win11",))
def driver_in_store(g):
    g.remove(f"{STORE}/{g.package('viostor.inf')}")


@case("inf-copy-differs", NEW, "warns")
def inf_copy(g):
    with g.hive() as h:
        name = oem(h, "viostor.inf")
    g.alter(f"Windows/INF/{name}")


edit("bus-type", lambda h: h.dword(VIOSTOR + r"\Parameters", "BusType", 10), NEW,
     "warns")

# ---- the chain --------------------------------------------------------------
edit("chain-service-missing", lambda h: h.drop(SERVICES + r"\partmgr"))
edit("chain-service-missing", lambda h: h.dword(SERVICES + r"\disk", "Type", 16),
     name="chain-wrong-type")
edit("chain-service-disabled", lambda h: h.dword(SERVICES + r"\disk", "Start", 4))
edit("chain-not-boot-start", lambda h: h.dword(SERVICES + r"\mountmgr", "Start", 3))
edit("chain-start-override", lambda h: h.dword(SERVICES +
     r"\disk\StartOverride", "0", 3))
edit("filter-service-missing", lambda h: h.multi(DISK_CLASS, "LowerFilters",
     "nobody"))
edit("san-policy", lambda h: h.dword(SERVICES + r"\partmgr\Parameters",
     "SanPolicy", 3), NEW, "warns")


@case("chain-file-missing")
def disk_sys(g):
    g.remove("Windows/System32/drivers/disk.sys")


@case("chain-file-missing")
def empty_disk_sys(g):
    g.truncate("Windows/System32/drivers/disk.sys")


def filter_service(h, start):
    h.multi(DISK_CLASS, "UpperFilters", "acmeflt")
    for name, value in (("Type", 1), ("Start", start), ("ErrorControl", 1)):
        h.dword(SERVICES + r"\acmeflt", name, value)
    h.sz(SERVICES + r"\acmeflt", "ImagePath", r"System32\drivers\acmeflt.sys",
         guests.EXPAND_SZ)


edit("filter-file-missing", lambda h: filter_service(h, 3))


@case("filter-disabled")
def disabled_filter(g):
    shutil.copy(g.file("Windows/System32/drivers/disk.sys"),
                g.file("Windows/System32/drivers/acmeflt.sys"))
    with g.hive() as h:
        filter_service(h, 4)


def boot_service(h, control):
    key = SERVICES + r"\acmeboot"
    for name, value in (("Type", 1), ("Start", 0), ("ErrorControl", control)):
        h.dword(key, name, value)


edit("critical-file-missing", lambda h: boot_service(h, 3))
edit("boot-file-missing", lambda h: boot_service(h, 1), state="warns")


@case("critical-file-missing")
def empty_critical_file(g):
    with g.hive() as h:
        boot_service(h, 3)
    with open(g.file("Windows/System32/drivers/acmeboot.sys"), "wb"):
        pass


# ---- a second control set: what it shares with the first is told once --------
def second_set(h):
    h.copy("ControlSet001", "ControlSet002")
    h.dword("Select", "LastKnownGood", 2)


@case(None)
def second_control_set(g):
    with g.hive() as h:
        second_set(h)


edit(None, lambda h: h.make(r"ControlSet003\Services"), name="phantom-set")
edit("service-missing", lambda h: (second_set(h),
     h.drop(r"ControlSet002\Services\viostor")), state="warns",
     name="last-known-good")
edit("service-missing", lambda h: (second_set(h),
     h.drop(r"ControlSet002\Services\viostor"), h.dword("Select", "Default", 2)),
     name="default-2")


def removes_shared(name, code):
    def function(g):
        with g.hive() as h:
            second_set(h)
        g.remove(name(g))
    function.__name__ = "shared-" + code
    case(code)(function)


removes_shared(driver, "driver-file-missing")
removes_shared(lambda g: "Windows/System32/drivers/storport.sys", "import-missing")
removes_shared(lambda g: "Windows/System32/drivers/disk.sys", "chain-file-missing")

# ---- the network card -------------------------------------------------------
NET = NEW
NET_ID = DB + r"\DeviceIds\PCI"


def drop_net_ids(h):
    for name in h.keys(NET_ID):
        if re.match(r"VEN_1AF4&DEV_10(00|41)", name, re.I):
            h.drop(f"{NET_ID}\\{name}")


edit("network-device-id-missing", drop_net_ids, NET, hive="DRIVERS")
edit("network-inf-not-registered", lambda h: h.drop(inf_key(h, "netkvm.inf")), NET,
     hive="DRIVERS")
edit("network-inf-not-active", lambda h: h.unset(inf_key(h, "netkvm.inf"), "Active"),
     NET, hive="DRIVERS")
edit("network-package-missing", lambda h: h.drop(package_key(h, "netkvm.inf")), NET,
     hive="DRIVERS")
edit("network-package-not-listed", lambda h: h.multi(inf_key(h, "netkvm.inf"), "",
     "other.inf_amd64_0"), NET, hive="DRIVERS")
edit("network-package-version", lambda h: h.unset(package_key(h, "netkvm.inf"),
     "Version"), NET, hive="DRIVERS")


@case("network-store-missing", NET)
def net_store(g):
    g.remove(f"{STORE}/{g.package('netkvm.inf')}")


@case("network-file-missing", NET)
def net_sys(g):
    g.remove(f"{STORE}/{g.package('netkvm.inf')}/netkvm.sys")


@case("network-file-altered", NET)
def net_altered(g):
    g.alter(f"{STORE}/{g.package('netkvm.inf')}/netkvm.sys")


# ---- run --------------------------------------------------------------------
def wrong(guest, *options):
    """What does not hold, without what is unknown: {(code, state)}"""
    rows = [row for row in guests.links(TOOL, guest, *options)
            if row[1] in ("broken", "warns")]
    told = [(row[2], row[3]) for row in rows]
    if len(told) != len(set(told)):
        raise RuntimeError(f"told twice: {told}")
    return {(row[2], row[1]) for row in rows}


def make(name):
    options, drivers = GUESTS[name]
    path = f"{WORK}/{name}"
    subprocess.run([f"{FIXTURES}/mkguest", *options, "--tree", path], check=True)
    run = subprocess.run([TOOL, "inject", path, f"{WORK}/medium", drivers],
                         capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"{name}: {run.stderr}")
    return guests.Guest(path)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    subprocess.run([f"{FIXTURES}/mkiso", "-d", f"{WORK}/medium"], check=True)
    sound = {name: make(name) for name in GUESTS}
    usual = {name: wrong(guest) for name, guest in sound.items()}
    failed = run = 0
    for name, codes in usual.items():
        if any(state == "broken" for _, state in codes):
            print(f"not ok - {name}: broken when nothing is: {sorted(codes)}")
            failed += 1
    for name, code, state, on, function in CASES:
        for version in on:
            if ONLY and ONLY not in (name, version, code):
                continue
            guest = sound[version].copy(f"{WORK}/broken")
            guest.name = version
            function(guest)
            found = wrong(guest) - usual[version]
            gone = usual[version] - wrong(guest)
            run += 1
            if found != ({(code, state)} if code else set()) or gone:
                failed += 1
                print(f"not ok - {version} {name}: {code} {state} expected, "
                      f"found {sorted(found)}, not {sorted(gone)}")
    print(f"{run} mutations on {len(sound)} guests, {failed} failed")
    shutil.rmtree(WORK)
    sys.exit(failed > 0 or run == 0)


if __name__ == "__main__":
    main()
