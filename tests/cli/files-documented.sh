#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# files-documented.sh TOP: FILES of v2v-virtio(1) has the files beside an image that
# the headers of src/image/ name, and no other.
set -eu
names() {
    grep -oE '(IMAGE|vm\.qcow2)\.v2v-[a-z]+(-[a-zN0-9]+)?(\.[a-z]+)*' |
        sed 's/.*\.v2v-/.v2v-/; s/undo-[0-9]/undo-N/' | sort -u
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$1"
cat src/image/*.h | names >"$work/program"
sed -n '/^=head1 FILES/,/^=head1 SEE/p' man/v2v-virtio.pod | names >"$work/manual"
[ -s "$work/program" ]
diff -u "$work/program" "$work/manual"
echo "$(wc -l <"$work/program") files"
