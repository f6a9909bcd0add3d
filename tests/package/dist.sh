#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dist.sh - the tarball twice, the second time from a clone in another place, by
# somebody with other habits: the same bytes, as is the bill of materials, which
# says of the files in it what they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

umask 022
scripts/dist.sh "$work/one" >/dev/null
git clone -q --no-hardlinks . "$work/a clone"
(
    umask 077
    export TZ=Asia/Tokyo LANG=tr_TR.UTF-8 HOME=$work
    git config --global tar.umask 0002
    git config --global core.autocrlf true
    cd /
    "$work/a clone/scripts/dist.sh" "$work/two" >/dev/null
)
diff -r "$work/one" "$work/two"
tar -C "$work" -xf "$work"/one/*.tar.xz
tests/package/bill.py "$work"/one/*.spdx.json "$work"/v2v-virtio-*
