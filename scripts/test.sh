#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test.sh [--full] - installs what is missing and runs every test.
#   --full   fuzz for a minute a program instead of 4 seconds, damage an NTFS
#            in 6000 ways instead of 300, kill the program at 560 instants
#            instead of 56, compare the backends on every guest that can be made
#            instead of three, a batch of 200 machines instead of 24, try each
#            combination of tests/libvirt, and build, install and remove the
#            packages
# One line a step; the last line counts the tests: N passed, N failed, N skipped.
# V2V_SHARED names a folder of real-world data that some tests use when it is
# there; by default ../shared.
set -uo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
exec </dev/null
# shellcheck source=scripts/setup.sh
. scripts/setup.sh

if [ -z "${V2V_SHARED:-}" ] && [ -d ../shared ]; then
    V2V_SHARED=$(cd ../shared && pwd)
    export V2V_SHARED
fi
guest_seconds=900 # for one guest test: its appliance runs without KVM
case ${1:-} in
'') fuzz_seconds=4 kill_rounds=56 ntfs_runs=300 batch=(--lines 24 --kills 6) ;;
--full)
    fuzz_seconds=60 kill_rounds=560 ntfs_runs=6000 guest_seconds=7200
    batch=(--lines 200 --kills 40)
    export V2V_FULL=1
    ;;
*)
    sed -n '3,7s/^# //p' "$0" >&2
    exit 2
    ;;
esac

passed=0 failed=0 skipped=0
logs=build/test-logs
documents=$top/build/documents # what guest and libvirt tests let it print
jobs=$(nproc)

# Steps --------------------------------------------------------------------

# count N WORD: N tests more that "passed", "failed" or were "skipped"
count() {
    printf -v "$2" %d "$((${!2} + $1))"
}

# report PASS|FAIL|SKIP SECONDS NAME [REASON]
report() {
    printf '%s %4ds  %s%s\n' "$1" "$2" "$3" "${4:+: $4}"
}

# reason LOG: why a test was skipped, as it says in its last line
reason() {
    tail -n 1 "$1" | sed 's/^skipped: //'
}

# step NAME COMMAND...: one test that is a command; 77 means skipped, its last
# line of output is the reason
step() {
    local name=$1 log=$logs/${1//[^A-Za-z0-9.-]/-}.log start=$SECONDS status=0
    shift
    "$@" >"$log" 2>&1 || status=$?
    case $status in
    0)
        count 1 passed
        report PASS $((SECONDS - start)) "$name"
        ;;
    77)
        count 1 skipped
        report SKIP $((SECONDS - start)) "$name" "$(reason "$log")"
        ;;
    *)
        count 1 failed
        report FAIL $((SECONDS - start)) "$name" "exit status $status"
        tail -n 40 "$log" | sed 's/^/    /'
        ;;
    esac
    return "$status"
}

# ctest_step PRESET: build was done; counts ctest's tests one by one
ctest_step() {
    local name="ctest $1" xml=$top/$logs/ctest-$1.xml log=$logs/ctest-$1.log
    local start=$SECONDS status=0 numbers verdict=PASS
    rm -f "$xml"
    ctest --preset "$1" --output-junit "$xml" -j "$jobs" >"$log" 2>&1 || status=$?
    if ! numbers=$(junit_numbers "$xml"); then
        count 1 failed
        report FAIL $((SECONDS - start)) "$name" "no result, exit status $status"
        tail -n 40 "$log" | sed 's/^/    /'
        return
    fi
    local ok bad left
    read -r ok bad left <<<"$numbers"
    # ctest may fail in a way that none of its tests shows
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    count "$ok" passed
    count "$bad" failed
    count "$left" skipped
    [ "$bad" = 0 ] || verdict=FAIL
    report $verdict $((SECONDS - start)) "$name" "$ok passed, $bad failed, $left skipped"
    junit_reasons "$xml"
    [ "$bad" = 0 ] || { junit_failures "$xml"; tail -n 12 "$log" | sed 's/^/    /'; }
}

# junit_numbers XML: passed, failed, skipped; fails when there is no test.
# A test that ctest could not start is "skipped" to ctest; here it has failed.
junit_numbers() {
    python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
cases = tree.parse(sys.argv[1]).getroot().findall("testcase")
left = sum(c.find("skipped[@message='SKIP_RETURN_CODE=77']") is not None for c in cases)
ok = sum(c.get("status") == "run" for c in cases)
print(ok, len(cases) - ok - left, left)
sys.exit(not cases)
PY
}

