#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# drivers.sh DRIVERS-TABLE WORK [--update]: what is chosen for every Windows
# from real media, against the text in this folder.  The media are in
# $V2V_SHARED/data/virtio-win; without them the test is skipped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tool=$1 work=$2 update=${3:-}
media=${V2V_SHARED:-$here/../../../shared}/data/virtio-win
mkdir -p "$work"

if [ ! -r "$media/virtio-win-subset.iso" ]; then
    echo "no $media/virtio-win-subset.iso; set V2V_SHARED"
    exit 77
fi
xz -dc "$media/virtio-win_amd64.vfd.xz" >"$work/virtio-win_amd64.vfd"

status=0
check() { # NAME MEDIUM...
    name=$1
    shift
    "$tool" "$@" >"$work/$name.raw"
    sed "s,$media/,,g; s,$work/,,g" "$work/$name.raw" >"$work/drivers-$name.txt"
    if [ "$update" = --update ]; then
        cp "$work/drivers-$name.txt" "$here"
    fi
    diff -u "$here/drivers-$name.txt" "$work/drivers-$name.txt" || status=1
}
check subset "$media/virtio-win-subset.iso"
check 0.1.285-style "$media/virtio-win-0.1.285-style.iso"
check floppy "$work/virtio-win_amd64.vfd"
check floppy-then-iso "$work/virtio-win_amd64.vfd" \
    "$media/virtio-win-0.1.285-style.iso"
[ $status = 0 ] && echo "4 tables are as they should be"
exit $status
