# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# lib.sh - sourced by the tests of this folder.  Checks, and a look into disk
# images from the host without the appliance: what the program wrote is read
# back with other programs than its own.
#
# A test prints one line a check, "ok - NAME" or "not ok - NAME", and ends with
# guest_done.  v2v is the program under test, tools the folder of the tests' own
# programs, top the project's root, fixtures its fixtures, tmp a folder that goes
# away at exit.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
v2v=${V2V_PROGRAM:-$top/build/v2v-virtio}
tools=$(dirname "$(realpath "$v2v")")
[ "${tools##*/}" = tests ] || tools+=/tests # where the wrapper is, too
fixtures=$top/fixtures
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/v2v-guest.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
PATH=$PATH:/usr/sbin:/sbin
guest_failed=0

# verdict STATUS NAME: one line; what the command printed when it failed
verdict() {
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        sed 's/^/    /' "$tmp/output"
        guest_failed=1
    fi
}

# check NAME COMMAND...: it succeeds.  Its output: $tmp/output
check() {
    local name=$1 status=0
    shift
    "$@" >"$tmp/output" 2>&1 || status=$?
    verdict "$status" "$name"
}

# expect_exit N NAME COMMAND...: its exit status is N
expect_exit() {
    local want=$1 name=$2 status=0
    shift 2
    "$@" >"$tmp/output" 2>&1 || status=$?
    [ "$status" = "$want" ] ||
        echo "exit status $status, expected $want" >>"$tmp/output"
    verdict "$([ "$status" = "$want" ]; echo $?)" "$name"
}

# expect_output NAME TEXT: the last command printed it somewhere
expect_output() {
    grep -qF -- "$2" "$tmp/output"
    verdict $? "$1"
}

skip() {
    echo "skipped: $*"
    exit 77
}

guest_done() {
    exit "$guest_failed"
}

# fingerprint FILE...: to prove that nothing has touched a file
fingerprint() {
    sha256sum "$@"
}

# Volumes ------------------------------------------------------------------

# volume IMAGE [N] OUT: the Nth NTFS partition of an image (1 by default), as
# a plain file.  Found by NTFS' own signature, not by partition types.
volume() {
    local image=$1 out=${*: -1} number=1 raw=$tmp/volume.raw sector=512 start size
    [ $# -lt 3 ] || number=$2
    qemu-img convert -O raw "$image" "$raw" || return
    # a GPT's header is in the second sector
    ! dd if="$raw" bs=4096 skip=1 count=1 status=none | head -c 8 | grep -qa '^EFI PART' ||
        sector=4096
    while read -r start size; do # partx counts in 512 bytes, always
        [ "$(dd if="$raw" bs=1 skip=$((start * 512 + 3)) count=4 \
            status=none | tr -d '\0')" = NTFS ] || continue
        number=$((number - 1))
        [ "$number" = 0 ] || continue
        dd if="$raw" of="$out" bs=512 skip="$start" count="$size" \
            conv=sparse status=none
        rm -f "$raw"
        return
    done < <(partx -g -r -o START,SECTORS --sector-size $sector "$raw")
    rm -f "$raw"
    echo "$image: no such NTFS partition"
    return 1
}

# volume_cat VOLUME PATH: a file's bytes; VOLUME may be one with a bad journal
volume_cat() {
    ntfscat -f "$1" "$2"
}

# volume_has VOLUME PATH
volume_has() {
    ntfsinfo -f -F "$2" "$1" 2>/dev/null | grep -q '^Dumping attribute'
}

# volume_acl VOLUME PATH: the security descriptor in hex
volume_acl() {
    ntfssecaudit -v "$1" "$2" 2>/dev/null |
        sed -nE 's/^[[:space:]]+[0-9a-f]{6}[[:space:]]+([0-9a-f ]+)[[:space:]]*$/\1/p' | tr -d ' \n' | grep .
}

# volume_check VOLUME: is it a sound file system?  No "chkdsk" outside of
# Windows; this is what ntfs-3g's programs, 7-Zip and sleuthkit can tell.  (7-Zip
# reads no sparse file that was not written to its end, so it only lists; and no
# NTFS with sectors of 4096 bytes, not one that mkntfs has just made either.)
volume_check() {
    local sector
    sector=$(od -A n -t u2 -j 11 -N 2 "$1")
    ntfsfix -n "$1" && ntfsresize -i -f "$1" && fls -r -p "$1" &&
        { [ "$sector" -eq 4096 ] || 7z l "$1"; }
}

# volume_agrees VOLUME PATH FILE: 7-Zip and sleuthkit read FILE there, too
volume_agrees() {
    7z e -so "$1" "$2" 2>/dev/null | cmp - "$3" &&
        icat "$1" "$(ifind -n "/$2" "$1")" | cmp - "$3"
}

# Hives --------------------------------------------------------------------

config=Windows/System32/config

# hive VOLUME NAME OUT: as NAME=SYSTEM, SOFTWARE, DRIVERS
hive() {
    volume_cat "$1" "$config/$2" >"$3"
}

# hive_value HIVE KEY NAME: one value as text; lists: one string a line
hive_value() {
    printf 'cd %s\nlsval %s\n' "$2" "$3" | hivexsh "$1"
}

# hive_has HIVE KEY
hive_has() {
    printf 'cd %s\n' "$2" | hivexsh "$1" >/dev/null 2>&1
}
