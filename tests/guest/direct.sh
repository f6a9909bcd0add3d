#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Both backends on copies of the same guest: what check and verify say, and the
# guest after an injection.  The volumes are read by other programs than either
# (sleuthkit, ntfs-3g's, hivexregedit) and compared: every file and directory
# with its attributes and its content, every descriptor, every key and value,
# the volume's flags.  They may differ in times and in the places of clusters.
# Three guests; with V2V_FULL each Windows and layout that there is a recipe for,
# and a driver, and with V2V_SHARED those around real hives.
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
    if head -c 4 content | grep -qa '^regf'; then
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

# describe VOLUME OUT: all of it, as text
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
        jq -e '.backend == {"name": "direct", "not_direct": null, "launches": 0, "calls": 0}' \
        direct.json.full
}

# same_guest NAME IMAGE VOLUMES [OPTION...]: inject, and compare the guests; the
# medium is $medium
same_guest() {
    local name=$1 image=$2 volumes=$3 backend number
    shift 3
    for backend in direct libguestfs; do
        cp "$image" "$backend.img"
        check "$name: inject, $backend" report "$backend.json" "$backend" \
            inject "$backend.img" --virtio-iso "$medium" --no-undo "$@"
        check "$name: it is done, $backend" \
            jq -e '.status == "done"' "$backend.json.full"
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
    rm -f {direct,libguestfs}.{img,*.txt}
}

# Which guests ---------------------------------------------------------------

# The appliance is started once, and asked no more than there is to ask: for the
# Windows 11 of the fixtures CALLS times.
few_calls() {
    jq -e --argjson calls "$1" \
        '.backend | .launches == 1 and .calls > 100 and .calls <= $calls' \
        libguestfs.json.full
}

# made NAME VOLUMES [OPTION...]: of fixtures/mkguest; a raw image with the name
# of one
made() {
    local name=$1 volumes=$2 image=guest.qcow2 format=qcow2
    shift 2
    [[ $name != *raw* ]] || image=guest.raw format=raw
    check "$name: a guest" "$fixtures/mkguest" --format $format "$@" $image
    same_guest "$name" $image "$volumes" --format $format --allow driver-untrusted
}

# real NAME VOLUMES [OPTION...]: of the maker of guests around real hives
real() {
    local name=$1 volumes=$2
    shift 2
    check "$name: a guest" "$V2V_SHARED/tools/mkguest" "$@" -o guest.qcow2
    same_guest "$name" guest.qcow2 "$volumes" --allow driver-untrusted,hive-dirty
}

# These media have no viostor for Windows 8, XP of 64 bits and 7 of 32 bits.
every_made_guest() {
    made "XP, x86" 1 --version winxp --arch x86
    made "Server 2008 R2" 1 --version 2k8r2
    made "Windows 10" 1 --version win10
    made "Windows 10, x86" 1 --version win10 --arch x86
    made "Windows 10, System Reserved" 2 --version win10 --reserved
    made "Windows 10, GPT" 1 --version win10 --gpt
    made "Windows 11, GPT" 1 --version win11 --gpt
    made "Server 2016, System Reserved, raw" 2 --version 2k16 --reserved
    made "Server 2019, GPT, raw" 1 --version 2k19 --gpt
    made "Server 2022, logical" 2 --version 2k22 --logical
    made "Server 2025, GPT, sectors of 4096" 1 --version 2k25 --gpt --sector 4096
}

every_real_guest() {
    local hives=$V2V_SHARED/data/hives medium=$V2V_SHARED/data/virtio-win/virtio-win-subset.iso
    real "real 7, x86" 1 -p win7-x86
    real "real 7, System Reserved" 2 -p win7-x64 -P
    real "real Server 2008 R2, GPT" 1 -p win2k8r2-x64 -l gpt
    real "real 8.1" 1 -p win81-x64
    real "real Server 2012 R2, GPT" 1 -p win2k12r2-x64 -l gpt
    real "real 10" 1 -p win10-x64
    real "real 10, dirty, GPT" 1 -p win10-x64 -l gpt -s "$hives/win10-1709-dirty/SYSTEM.xz"
    real "real 10, no DRIVERS" 1 -p win10-x64 -n
    real "real 11, GPT" 1 -p win11-x64 -l gpt
    real "real Server 2016, System Reserved" 2 -p win2k16-x64 -P
    real "real Server 2019" 1 -p win2k19-x64
    real "real Server 2022, GPT" 1 -p win2k22-x64 -l gpt
    real "real Server 2025" 1 -p win2k25-x64
}

medium=medium
made "Windows 7" 1 --version win7
made "Windows 10, logical, raw" 2 --version win10 --logical
made "Windows 11, GPT, sectors of 4096" 1 --version win11 --gpt --sector 4096
check "as few calls of libguestfs as are needed" few_calls 360
as_both "check" check guest.qcow2 --virtio-iso medium
as_both "verify" verify guest.qcow2
if [ -n "${V2V_FULL:-}" ]; then
    every_made_guest
    [ ! -d "${V2V_SHARED:-/nonexistent}/data" ] || [ ! -w /dev/fuse ] || every_real_guest
fi

guest_done
