#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The manuals' examples that ask a libvirtd; the others are run by
# tests/cli/examples.py alone.
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# QEMU emulates here.  The network "default" is not to be had in an empty /etc.
# set_up: defines vm.xml as the domain "vm", as each block finds it
cat >"$tmp/set-up" <<'SH'
virsh destroy vm >/dev/null 2>&1 || true
virsh undefine vm >/dev/null 2>&1 || true
sed -i "s/type='network'/type='user'/; /source network=/d" vm.xml
SH
declare -f for_tcg >>"$tmp/set-up"
echo 'for_tcg vm.xml tcg.xml && mv tcg.xml vm.xml && virsh define vm.xml' >>"$tmp/set-up"
libvirt_start
"$top/tests/cli/examples.py" "$v2v" libvirt ". $tmp/set-up"
