#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# batch.sh - a batch with a machine that the direct backend does not serve, beside
# one that it does: the first is queued again with the appliance's weight.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

"$fixtures/mkiso" "$tmp/virtio.iso"
"$fixtures/mkguest" "$tmp/system.qcow2"
"$fixtures/mkguest" --no-windows "$tmp/data.qcow2"
cp "$tmp/system.qcow2" "$tmp/single.qcow2"
cat >"$tmp/vms" <<'END'
{"image": ["system.qcow2", "data.qcow2"]}
{"image": "single.qcow2"}
END

# row LINE: of the document that was printed
row() {
    python3 - "$tmp/document" "$1" <<'PY'
import json, sys
for item in json.load(open(sys.argv[1]))["items"]:
    if item["line"] == int(sys.argv[2]):
        print(item["state"], item["attempts"], item["outcome"]["backend"])
PY
}

batch() {
    "$v2v" batch "$tmp/vms" --virtio-iso "$tmp/virtio.iso" --json "$@" >"$tmp/document"
}

"$v2v" inject --backend direct --virtio-iso "$tmp/virtio.iso" --dry-run \
    "$tmp/single.qcow2" >"$tmp/output" 2>&1 || skip 'there is no direct backend'
# too little memory for an appliance beside others: then alone
check 'a batch with an appliance' batch --no-undo --jobs 2 --mem 600
check 'queued again, with the appliance' test "$(row 1)" = 'done 2 libguestfs'
check 'the direct backend for the other' test "$(row 2)" = 'done 1 direct'
check 'why not directly' grep -q '"not_direct": "the machine has 2 disks"' \
    "$tmp/vms.results/1.json"
expect_exit 2 'asked for the direct backend, it is not queued again' \
    batch --backend direct --check
check 'and says so' grep -q '"code": "direct-not-served"' "$tmp/document"
check 'the other is checked' test "$(row 2)" = 'done 1 direct'
guest_done
