#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# codes-documented.sh TOP: in v2v-virtio-report(5) FINDINGS has each code of check's
# table, THE BOOT CHAIN each of verify's, as "=item C<code>, C<code> (broken)", with
# the severity or state of the table, and none that is not there; each code occurs in
# a test of the module.  Codes of errors that are in neither table are in ERRORS or
# WARNINGS, and no other are in ERRORS.
set -eu
cd "$1"
page=man/v2v-virtio-report.pod
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# in_table FOLDER: "code severity", from rows as
#   { "hive-dirty", CHECK_BLOCKS, true,  and  { "no-esp", "boot-partition",
#   VERIFY_BROKEN,
in_table() {
    tr -s '\n ' '  ' <"src/$1/codes.c" |
        grep -oE '\{ "[a-z0-9-]+",( "[a-z0-9-]+",)? (CHECK|VERIFY)_[A-Z]+,( true)?' |
        sed -E 's/\{ "([^"]*)",.* (CHECK|VERIFY)_([A-Z]*),/\1 \3/
                s/ true/; can be allowed/' |
        tr '[:upper:]' '[:lower:]' | sort
}

# in_manual SECTION: the same from its items; one may go over several lines, and
# what is in brackets holds for the codes before it
in_manual() {
    awk -v section="=head1 $1" '
        /^=head1 / { inside = $0 == section; next }
        inside && /^=item / { item = ""; reading = 1 }
        reading && NF == 0 {
            reading = 0
            while (match(item, /\([a-z; ]+\)/)) {
                codes = substr(item, 1, RSTART - 1)
                what = substr(item, RSTART + 1, RLENGTH - 2)
                item = substr(item, RSTART + RLENGTH)
                while (match(codes, /C<[a-z0-9-]+>/)) {
                    print substr(codes, RSTART + 2, RLENGTH - 3), what
                    codes = substr(codes, RSTART + RLENGTH)
                }
            }
            if (item ~ /C</)
                print "without severity or state:", item
        }
        reading { item = item " " $0 }' $page | sort
}

# same FOLDER SECTION
same() {
    in_table "$1" >"$work/table"
    in_manual "$2" >"$work/manual"
    [ -s "$work/table" ]
    diff -u --label "src/$1/codes.c" --label "the manual's $2" "$work/table" \
        "$work/manual" || status=1
    echo "$1: $(wc -l <"$work/table") codes"
}

# tested FOLDER FILE...: tests name a code in quotes, alone or in a list
tested() {
    folder=$1
    shift
    for code in $(in_table "$folder" | cut -d ' ' -f 1); do
        grep -qE "[\" ]${code}[\" ]" "$@" || {
            echo "no test of $folder/ has the code $code"
            status=1
        }
    done
}

same check FINDINGS
same verify 'THE BOOT CHAIN'
# image/ and facts/ name some of check's
tested check tests/unit/test-check-*.c tests/unit/test-find.c \
    tests/unit/test-image-read.c tests/unit/test-formats.c
tested verify tests/unit/test-verify-*.c tests/verify/*.py
for link in $(tr -s '\n ' '  ' <src/verify/codes.c |
    grep -oE '\{ "[a-z0-9-]+", "[a-z0-9-]+"' | cut -d '"' -f 4 | sort -u); do
    grep -q "C<$link>" $page || {
        echo "the manual does not say what the link $link is"
        status=1
    }
done

# refusals: the names that errors get where they arise, or by their class
refusals() {
    {
        names_given
        grep -oE '^ +\{ (V2V_ERR_[A-Z]+, )?"[a-z0-9-]+"' src/cli/codes.c |
            cut -d '"' -f 2
    } | sort -u
}

names_given() {
    find src -name '*.c' -exec cat '{}' + | tr -s '\n ' '  ' |
        grep -oE 'v2v_refuse\( ?[a-z]+, V2V_ERR_[A-Z]+, "[a-z0-9-]+"' |
        cut -d '"' -f 2
}

# items SECTION: the codes of its items
items() {
    awk -v RS= -v section="=head1 $1" '
        /^=head1 / { inside = $0 == section }
        inside && /^=item/' $page | grep -oE 'C<[a-z0-9-]+>' | tr -d 'C<>' | sort
}

refusals >"$work/refusals"
{ in_table check; in_table verify; } | cut -d ' ' -f 1 >"$work/tables"
items ERRORS >"$work/errors"
[ -s "$work/refusals" ] && [ -s "$work/errors" ]
{ cat "$work/errors" "$work/tables"; items WARNINGS; } | sort -u |
    comm -23 "$work/refusals" - | sed 's/^/the manual has no error /' >"$work/wrong"
comm -13 "$work/refusals" "$work/errors" |
    sed 's/^/the program has no error /' >>"$work/wrong"
cat "$work/wrong"
[ ! -s "$work/wrong" ] || status=1
echo "errors: $(wc -l <"$work/errors") codes"
exit $status
