#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# use.sh FOLDER - the installed Debian package as somebody uses it who has it
# from apt: the manuals, then vm.qcow2, virtio-win.iso and vm.xml of FOLDER from
# injection to undo, then a batch.  Needs no source tree and no privilege.
set -euo pipefail
cd "$1"

packaged() {
    dpkg -L v2v-virtio | grep "$1"
}

version=$(dpkg-query -W -f '${source:Upstream-Version}' v2v-virtio)
[ "$(v2v-virtio --version)" = "v2v-virtio $version" ]

for page in $(packaged '/man/man.*\.gz$'); do
    name=$(basename "${page%.?.gz}")
    [ "$(man -w "$name")" = "$page" ]
done
for file in $(packaged '/completions/.' || true); do
    bash -c '. "$1" && complete -p v2v-virtio' - "$file"
done
for name in $(packaged '/man/man1/v2v-virtio-' | sed 's#.*/v2v-virtio-\(.*\)\.1\.gz$#\1#'); do
    v2v-virtio --complete '' | grep -qx "$name"
done

sed -i "s#/var/lib/libvirt/images/vm.qcow2#$PWD/vm.qcow2#" vm.xml
cp vm.qcow2 before.qcow2
v2v-virtio check vm.qcow2 --virtio-iso virtio-win.iso --domain-xml vm.xml
v2v-virtio inject vm.qcow2 --virtio-iso virtio-win.iso --domain-xml vm.xml \
    --output-xml new.xml --backend direct
grep -q "bus='virtio'" new.xml
v2v-virtio verify vm.qcow2 --domain-xml new.xml
if qemu-img compare -q vm.qcow2 before.qcow2; then
    echo "the injection changed nothing" >&2
    exit 1
fi
v2v-virtio undo vm.qcow2
qemu-img compare vm.qcow2 before.qcow2

# A manifest in CSV, a ledger that SQLite keeps, and a table made of that.
printf '%s\n' image,domain-xml,output-xml vm.qcow2,vm.xml,batch.xml \
    before.qcow2,, >vms.csv
v2v-virtio batch vms.csv --virtio-iso virtio-win.iso --backend direct --no-undo \
    --report vms.html
v2v-virtio batch vms.csv --report-only --report table.csv
[ "$(grep -c ',"done",' table.csv)" = 2 ]
grep -q "bus='virtio'" batch.xml
v2v-virtio verify before.qcow2
