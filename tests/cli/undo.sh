#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# undo.sh PROGRAM TRANSACTION-TOOL: "undo", "undo --list" and "recover" as a
# user meets them: names of any kind, images that were moved, block devices.
# shellcheck disable=SC2317 # functions are called through check
set -u
program=$(realpath "$1")
tool=$(realpath "$2")
work=$(mktemp -d)
trap 'cd / && rm -rf "$work"' EXIT
cd "$work" || exit 1
export TMPDIR=$work/tmp
mkdir tmp
status=0 count=0

# check NAME COMMAND...: what it printed is in "output" until the next
check() {
    local name=$1 failed=0
    shift
    count=$((count + 1))
    "$@" >new 2>&1 || failed=1
    mv new output
    [ "$failed" = 0 ] || { echo "FAIL: $name"; sed 's/^/    /' output; status=1; }
}

# exits N COMMAND...
exits() {
    local want=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$want" ] || { echo "exit status $got for $want"; return 1; }
}

says() { grep -qF -- "$1" output || { cat output; return 1; }; }
same() { qemu-img compare -q -f "$1" -F raw "$2" start.raw; }

truncate -s 8M start.raw
printf '\125\252' | dd of=start.raw bs=1 seek=510 conv=notrunc status=none

# ---- names
for name in plain.qcow2 'two words.qcow2' $'umlaut \xc3\xa4.qcow2' \
    $'latin1 \xe4.qcow2' "quote'\".qcow2" $'line\nbreak.qcow2' 'a:b,c=d.qcow2'; do
    qemu-img convert -O qcow2 start.raw tmp.qcow2
    mv tmp.qcow2 "$name"
    echo old >"$name.xml"
    check "$name: changed" "$tool" "$name" 1 -x "$name.xml"
    check "$name: listed" "$program" undo --list "$name"
    check "$name: undone" "$program" undo "./$name"
    mv "$name" tmp.qcow2
    check "$name: as it was" same qcow2 tmp.qcow2
    check "$name: the XML too" test "$(cat "$name.xml")" = old
    rm tmp.qcow2
    check "$name: nothing is left" eval '! ls -A | grep -qF .v2v-'
done
check "no temporary file is left" rmdir tmp
mkdir tmp

# ---- the list
qemu-img convert -O qcow2 start.raw a.qcow2
cp a.qcow2 b.qcow2
"$tool" a.qcow2 1 && "$tool" a.qcow2 2 && "$tool" b.qcow2 3
check "all of a folder" eval "'$program' undo --list --json . |
    jq -e '[.undo[] | [.image, .number]] ==
        [[\"a.qcow2\", 1], [\"a.qcow2\", 2], [\"b.qcow2\", 1]]'"
check "the current folder is the default" eval \
    "[ \"\$('$program' undo --list | wc -l)\" = 3 ]"
check "of an image" eval "[ \"\$('$program' undo --list b.qcow2 | wc -l)\" = 1 ]"
check "an image without" eval "[ -z \"\$('$program' undo --list start.raw)\" ]"
check "as JSON" eval "'$program' undo a.qcow2 --json |
    jq -e '.status == \"undone\" and .number == 2 and .xml == null'"
check "quiet" eval "[ -z \"\$('$program' undo -q a.qcow2)\" ]"
check "both are undone" same qcow2 a.qcow2

# ---- a moved image takes its undo files along
mkdir elsewhere
mv b.qcow2* elsewhere
check "undo of a moved image" "$program" undo elsewhere/b.qcow2
check "it is what it was" same qcow2 elsewhere/b.qcow2

# ---- somebody else's files
"$tool" a.qcow2 5
if [ "$(id -u)" = 0 ]; then
    chown 1 a.qcow2.v2v-undo-1.json
    check "a record of another user is not acted on" \
        exits 3 "$program" undo a.qcow2
    check "it says so" says 'not written by this user'
    chown 0 a.qcow2.v2v-undo-1.json
fi
ln -s /etc/hostname b.v2v-state
cp start.raw b
check "a state file that is a link is not read" exits 3 "$program" recover b
rm b.v2v-state
check "undo still works" "$program" undo a.qcow2

# ---- without standard output: nothing that is printed gets into the image
"$tool" a.qcow2 6 >&- 2>&-
"$program" undo a.qcow2 <&- >&- 2>&-
check "undo without descriptors 0 to 2" same qcow2 a.qcow2
check "the image is sound" qemu-img check -q a.qcow2
"$tool" a.qcow2 7
"$program" undo a.qcow2 --json 2>/dev/null | true
check "undo that nobody listens to" same qcow2 a.qcow2

"$tool" a.qcow2 9
check "undo with SIGCHLD ignored by who started us" \
    env --ignore-signal=CHLD "$program" undo a.qcow2
check "that is undone" same qcow2 a.qcow2

# ---- somebody else's child is left alone
"$tool" a.qcow2 8
bash -c "{ sleep 3; echo alive >child; } & exec '$program' undo -q a.qcow2"
check "a child that was there before" eval 'sleep 3.5; grep -q alive child'

# ---- recover
check "nothing to recover" "$program" recover a.qcow2
check "it says so" says 'nothing was interrupted'
check "nothing to recover of what is not there" exits 2 "$program" recover none.qcow2
check "as JSON" eval "'$program' recover --json a.qcow2 |
    jq -e '.status == \"nothing-to-recover\"'"

# ---- a block device: all files are in the work directory
if device=$(losetup -f --show start.raw 2>/dev/null); then
    cp start.raw before.raw
    mkdir w
    check "a device needs a work directory" exits 2 "$tool" "$device" 1
    check "change of a device" "$tool" "$device" 1 -w w
    check "its undo is there" eval "'$program' undo --list --work-dir w '$device' |
        grep -q 'random places'"
    check "undo of a device" "$program" undo --work-dir w "$device"
    check "the device is what it was" cmp "$device" before.raw
    check "the work directory is empty" rmdir w
    losetup -d "$device"
else
    echo "no loop device here: block devices were not tried"
fi
echo "$count checks"
exit $status
