#!/bin/sh
# warnings-documented.sh SOURCES MANUAL: every warning's code is in the manual.
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
echo "$(echo "$codes" | wc -l) warnings"
exit $status
