#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh [VM.qcow2 VIRTIO-WIN.iso [VM.xml]] - from a bare Debian 12 to a guest
# with virtio drivers: installs what is missing, builds, injects.
#
# Without arguments it makes a small stand-in for a Windows guest and for the
# driver medium.  A disk image given is copied first: the original is only read.
# What it makes is in build/demo/.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
demo=$top/build/demo
# shellcheck source=scripts/setup.sh
. "$top/scripts/setup.sh"

say() {
    printf '\n== %s\n' "$*"
}

die() {
    echo "demo: $*" >&2
    exit 1
}

build() {
    say "building build/v2v-virtio"
    (cd "$top" && cmake --preset dev >"$demo/build.log" &&
        cmake --build --preset dev >>"$demo/build.log") ||
        { tail -n 40 "$demo/build.log" >&2; die "the build failed"; }
}

own_guest() {
    say "making a stand-in for a guest and a driver medium out of fixtures/"
    "$top/fixtures/mkguest" "$demo/vm.qcow2"
    "$top/fixtures/mkiso" "$demo/virtio-win.iso"
    sed "s#/var/lib/libvirt/images/vm.qcow2#$demo/vm.qcow2#" \
        "$top/fixtures/domain.xml" >"$demo/vm.xml"
}

# The XML names the user's image, so the copy has to take its place there.
users_guest() {
    say "copying $1"
    cp --reflink=auto --sparse=always "$1" "$demo/vm.qcow2"
    chmod u+w "$demo/vm.qcow2"
    ln -sf "$(realpath "$2")" "$demo/virtio-win.iso"
    [ $# -ge 3 ] || return 0
    local xml
    xml=$(<"$3")
    xml=${xml//"$(realpath "$1")"/"$demo/vm.qcow2"}
    printf '%s\n' "$xml" >"$demo/vm.xml"
    grep -qF "$demo/vm.qcow2" "$demo/vm.xml" ||
        die "$3 does not name $(realpath "$1"): is it this guest's?"
}

inject() {
    local command=("$top/build/v2v-virtio" inject "$demo/vm.qcow2"
        --virtio-iso "$demo/virtio-win.iso")
    [ ! -e "$demo/vm.xml" ] || command+=(--domain-xml "$demo/vm.xml"
        --output-xml "$demo/vm-virtio.xml")
    say "${command[*]}"
    time "${command[@]}" || die "v2v-virtio: exit status $?"
}

show_xml() {
    [ -e "$demo/vm-virtio.xml" ] || return 0
    say "what changed in the domain XML"
    diff -u "$demo/vm.xml" "$demo/vm-virtio.xml" || [ $? = 1 ]
}

case $# in
0 | 2 | 3) ;;
*) die "usage: scripts/demo.sh [VM.qcow2 VIRTIO-WIN.iso [VM.xml]]" ;;
esac
for file; do
    [ -r "$file" ] || die "$file: cannot read it"
    case $(realpath "$file") in
    "$demo"/*) die "$file: build/demo is made anew; please move it elsewhere" ;;
    esac
done
setup build demo || die "set-up failed"
rm -rf "$demo"
mkdir -p "$demo"
build
[ -x "$top/build/v2v-virtio" ] || die "the build made no build/v2v-virtio"
if [ $# = 0 ]; then
    own_guest
else
    users_guest "$@"
fi
inject
show_xml
say "done: the disk and the domain XML are in build/demo/"
