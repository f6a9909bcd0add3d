#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tree-from-image.sh IMAGE... DIR - disk images as the folder that
# tests/tools/tree-guest.h reads: DIR/disk0.raw and the files of each NTFS and
# FAT volume in DIR/0-N, those of a second image in DIR/1-N ...
# Needs qemu-img, sfdisk, jq, 7z and ntfscat.  No appliance, no FUSE.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
if [ $# -lt 2 ]; then
    sed -n 3,6p "$0" >&2
    exit 2
fi
images=("${@:1:$#-1}") dir=${!#}
mkdir "$dir"
part=$dir/partition
trap 'rm -f "$part" "$part.log"' EXIT

# partitions DISK: "NUMBER OFFSET LENGTH" each, in bytes; without a partition
# table the whole disk, as number 0
partitions() {
    local table
    if table=$(sfdisk -J "$1" 2>/dev/null); then
        jq -r --arg disk "$1" '.partitiontable | (.sectorsize // 512) as $b |
            .partitions[]? | "\(.node | ltrimstr($disk)) \(.start * $b) \(.size * $b)"' <<<"$table"
    else
        echo "0 0 $(stat -c %s "$1")"
    fi
}

# type DISK OFFSET: 7z's name of the file system there, or nothing.  Where its
# name stands in the boot sector: byte 3 (NTFS), 54 (FAT12, FAT16), 82 (FAT32).
type() {
    local at
    for at in 3:NTFS 54:FAT 82:FAT; do
        if dd if="$1" bs=1 skip=$(($2 + ${at%:*})) count=8 status=none |
            grep -aq "^${at#*:}"; then
            echo "${at#*:}"
            return
        fi
    done
}

# extract DISK OFFSET LENGTH TYPE FOLDER: what 7z shows beside the files, NTFS'
# own and the streams, is none of the guest's.  7z cannot read a sparse file.
extract() {
    local failed=
    dd if="$1" of="$part" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" \
        conv=sparse status=none
    7z x -y -bd "-t$4" "-o$5" "$part" >/dev/null 2>"$part.log" ||
        failed=$(sed -n 's/^ERROR: Data Error : //p' "$part.log" | grep .) || {
            cat "$part.log" >&2
            exit 1
        }
    while read -r file; do
        ntfscat -f "$part" "$file" >"$5/$file"
    done < <(printf '%s' "${failed:+$failed$'\n'}")
    rm -rf "$5/[SYSTEM]" "$part"
    find "$5" -name '*:*' -delete
}

for i in "${!images[@]}"; do
    disk=$dir/disk$i.raw
    qemu-img convert -O raw "${images[i]}" "$disk"
    while read -r number offset length; do
        type=$(type "$disk" "$offset")
        [ -z "$type" ] || extract "$disk" "$offset" "$length" "$type" "$dir/$i-$number"
    done < <(partitions "$disk")
done
