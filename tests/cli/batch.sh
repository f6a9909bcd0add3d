#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# batch.sh PROGRAM: a batch as far as no guest is needed: which manifests are
# refused and with what words, what the ledger and the results say, going on,
# being locked out, being told to end.
set -u
program=$(realpath "$1")
fixtures=$(cd "$(dirname "$0")/../../fixtures" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset VIRTIO_WIN
status=0 count=0

fail() {
    echo "FAIL: $*"
    status=1
}

# expect STATUS TEXT ARGUMENT...: the lines of standard error are like TEXT
expect() {
    local want=$1 text=$2 got=0
    shift 2
    "$program" batch "$@" >out.txt 2>err.txt || got=$?
    count=$((count + 1))
    # shellcheck disable=SC2053
    if [ $got != "$want" ] || [[ $(cat err.txt) != $text ]]; then
        fail "batch $*: exit status $got for $want, and it says"
        cat err.txt
    fi
}

# json FILE EXPRESSION TEXT: what jq would say; Python has it, too
json() {
    local got
    got=$(python3 -c "
import json, sys
d = json.load(open(sys.argv[1]))
print($2)" "$1") || got='?'
    count=$((count + 1))
    [ "$got" = "$3" ] || fail "$1: $2 is $got, expected $3"
}

# begin LINE...: a new manifest and nothing else of an older batch
begin() {
    rm -rf m.csv*
    printf '%s\n' "$@" >m.csv
}

"$fixtures/mkiso" virtio.iso
medium=(--virtio-iso virtio.iso)

# ---- the command line and the manifest
expect 2 'v2v-virtio: error: which manifest?*' "${medium[@]}"
expect 2 'v2v-virtio: error: which manifest?*' a.csv b.csv
expect 2 'v2v-virtio: error: gone.csv: No such file*' gone.csv "${medium[@]}"
expect 2 'v2v-virtio: error: --jobs 0: a number from 1 to 4096*' m.csv --jobs 0
expect 2 'v2v-virtio: error: --list does not go with batch, but with undo*' m.csv --list
expect 2 'v2v-virtio: error: --collect runs nothing*' m.csv --collect --resume
begin
expect 5 'v2v-virtio: error: m.csv: no machine in it' m.csv "${medium[@]}"
begin image gone.qcow2
expect 2 '*m.csv: line 2: no drivers: say where virtio-win.iso is*
v2v-virtio: error: m.csv: 1 of 1 machines cannot be run as they are written; nothing was started' m.csv
expect 2 'v2v-virtio: error: */gone.iso: No such file or directory' m.csv --virtio-iso gone.iso
[ ! -e m.csv.ledger ] || fail 'a batch that cannot start has a ledger'

# all that is wrong, at once; the same of neighbours once
begin 'image,add,no-undo,domain-xml' 'a.qcow2,speed,,' 'b.qcow2,,maybe,' \
    ',,,c.xml' 'd.qcow2,,,d.xml' 'e.qcow2,rng,yes,,,x'
expect 2 '*m.csv: line 2: --add speed: nothing that can be added (an image is given with -a, or by its name alone); these can: *
*m.csv: line 3: no-undo: maybe: it is yes or no
*m.csv: line 4: which image?
*m.csv: line 5: --domain-xml needs --output-xml, which may be the same file
*m.csv: line 6: more cells than the header row has
v2v-virtio: error: m.csv: 5 of 5 machines cannot be run*' m.csv "${medium[@]}"
begin image,speed a.qcow2,1 b.qcow2, c.qcow2,2 d.qcow2,3
expect 2 '*m.csv: lines 2 to 5: speed: nothing that can be said of a machine here: it is "image" or an option of "inject" without its "--"; the first row of a CSV has such names
v2v-virtio: error: m.csv: 3 of 4 machines*' m.csv "${medium[@]}"
begin image,json a.qcow2,yes
expect 2 '*line 2: json: nothing that can be said*' m.csv "${medium[@]}"
begin image,events a.qcow2,a.jsonl
expect 2 '*line 2: events: nothing that can be said*' m.csv "${medium[@]}"
expect 2 '*--image does not go with batch*' m.csv "${medium[@]}" -a b.qcow2
begin Image a.qcow2
expect 2 '*line 2: Image: nothing that can be said of a machine here: did you mean "image"[?]*' m.csv "${medium[@]}"
begin image,--backend a.qcow2,direct
expect 2 '*line 2: --backend: nothing*: did you mean "backend"[?]*' m.csv "${medium[@]}"
begin 'image;backend' 'a.qcow2;direct'
expect 5 '*m.csv: line 1: only one column: cells are separated by commas, not by ";"' m.csv "${medium[@]}"
begin image,dry-run a.qcow2,yes
expect 2 '*line 2: dry-run: nothing that can be said of a machine*' m.csv "${medium[@]}"
# what only "inject" takes, of a line and of all, --check passes over
begin image,output-xml,no-undo a.qcow2,a.xml,yes
expect 2 '' m.csv --check --dry-run --add rng
json m.csv.check.results/2.json 'd["result"]["command"], d["code"]' "check image-not-found"

# ---- a batch that is begun: what became of each line
mkdir -p vms
echo noise >vms/broken.qcow2
qemu-img create -q -f raw vms/empty.raw 1M
ln -s broken.qcow2 vms/link.qcow2
begin image 'vms/gone.qcow2' 'vms/broken.qcow2' 'vms/link.qcow2' 'vms/empty.raw' "$work/vms/gone.qcow2"
expect 2 '' m.csv "${medium[@]}" --jobs 1
grep -q '5 machines: 0 done, 5 failed, 0 left' out.txt || fail "$(cat out.txt)"
json m.csv.results/2.json 'd["exit_status"], d["code"], d["attempt"]' "2 image-not-found 1"
json m.csv.results/3.json 'd["exit_status"], d["code"]' "5 image-unreadable"
json m.csv.results/4.json 'd["exit_status"], d["code"], d["result"]' "2 listed-twice None"
json m.csv.results/6.json 'd["code"], d["message"][:46]' "listed-twice line 6 has the same image or machine as line 2"
grep -q '^-- attempt 1, ' m.csv.results/3.log || fail 'no log'
expect 2 '*m.csv.ledger: this batch was begun before: --resume goes on*' m.csv "${medium[@]}"
mv m.csv.ledger m.csv.check.ledger
expect 2 '*m.csv.check.ledger: is of a batch of "inject": leave out --check' m.csv --check --resume
mv m.csv.check.ledger m.csv.ledger
# nothing is done because it was planned, or looked at
expect 2 '' m.csv "${medium[@]}" --dry-run --resume
json m.csv.dry-run.results/2.json 'd["code"], d["attempt"]' "image-not-found 1"
json m.csv.results/2.json 'd["attempt"]' 1

# --resume: what is not done, and only that; of a ledger that is lost, what the
# results say is enough
expect 2 '' m.csv "${medium[@]}" --resume --json
json out.txt 'd["command"], d["runs"], d["status"], d["error"]' "batch inject incomplete None"
json out.txt 'd["counts"]["failed"], d["exit_status"], d["items"][0]["attempts"], d["items"][2]["attempts"]' "5 2 2 1"
rm m.csv.ledger
expect 2 '' m.csv --collect --json "${medium[@]}"
json out.txt 'd["items"][0]["attempts"], d["items"][0]["outcome"]["code"], d["items"][4]["outcome"]["code"]' "2 image-not-found listed-twice"
echo image >>m.csv
expect 2 '*m.csv.ledger: is of another manifest than*' m.csv "${medium[@]}" --resume
echo noise >m.csv.ledger
expect 5 '*m.csv.ledger: not the ledger of a batch' m.csv "${medium[@]}" --resume

# results and ledger have no other place
mkdir shut
cp vms/empty.raw shut
echo empty.raw | sed '1i image' >shut/m.csv
chmod a-w shut
if [ ! -w shut ]; then # root may
    expect 2 '*shut/m.csv.ledger.lock: Permission denied: ledger and results are written beside the manifest: *' shut/m.csv "${medium[@]}"
fi

# a line's own word comes before the default; JSON Lines
cat >m.jsonl <<'END'
{"image": ["vms/broken.qcow2", "vms/empty.raw"], "format": "qcow2"}
{"image": "vms/gone.qcow2", "drivers": "viostor"}
END
expect 2 '' m.jsonl "${medium[@]}" --format raw --drivers NetKVM --check --jobs 1 --quiet
[ ! -s out.txt ] || fail '--quiet speaks'
json m.jsonl.check.results/1.json 'd["code"], "qcow2" in d["message"]' "image-unreadable True"

"$program" batch m.jsonl --check --report-only --json >out.txt || fail '--report-only --json'
json out.txt 'd["status"], d["runs"], d["counts"]["failed"]' "reported check 2"

# ---- one batch on a ledger, and being told to end: a line that waits for what
# another has
python3 - vms/held.raw <<'PY' &
import fcntl, struct, sys, time
with open(sys.argv[1], "w+b") as f:
    f.truncate(1 << 20)
    f.seek(510)
    f.write(b"\x55\xaa")
    f.flush()
    # QEMU's locks: its block/file-posix.c, RAW_LOCK_PERM_BASE
    fcntl.fcntl(f, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 100, 200, 0))
    print("held", file=open("held", "w"))
    time.sleep(60)
PY
holder=$!
until [ -e held ]; do sleep 0.05; done
begin image vms/held.raw
expect 75 '' m.csv "${medium[@]}" --retries 1 --retry-pause 0
json m.csv.results/2.json 'd["code"], d["attempt"]' "image-in-use 2"
begin image vms/held.raw
"$program" batch m.csv "${medium[@]}" --retry-pause 60 >out.txt 2>err.txt &
batch=$!
until [ -e m.csv.results/2.json ]; do sleep 0.05; done
expect 75 '*m.csv.ledger: another batch is at work on it: --report-only says how far it is' m.csv "${medium[@]}" --resume
kill -TERM $batch # the shell has it ignore SIGINT
wait $batch
got=$?
count=$((count + 1))
[ $got = 143 ] || fail "told to end, it ends with $got"
grep -q 'machines left: 1; to go on: the same command with --resume' err.txt ||
    fail "$(cat err.txt)"
kill $holder
wait $holder 2>/dev/null
expect 3 '' m.csv "${medium[@]}" --resume
json m.csv.results/2.json 'd["attempt"], d["exit_status"]' "2 3"

echo "$count checks"
exit $status
