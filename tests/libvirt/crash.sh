#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One change of an image and of a definition in a real libvirt, killed between
# commit and definition and at the steps beside it; and what libvirt does not
# take.  The change is transaction-tool's: no appliance is started.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v strace >/dev/null || skip "no strace"
tool=$tools/transaction-tool
[ -x "$tool" ] || skip "no $tool"
cd "$tmp" || exit 1
mkdir vm
image=$tmp/vm/vm.img
libvirt_start

cat >vm.xml <<XML
<domain type='qemu'>
  <name>vm</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='$image'/>
      <target dev='hda' bus='ide'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
  </devices>
</domain>
XML
qemu-img create -q -f qcow2 original.img 8M
qemu-io -f qcow2 -c 'write -q -P 7 0 8M' original.img
virsh define vm.xml >/dev/null
defined vm >old.xml
sed -e "s/dev='hda' bus='ide'/dev='vda' bus='virtio'/" -e "/type='drive'/d" old.xml >change.xml
sed "s#</disk>#<wwn>5000c50015ea71ad</wwn></disk>#" change.xml >refused.xml
change=("$tool" vm/vm.img 1 -d vm -n)

reset() {
    rm -rf vm && mkdir vm && cp original.img vm/vm.img
    virsh domstate vm >/dev/null 2>&1 || virsh define old.xml >/dev/null
    virsh define old.xml >/dev/null
    defined vm >now.xml
    cmp old.xml now.xml
}

# killed_at CALL PATH N COMMAND...: as the Nth CALL of this path is entered
killed_at() {
    local call=$1 path=$2 nth=$3
    shift 3
    strace -f -o strace.log -P "$path" -e "trace=$call" \
        -e "inject=$call:signal=SIGKILL:when=$nth" "$@" >killed.log 2>&1
    grep -q 'killed by SIGKILL' strace.log
}

same_disk() { qemu-img compare -q "$1" "$2"; }
old_definition() { defined vm >now.xml && cmp old.xml now.xml; }
new_definition() { defined vm >now.xml && cmp new.xml now.xml; }
all_old() { same_disk vm/vm.img original.img && old_definition; }
all_new() { same_disk vm/vm.img new.img && new_definition; }
only() { test "$(cd vm && echo *)" = "$*"; }
undo_files=(vm.img vm.img.v2v-undo-1 vm.img.v2v-undo-1.domain.xml vm.img.v2v-undo-1.json)

# ---- undisturbed
reset >/dev/null
check "a change" "${change[@]}" change.xml
defined vm >new.xml
cp vm/vm.img new.img
check "the definition is another" eval "! cmp -s old.xml new.xml"
check "the disk is on virtio" grep -q "bus='virtio'" new.xml
check "only an undo's files are left" only "${undo_files[@]}"
check "undo" "$v2v" undo vm/vm.img
check "all is as it was" all_old
check "nothing is left" only vm.img

# ---- killed
check "reset" reset
check "killed before the commit" \
    killed_at rename "$image.v2v-state.v2v-new" 2 "${change[@]}" change.xml
check "recover" "$v2v" recover vm/vm.img
check "all is as it was" all_old
check "nothing is left" only vm.img

while IFS=: read -r name call suffix nth; do
    check "reset" reset
    check "killed $name" killed_at "$call" "$image.v2v-$suffix" "$nth" \
        "${change[@]}" change.xml
    check "the image is done" same_disk vm/vm.img new.img
    check "recover" "$v2v" recover vm/vm.img
    expect_output "it says that it has finished it" "is finished"
    check "all is new" all_new
    check "only an undo's files are left" only "${undo_files[@]}"
    check "undo" "$v2v" undo vm/vm.img
    expect_output "it names the domain" "The definition of domain vm (qemu:///system) is as it was"
    check "all is as it was" all_old
    check "nothing is left" only vm.img
done <<'POINTS'
between commit and definition:openat:domain:1
when libvirt had the definition and we had not noted it:rename:undo-1.json.v2v-new:2
when it was noted:unlink:domain:1
POINTS

check "reset" reset
check "a change" "${change[@]}" change.xml
check "undo, killed before the definition" \
    killed_at openat "$image.v2v-domain" 1 "$v2v" undo vm/vm.img
# strace has killed who waited for it, too, when that opened the file
check "recover" "$v2v" recover vm/vm.img
expect_output "it says that it has finished it" "is finished"
check "all is as it was" all_old
check "nothing is left" only vm.img

# ---- what libvirt does not take
check "reset" reset
expect_exit 1 "a definition that libvirt refuses" "${change[@]}" refused.xml
expect_output "it says what libvirt says" "support wwn"
expect_output "it says what to run" "virsh -c qemu:///system define $image.v2v-domain.xml"
check "the image is done" same_disk vm/vm.img new.img
check "the definition is the old one" old_definition
check "the new one is kept" cmp refused.xml vm/vm.img.v2v-domain.xml
check "nothing is there to be recovered" eval \
    "'$v2v' recover vm/vm.img | grep -q 'nothing was interrupted'"
check "undo" "$v2v" undo vm/vm.img
check "all is as it was" all_old

check "reset" reset
check "killed before the definition" \
    killed_at openat "$image.v2v-domain" 1 "${change[@]}" change.xml
sed 's#<currentMemory.*#<currentMemory unit="KiB">65535</currentMemory>#' old.xml >edited.xml
check "somebody edits it" virsh define edited.xml
defined vm >edited.xml
expect_exit 1 "recover" "$v2v" recover vm/vm.img
expect_output "it says so" "the definition of domain vm was edited meanwhile"
defined vm >now.xml
check "the edited one is left alone" cmp edited.xml now.xml
check "ours is kept" cmp change.xml vm/vm.img.v2v-domain.xml
check "undo" "$v2v" undo vm/vm.img
expect_output "it says what it has left alone" "was edited or deleted since and is left alone"
check "the old one is beside the image" cmp old.xml vm/vm.img.v2v-old-domain.xml
defined vm >now.xml
check "the edited one is still there" cmp edited.xml now.xml
check "the disk is what it was" same_disk vm/vm.img original.img

check "reset" reset
check "killed before the definition" \
    killed_at openat "$image.v2v-domain" 1 "${change[@]}" change.xml
libvirt_stop
expect_exit 1 "recover without libvirt" "$v2v" recover vm/vm.img
expect_output "it says what is in the way" "cannot connect to libvirt"
expect_output "it says what to run" "define $image.v2v-domain.xml"
libvirt_start
check "what it said works" virsh -c qemu:///system define "$image.v2v-domain.xml"
check "all is new" all_new

check "reset" reset
check "a change" "${change[@]}" change.xml
check "the domain is deleted" virsh undefine vm
check "undo" "$v2v" undo vm/vm.img --json
expect_output "it says so" '"definition": "kept"'
check "what it has kept works" virsh define vm/vm.img.v2v-old-domain.xml
check "all is as it was" all_old

# ---- another libvirt than the recorded one
check "reset" reset
check "a change" "${change[@]}" change.xml
sed -i 's#qemu:///system#qemu:///none#' vm/vm.img.v2v-undo-1.json
expect_exit 2 "undo" "$v2v" undo vm/vm.img
check "the image is as it was" same_disk vm/vm.img new.img
check "undo, with --connect" "$v2v" undo --connect qemu:///system vm/vm.img
check "all is as it was" all_old

guest_done
