#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inject.sh TREE-TOOL WORK fixtures|real: inject into guests made of folders:
# what it says it wrote is there, SYSTEM names the boot driver, nothing else in
# the tree changed, and a second run changes nothing.  "real": into images with
# real hives, real drivers (V2V_SHARED; /dev/fuse).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../../fixtures
tool=$1 work=$2
PATH=$PATH:/usr/sbin:/sbin
shared=${V2V_SHARED:-/nonexistent}

fail() {
    echo "$1" >&2
    exit 1
}

# sums TREE: of the files of its volumes
sums() {
    (cd "$1" && find ./*-* -type f -exec sha256sum {} + | sort -k 2)
}

# changed BEFORE AFTER: the paths that differ, or are new
changed() {
    comm -13 <(sort "$1") <(sort "$2") | sed 's/^[^ ]*  //'
}

# start TREE SERVICE: its start type in the first control set
start() {
    local hive
    hive=$(find "$1" -path '*/config/SYSTEM')
    printf 'cd \\ControlSet001\\Services\\%s\nlsval Start\n' "$2" | hivexsh "$hive"
}

# inject TREE MEDIUM NTFS: the folder of its volume
inject() {
    local tree=$1 medium=$2 volume=$3 file
    sums "$tree" >before
    "$tool" inject "$tree" "$medium" >said
    sums "$tree" >after
    sed -n 's/^file\t//p' said | sort >files
    [ -s files ] || fail "$tree: nothing was written"
    while read -r file; do
        [ -s "$tree/$volume/$file" ] || fail "$tree: no $file"
    done <files
    # beside these only hives
    changed before after | sed "s|^[./]*$volume/||" | grep -vxFf files >others
    grep -vx 'Windows/System32/config/\(SYSTEM\|SOFTWARE\|DRIVERS\)' others &&
        fail "$tree: more was written"
    [ "$(start "$tree" viostor)" = 0 ] || fail "$tree: viostor does not start at boot"
    "$tool" inject "$tree" "$medium" >said
    ! grep '^file' said || fail "$tree: the second run writes files"
    sums "$tree" | cmp - after || fail "$tree: the second run changes it"
    echo "$tree: $(wc -l <files) files"
}

fixtures() {
    local version
    "$fixtures/mkiso" -d medium
    for version in win7 win10 2k25; do
        "$fixtures/mkguest" --tree --version $version $version
        inject $version medium 0-1
    done
    "$fixtures/mkguest" --tree --version winxp --arch x86 winxp
    inject winxp medium 0-1
    "$fixtures/mkguest" --tree --gpt gpt
    inject gpt medium 0-3
}

real() {
    local profile
    if [ ! -x "$shared/tools/mkguest" ] || [ ! -w /dev/fuse ]; then
        echo "skipped: no real hives (V2V_SHARED), or no /dev/fuse"
        exit 77
    fi
    for profile in win10-x64 win81-x64 win7-x64; do
        "$shared/tools/mkguest" -p $profile -o $profile.qcow2 >mkguest.log 2>&1 ||
            fail "$(cat mkguest.log)"
        "$here/../tools/tree-from-image.sh" $profile.qcow2 $profile
        inject $profile "$shared/data/virtio-win/virtio-win-subset.iso" 0-1
    done
}

rm -rf "$work"
mkdir -p "$work"
cd "$work"
"$3" 2>warnings
