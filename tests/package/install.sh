#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# install.sh BUILD - installs BUILD into an empty DESTDIR: what has to be there,
# is, and all of it goes again with the target "uninstall".
set -uo pipefail
build=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
DESTDIR=$(mktemp -d)
export DESTDIR
trap 'rm -rf "$DESTDIR"' EXIT

# What the sources promise, as path below the prefix; a manual's section is its
# own matter.
expected() {
    local file
    echo bin/v2v-virtio
    for file in README.md NEWS.md COPYING; do
        echo "share/doc/v2v-virtio/$file"
    done
    for file in doc/examples/*; do
        echo "share/doc/v2v-virtio/examples/${file##*/}"
    done
    for file in man/*.pod; do
        file=${file##*/}
        echo "share/man/${file%.pod}"
    done
    for file in schemas/*.json; do
        [ ! -e "$file" ] || echo "share/v2v-virtio/$file"
    done
    for file in completion/*; do
        [ ! -e "$file" ] || echo "share/bash-completion/completions/${file##*/}"
    done
}

# what was installed, in expected()'s words
installed() {
    find "$DESTDIR$prefix" -type f -printf '%P\n' |
        sed 's#^share/man/man\([1-8]\)/\(.*\)\.\1$#share/man/\2#'
}

prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
cmake --install "$build" >/dev/null || exit 1
diff <(expected | sort) <(installed | sort) || exit 1
"$DESTDIR$prefix/bin/v2v-virtio" --version || exit 1
cmake --build "$build" --target uninstall >/dev/null || exit 1
left=$(find "$DESTDIR" ! -type d -o -name '*v2v-virtio*')
[ -z "$left" ] || { echo "uninstall left $left"; exit 1; }
