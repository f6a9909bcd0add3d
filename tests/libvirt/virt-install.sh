#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The line for a guest without an XML, through the real virt-install; what that
# prints and our own XML, defined in a real libvirtd, are the same machine; some
# are started and looked at from QEMU.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
new_machine=$tools/new-machine
[ -x "$new_machine" ] || skip "no $new_machine"
command -v virt-install >/dev/null || skip "no virt-install"
mkdir "$tmp/images"
cd "$tmp/images" || exit 1
for name in a b 'my vm, 2' 'back\slash' "a'b&c"; do
    qemu-img create -q -f qcow2 "$name.qcow2" 16M
done
qemu-img create -q -f qcow2 $'li\nne.qcow2' 16M

libvirt_start
# "network=default" is there on a host with libvirt-daemon-config-network
cat >"$tmp/network.xml" <<'XML'
<network><name>default</name><bridge name='v2vtest0'/></network>
XML
virsh net-define "$tmp/network.xml" >/dev/null

# same_machine A B: of two definitions by libvirt, which has filled in what was
# left out.  Not compared: what is random (MAC, UUID), what virt-install takes
# from the host and libosinfo (memory, processors, the spare PCIe ports and so
# the addresses), and which Windows the metadata name.
same_machine() {
    python3 - "$1" "$2" <<'PY'
import sys, xml.etree.ElementTree as tree

def lines(path):
    root = tree.parse(path).getroot()
    for name in ("metadata", "memory", "currentMemory", "vcpu", "cpu", "uuid", "on_crash"):
        for child in root.findall(name):
            root.remove(child)
    devices = root.find("devices")
    for device in list(devices):
        for name in ("address", "mac", "alias"):
            for child in device.findall(name):
                device.remove(child)
        if device.tag == "controller" and device.get("type") == "pci":
            devices.remove(device)
    devices[:] = sorted(devices, key=tree.tostring)
    for element in root.iter():
        element.text = (element.text or "").strip()
        element.tail = None
    tree.indent(root)
    return [f"{line}\n" for line in tree.tostring(root, "unicode").splitlines()]

import difflib
diff = list(difflib.unified_diff(lines(sys.argv[1]), lines(sys.argv[2]), *sys.argv[1:]))
sys.stdout.writelines(diff)
sys.exit(bool(diff))
PY
}

# defined_as XML OUT: what libvirt makes of it, as a machine without KVM
defined_as() {
    for_tcg "$1" "$tmp/tcg.xml" && define "$tmp/tcg.xml" && defined new >"$2" &&
        undefine new
}

# made WORD...: the line and the XML of this guest are the same machine
made() {
    "$new_machine" line "$@" >"$tmp/line" && "$new_machine" xml "$@" >"$tmp/new.xml" &&
        echo "$(cat "$tmp/line") --print-xml" >"$tmp/command" &&
        cat "$tmp/command" &&
        bash "$tmp/command" >"$tmp/line.xml" &&
        virt-xml-validate "$tmp/new.xml" domain &&
        defined_as "$tmp/line.xml" "$tmp/by-line.xml" &&
        defined_as "$tmp/new.xml" "$tmp/by-xml.xml" &&
        same_machine "$tmp/by-line.xml" "$tmp/by-xml.xml"
}

# has TEXT FILE
has() {
    grep -qF -- "$1" "$2"
}

old="winxp win2k3 win2k3r2"
new="winvista win2k8 win7 win2k8r2 win8 win2k12 win8.1 win2k12r2 win10 win2k16
    win2k19 win2k22 win11 win2k25"
image=$tmp/images/a.qcow2
usual="netkvm balloon"
# Each Windows with one of these, in turn; with V2V_FULL with each.
kinds=("viostor" "efi viostor" "virtio-scsi vioscsi" "efi virtio-scsi vioscsi")
turn=0
for os in $old $new; do
    for kind in "${!kinds[@]}"; do
        [ -n "${V2V_FULL:-}" ] || [ "$kind" = $((turn % 4)) ] || continue
        [[ $old != *$os* || ${kinds[kind]} != efi* ]] || continue
        # shellcheck disable=SC2086
        check "$os: ${kinds[kind]}" made $os ${kinds[kind]} $usual "$image"
    done
    turn=$((turn + 1))
done

# Hardware that the Windows has a driver of its own for.
for os in winxp winvista win7 win11; do
    check "$os, no driver" made $os "$image"
done
check "XP without drivers: IDE" made winxp "$image"
check "XP without drivers: IDE" has "dev='hda' bus='ide'" "$tmp/by-line.xml"
check "XP without drivers: RTL8139" has "<model type='rtl8139'/>" "$tmp/by-line.xml"
check "Windows 7 without drivers" made win7 "$image"
check "Windows 7 without drivers: SATA" has "dev='sda' bus='sata'" "$tmp/by-line.xml"

# Everything else that can be asked for.
check "every driver" made win10 efi viostor netkvm balloon vioserial viorng pvpanic "$image"
for text in "<rng model='virtio'>" org.qemu.guest_agent.0 "<panic model='isa'" \
    "secure-boot" "<memballoon model='virtio'>"; do
    check "every driver: $text" has "$text" "$tmp/by-line.xml"
