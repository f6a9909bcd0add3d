#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# use.sh FOLDER - the installed Debian package as somebody uses it who has it
# from apt: the manuals, then vm.qcow2, virtio-win.iso and vm.xml of FOLDER from
# injection to undo.  Needs no source tree and no privilege.
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
