#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# damaged.sh PROGRAM: one byte of a real package other than it was, in the
# driver, in the signature inside it, in the INF, in the catalog: "drivers list"
# calls the package damaged.  Needs V2V_SHARED.
set -euo pipefail
program=$1
iso=${V2V_SHARED:-/nonexistent}/data/virtio-win/virtio-win-subset.iso
[ -e "$iso" ] || { echo "skipped: no real drivers (V2V_SHARED)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
7z x -o"$work/whole" "$iso" 'viostor/w10/amd64/*' >/dev/null
chmod -R u+w "$work"
status=0

# verdict FILE OFFSET WANTED
verdict() {
    local wanted=$3 got file=$work/m/viostor/w10/amd64/$1 byte
    rm -rf "$work/m"
    cp -r "$work/whole" "$work/m"
    byte=$(od -An -tu1 -j "$2" -N 1 "$file")
    [ "$wanted" != damaged ] ||
        printf '%b' "\\$(printf %03o $((byte ^ 1)))" |
        dd of="$file" bs=1 seek="$2" conv=notrunc status=none
    got=$("$program" drivers list "$work/m" --json |
        jq -r '.drivers[].places[].verdict')
    [ "$got" = "$wanted" ] || {
        echo "$1, byte $2: $got, and $wanted is right"
        status=1
    }
}

dir=$work/whole/viostor/w10/amd64
verdict viostor.sys 0 secure-boot
verdict viostor.sys 5000 damaged
verdict viostor.sys $(($(stat -c %s "$dir/viostor.sys") - 7000)) damaged
verdict viostor.inf 1000 damaged
verdict viostor.cat 600 damaged
[ $status = 0 ] && echo "5 packages judged"
exit $status
