# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# lib.sh - sourced by environment.sh and statuses.sh, with PROGRAM as $1: a
# folder of their own with a small Windows guest (guest.qcow2), a driver medium
# (the folder medium) and a domain XML (in.xml); they go away at exit.
set -u
program=$(realpath "$1")
fixtures=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../fixtures" && pwd)
PATH=$PATH:/usr/sbin:/sbin
for tool in mkntfs sfdisk qemu-img python3 setpriv; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work" || exit 1
export TMPDIR=$work/tmp
mkdir -m 1777 tmp
status=0 count=0
unset VIRTIO_WIN VIRTIO_WIN_DIR

"$program" check --backend direct /dev/null 2>&1 | grep -q 'without libntfs-3g' &&
    { echo "skipped: built without libntfs-3g"; exit 77; }
"$fixtures/mkguest" --size 96 guest.qcow2 || exit 1
"$fixtures/mkiso" -d medium || exit 1
cp "$fixtures/domain.xml" in.xml

fail() {
    echo "FAIL: $*"
    status=1
}

# ordinary COMMAND...: not as root; others may not write here
ordinary() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
