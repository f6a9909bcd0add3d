#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --key: a guest in a BitLocker volume that Windows made, through the real
# appliance.  The volume is one of cryptsetup's tests, whose content had been
# zeroed; a guest's NTFS is encrypted into it, and what the program leaves is
# decrypted, by fixtures/bitlk-content, which is neither the appliance nor the
# program.  Words and refusals of the option: tests/unit/test-keys.c,
# test-find.c, tests/cli/key.sh.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir images volumes
export TMPDIR=$tmp LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
for program in cryptsetup istat ifind; do
    command -v $program >/dev/null || skip "no $program"
done
"$fixtures/bitlk-images" volumes 2>why || skip "$(cat why)"

check "what is said of each volume is what cryptsetup's tests say" \
    env V2V_BITLK_IMAGES=volumes "$tools/test-disk-bitlocker"

# value NAME of the volume, from images.conf
name=bitlk-aes-xts-128
value() {
    sed -n "/^\[$name\]/,/^\$/s/^$1=//p" volumes/images.conf
}
password=$(value PW) recovery=$(value RP) id=$(value GUID) recovery_id=$(value RP_VMK_GUID)
printf %s "$password" >password
echo 529573-278784-259347-197835-171457-264044-610280-313269 >other # of another
chmod 600 password other

# ---- the guest: its C:, 36 MiB from the start, becomes the volume
c_start=36
cp --sparse=always volumes/$name.img c.bitlk
check "the fixture decrypts as cryptsetup does" \
    "$fixtures/bitlk-content" get c.bitlk password c.decrypted
[ "$(sha256sum <c.decrypted | cut -d ' ' -f 1)" = "$(value SHA256SUM)" ]
verdict $? "its SHA-256 is that of cryptsetup's tests"
places=$("$fixtures/bitlk-content" places c.bitlk)
"$fixtures/mkguest" --gpt --size 137 --format raw --keep "$places" images/vm.raw || exit 1
dd if=images/vm.raw of=c.ntfs bs=1M skip=$c_start count=100 status=none
"$fixtures/bitlk-content" put c.bitlk password c.ntfs || exit 1
dd if=c.bitlk of=images/vm.raw bs=1M seek=$c_start conv=notrunc status=none
"$fixtures/mkiso" -d medium
cp --sparse=always images/vm.raw vm.raw
before=$(fingerprint images/vm.raw)

run() { "$v2v" "$@" --json >report.json 2>messages; }
says() { jq -e "$1" report.json; }
untouched() {
    [ "$(fingerprint images/vm.raw)" = "$before" ] && [ "$(ls images)" = vm.raw ]
}
# silent FILE...: nothing of a key in them
silent() {
    ! grep -aqF -e "$password" -e "$recovery" -e 529573-278784 -- "$@"
}

# ---- who has no key, and who has another one
expect_exit 3 "check without a key" run check images/vm.raw --virtio-iso medium
check "it is locked" says '[.findings[].code] == ["bitlocker-locked"]'
check "it says which recovery key would do" grep -qF "ID $recovery_id" report.json
check "the advice names --key" says '.findings[0].advice | test("--key")'

expect_exit 3 "inject with the recovery key of another volume" run inject images/vm.raw \
    --virtio-iso medium --key all:file:other --key /dev/sdb1:file:other
check "it does not fit" says '.error.code == "bitlocker-key-wrong"'
check "a key for no volume is told" says '[.warnings[].code] | contains(["key-unused"])'
check "nothing was written" untouched
check "no message has a key" silent report.json messages

expect_exit 2 "the direct backend" run inject images/vm.raw --virtio-iso medium \
    --key all:file:password --backend direct
check "it does not serve BitLocker" says '.error.code == "direct-not-served"'

# ---- disks that are one volume, of other ciphers; their content is none any more
name=volumes/bitlk
expect_exit 3 "volumes of other ciphers, and one that is suspended" run check \
    $name-aes-cbc-256.img $name-aes-cbc-elephant-128.img $name-aes-xts-256.img \
    $name-clearkey-aes-cbc-128.img --key all:file:password -v
check "three are opened" [ "$(grep -c 'the key for all opens it' messages)" = 3 ]
check "that cryptsetup does not open the other is told" grep -qF \
    'disk 4, partition 0: BitLocker: cryptsetup_open: cryptsetup exited with status 1' messages

# ---- the right one, with everything that is told
check "inject with the recovery key of that ID" run inject images/vm.raw \
    --virtio-iso medium --key "{${recovery_id^^}}:key:$recovery" --drivers viostor \
    -v -x --events events
check "it is done" says '.status == "done" and .backend.name == "libguestfs" and
    (.backend.not_direct | test("BitLocker"))'
check "the trace is there" grep -qF 'cryptsetup_open "/dev/sda3" "***"' messages
check "the volume was closed" grep -qF 'cryptsetup_close = 0' messages
check "no message, trace, document or event has a key" silent report.json messages events
check "nor any file beside the image" silent images/vm.raw.v2v-*

# ---- what is in the image now
dd if=images/vm.raw of=c.bitlk bs=1M skip=$c_start count=100 status=none
check "it is a BitLocker volume still" \
    "$fixtures/bitlk-content" get c.bitlk password c.decrypted
check "its metadata are as they were" [ "$("$fixtures/bitlk-content" places c.bitlk)" = "$places" ]
check "its file system is sound" volume_check c.decrypted
check "the driver is in it" volume_has c.decrypted Windows/System32/drivers/viostor.sys
hive c.decrypted SYSTEM system
check "and its service" hive_has system 'ControlSet001\Services\viostor'
check "what is before the volume is as it was" cmp -n $((c_start * 1048576)) images/vm.raw vm.raw

check "verify with the password, by the volume's identifier" run verify images/vm.raw \
    --key "$id:file:password"
check "the boot chain holds" says '.status == "holds"'
check "no message has a key" silent report.json messages

# ---- the way back.  A Windows that runs writes to the hive's first block: in the
# image that is where it is in the file system, encrypted.
cluster=$(istat c.decrypted "$(ifind -n /$config/SYSTEM c.decrypted)" |
    sed -n '/^Type: \$DATA/,$p' | sed -n '2s/ .*//p')
at=$((c_start * 1048576 + cluster * 4096))
# flip BYTE: it is another one, or again what it was
flip() {
    local byte
    byte=$(od -A n -t u1 -j "$1" -N 1 images/vm.raw)
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((byte ^ 1)))" |
        dd of=images/vm.raw bs=1 seek="$1" conv=notrunc status=none
}
flip $((at + 4))
expect_exit 3 "undo when Windows has run" run undo images/vm.raw
check "it says so" says '.error.code == "undo-changed" and (.error.text | test("SYSTEM"))'
flip $((at + 4))
check "undo, without a key" run undo images/vm.raw
check "the image is what it was, to the byte" [ "$(fingerprint images/vm.raw)" = "$before" ]

guest_done
