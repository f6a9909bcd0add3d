#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# only-planned.sh PLAN-TOOL WORK fixtures|real: only-planned.py on the fixture's
# hives, or on real Windows 8.1 and 10 hives with real drivers (V2V_SHARED).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../../fixtures
tool=$1 work=$2
data=${V2V_SHARED:-/nonexistent}/data

check() { # NAME MEDIUM DRIVERS
    echo "$1:"
    "$here/only-planned.py" "$tool" "$work/$1" "$2" "$3" "$work/$1-after"
}

rm -rf "$work"
mkdir -p "$work"
if [ "$3" = fixtures ]; then
    "$fixtures/mkiso" -d "$work/medium"
    for version in win7 win10 2k25; do
        "$fixtures/mkguest" --hives --version $version "$work/$version"
        check $version "$work/medium" viostor,NetKVM,Balloon
    done
    exit 0
fi
if [ ! -d "$data" ]; then
    echo "skipped: no real hives and drivers (V2V_SHARED)"
    exit 77
fi
for real in win10-1709-clean:win10 win81-dirty-nologs:win81; do
    name=${real%:*}
    "$fixtures/mkguest" --hives --version "${real#*:}" "$work/$name"
    xz -dc "$data/hives/$name/SYSTEM.xz" >"$work/$name/SYSTEM"
    check "$name" "$data/virtio-win/virtio-win-subset.iso" \
        viostor,NetKVM,vioserial
done
