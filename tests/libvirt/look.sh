#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check, verify and drivers explain with --domain: the same disks and the same
# XML as when both are given by hand, and nothing is changed.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir tmp
export TMPDIR=$tmp/tmp
"$v2v" check --backend direct /dev/null 2>&1 | grep -q 'without libntfs-3g' &&
    skip "built without libntfs-3g"
"$fixtures/mkguest" --size 96 vm.qcow2
"$fixtures/mkiso" -d medium
libvirt_start
cat >win.xml <<XML
<domain type='qemu'>
  <name>win 10</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='$tmp/vm.qcow2'/>
      <target dev='hda' bus='ide'/>
    </disk>
  </devices>
</domain>
XML
check "the domain is defined" define win.xml
defined 'win 10' >old.xml
image=$(fingerprint vm.qcow2)

# same COMMAND...: the documents of the domain and of its parts are the same
same() {
    local by_name=0 by_hand=0
    "$v2v" "$@" --json -d 'win 10' -c qemu:///system >name.json || by_name=$?
    "$v2v" "$@" --json -a "$tmp/vm.qcow2" --domain-xml old.xml >hand.json || by_hand=$?
    [ "$by_name" = "$by_hand" ] && [ -s name.json ] && diff hand.json name.json
}
check "check" same check --virtio-iso medium
check "it has looked at the disk" jq -e ".images == [\"$tmp/vm.qcow2\"] and .guest.partition == 1" name.json
check "verify" same verify
check "drivers explain" same drivers explain medium
check "and it takes its medium" jq -e '.candidates | length > 0' name.json
expect_exit 2 "images do not go with it" "$v2v" verify -d 'win 10' vm.qcow2
expect_exit 2 "one that is not there" "$v2v" verify -d 'win 11'
check "the image is what it was" test "$image" = "$(fingerprint vm.qcow2)"
defined 'win 10' >new.xml
check "so is the definition" cmp old.xml new.xml
guest_done
