#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The program, its worker and its appliance killed while a guest is open: the
# image is what it was, and no process, socket or temporary file stays.  (Kills
# at hundreds of instants of the transaction alone: tests/crash/kill.py.)
# And a new image as the output.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir tmp
export TMPDIR=$tmp/tmp LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
"$fixtures/mkguest" vm.qcow2
"$fixtures/mkiso" virtio-win.iso
sed "s#/var/lib/libvirt/images/#$tmp/#" "$fixtures/domain.xml" >vm.xml
before=$(fingerprint vm.qcow2)
inject=("$v2v" inject vm.qcow2 --virtio-iso virtio-win.iso
    --domain-xml vm.xml --output-xml out.xml)

# start TEXT: run it in the background, with an appliance that is there to be
# killed, until it has said TEXT
start() {
    "${inject[@]}" --backend libguestfs >run.log 2>&1 &
    running=$!
    until grep -q "$1" run.log || ! kill -0 $running 2>/dev/null; do
        sleep 0.02
    done
}

# its child, which does the work; the appliance's qemu
worker() { pgrep -P $running; }
appliance() { pgrep -f "qemu-system.*$tmp/"; }

# wait_for_status N: running has ended, with N
wait_for_status() {
    local status=0
    wait "$running" || status=$?
    [ "$status" = "$1" ] || { echo "exit status $status"; cat run.log; return 1; }
}

as_it_was() {
    ls -A tmp
    [ "$(fingerprint vm.qcow2)" = "$before" ] && [ ! -e out.xml ] &&
        ! compgen -G '*.v2v-*' && [ -z "$(ls -A tmp)" ] && ! pgrep -af "$tmp/"
}

start 'Opening vm.qcow2'
sleep 3 # the appliance is booting
kill -TERM $running
check "SIGTERM ends it" wait_for_status 143
check "it says what became of the image" grep -q 'is as it was' run.log
check "nothing is left at once" as_it_was

start 'Opening vm.qcow2'
until appliance >/dev/null || ! kill -0 $running 2>/dev/null; do sleep 0.1; done
kill -KILL "$(appliance)"
check "an appliance that dies is an internal error" wait_for_status 1
check "nothing is left of it" as_it_was

start 'Editing the SYSTEM hive'
kill -KILL "$(worker)" # as the kernel does when memory runs out
check "a worker that is killed ends it likewise" wait_for_status 137
check "the image is recovered at once" grep -q 'is as it was' run.log
check "nothing is left of that" as_it_was

# ---- a new image; the old one may be read-only
chmod a-w vm.qcow2
expect_exit 3 "a read-only image is refused" "${inject[@]}"
expect_output "the way out is named" "inject with --output"
check "inject into a new image" "${inject[@]}" --output new.qcow2
check "the old one is as it was" \
    test "$(fingerprint vm.qcow2)" = "$before"
check "the new one needs no other file" eval "qemu-img info --output=json \
    new.qcow2 | jq -e '.[\"backing-filename\"] == null'"
check "the volume is there" volume new.qcow2 c.ntfs
check "the volume is sound" volume_check c.ntfs
hive c.ntfs SYSTEM SYSTEM
check "viostor is in it" hive_has SYSTEM '\ControlSet001\Services\viostor'
check "the XML names the new image" grep -q "file='$tmp/new.qcow2'" out.xml
check "and its format" grep -q "type='qcow2'" out.xml
check "nothing else is left" eval "! compgen -G '*.v2v-*'"
guest_done
