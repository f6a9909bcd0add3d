#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests that are refused once the appliance has looked at them, one of each
# way to be: the exit status of the class, the reason, an image that is bit for
# bit what it was.  (What is refused before: tests/cli/refusals.sh; each finding
# of a check, without an appliance: tests/unit/test-check-*.c.)
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
"$fixtures/mkiso" -d medium

options=()

# refused STATUS TEXT MEDIUM [MKGUEST-OPTION...]; more for inject in options
refused() {
    local want=$1 text=$2 medium=$3 before
    shift 3
    rm -f vm.qcow2
    check "a guest: ${*:-a sound one}" "$fixtures/mkguest" "$@" vm.qcow2
    before=$(fingerprint vm.qcow2)
    expect_exit "$want" "exit status $want: ${*:-a sound guest} with $medium" \
        "$v2v" inject vm.qcow2 --virtio-iso "$medium" "${options[@]}"
    expect_output "it says \"$text\"" "$text"
    check "one line says it" test \
        "$(grep -c '^v2v-virtio: ' "$tmp/output")" = \
        "$((1 + $(grep -c '^v2v-virtio: warning: ' "$tmp/output")))"
    check "the image is what it was" test "$(fingerprint vm.qcow2)" = "$before"
    check "nothing is left behind" eval "! compgen -G '*.v2v-*'"
}

refused 3 "Fast Startup (hiberfil.sys is active)" medium --hibernated --dirty
refused 5 "corrupt registry hive" medium --corrupt-system
refused 3 "in partitions 1, 2 (--root N): say with --root which" medium --two
check "--root takes one of them" \
    "$v2v" inject vm.qcow2 --virtio-iso medium --root 2 --dry-run
expect_output "the report ends with a line for virt-install" \
    "virt-install --import --name vm --osinfo win10 "

# ---- what the drivers' folders say about permissions cannot be read
for backend in direct libguestfs; do
    options=(--backend "$backend")
    refused 5 "its security descriptor: damaged" medium --damaged-descriptors
done
options=()

cp -r medium cut
head -c 400 medium/viostor/w10/amd64/viostor.inf \
    >cut/viostor/w10/amd64/viostor.inf
refused 5 "cut: viostor/w10/amd64/viostor.inf: " cut

# ---- signatures
cp -r medium damaged
printf '\377' | dd of=damaged/viostor/w10/amd64/viostor.sys bs=1 seek=900 \
    conv=notrunc status=none
refused 4 "viostor.sys" damaged

# the fixtures' test signature is taken since the guest's BCD has testsigning
# on; Secure Boot ends that
sed -e "s#/var/lib/libvirt/images/#$tmp/#" \
    -e "s#<os[^>]*>#&<loader readonly='yes' secure='yes' type='pflash'>/x</loader>#" \
    "$fixtures/domain-i440fx.xml" >secure.xml
options=(--domain-xml secure.xml --output-xml out.xml)
refused 4 "there is no driver viostor for Windows 10 Pro" medium
check "no XML is written" test ! -e out.xml
options+=(--allow driver-untrusted --dry-run)
check "--allow driver-untrusted takes it" \
    "$v2v" inject vm.qcow2 --virtio-iso medium "${options[@]}"

# ---- and why
check "drivers explain" "$v2v" drivers explain vm.qcow2 medium
expect_output "it names the package" "viostor/w10/amd64/viostor.inf"

guest_done
