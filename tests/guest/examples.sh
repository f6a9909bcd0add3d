#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manuals' examples that start guestfish's appliance; the others are run by
# tests/cli/examples.py alone.
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for program in guestfish hivexregedit hivexget; do
    command -v $program >/dev/null || skip "no $program"
done
# guestfish does not notice a KVM that is there and does not work, as our own
# backend does
export LIBGUESTFS_BACKEND_SETTINGS=${LIBGUESTFS_BACKEND_SETTINGS:-force_tcg}
export LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
"$top/tests/cli/examples.py" "$v2v" appliance
