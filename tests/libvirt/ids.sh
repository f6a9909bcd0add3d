#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What Windows will see: rewritten domains are started, paused, and QEMU is asked
# for the PCI ids of its devices.  Which it is depends on machine and place, and
# is why both are registered in the guest.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rewrite=$tools/domain-rewrite
libvirt_start
cd "$tmp" || exit 1
qemu-img create -q -f qcow2 disk.qcow2 64M

# domain NAME MACHINE BUS DISK-ADDRESS CONTROLLERS NIC-ADDRESS [OS]: a disk, an
# e1000, no balloon
domain() {
    cat >"$1.xml" <<XML
<domain type='qemu'>
  <name>$1</name>
  <memory>131072</memory>
  <os${7:-}>
    <type arch='x86_64' machine='$2'>hvm</type>
  </os>
  <features><acpi/></features>
  <devices>
    <disk type='file'>
      <driver name='qemu' type='qcow2'/>
      <source file='$tmp/disk.qcow2'/>
      <target dev='sda' bus='$3'/>
      $4
    </disk>
    $5
    <interface type='user'>
      <model type='e1000'/>
      $6
    </interface>
    <memballoon model='none'/>
  </devices>
</domain>
XML
}

# started NAME [OPTION...]: the rewritten domain, paused
started() {
    "$rewrite" "${@:2}" "$1.xml" "$1-new.xml" && define "$1-new.xml" &&
        start_paused "$1"
}

# has_virtio NAME COUNT: so many virtio devices
has_virtio() {
    [ "$(qtree "$1" | grep -c 'pci id 1af4:1')" = "$2" ]
}

# place BUS SLOT
place() {
    echo "<address type='pci' domain='0x0000' bus='$1' slot='$2' function='0x0'/>"
}

# ids NAME DESCRIPTION ID... [-- OPTION...]: of the devices of the domain NAME
ids() {
    local name=$1 what=$2 wanted=()
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        wanted+=("$1")
        shift
    done
    [ $# = 0 ] || shift
    check "$what: starts" started "$name" "$@"
    for id in "${wanted[@]}"; do
        check "$what: has 1af4:$id" has_pci "$name" "1af4:$id"
    done
    check "$what: no other virtio device" has_virtio "$name" ${#wanted[@]}
    check "$what: is removed" undefine "$name"
}

ports="<controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>"
bridge="$ports
    <controller type='pci' index='2' model='pcie-to-pci-bridge'/>"

domain pc pc ide '' '' ''
ids pc "i440fx" 1001 1000 1002
ids pc "i440fx, virtio-scsi" 1004 1000 1002 -- --scsi
domain q35 q35 sata '' '' ''
ids q35 "q35, root ports" 1042 1041 1045
ids q35 "q35, root ports, virtio-scsi" 1048 1041 1045 -- --scsi
domain bus0 q35 sata '' "$ports" "$(place 0x00 0x09)"
ids bus0 "q35, NIC on bus 0" 1042 1000 1045
domain bridge q35 sata '' "$bridge" "$(place 0x02 0x01)"
ids bridge "q35, NIC behind a pcie-to-pci-bridge" 1042 1000 1045
domain lsi q35 scsi '' "$ports
    <controller type='scsi' index='0' model='lsilogic'>
      $(place 0x00 0x0a)
    </controller>" ''
ids lsi "q35, an emulated controller on bus 0" 1004 1041 1045 -- --scsi

# What is virtio already: its place and model decide, and they stay.
domain blk q35 virtio "$(place 0x00 0x0b)" "$ports" ''
sed -i "s/dev='sda'/dev='vda'/" blk.xml
ids blk "q35, disk on bus 0" 1001 1041 1045
for model in virtio-transitional:1001 virtio-non-transitional:1042; do
    for machine in pc:1000:1002 q35:1041:1045; do
        IFS=: read -r machine nic balloon <<<"$machine"
        domain model "$machine" virtio '' '' ''
        sed -i "s/dev='sda'/dev='vda'/; s/<disk type='file'/& model='${model%:*}'/" model.xml
        ids model "$machine, ${model%:*}" "${model#*:}" "$nic" "$balloon"
    done
done

# ---- UEFI: libvirt chooses the firmware
if compgen -G '/usr/share/qemu/firmware/*.json' >/dev/null; then
    domain efi q35 sata '' '' '' " firmware='efi'"
    ids efi "q35, UEFI" 1042 1041 1045
    ids efi "q35, UEFI, virtio-scsi" 1048 1041 1045 -- --scsi
fi

guest_done
