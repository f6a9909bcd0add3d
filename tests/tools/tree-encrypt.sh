#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# tree-encrypt.sh DIR PARTITION KEY PROTECTOR...: a partition of DIR/disk0.raw as
# if it were encrypted with BitLocker (tests/tools/tree-guest.h): what it holds
# becomes DIR/0-PARTITION.raw, a volume of fixtures/mkbitlocker takes its place.
set -eu
fixtures=$(dirname "$0")/../../fixtures
dir=$1 number=$2 key=$3
shift 3
start=$(sfdisk -d "$dir/disk0.raw" |
    sed -n "s/^[^ ]*raw$number *: *start= *\\([0-9]*\\).*/\\1/p")
size=$(sfdisk -d "$dir/disk0.raw" |
    sed -n "s/^[^ ]*raw$number *:.*size= *\\([0-9]*\\).*/\\1/p")
dd if="$dir/disk0.raw" of="$dir/0-$number.raw" skip="$start" count="$size" \
    conv=sparse status=none
"$fixtures/mkbitlocker" "$dir/made" "$@"
dd if="$dir/made" of="$dir/disk0.raw" bs=512 skip=2048 count=12288 \
    seek="$start" conv=notrunc status=none # its partition: 6 MiB behind 1 MiB
rm "$dir/made"
printf %s "$key" >"$dir/0-$number.key"