# junit_reasons XML: a line for each test that did not run
junit_reasons() {
    python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).getroot().findall("testcase"):
    if case.find("skipped") is None:
        continue
    said = (case.findtext("system-out") or "it says nothing").strip().splitlines()
    why = next((s for s in said if "skip" in s.lower()), said[-1])
    print(f"      not run {case.get('name')}: {why}")
PY
}

# junit_failures XML: the end of what each test said that failed
junit_failures() {
    python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
for case in tree.parse(sys.argv[1]).getroot().findall("testcase"):
    if case.get("status") == "run" or case.find("skipped[@message='SKIP_RETURN_CODE=77']") is not None:
        continue
    said = (case.findtext("system-out") or "it says nothing").strip().splitlines()
    print(f"    failed: {case.get('name')}", *said[-25:], sep="\n      ")
PY
}

build() {
    cmake --preset "$1" && cmake --build --preset "$1"
}

# preset NAME: build and, if that worked, its tests
preset() {
    step "build $1" build "$1" && ctest_step "$1"
}

# Single checks ------------------------------------------------------------

# The project's files: committed or not, but not what is built.  Without git's
# word there would be nothing to check, and every check would pass.
tracked() {
    git ls-files --cached --others --exclude-standard -- "$@" | grep . ||
        { echo "git lists no files here" >&2; return 1; }
}

formatted() {
    local list files
    list=$(tracked '*.c' '*.h') || return
    mapfile -t files <<<"$list"
    clang-format --version
    clang-format --dry-run -Werror "${files[@]}"
}

scripts_clean() {
    local list files
    list=$(tracked) || return
    mapfile -t files < <(while read -r file; do
        case $file in
        *.sh) echo "$file" ;;
        *) head -n 1 "$file" | grep -aq '^#!.*[/ ]\(ba\)\?sh' && echo "$file" ;;
        esac
    done <<<"$list")
    echo "${files[@]}"
    shellcheck -x "${files[@]}"
}

# Each outside library is known to one folder: header's name, folders.
one_door() {
    local list files header folders found status=0
    list=$(tracked '*.c' '*.h' ':!tests' ':!fixtures') || return
    mapfile -t files <<<"$list"
    while read -r header folders; do
        found=$(grep -lE "#include *[<\"]$header" "${files[@]}" |
            grep -vE "^($folders)/")
        [ -z "$found" ] || { echo "$header: not in $folders: $found"; status=1; }
    done <<'DOORS'
guestfs\.h src/guest
hivex\.h registry
archive(_entry)?\.h src/media
libxml/ src/domain
jansson\.h src/cli|src/image|src/batch
sqlite3\.h src/batch
csv\.h src/batch
libnbd\.h src/image
seccomp\.h src/sandbox
ntfs-3g/ src/ntfs
openssl/ src/catalog|src/image
libvirt/ src/host
DOORS
    return $status
}

manuals() {
    podchecker man/*.pod
}

# one unit test under valgrind; its output in one piece, as others run beside it
memcheck_one() {
    local output status=0
    output=$(valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite --child-silent-after-fork=yes "$1" 2>&1) ||
        status=$?
    printf '== %s: exit status %s\n%s\n' "$1" $status "$output"
    [ $status = 0 ] || [ $status = 77 ]
}

# Each unit test of the ci build under valgrind: any error fails.  Without the
# real-world data, and without those that make a guest for each of their rows or
# wait for QEMU's tools most of the time, which the asan build has been through; and
# without what a broken disk makes libntfs-3g leave, and without sandboxes, of which
# valgrind knows nothing.
memcheck() {
    export -f memcheck_one
    find build/ci/tests -maxdepth 1 -name 'test-*' -type f |
        grep -vE '/test-(bcd|find|check-|hives-|ntfs-broken|sandbox|direct|rewind|formats|verify-(boot|chain|device|service))' | grep . |
        V2V_SHARED=/nonexistent xargs -P "$jobs" -I{} bash -c 'memcheck_one {}'
}

# fuzz PROGRAM: some seconds, from the corpus, which stays as it is
fuzz() {
    local name=${1##*/fuzz-} new
    local corpus=tests/fuzz/corpus-$name
    [ -d "$corpus" ] || { echo "$corpus is missing"; return 1; }
    new=$(mktemp -d)
    mkdir -p "$logs/fuzz"
    "$1" -max_total_time="$fuzz_seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=8192 \
        -artifact_prefix="$logs/fuzz/$name-" "$new" "$corpus"
    local status=$?
    rm -rf "$new"
    return $status
}

