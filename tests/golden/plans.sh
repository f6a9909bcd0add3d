#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# plans.sh PLAN-TOOL WORK [--update]: the plan for each Windows, made from
# fixtures, against the text in this folder.
#
# Two things differ from run to run and are written as words: the hash in a
# package folder's name, since a catalog is signed by a new key each time, and
# a catalog's length.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
tool=$1 work=$2 update=${3:-}
mkdir -p "$work"
rm -rf "$work/medium"
"$top/fixtures/mkiso" -d "$work/medium"

plan() { # VERSION ARCH
    "$top/fixtures/mkguest" --hives --version "$1" --arch "$2" "$work/$1-$2"
    "$tool" "$work/$1-$2" "$work/medium" viostor,NetKVM,Balloon \
        >"$work/$1-$2.raw"
    sed -E 's/(_(amd64|x86))_[0-9a-f]{16}/\1_HASH/g
            s/(\.cat) [0-9]+ bytes/\1 N bytes/
            s/("FileSize" qword) 0x[0-9a-f]+/\1 N/' "$work/$1-$2.raw"
}

status=0
for guest in winxp-x86 win7-amd64 2k8r2-amd64 win10-amd64 win11-amd64 \
    2k16-amd64 2k19-amd64 2k22-amd64 \
    2k25-amd64 win10-x86; do
    golden=$here/$guest.plan
    plan "${guest%-*}" "${guest##*-}" >"$work/$guest.plan"
    if [ "$update" = --update ]; then
        cp "$work/$guest.plan" "$golden"
    fi
    diff -u "$golden" "$work/$guest.plan" || status=1
done
[ $status = 0 ] && echo "10 plans are as they should be"
exit $status
