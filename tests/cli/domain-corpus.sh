#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: domain-corpus.sh DOMAIN-REWRITE [--rewrite-only] [FOLDER]
# Rewrites every domain XML of a corpus of real ones, and lets a program that
# shares no code with us judge the result, and the result of a second run, to
# virtio-blk and to virtio-scsi; then gives each of its disks another image,
# which moved-image.py judges, and adds all that can be added, which
# added-features.py judges.
# --rewrite-only: nobody judges, for a build that finds faults by itself.
# V2V_SHARED names the directory that has both; V2V_JUDGE_OPTIONS is passed on
# (--define test:///default).
set -u

rewrite=$1
shift
if [ "${1:-}" = --rewrite-only ]; then
    shift
    python3() { :; } # all judges are in Python
fi
shared=${V2V_SHARED:-$(dirname "$0")/../../../shared}
corpus=$shared/data/domxml/corpus
judge=$shared/tools/check-domain-xml.py
for needed in "$corpus" "$judge"; do
    if [ ! -e "$needed" ]; then
        echo "skipped: V2V_SHARED has no ${needed#"$shared"/}"
        exit 77
    fi
done

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
judged=0 refused=0 failed=0

# judge_rewrite FILE PROFILE [OPTION...]: of the rewrite with these options
judge_rewrite() {
    given=$1 profile=$2
    shift 2
    "$rewrite" "$@" "$given" "$tmp/out.xml" >>"$tmp/log" 2>&1 &&
        "$rewrite" "$@" "$tmp/out.xml" "$tmp/again.xml" >/dev/null 2>&1 ||
        return 1
    # shellcheck disable=SC2086 # several options
    python3 "$judge" "$given" "$tmp/out.xml" --profile "$profile" \
        --strict-format --schema --again "$tmp/again.xml" \
        ${V2V_JUDGE_OPTIONS:-} >>"$tmp/log" 2>&1
}

# judge_more SCRIPT FILE [OPTION...]: of a rewrite that does more
judge_more() {
    script=$1 given=$2
    shift 2
    "$rewrite" "$@" "$given" "$tmp/out.xml" >/dev/null 2>&1 &&
        python3 "$(dirname "$0")/$script" "$rewrite" "$given" "$tmp/out.xml" \
            "$tmp/more.xml" "$@" >>"$tmp/log" 2>&1
}

# 3: the guest is refused; 5: the file is malformed
judge_file() {
    "$rewrite" "$1" "$tmp/out.xml" >"$tmp/log" 2>&1
    status=$?
    case $status in
    0)
        judge_rewrite "$1" viostor,netkvm,balloon &&
            judge_rewrite "$1" vioscsi,netkvm,balloon --scsi &&
            judge_more moved-image.py "$1" &&
            judge_more added-features.py "$1" &&
            judge_more added-features.py "$1" --scsi
        ;;
    3 | 5)
        refused=$((refused + 1))
        python3 "$judge" "$1" --refused >>"$tmp/log" 2>&1
        ;;
    *)
        echo "exit status $status" >>"$tmp/log"
        return 1
        ;;
    esac
}

for file in "${@:-$corpus}"/*.xml; do
    [ -e "$file" ] || continue
    judged=$((judged + 1))
    if ! judge_file "$file"; then
        failed=$((failed + 1))
        echo "FAILED: $file"
        sed 's/^/    /' "$tmp/log"
    fi
done
echo "$judged files judged, $refused of them refused, $failed failed"
[ "$judged" -gt 0 ] && [ "$failed" -eq 0 ]
