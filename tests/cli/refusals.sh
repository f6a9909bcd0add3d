#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# refusals.sh PROGRAM: what is refused before the appliance starts: the exit
# status of the class, one line that names the file and the reason, and files
# that are bit for bit what they were.
set -u
program=$(realpath "$1")
fixtures=$(cd "$(dirname "$0")/../../fixtures" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0 count=0

# refused STATUS TEXT ARGUMENT...: TEXT is a pattern of the whole message
refused() {
    local want=$1 text=$2 got=0 said
    shift 2
    said=$("$program" "$@" 2>&1 >out.txt) || got=$?
    count=$((count + 1))
    # shellcheck disable=SC2053
    if [ $got != "$want" ] || [[ ${said%%$'\n'*} != "v2v-virtio: error: "$text ]]; then
        echo "FAIL: v2v-virtio $*: exit status $got for $want, and it says"
        echo "      $said"
        echo "  for v2v-virtio: $text"
        status=1
    fi
}

same() { # FILE DIGEST
    [ "$(sha256sum <"$1")" = "$2" ] || { echo "FAIL: $1 changed"; status=1; }
}

domain() { # TEXT
    printf '%s\n' "$1" >vm.xml
}

mkdir medium
echo text >medium/file.txt
qemu-img create -q -f qcow2 vm.qcow2 16M
before=$(sha256sum <vm.qcow2)
inject=(inject vm.qcow2 --virtio-iso medium)
xml=(--domain-xml vm.xml --output-xml out.xml)

# the command line
refused 2 'which command?*'
refused 2 'which command?  It comes first, and is one of: inject, *' -v
refused 2 'eject: no such command: did you mean "inject"?' eject
refused 2 'convert: no such command' convert
refused 2 'convert: no such command' help convert
refused 2 'drivers: "list" or "explain"?' drivers
refused 2 '--nonsense: no such option' inject --nonsense vm.qcow2
refused 2 '--key: it is ID:key:STRING or ID:file:FILENAME, where ID is a device (/dev/sda2), the identifier of a BitLocker volume or of its recovery key, or "all"' inject --key=all vm.qcow2
refused 2 '--kex: no such option: did you mean --key?' inject --kex=all vm.qcow2
refused 2 '--ouput: no such option: did you mean --output?' inject --ouput=x vm.qcow2
refused 2 '-z: no such option' inject vm.qcow2 -nz
refused 2 '--json takes no argument' inject --json=yes vm.qcow2
refused 2 '--root: needs an argument: \[DISK:\]N' inject vm.qcow2 --root
refused 2 '-m: needs an argument: MB' inject vm.qcow2 -m
refused 2 '--root one: not a partition*' "${inject[@]}" --root one
refused 2 '--root ask: this program never asks*' "${inject[@]}" --root ask
refused 2 '--root /dev/vg/lv: not a partition*' "${inject[@]}" --root /dev/vg/lv
refused 2 '--root /dev/sd1: not a partition*' "${inject[@]}" --root /dev/sd1
refused 2 '--add new.qcow2: *an image is given with -a*; these can: rng, *' "${inject[@]}" --add new.qcow2
refused 2 '--format cow: it is one of auto, raw, *' "${inject[@]}" --format cow
refused 2 '--format raw is for the images after it*' inject -a vm.qcow2 --format raw --virtio-iso medium
refused 2 '--memsize 64: a number from 256*' "${inject[@]}" --memsize 64
refused 2 '--smp 0: a number from 1 to 255' "${inject[@]}" --smp 0
refused 2 '--allow all: not a finding that can be allowed*' "${inject[@]}" --allow all
refused 2 'which image?' inject --virtio-iso medium
refused 2 'other.qcow2: No such file*' "${inject[@]}" other.qcow2
ln -s vm.qcow2 link.qcow2
refused 2 'link.qcow2: given twice' "${inject[@]}" link.qcow2
refused 2 'one image at a time' undo vm.qcow2 other.qcow2
refused 2 'one image at a time' recover vm.qcow2 other.qcow2
refused 2 'which image?' undo
refused 2 'which image?' recover
refused 2 '--list does not go with inject, but with undo' inject --list vm.qcow2
refused 2 '--virtio-iso does not go with undo, but with inject, check, batch, drivers list, drivers explain' undo --virtio-iso medium vm.qcow2
refused 2 '--root 0:1: the first disk is 1' "${inject[@]}" --root 0:1
refused 2 '--root 1:x: not a partition*' "${inject[@]}" --root 1:x
refused 2 'vm.qcow2: nothing to undo: *' undo vm.qcow2
refused 2 '*none.qcow2: No such file*' undo none.qcow2
refused 2 '*none/vm.qcow2: No such file*' recover none/vm.qcow2
refused 2 'none: No such file*' undo --list none
VIRTIO_WIN='' refused 2 'no drivers: say where*' inject vm.qcow2
refused 2 '--domain-xml needs --output-xml, which may be the same file' \
    "${inject[@]}" --domain-xml vm.xml

# --domain: libvirt is not asked before the command line is understood
for other in vm.qcow2 '--domain-xml vm.xml' '--output new.qcow2' '--format raw'; do
    # shellcheck disable=SC2086 # an option and its argument
    refused 2 "--domain: *does not go with it" inject --domain vm $other --virtio-iso medium
done
refused 2 '--connect goes with --domain' "${inject[@]}" --connect qemu:///system
refused 2 '--domain does not go with xml, but with inject, check, verify, batch, drivers explain' xml -d vm
VIRTIO_WIN='' refused 2 'no drivers: say where*' inject --domain vm
refused 2 'qemu+tcp://host.invalid/system is the libvirt of another computer*' \
    inject --domain vm --virtio-iso medium --connect qemu+tcp://host.invalid/system

refused 2 '--dry-run does not go with drivers list, but with inject, batch' drivers list -n medium
refused 2 '--block-driver scsi: it is one of virtio-blk, *' "${inject[@]}" --block-driver scsi
refused 2 '--backend fuse: it is one of auto, direct, *' "${inject[@]}" --backend fuse
refused 2 '--sandbox on: it is one of auto, require, *' "${inject[@]}" --sandbox on
refused 2 '--block-driver virtio-scsi: the guest needs vioscsi for it: add it to --drivers' \
    "${inject[@]}" --block-driver virtio-scsi --drivers viostor

# the medium
refused 2 '*none.iso: No such file*' inject vm.qcow2 --virtio-iso none.iso
head -c 100000 /dev/zero >zero.iso
refused 5 '*zero.iso: *' inject vm.qcow2 --virtio-iso zero.iso
"$fixtures/mkiso" whole.iso
head -c 200000 whole.iso >cut.iso
refused 5 '*cut.iso: *' inject vm.qcow2 --virtio-iso cut.iso

# the domain XML
refused 2 'vm.xml: No such file*' "${inject[@]}" "${xml[@]}"
domain '<!DOCTYPE domain [<!ENTITY e SYSTEM "file:///etc/hostname">]><domain/>'
refused 5 'vm.xml: *DOCTYPE*' "${inject[@]}" "${xml[@]}"
domain "<domain type='xen'><os><type>hvm</type></os><devices/></domain>"
refused 3 'vm.xml: *xen*' "${inject[@]}" "${xml[@]}"
domain '<domain'
refused 5 'vm.xml: *' "${inject[@]}" "${xml[@]}"
domain "<network/>"
refused 5 'vm.xml: *network*' "${inject[@]}" "${xml[@]}"
[ ! -e out.xml ] || { echo "FAIL: out.xml was written"; status=1; }

# where the XML goes is tried before anything is written
domain "<domain type='kvm'><os><type>hvm</type></os><devices/></domain>"
"$fixtures/mkiso" medium.iso
refused 2 'medium.iso: is a driver medium*' inject vm.qcow2 \
    --virtio-iso medium.iso --domain-xml vm.xml --output-xml medium.iso
for bad in missing/out.xml medium vm.qcow2 /dev/null; do
    refused 2 "$bad: *" "${inject[@]}" --domain-xml vm.xml --output-xml $bad
done

refused 2 'new.qcow2: is the output*' "${inject[@]}" --output ./new.qcow2 \
    --domain-xml vm.xml --output-xml new.qcow2

# the output
refused 2 '*medium.iso exists already*' "${inject[@]}" --output medium.iso
refused 2 '*no/where.qcow2: No such file*' "${inject[@]}" --output no/where.qcow2

# the image
refused 2 '*none.qcow2: *' inject none.qcow2 --virtio-iso medium
refused 2 '*medium: *' inject medium --virtio-iso medium
echo 'no image' >text.img
refused 5 '*text.img: *not a disk image*' inject text.img --virtio-iso medium
: >empty.img
refused 5 '*empty.img: *not a disk image*' inject empty.img --virtio-iso medium
chmod a-w vm.qcow2
refused 3 '*vm.qcow2: *read-only*' "${inject[@]}"
chmod u+w vm.qcow2
qemu-img create -q -f qcow2 -F qcow2 -b vm.qcow2 child.qcow2
refused 3 '*child.qcow2: *backing file*' inject child.qcow2 --virtio-iso medium
head -c 5000 /dev/zero | cat <(printf 'QFI\xfb') - >damaged.qcow2
refused 5 '*damaged.qcow2: *' inject damaged.qcow2 --virtio-iso medium

# in use by QEMU (by another run: unit.image, tests/guest)
mkfifo held
qemu-io -f qcow2 vm.qcow2 <held >/dev/null 2>&1 &
holder=$!
exec 9>held
until grep -q "OFDLCK.*:$(stat -c %i vm.qcow2) " /proc/locks; do
    kill -0 $holder 2>/dev/null || { echo "FAIL: qemu-io died"; exit 1; }
    sleep 0.1
done
refused 75 '*vm.qcow2: *in use*' "${inject[@]}"
exec 9>&-
wait $holder
same vm.qcow2 "$before"

# the same as JSON: one document, also for a failure
got=0
"$program" inject text.img --virtio-iso medium --json 2>/dev/null >out.json ||
    got=$?
[ $got = 5 ] || { echo "FAIL: exit status $got with --json"; status=1; }
python3 - <<'PY' || status=1
import json
document = json.load(open("out.json"))
assert document["status"] == "failed", document
assert document["error"]["exit_status"] == 5, document
assert "text.img" in document["error"]["text"], document
PY

for left in *.v2v-*; do
    [ ! -e "$left" ] || { echo "FAIL: $left is left over"; status=1; }
done
echo "$count refusals"
exit $status
