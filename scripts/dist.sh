#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dist.sh [FOLDER] - the source of the commit that is checked out, as
# FOLDER/v2v-virtio-VERSION.tar.xz, and its bill of materials beside it.  The
# same commit gives the same bytes, whoever makes them, where and when.
set -euo pipefail
export LC_ALL=C
out=$(realpath "${1:-.}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" != "$(pwd -P)" ]; then
    echo "dist: this is no clone of the project, as a tarball is made from" >&2
    exit 1
fi
[ -z "$(git status --porcelain)" ] ||
    echo "dist: what is not committed is not in the tarball" >&2
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(git show HEAD:CMakeLists.txt | sed -n 's/^project(.* VERSION \([^ )]*\).*/\1/p')
name=v2v-virtio-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# the owner's configuration may say other things
git -c core.autocrlf=false -c tar.umask=0022 archive --prefix="$name/" HEAD \
    >"$work/tar"
tar -C "$work" -xf "$work/tar"
"$work/$name/scripts/sbom.py" "$work/$name" "$work/sbom"
xz -T1 -9 <"$work/tar" >"$work/tar.xz"
mkdir -p "$out"
install -m 644 "$work/tar.xz" "$out/$name.tar.xz"
install -m 644 "$work/sbom" "$out/$name.spdx.json"
(cd "$out" && sha256sum "$name.tar.xz" "$name.spdx.json")
