#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# options-documented.sh PROGRAM MAN: the OPTIONS of a command's page name the
# options that the command takes, and no other; each option is explained once:
# in the page of its command, or in v2v-virtio.pod if several take it.  What a
# command takes is found by giving it to the command; the command's help and the
# completion have to name the same, and the help has a page for every command.
set -eu
program=$1 man=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

wrong() {
    echo "$*"
    status=1
}

# takes COMMAND...: its options.  With --help behind it nothing is done.
takes() {
    for option in $options; do
        "$program" "$@" "$option" x --help 2>&1 |
            grep -q 'does not go with' || echo "$option"
    done | sort
}

# named PAGE [ITEM]: what its OPTIONS name, or below one of its items
named() {
    awk -v item="${2-}" '
        /^=head1 / { inside = $0 == "=head1 OPTIONS" && item == "" }
        item != "" && /^=(item|back)/ { inside = $0 == "=item B<" item ">" }
        inside' "$man/$1.pod" | grep -oE 'B<--[a-z-]+>' | tr -d 'B<>' | sort -u
}

# explained PAGE: the options that are an item there
explained() {
    grep '^=item' "$man/$1.pod" | grep -oE 'B<--[a-z-]+>' | tr -d 'B<>' | sort
}

# same PAGE ITEM COMMAND...: the page, or what is below its item, is right
same() {
    page=$1 item=$2
    shift 2
    takes "$@" >"$work/takes"
    named "$page" "$item" >"$work/named"
    "$program" "$@" --help | grep -oE '^ .{5}--[a-z-]+' | tr -d ' ' |
        sed 's/.*--/--/' | sort >"$work/helped"
    "$program" --complete "$@" -- | sort >"$work/offered"
    for other in named helped offered; do
        diff -u --label "v2v-virtio $*: takes" --label "$other" "$work/takes" \
            "$work/$other" || status=1
    done
    asked=$((asked + 1))
    commands="$commands$(cat "$work/takes") "
}

options=$("$program" --long-options)
[ -n "$options" ]
commands='' asked=0
for command in inject check verify xml undo recover; do
    same "v2v-virtio-$command" '' $command
done
lines=$(for command in inject check; do takes $command; done | sort -u)
before=$commands
same v2v-virtio-batch '' batch
# what is only for the lines of a batch is explained where those have it
commands="$before$(echo "$lines" | comm -23 "$work/takes" -) "
for command in list explain; do
    same v2v-virtio-drivers "drivers $command" drivers $command
done
# POD takes an "=item" right below a text for a part of that text
for page in "$man"/*.pod; do
    glued=$(awk '/^=[a-z]/ && above != "" { print FNR } { above = $0 }' "$page")
    [ -z "$glued" ] || wrong "$page: no blank line above line" "$glued"
done
for page in "$man"/*.pod; do
    explained "$(basename "$page" .pod)"
done | sort >"$work/explained"
explained v2v-virtio >"$work/common"
for option in $options; do
    count=$(grep -cx -e "$option" "$work/explained") ||
        wrong "no page explains $option"
    [ "$count" -le 1 ] || wrong "$count pages explain $option"
    takers=$(printf '%s' "$commands" | tr ' ' '\n' | grep -cx -e "$option")
    common=$(grep -cx -e "$option" "$work/common") || true
    [ $((takers > 1)) = "$common" ] ||
        wrong "$takers commands take $option; v2v-virtio.pod is the place" \
            "for what several take"
done
[ "$("$program" help | grep -c 'v2v-virtio .*\[OPTION...\]$')" = $asked ] ||
    wrong "v2v-virtio help has other commands than the $asked with a page"
echo "$(echo "$options" | wc -l) options, $asked commands"
exit $status
