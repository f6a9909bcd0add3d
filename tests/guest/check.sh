#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check and verify on images, through the real appliance: what they say, that
# they write nothing, and that they do not need to be able to.  What they find:
# tests/unit/test-check-*.c, test-verify-*.c, tests/verify.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir images scratch
export TMPDIR=$tmp/scratch LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
"$fixtures/mkguest" --gpt --version 2k22 images/vm.qcow2
"$fixtures/mkiso" -d medium
sed "s#/var/lib/libvirt/images/#$tmp/images/#" "$fixtures/domain.xml" >vm.xml
chmod 444 images/vm.qcow2
chmod 555 images
before=$(fingerprint images/vm.qcow2)

says() { jq -e "$1" report.json; }
untouched() {
    [ "$(fingerprint images/vm.qcow2)" = "$before" ] &&
        [ "$(ls images)" = vm.qcow2 ] && [ -z "$(ls scratch)" ]
}
report() { "$v2v" "$@" --json >report.json; }

# ---- a guest that nothing is wrong with
check "check" report check images/vm.qcow2 --virtio-iso medium
check "nothing is in the way" says '.status == "clear" and .error == null'
check "it warns of one thing: nobody may write the image" says '[.findings[] |
    select(.severity != "info") | .code] == ["not-writable"]'
check "it names the guest" says '.guest.product | test("Server 2022")'
check "no XML: what is not checked is listed" says '.not_checked | length > 0'
check "nothing was written" untouched

# ---- it does not boot from virtio yet
expect_exit 3 "verify" report verify images/vm.qcow2
check "the controller has no driver" says '.status == "broken" and
    ([.links[] | select(.state == "broken" and .code == "controller-not-covered")]
     | length) > 0'
check "the boot manager's links hold" says '[.links[] |
    select(.link == "boot-manager" or .link == "bcd-loader") | .state] |
    unique == ["holds"]'
check "nothing was written" untouched

# ---- two things at once, and a machine that boots from SATA
chmod 755 images
"$fixtures/mkguest" --hibernated --dirty images/bad.qcow2
expect_exit 3 "check of a hibernated, dirty guest" report check images/bad.qcow2 \
    --domain-xml vm.xml
check "both are found" says '[.findings[] | select(.severity == "blocks") | .code]
    | sort == ["hibernated", "volume-dirty"]'
check "each has evidence and advice" \
    says '[.findings[] | select(.evidence == "" or .advice == "")] == []'
rm images/bad.qcow2

guest_done
