#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# options-documented.sh PROGRAM MANUAL: every option of the program is in the
# manual and in --help, and the manual has none that the program lacks.
set -eu
program=$1 manual=$2
options=$("$program" --long-options)
[ -n "$options" ]
help=$("$program" --help)
for option in $options; do
    grep -q -e "B<$option>" "$manual" || {
        echo "$option is not in $manual"
        exit 1
    }
    echo "$help" | grep -qw -e "$option" || {
        echo "$option is not in --help"
        exit 1
    }
done
sed -n 's/^=item.*B<\(--[a-z-]*\)>.*/\1/p' "$manual" | while read -r option; do
    echo "$options" | grep -qx -e "$option" || {
        echo "$option is in $manual only"
        exit 1
    }
done
echo "$(echo "$options" | wc -l) options"
