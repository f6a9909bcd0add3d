#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# parallel.sh - the recipes of v2v-virtio-batch(1) for GNU parallel: exit statuses
# alone tell it what is to be run again.
# shellcheck disable=SC2317 # check and expect_exit call the functions
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/../guest/lib.sh"
command -v parallel >/dev/null || skip "no GNU parallel"

cd "$tmp" || exit 1
"$fixtures/mkguest" --gpt good.qcow2 && "$fixtures/mkguest" --gpt --hibernated no.qcow2 &&
    "$fixtures/mkiso" virtio.iso || exit 1
{
    echo image
    for name in "a 1" b c "d'4"; do
        cp --sparse=always good.qcow2 "$name.qcow2"
        echo "$name.qcow2"
    done
    echo no.qcow2
} >vms.csv

# statuses JOBLOG: of each, in order: "0 0 75"; the last that was run of it
statuses() {
    awk 'NR > 1 { s[$1] = $7 } END { for (i = 1; i in s; i++) printf "%s ", s[i] }' "$1"
}

# attempts LINE: as its result file counts them
attempts() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["attempt"])' \
        "vms.csv.results/$1.json"
}

lines() {
    parallel --will-cite --jobs 2 --joblog log "$@" \
        "$v2v" batch vms.csv --virtio-iso virtio.iso --line ::: 2 3 4 5 6
}

images() {
    parallel --will-cite --jobs 2 --joblog log2 "$@" \
        "$v2v" inject {} --virtio-iso virtio.iso --quiet :::: images
}

is() {
    [ "$1" = "$2" ] || { echo "$1, expected $2"; return 1; }
}

qemu-nbd --persistent --socket "$tmp/lock" --format qcow2 c.qcow2 &
holder=$!
trap 'kill $holder 2>/dev/null; rm -rf "$tmp"' EXIT
while [ ! -S "$tmp/lock" ]; do sleep 0.05; done

expect_exit 2 "of five lines two fail" lines
check "one is in use, one is refused" is "$(statuses log)" "0 0 75 0 3 "
kill $holder && wait $holder
expect_exit 1 "--resume-failed: then one fails" lines --resume-failed
check "what was in use is done" is "$(statuses log)" "0 0 0 0 3 "
check "only those were run again that had failed" \
    is "$(for n in 2 3 4 5 6; do attempts $n; done | tr '\n' ' ')" "1 1 2 1 2 "
expect_exit 3 "--collect makes a ledger of them" \
    "$v2v" batch vms.csv --virtio-iso virtio.iso --collect
expect_output "with what became of each" "5 machines: 4 done, 1 failed, 0 left"
check "no ledger was touched before" [ ! -e vms.csv.ledger.v2v-new ]

printf '%s\n' "a 1.qcow2" "d'4.qcow2" no.qcow2 >images
"$v2v" undo "a 1.qcow2" >/dev/null
expect_exit 1 "a list of images and \"inject\"" images
check "one is done anew, one is found to be done, one is refused" is "$(statuses log2)" "0 0 3 "
check "none was injected twice" [ ! -e "d'4.qcow2.v2v-undo-2" ]
guest_done