done
check "every feature" made win10 viostor netkvm balloon +discard +iothread \
    +balloon-stats +hyperv +hypervclock queues=4 "$image"
for text in "discard='unmap'" "iothread='1'" "<stats period='5'/>" "queues='4'"; do
    check "every feature: $text" has "$text" "$tmp/by-line.xml"
done
check "every feature, virtio-scsi" made win10 virtio-scsi vioscsi netkvm balloon \
    +discard +iothread "$image"
check "x86 behind UEFI" made win10 efi x86 viostor "$image"
check "x86 behind UEFI: 32-bit" has "arch='i686'" "$tmp/by-line.xml"
check "several disks" made win10 viostor "$image" "$tmp/images/b.qcow2" \
    "$tmp/images/my vm, 2.qcow2" "$tmp/images/back\\slash.qcow2"
for text in "my vm, 2.qcow2" 'back\slash.qcow2'; do
    check "several disks: $text" has "$text" "$tmp/by-line.xml"
done

# The schema allows no line break in a path; libvirt does.
"$new_machine" line win10 viostor "$tmp/images/"$'li\nne.qcow2' >"$tmp/line"
echo "$(cat "$tmp/line") --print-xml" >"$tmp/command"
bash "$tmp/command" >"$tmp/line.xml"
check "a line break in a path" has "li&#10;ne.qcow2" "$tmp/line.xml"
check "a line break in a path: defined" defined_as "$tmp/line.xml" "$tmp/by-line.xml"

# virt-install cannot have these in a path: it says so, or gets them wrong.
quoted="$tmp/images/a'b&c.qcow2"
check "no line for some paths" test -z "$("$new_machine" line win10 viostor "$quoted")"
check "but an XML" "$new_machine" xml win10 viostor "$quoted"
cp "$tmp/output" "$tmp/new.xml"
check "but an XML" defined_as "$tmp/new.xml" "$tmp/by-xml.xml"
check "but an XML" has "$tmp/images/a&apos;b&amp;c.qcow2" "$tmp/by-xml.xml"
virt-install --import --name new --osinfo win10 --network none --print-xml \
    --disk "path=$tmp/images/a\\'b&c.qcow2" >"$tmp/line.xml" 2>&1
if [[ $(virt-install --version) == 4.1* ]]; then
    check "virt-install 4.1 writes them wrongly" has "&amp;amp;" "$tmp/line.xml"
fi

# started WORD...: our XML, and what the boot disk is to Windows
started() {
    "$new_machine" xml "$@" >"$tmp/new.xml" && for_tcg "$tmp/new.xml" "$tmp/tcg.xml" &&
        sed -i "s/type=\"network\"/type=\"user\"/; /<source network=/d; s/unit=\"GiB\">4/unit=\"MiB\">64/" \
            "$tmp/tcg.xml" && define "$tmp/tcg.xml" && start_paused new
}
check "start: q35" started win10 viostor netkvm balloon vioserial viorng pvpanic "$image"
check "start: q35: disk" has_pci new 1af4:1042
check "start: q35: network" has_pci new 1af4:1041
undefine new >/dev/null
check "start: i440fx" started winxp viostor netkvm balloon +iothread +discard "$image"
check "start: i440fx: disk" has_pci new 1af4:1001
check "start: i440fx: network" has_pci new 1af4:1000
undefine new >/dev/null
check "start: virtio-scsi" started win10 virtio-scsi vioscsi netkvm +iothread "$image"
check "start: virtio-scsi: controller" has_pci new 1af4:1048
undefine new >/dev/null
if [ -e /usr/share/OVMF/OVMF_CODE_4M.fd ]; then
    check "start: UEFI" started win11 efi viostor netkvm balloon "$image"
    check "start: UEFI: disk" has_pci new 1af4:1042
    virsh dumpxml new >"$tmp/running.xml"
    check "start: UEFI: no Secure Boot" grep -q "<loader[^>]*>/usr/share/OVMF/OVMF_CODE_4M.fd<" \
        "$tmp/running.xml"
    undefine new >/dev/null
fi

# As it is pasted: it defines, starts and does not wait.  Without KVM QEMU has
# no Hyper-V features.
"$new_machine" line win10 viostor netkvm balloon "$image" >"$tmp/line"
echo "$(cat "$tmp/line") --virt-type qemu --memory 64 --cpu qemu64 --network none \
    --features hyperv.relaxed.state=off,hyperv.vapic.state=off,hyperv.spinlocks.state=off \
    --clock hypervclock_present=no" | sed 's/--network network=[^ ]*//' >"$tmp/command"
check "pasted" timeout 60 bash "$tmp/command"
check "pasted: it runs" test "$(virsh domstate new)" = running
check "pasted: disk" has_pci new 1af4:1042
check "pasted: what is defined boots again" has "bus='virtio'" <(defined new)
undefine new >/dev/null
guest_done