# guest_test SCRIPT: prints "ok - NAME" or "not ok - NAME" lines, which count;
# one of tests/guest or tests/libvirt
guest_test() {
    local name=${1#tests/} start=$SECONDS status=0
    local log=$logs/${name//\//-}.log
    name=${name/\// }
    local ok bad verdict=PASS
    V2V_PROGRAM=$top/build/ci/tests/v2v-virtio V2V_DOCUMENTS=$documents timeout "$guest_seconds" \
        bash "$1" >"$log" 2>&1 || status=$?
    if [ $status = 77 ]; then
        count 1 skipped
        report SKIP $((SECONDS - start)) "$name" "$(reason "$log")"
        return
    fi
    ok=$(grep -c '^ok - ' "$log")
    bad=$(grep -c '^not ok - ' "$log")
    # died, ran out of time, or checked nothing
    [ "$bad" -gt 0 ] || [ "$status" = 0 ] && [ $((ok + bad)) -gt 0 ] || bad=$((bad + 1))
    count "$ok" passed
    count "$bad" failed
    [ "$bad" = 0 ] || verdict=FAIL
    report $verdict $((SECONDS - start)) "$name" "$ok passed, $bad failed"
    [ "$bad" = 0 ] || { echo "    exit status $status"; tail -n 40 "$log" | sed 's/^/    /'; }
}

# The real appliance, one at a time.
machines() {
    local script
    step "guest appliance" build/ci/tests/guest-appliance
    step "guest disks" build/ci/tests/guest-disks
    for script in tests/guest/*.sh tests/libvirt/inject.sh; do
        [ "${script##*/}" = lib.sh ] || guest_test "$script"
    done
}

# beside STEPS: run these steps in the background, until "join STEPS", which
# prints what they reported and counts their tests
beside() {
    count_alone "$1" >"$logs/$1.report" 2>&1 &
}

count_alone() {
    passed=0 failed=0 skipped=0
    "$1"
    echo "$passed $failed $skipped" >"$logs/$1.counts"
}

join() {
    local ok=0 bad=1 left=0
    wait
    cat "$logs/$1.report"
    read -r ok bad left <"$logs/$1.counts"
    count "$ok" passed
    count "$bad" failed
    count "$left" skipped
}

# What runs ----------------------------------------------------------------

rm -rf "$documents"
mkdir -p "$logs"
mkdir -m 1777 "$documents"
rm -f "$logs"/*.counts
step "set-up" setup build demo test ${V2V_FULL:+full}
step "clang-format" formatted
step "shellcheck" scripts_clean
step "one folder a library" one_door
[ ! -d man ] || step "podchecker" manuals
preset ci
beside machines # one core is enough for an emulated appliance
preset ci-clang
preset asan
asan=$top/build/asan/tests
[ ! -x "$asan/ntfs-mutate" ] || step "damaged NTFS" tests/ntfs/mutations.sh \
    "$asan/ntfs-mutate" "$asan/ntfs-fill" "$top/build/asan/mutations" "$ntfs_runs"
step "valgrind" memcheck
step "install" tests/package/install.sh build/ci
step "tarball" tests/package/dist.sh
if step "build fuzz" build fuzz; then
    for program in build/fuzz/tests/fuzz-*; do
        [ ! -x "$program" ] || step "fuzz ${program##*/fuzz-}" fuzz "$program"
    done
fi
kill_test=(python3 tests/crash/kill.py build/ci/v2v-virtio build/ci/tests/transaction-tool)
step "killed at any instant" "${kill_test[@]}" --rounds "$kill_rounds"
step "on a full disk" "${kill_test[@]}" --rounds $((kill_rounds / 2)) --full-disk
step "killed at every step" python3 tests/crash/steps.py \
    build/ci/v2v-virtio build/ci/tests/transaction-tool
step "batch killed at any instant" python3 tests/batch/killed.py \
    build/ci/v2v-virtio "${batch[@]}"
step "power cut" python3 tests/crash/flushes.py build/ci/tests/transaction-tool
for script in tests/libvirt/*.sh tests/slurm/*.sh; do
    [[ $script = */lib.sh || $script = */inject.sh ]] || guest_test "$script"
done
join machines
step "documents" tests/contract/validate.py "$documents"
if [ -n "${V2V_FULL:-}" ]; then
    step "Debian package" tests/package/package.sh
    step "RPM package" tests/package/rpm.sh build/rpm
fi

[ "$failed" = 0 ] || df -h . /tmp /var/tmp
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
