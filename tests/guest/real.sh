#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real hives and real drivers: needs V2V_SHARED.  What the program wrote is
# read back; that nothing else changed in the hives is read with reglookup.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -d "${V2V_SHARED:-/nonexistent}/data" ] || skip "V2V_SHARED names no real data"
[ -w /dev/fuse ] || skip "no /dev/fuse, which the maker of real guests needs"
cd "$tmp" || exit 1
iso=$V2V_SHARED/data/virtio-win
services='\ControlSet001\Services'

value() { hive_value "$1" "$2" "$3" | grep -qx -- "$4"; }

# entries HIVE: each key and value that reglookup reads, sorted
entries() {
    reglookup "$1" 2>/dev/null | sort >"$1.txt"
    [ -s "$1.txt" ]
}

# What is gone or other than before, but for OemInfMap and UpdateDate.
nothing_else_changed() {
    entries SYSTEM.before && entries SYSTEM.after || return
    ! comm -23 SYSTEM.before.txt SYSTEM.after.txt |
        grep -vE '^/DriverDatabase/(OemInfMap|UpdateDate),' | head -n 5 | grep .
}

inject() {
    local medium=$1
    shift
    "$v2v" inject vm.qcow2 --virtio-iso "$iso/$medium" --json "$@" >report.json
}

# make_guest PROFILE [OPTION...]
make_guest() {
    rm -f vm.qcow2
    "$V2V_SHARED/tools/mkguest" -p "$@" -o vm.qcow2 >/dev/null 2>&1
}

# system_hive OUT: the guest's; of the volume c.ntfs, which is made anew
system_hive() {
    rm -f c.ntfs "$1"
    volume vm.qcow2 c.ntfs && hive c.ntfs SYSTEM "$1"
}

# real PROFILE ISO IMAGE-PATH DRIVERS [OPTION...]
real() {
    local profile=$1 medium=$2 image_path=$3 drivers=$4
    shift 4
    check "$profile: a guest" make_guest "$profile"
    check "$profile: its SYSTEM hive" system_hive SYSTEM.before
    check "$profile: inject from $medium" inject "$medium" "$@"
    check "$profile: $drivers" \
        test "$(jq -r '[.drivers[].source] | join(" ")' report.json)" = "$drivers"
    check "$profile: the image is sound" qemu-img check -q vm.qcow2
    check "$profile: the SYSTEM hive is there" system_hive SYSTEM.after
    check "$profile: the volume is sound" volume_check c.ntfs
    check "$profile: viostor starts at boot" \
        value SYSTEM.after "$services\\viostor" Start 0
    check "$profile: its image path" \
        value SYSTEM.after "$services\\viostor" ImagePath "$image_path"
    check "$profile: nothing else changed in SYSTEM" nothing_else_changed
    while read -r path bytes; do
        check "$profile: $path" test \
            "$(volume_cat c.ntfs "$path" | wc -c)" = "$bytes"
    done < <(jq -r '.files[] | "\(.path) \(.bytes)"' report.json)
}

drivers='System32\\drivers\\viostor.sys'
real win10-x64 virtio-win-subset.iso "$drivers" \
    "viostor/w10/amd64 NetKVM/w10/amd64"

# a hive that Windows left dirty: what it had logged is there afterwards
check "dirty win10-x64: a guest" make_guest win10-x64 \
    -s "$V2V_SHARED/data/hives/win10-1709-dirty/SYSTEM.xz"
check "dirty win10-x64: its SYSTEM hive" system_hive SYSTEM.dirty
check "dirty win10-x64: it is the dirty one" \
    eval "xz -dc '$V2V_SHARED/data/hives/win10-1709-dirty/SYSTEM.xz' | cmp - SYSTEM.dirty"
check "dirty win10-x64: inject" inject virtio-win-subset.iso
xz -dc "$V2V_SHARED/data/hives/win10-1709-clean/SYSTEM.xz" >SYSTEM.before
check "dirty win10-x64: the SYSTEM hive is there" system_hive SYSTEM.after
check "dirty win10-x64: the logged changes are there, nothing else changed" \
    nothing_else_changed
for log in LOG1 LOG2; do
    check "dirty win10-x64: $log is there" \
        volume_has c.ntfs "$config/SYSTEM.$log"
    check "dirty win10-x64: $log is empty" \
        test "$(volume_cat c.ntfs "$config/SYSTEM.$log" | wc -c)" = 0
done

# these packages are self-signed: Windows 8.1 refuses them
real win81-x64 virtio-win-subset.iso "$drivers" \
    "viostor/w8.1/amd64 NetKVM/w8.1/amd64 Balloon/w8.1/amd64" \
    --allow hive-dirty,driver-untrusted
check "win81-x64: a guest" make_guest win81-x64
before=$(fingerprint vm.qcow2)
expect_exit 4 "win81-x64: refused without --allow driver-untrusted" \
    "$v2v" inject vm.qcow2 --virtio-iso "$iso/virtio-win-subset.iso" \
    --allow hive-dirty
check "win81-x64: the image is what it was" \
    test "$(fingerprint vm.qcow2)" = "$before"
real win7-x64 virtio-win-subset.iso "$drivers" \
    "viostor/w7/amd64 NetKVM/w7/amd64 Balloon/w7/amd64"
real win2k25-x64 virtio-win-0.1.285-style.iso \
    'System32\\DriverStore\\FileRepository\\viostor.inf_amd64_.*\\viostor.sys' \
    "viostor/2k25/amd64 NetKVM/2k25/amd64"

guest_done
