#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench.sh [OPTION...] [PROGRAM]: what an injection costs, as tables in Markdown
#   -n RUNS      of each [5]
#   -w WAYS      of direct,libguestfs,virt-v2v-in-place: compare only these
#   --quick      small sets, and the short medium only
#   --tcg        all without KVM; for a machine whose /dev/kvm does not work,
#                which virt-v2v would try all the same
#   --grow       not the ways, but how the direct one grows: with the disk, the
#                files in it, the hive, and with images at once
#   --batch      not the ways, but a batch of 64 images with 1, 2 and 4 at once,
#                and one of 16 images with the hives of the ways
#   --svg FILE   a plot as well (gnuplot)
# PROGRAM is build/v2v-virtio.  Wall time, CPU, memory and bytes are those of the
# whole tree of processes (measure.py).  All ways get copies of one image, of
# 20 GB with 2000 files, a SYSTEM of 15 MB and a SOFTWARE of 96 MB, and the same
# media: that of the fixtures, and one as long as a real one (V2V_SHARED).
# Run it on an idle machine; it needs some GB in TMPDIR [/var/tmp].
# virt-v2v-in-place: Debian's virt-v2v and nbdkit, installed if they are not.  Its
# rhsrvany.exe is a stand-in: it is copied, and nothing in it runs.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/bench
shared=${V2V_SHARED:-$top/../shared}
runs=5 ways='' quick='' grow='' batch='' svg=''

# shellcheck source=scripts/setup.sh
. "$top/scripts/setup.sh"

usage() {
    sed -n '3,22s/^# //p' "$0" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    -n) runs=${2:?} && shift ;;
    -w) ways=${2:?} && shift ;;
    --svg) svg=${2:?} && shift ;;
    --quick) quick=--quick ;;
    --grow) grow=1 ;;
    --batch) batch=1 ;;
    --tcg) export LIBGUESTFS_BACKEND_SETTINGS=force_tcg ;;
    -*) usage ;;
    *) break ;;
    esac
    shift
done
[ $# -le 1 ] || usage
program=$(realpath "${1:-$top/build/v2v-virtio}")
work=$(mktemp -d "${TMPDIR:-/var/tmp}/v2v-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# have COMMAND: else say that its way is left out
have() {
    command -v "$1" >/dev/null || { echo "$1 is not installed" >&2 && return 1; }
}

export LIBGUESTFS_BACKEND=direct # for all alike, also where libvirt is installed

default_ways() {
    ways=direct,libguestfs
    if have virt-v2v-in-place && have nbdkit; then
        ways+=,virt-v2v-in-place
    fi
}

# a real list of names; what the project may not hold comes from V2V_SHARED
make_long_medium() {
    local data=$shared/data/virtio-win
    if [ ! -e "$data/iso-file-list.txt" ]; then
        echo "no long medium: no $data; set V2V_SHARED" >&2
        return 1
    fi
    mkdir "$work/subset"
    bsdtar -xf "$data/virtio-win-subset.iso" -C "$work/subset"
    "$top/fixtures/mkiso" -d "$work/medium"
    "$here/long-iso" "$data/iso-file-list.txt" "$work/long.iso" \
        "$work/subset" "$work/medium"
}

compare() {
    local medium media=(short)
    setup bench >&2
    [ -n "$ways" ] || default_ways
    mkdir "$work/tools"
    "$top/fixtures/mkpe" x86 "$work/tools/rhsrvany.exe" 'stand-in'
    "$top/fixtures/mkguest" --gpt --size 20480 --files 2000 --system-mb 15 \
        --software-mb 96 "$work/vm.qcow2"
    if [ -z "$quick" ] && make_long_medium; then
        media+=(long)
    fi
    for medium in "${media[@]}"; do
        "$here/compare.py" --runs "$runs" --ways "$ways" --tools "$work/tools" \
            --data "$work/data" "$program" "$work/vm.qcow2" "$work/$medium.iso"
        echo
    done
    if [ -n "$svg" ]; then # of the last
        gnuplot -e "data='$work/data'" "$here/bars.gp" >"$svg"
    fi
}

"$top/fixtures/mkiso" "$work/short.iso"
if [ -n "$batch" ]; then
    medium=short
    if [ -z "$quick" ] && make_long_medium; then
        medium=long
    fi
    batch=("$here/batch.py" --runs "$runs" --work "$work")
    "${batch[@]}" "$program" "$work/$medium.iso"
    echo
    "${batch[@]}" --images 16 --system-mb 15 --software-mb 96 "$program" "$work/$medium.iso"
elif [ -z "$grow" ]; then
    compare
else
    "$here/grow.py" --runs "$runs" $quick --work "$work" --data "$work/data" \
        "$program" "$work/short.iso"
    if [ -n "$svg" ]; then
        gnuplot -e "data='$work/data'" "$here/lines.gp" >"$svg"
    fi
fi
