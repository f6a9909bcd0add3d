#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: corpus.sh [FOLDER...]
# Real libvirt judges rewritten domains: those that corpus.py makes, those of
# V2V_SHARED, and those of the folders.
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rewrite=$tools/domain-rewrite
shared=${V2V_SHARED:-}/data/domxml/corpus
[ ! -d "$shared" ] || set -- "$shared" "$@"
libvirt_start
check "libvirt defines and boots what is rewritten" \
    python3 "$top/tests/libvirt/corpus.py" "$rewrite" "$@"
tail -1 "$tmp/output"
guest_done
