#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inject --domain: which domains of a real libvirt are refused, before anything
# is opened, and that nothing of theirs changes.  No appliance is started.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir medium pool
echo text >medium/file.txt
libvirt_start

# domain NAME DISK-XML...: it has these disks
domain() {
    local name=$1
    shift
    cat >"$name.xml" <<XML
<domain type='qemu'>
  <name>$name</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    $*
  </devices>
</domain>
XML
    virsh define "$name.xml" >/dev/null
}

# disk FILE [BUS DEV]: of qcow2
disk() {
    qemu-img create -q -f qcow2 "$1" 16M
    cat <<XML
<disk type='file' device='disk'>
  <driver name='qemu' type='qcow2'/>
  <source file='$tmp/$1'/>
  <target dev='${3:-hda}' bus='${2:-ide}'/>
</disk>
XML
}

# refused STATUS CODE TEXT ARGUMENT...: what inject says of it
refused() {
    local want=$1 code=$2 text=$3
    shift 3
    expect_exit "$want" "$code: $*" \
        "$v2v" inject --virtio-iso medium --json "$@"
    expect_output "$code: it has the code" "\"code\": \"$code\""
    expect_output "$code: it says why" "$text"
}

domain small "$(disk small.qcow2)"
before=$(defined small) image=$(fingerprint small.qcow2)

refused 2 domain-not-found 'no domain nobody' --domain nobody
refused 2 domain-not-found 'no domain 6d8f' --domain 6d8f1ba1-7b5a-4b0c-9a3e-1c1d2e3f4a5b

start_paused small >/dev/null
refused 75 domain-running 'running or paused' --domain small
refused 75 domain-running 'running or paused' --domain "$(virsh domuuid small)"
virsh managedsave small >/dev/null
refused 3 domain-saved 'managedsave-remove' --domain small
virsh managedsave-remove small >/dev/null

virsh snapshot-create-as small --name first >/dev/null
refused 3 domain-snapshots '1 snapshots and 0 checkpoints' --domain small
virsh snapshot-delete small first >/dev/null
check "the definition is what it was" test "$(defined small)" = "$before"
image=$(fingerprint small.qcow2)

domain passing "$(disk passing.qcow2)"
virsh undefine passing >/dev/null
virsh create --paused passing.xml >/dev/null
refused 3 domain-transient 'libvirt forgets it' --domain passing
virsh destroy passing >/dev/null

# ---- which libvirt
refused 2 libvirt-connect 'of another computer' --domain small \
    --connect qemu+ssh://host.invalid/system
refused 2 libvirt-connect 'driver for TEST' --domain test --connect test:///default
refused 2 libvirt-connect 'cannot connect' --domain small \
    --connect "qemu:///system?socket=$tmp/none"

# ---- which disks
domain network "<disk type='network' device='disk'><driver name='qemu' type='raw'/>
    <source protocol='nbd' name='x'><host name='localhost' port='1'/></source>
    <target dev='hda' bus='ide'/></disk>"
refused 3 disk-source 'hda, which the machine boots from, cannot be opened here: it is on the network' \
    --domain network

virsh secret-define /dev/stdin >/dev/null <<XML
<secret ephemeral='yes' private='no'><uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid></secret>
XML
domain luks "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
    <source file='$tmp/small.qcow2'><encryption format='luks'>
      <secret type='passphrase' uuid='0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'/>
    </encryption></source><target dev='hda' bus='ide'/></disk>"
refused 3 disk-source 'it is encrypted' --domain luks

domain empty "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>"
refused 3 disk-source 'no hard disk' --domain empty

virsh pool-create-as here dir --target "$tmp/pool" >/dev/null
domain lost "<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/>
    <source pool='here' volume='none'/><target dev='hda' bus='ide'/></disk>"
refused 2 volume-not-found 'volume none of the storage pool here' --domain lost

# a data disk that cannot be opened is left out; the system disk is one that
# image/ refuses: no appliance
qemu-img create -q -f qcow2 base.qcow2 16M
domain chain "$(disk top.qcow2)
    <disk type='network' device='disk'><driver name='qemu' type='raw'/>
    <source protocol='nbd' name='x'><host name='localhost' port='1'/></source>
    <target dev='vdb' bus='virtio'/></disk>"
qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 top.qcow2
refused 3 backing-file 'top.qcow2' --domain chain
expect_output "the disk on the network is left out" '"code": "disk-left-out"'
domain away "$(disk top.qcow2)
    <disk type='volume' device='disk'><driver name='qemu' type='qcow2'/>
    <source pool='gone' volume='data'/><target dev='vdb' bus='virtio'/></disk>"
qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 top.qcow2
refused 3 backing-file 'top.qcow2' --domain away
expect_output "the volume that is not there is left out" \
    'disk vdb is not looked into: volume data of the storage pool gone'

domain twice "$(disk twice.qcow2)" "$(disk twice.qcow2 virtio vda)"
expect_exit 2 "one file for two disks" "$v2v" inject --virtio-iso medium --domain twice
expect_output "it is named" "twice.qcow2: given twice"

check "the definition is what it was" test "$(defined small)" = "$before"
check "the image is what it was" test "$(fingerprint small.qcow2)" = "$image"
check "nothing is left behind" eval "! compgen -G '*.v2v-*'"

guest_done
