#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The ground the other tests of this folder stand on: our libvirtd is alone,
# it has real guests, and it refuses what test:///default accepts.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1

# ---- a test like this one that is killed takes its daemon along
cat >killed.sh <<SH
. "$top/tests/libvirt/lib.sh"
libvirt_start
touch "$tmp/started"
sleep 600
SH
TMPDIR=$tmp bash killed.sh &
for ((i = 0; i < 300; i++)); do
    [ ! -e started ] || break
    sleep 0.1
done
check "another libvirtd runs" pgrep -x libvirtd
check "here it is not seen" eval "! virsh version"
kill -9 $!
wait $! 2>/dev/null
for ((i = 0; i < 100; i++)); do
    pgrep -x 'libvirtd|sleep' >/dev/null || break
    sleep 0.1
done
check "it ends when its test is killed" eval "! pgrep -x 'libvirtd|sleep'"

# ---- one of our own
libvirt_start
check "no domain is defined at first" test -z "$(virsh list --all --name)"
qemu-img create -q -f qcow2 disk.qcow2 64M

# domain NAME BUS DEV: with an address of IDE
domain() {
    cat >"$1.xml" <<XML
<domain type='kvm'>
  <name>$1</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <cpu mode='host-passthrough'/>
  <features><acpi/><hyperv><relaxed state='on'/></hyperv></features>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='$tmp/disk.qcow2'/>
      <target dev='$3' bus='$2'/>
      $4
    </disk>
    <interface type='user'><model type='virtio'/></interface>
  </devices>
</domain>
XML
    for_tcg "$1.xml" "$1-tcg.xml"
}

domain good virtio vda ''
check "a domain can be defined" define good-tcg.xml
check "it can be started" start_paused good
check "its disk is virtio-blk" has_pci good 1af4:1001
check "its NIC is virtio-net" has_pci good 1af4:1000
check "it is paused" test "$(virsh domstate good)" = paused
check "it can be removed" undefine good
check "no trace is left" test -z "$(virsh list --all --name)"

domain stale virtio vda "<address type='drive' controller='0' bus='0' target='0' unit='0'/>"
expect_exit 1 "the qemu driver refuses an address of another bus" define stale-tcg.xml
expect_output "it says why" "virtio disk cannot have an address of type 'drive'"

check "define, to see it after a restart" define good-tcg.xml
libvirt_stop
libvirt_start
check "a restarted daemon knows it" defined good

guest_done
