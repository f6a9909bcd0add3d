#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# key.sh PROGRAM: --key as far as no volume is encrypted: who takes it, when it
# fits nothing, and that a key's text gets nowhere: messages, documents, events,
# ledger, reports, logs, scripts of jobs.  With real volumes: tests/guest/key.sh.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
secret=hush-4711-hush

# expect STATUS TEXT ARGUMENT...: TEXT is in what it says, and no key
expect() {
    local want=$1 text=$2 got=0
    shift 2
    "$program" "$@" >out.txt 2>err.txt </dev/null || got=$?
    count=$((count + 1))
    [ $got = "$want" ] || fail "$*: exit status $got for $want: $(cat err.txt)"
    grep -qF -e "$text" out.txt err.txt ||
        fail "$*: does not say \"$text\": $(cat err.txt)"
    ! grep -F -e "$secret" out.txt err.txt || fail "$*: says the key"
}

# silent FILE...: no key in them, and there are such files
silent() {
    count=$((count + 1))
    ls "$@" >/dev/null || fail "no $*"
    ! grep -raF -e "$secret" "$@" || fail "the key is in $*"
}

# ---- who takes it
echo $secret >file
for words in 'inject --dry-run --virtio-iso medium' 'check' 'verify' \
    'drivers explain -a guest.qcow2 medium'; do
    image=guest.qcow2 want=0
    case $words in drivers*) image= ;; verify*) want=3 ;; esac
    # shellcheck disable=SC2086
    expect $want '' $words $image --key "all:key:$secret" --key all:file:file -v -x
done
expect 2 'does not go with undo, but with inject, check, verify' undo guest.qcow2 \
    --key "all:key:$secret"
expect 2 'it is ID:key:STRING' check guest.qcow2 --key "$secret"
expect 2 'it is ID:key:STRING' check guest.qcow2 --key "all:keys:$secret"
expect 2 'no such option' check guest.qcow2 "--kee=all:key:$secret"
expect 2 'gone: No such file' check guest.qcow2 --key all:file:gone
expect 2 'is empty' check guest.qcow2 --key all:file:/dev/null
expect 0 '' check guest.qcow2 --key all:file:<(echo $secret)
expect 2 'Is a directory' check guest.qcow2 --key all:file:/

# ---- that fits nothing
expect 0 'warning: --key /dev/sda2: /dev/sda2 is no encrypted volume' \
    check guest.qcow2 --key "/dev/sda2:key:$secret"
expect 0 '"key-unused"' check guest.qcow2 --json --events events \
    --key "e9726fab-7656-4bc5-bb9e-adf115953328:key:$secret"
silent events
"$program" check guest.qcow2 --key "all:key:$secret" 2>&1 | grep -q 'no encrypted' &&
    fail "a key for all volumes may be for none"

# ---- batch: its own keys, a line's, and a file's name
mkdir list
cp guest.qcow2 list/a.qcow2
cp guest.qcow2 list/b.qcow2
cp file list/file
{
    echo "image,key"
    echo "a.qcow2,all:key:$secret"
    echo "b.qcow2,"
    echo "c.qcow2,all:file:file"
} >list/m.csv
cp guest.qcow2 list/c.qcow2
cd list || exit 1
expect 0 '' batch m.csv --check --virtio-iso ../medium --key "all:key:$secret" -v -x \
    --report r.html --report r.csv --report r.json
silent m.csv*.ledger* m.csv*.results r.html r.csv r.json
grep -qF 'all:key:***' r.html || fail "the page does not have the option, masked"
echo "image,key" >n.csv
echo "a.qcow2,all:keys:$secret" >>n.csv
expect 2 'line 2: --key: it is ID:key:STRING' batch n.csv --check --virtio-iso ../medium
echo '{"image": "a.qcow2", "key": ["all:key:'$secret'", "all:file:gone"]}' >o.jsonl
expect 2 '' batch o.jsonl --check --virtio-iso ../medium
silent o.jsonl*.ledger* o.jsonl*.results
expect 2 'a key would be in the scripts' batch m.csv --slurm \
    --virtio-iso ../medium --key "all:key:$secret"

echo "$count checks"
exit $status
