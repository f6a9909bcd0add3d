#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inject --domain on a guest made from fixtures and a domain of a real libvirt:
# image and definition change together, and come back together.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir tmp pool
export TMPDIR=$tmp/tmp LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
"$fixtures/mkguest" vm.qcow2
cp vm.qcow2 original.qcow2
"$fixtures/mkiso" virtio-win.iso
qemu-img create -q -f raw pool/data.img 32M
data=$(fingerprint pool/data.img)
libvirt_start
virsh pool-create-as here dir --target "$tmp/pool" >/dev/null

# The system disk is on IDE, and a data disk, a volume, on virtio already: names
# alone would make the data disk the boot disk.  Passwords are a definition's
# matter.
cat >win.xml <<XML
<domain type='qemu'>
  <name>win</name>
  <metadata><acme:note xmlns:acme='http://example.com/acme'>stays</acme:note></metadata>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='$tmp/vm.qcow2'/>
      <target dev='hda' bus='ide'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='here' volume='data.img'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'>
      <mac address='52:54:00:12:34:56'/>
      <model type='e1000'/>
    </interface>
    <graphics type='vnc' port='-1' passwd='secret12'/>
    <memballoon model='none'/>
  </devices>
</domain>
XML
check "the domain is defined" define win.xml
defined win >old.xml
uuid=$(virsh domuuid win | head -n 1)
inject=("$v2v" inject --domain win --virtio-iso virtio-win.iso)
report() { "${inject[@]}" --json "$@" >report.json; }
says() { [ -s report.json ] && jq -e "$1" report.json; }
undo_says() { [ -s undo.json ] && jq -e "$1" undo.json; }
undo() { "$v2v" undo vm.qcow2 --json >undo.json; }
only_undo() { test "$(echo *.v2v-*)" = \
    'vm.qcow2.v2v-undo-1 vm.qcow2.v2v-undo-1.domain.xml vm.qcow2.v2v-undo-1.json'; }

# ---- the job
check "inject" report --output-xml out.xml
check "it says done" says '.status == "done" and .domain.libvirt.defined'
check "it says which domain" says \
    ".domain.libvirt | .name == \"win\" and .uuid == \"$uuid\" and .uri == \"qemu:///system\""
check "it says which image" says ".image == \"$tmp/vm.qcow2\""
check "the boot chain of the new definition holds" \
    says '[.boot_chain[] | select(.state == "broken")] == []'
defined win >new.xml
disk() { xmllint --xpath "string(/domain/devices/disk[source/@$1]/$2)" new.xml; }
check "the system disk is on virtio" test "$(disk file target/@bus)" = virtio
check "and the first to boot" test "$(disk file boot/@order)" = 1
check "the data disk has its name" test "$(disk pool target/@dev)" = vda
check "the NIC is virtio" grep -q "<model type='virtio'/>" new.xml
check "what is foreign stays" grep -q '<acme:note.*stays' new.xml
check "the disk that nobody has formatted is left out" \
    says '[.warnings[] | select(.code == "disk-left-out")] | length == 1'
check "the password stays" grep -q "passwd='secret12'" new.xml
check "it has the same UUID" test "$(virsh domuuid win | head -n 1)" = "$uuid"
check "the XML is in the file, too" grep -q "bus='virtio'" out.xml
check "which others cannot read, for the password" test "$(stat -c %a out.xml)" = 600
check "only what an undo needs is left behind" only_undo
check "the old definition is kept as it was" cmp old.xml vm.qcow2.v2v-undo-1.domain.xml
check "the data disk is as it was" test "$(fingerprint pool/data.img)" = "$data"
check "the image is not" eval '! qemu-img compare -q vm.qcow2 original.qcow2'

check "once more, nothing is to be done" report --output-xml again.xml
check "it says so" says '.status == "nothing-to-do"'
check "the XML of that is not for others either" test "$(stat -c %a again.xml)" = 600

check "QEMU starts it" start_paused win
# the command line; "info qtree" does not show the order
boots_virtio() {
    grep -q '"driver":"virtio-blk-pci"[^}]*"bootindex":1' /var/log/libvirt/qemu/win.log
}
check "its boot disk is virtio-blk" boots_virtio
check "as PCI says" has_pci win 1af4:1001
expect_exit 75 "no undo while it runs" "$v2v" undo vm.qcow2
check "it ends" virsh destroy win
check "verify, with the definition" "$v2v" verify vm.qcow2 --domain-xml new.xml

# ---- undo
check "undo --list" eval "'$v2v' undo --list --json >list.json"
check "it names the domain" eval \
    "jq -e '.undo[0] | .domain == \"win\" and .domain_uri == \"qemu:///system\"' list.json"
libvirt_stop
expect_exit 2 "no undo when libvirt cannot be asked" "$v2v" undo vm.qcow2
expect_output "it says why" "cannot connect to libvirt"
libvirt_start
virsh pool-create-as here dir --target "$tmp/pool" >/dev/null 2>&1
check "undo, with a daemon that was started anew" undo
check "it says what it did" undo_says '.domain | .name == "win" and .definition == "restored"'
defined win >now.xml
check "the definition is what it was" cmp old.xml now.xml
check "the disk is what it was" qemu-img compare -q vm.qcow2 original.qcow2
check "the XML, which was not there, is gone" test ! -e out.xml
check "nothing is left" eval "! compgen -G '*.v2v-*'"

# ---- a guest that has it all, and a definition that does not
check "the image alone" "$v2v" inject vm.qcow2 --virtio-iso virtio-win.iso --no-undo
cp vm.qcow2 injected.qcow2
check "inject into the domain" report
check "the definition was all that was due" \
    says '.status == "done" and (.files | length) == 0 and .domain.libvirt.defined'
check "the disk is on virtio" eval "defined win | grep -q \"dev='vdb' bus='virtio'\""
check "the disk is what it was" qemu-img compare -q vm.qcow2 injected.qcow2
check "it can be undone" undo
defined win >now.xml
check "the definition is what it was" cmp old.xml now.xml
check "the disk is what it was" qemu-img compare -q vm.qcow2 injected.qcow2

guest_done
