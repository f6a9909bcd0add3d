#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# version.sh PROGRAM MANUAL-FOLDER - what says the program's version says that of
# CMakeLists.txt.
set -uo pipefail
program=$(realpath "$1") pages=$(realpath "$2") status=0
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
version=$(sed -n 's/^project(.* VERSION \([^ )]*\).*/\1/p' CMakeLists.txt)

# says WHERE VERSION
says() {
    [ "$2" = "$version" ] || { echo "$1: '$2', not '$version'"; status=1; }
}

says --version "$("$program" --version | sed -n 's/^v2v-virtio //p')"
says NEWS.md "$(sed -n '/^## /{s/^## \([^ ,]*\).*/\1/p;q}' NEWS.md)"
says debian/changelog "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog)"
says the-spec "$(sed -n 's/^Version: *//p' packaging/rpm/v2v-virtio.spec)"
for page in "$pages"/*.[1-8]; do
    says "${page##*/}" "$(sed -n '/^\.TH /{s/.*"v2v-virtio \([^"]*\)".*/\1/p;q}' "$page")"
done
exit $status
