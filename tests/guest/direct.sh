#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Both backends on copies of the same guest: what check and verify say, and the
# guest after an injection.  The volumes are read by other programs than either
# (sleuthkit, ntfs-3g's, hivexregedit) and compared: every file and directory
# with its attributes and its content, every descriptor, every key and value,
# the volume's flags.  They may differ in times and in the places of clusters.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir tmp
export TMPDIR=$tmp/tmp LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
LC_ALL=C
export LC_ALL
"$v2v" check --backend direct /dev/null 2>&1 | grep -q 'without libntfs-3g' &&
    skip "built without libntfs-3g"
"$fixtures/mkiso" -d medium

# Looking at a volume --------------------------------------------------------

# files VOLUME: "d path" and "r path"; the files of NTFS itself are left out
# shellcheck disable=SC2016 # sed's and NTFS' own "$"
files() {
    fls -r -u -p "$1" |
        sed -nE 's/^([dr])\/[dr] [0-9-]+(\([^)]*\))?:\t(.*)$/\1 \3/p' |
        grep -vE '^. \$(MFT|MFTMirr|LogFile|Volume|AttrDef|Bitmap|Boot|BadClus|Secure|UpCase|Extend|OrphanFiles)' |
        sort -k 2
}

# a hive's keys and values as text, without the times of two injections
# shellcheck disable=SC1003 # a backslash is the root's name
hive_text() {
    hivexregedit --export --prefix 'HKEY' "$1" '\' |
        sed -E 's/^("(ImportDate|UpdateDate)"=).*/\1/'
}

# what is in a file: a hive by its keys, all else by its bytes
content() {
    icat "$1" "$(ifind -n "/$2" "$1")" >content
    if [ "$(head -c 4 content)" = regf ]; then
        hive_text content | sha256sum
    else
        sha256sum <content
    fi | cut -c 1-64
}

# attributes, kinds of names and how many there are, as ntfsinfo knows them
attributes() {
    ntfsinfo -f -F "$2" "$1" 2>/dev/null | tr -d '\0' |
        sed -nE 's/^\t*((File attributes|Namespace|Hard link count|Flags):)\t* */\1/p' |
        tr '\n' ';'
}

# describe VOLUME OUT
describe() {
    local kind path
    ntfsinfo -f -m "$1" 2>/dev/null | sed -nE '/Volume (Name|Flags|Version|State)/p' >"$2"
    while read -r kind path; do
        echo "$kind $path" "$(volume_acl "$1" "/$path")" "$(attributes "$1" "$path")" \
            "$([ "$kind" = d ] || content "$1" "$path")"
    done < <(files "$1") >>"$2"
}

# Both ways ------------------------------------------------------------------

# report OUT BACKEND COMMAND ARGUMENT...: without what is allowed to differ
report() {
    local out=$1 backend=$2
    shift 2
    "$v2v" "$@" --backend "$backend" --json >"$out.full"
    local status=$?
    jq -S 'del(.backend, .warnings)' "$out.full" >"$out"
    return $status
}

# as_both NAME COMMAND...: the same report from both
as_both() {
    local name=$1 direct=0 libguestfs=0
    shift
    report direct.json direct "$@" || direct=$?
    report libguestfs.json libguestfs "$@" || libguestfs=$?
    check "$name: exit status $direct with both" test $direct = $libguestfs
    check "$name: the same report" diff -u libguestfs.json direct.json
    check "$name: it was the direct backend" \
        jq -e '.backend == {"name": "direct", "not_direct": null}' direct.json.full
}

# same_guest NAME IMAGE VOLUMES [OPTION...]: inject, and compare the guests
same_guest() {
    local name=$1 image=$2 volumes=$3 backend number
    shift 3
    for backend in direct libguestfs; do
        cp "$image" "$backend.img"
        check "$name: inject, $backend" "$v2v" inject "$backend.img" --virtio-iso medium \
            --backend "$backend" --json --no-undo "$@"
        check "$name: it is done, $backend" \
            eval 'jq -e ".status == \"done\"" output'
        check "$name: the image is sound, $backend" \
            eval "[ '${image##*.}' = raw ] || qemu-img check -q '$backend.img'"
        for ((number = 1; number <= volumes; number++)); do
            check "$name: volume $number, $backend" \
                volume "$backend.img" $number "$backend.$number"
            check "$name: volume $number is sound, $backend" \
                volume_check "$backend.$number"
            describe "$backend.$number" "$backend.$number.txt"
            rm "$backend.$number"
        done
    done
    for ((number = 1; number <= volumes; number++)); do
        check "$name: volume $number has files" \
            test "$(wc -l <"direct.$number.txt")" -gt 5
        check "$name: volume $number is the same" \
            diff -u "libguestfs.$number.txt" "direct.$number.txt"
    done
    rm -f direct.* libguestfs.*
}

# Which guests ---------------------------------------------------------------

# with_system_reserved OUT: Windows' boot manager on a volume of its own
with_system_reserved() {
    "$fixtures/mkguest" --version win10 --boot-only boot.qcow2 &&
        "$fixtures/mkguest" --version win10 --no-boot windows.qcow2 &&
        volume boot.qcow2 boot.ntfs && volume windows.qcow2 windows.ntfs || return
    local boot windows
    boot=$(stat -c %s boot.ntfs) windows=$(stat -c %s windows.ntfs)
    truncate -s $((boot + windows + (4 << 20))) "$1"
    printf 'label: dos\nstart=2048,size=%d,type=7,bootable\nstart=%d,size=%d,type=7\n' \
        $((boot / 512)) $((4096 + boot / 512)) $((windows / 512)) | sfdisk -q "$1"
    dd if=boot.ntfs of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if=windows.ntfs of="$1" bs=512 seek=$((4096 + boot / 512)) conv=notrunc,sparse \
        status=none
    rm boot.* windows.*
}

"$fixtures/mkguest" --version win7 win7.qcow2
same_guest "Windows 7, MBR" win7.qcow2 1 --allow driver-untrusted
"$fixtures/mkguest" --gpt --version win11 win11.qcow2
same_guest "Windows 11, GPT" win11.qcow2 1
as_both "check" check win11.qcow2 --virtio-iso medium
as_both "verify" verify win11.qcow2
check "a volume for the boot manager" with_system_reserved reserved.raw
same_guest "System Reserved, raw" reserved.raw 2 --format raw

guest_done
