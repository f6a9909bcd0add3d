#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# warnings-documented.sh SOURCES MANUAL: every warning's code is in the manual,
# and its WARNINGS has none that the sources lack.
set -eu
codes=$(find "$1" -name '*.c' -exec cat '{}' + | tr '\n' ' ' |
    grep -oE 'v2v_warn\( *"[a-z-]+", *"[a-z-]+"' |
    sed 's/.*"\([a-z-]*\)"$/\1/' | sort -u)
[ -n "$codes" ]
status=0
for code in $codes; do
    grep -q "C<$code>" "$2" || {
        echo "the warning $code is not in $2"
        status=1
    }
done
documented=$(sed -n '/^=head1 WARNINGS/,/^=head1 ENV/p' "$2" |
    sed -n '/^=item/p' | grep -oE 'C<[a-z-]+>' | tr -d 'C<>')
[ -n "$documented" ]
for code in $documented; do
    grep -rqF --include='*.c' "\"$code\"" "$1" || {
        echo "there is no warning $code, which is in $2"
        status=1
    }
done
echo "$(echo "$codes" | wc -l) warnings"
exit $status
