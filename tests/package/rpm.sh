#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rpm.sh FOLDER - the RPM packages, source and binary, from the tarball.  FOLDER
# is made anew.  This is no RPM system: --nodeps, and what is built is looked at
# and not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
command -v rpmbuild >/dev/null || { echo "skipped: no rpmbuild"; exit 77; }
rm -rf "$1"
mkdir -p "$1"
work=$(cd "$1" && pwd)
scripts/dist.sh "$work"
spec=packaging/rpm/v2v-virtio.spec
rpmspec -D 'rhel 9' -P $spec | grep -q '^Recommends: *libguestfs-winsupport'
rpmspec --without direct -P $spec | grep -q 'V2V_DIRECT=OFF'
rpmbuild -ba --nodeps -D "_topdir $work" -D "_sourcedir $work" $spec
rpm -qp --requires "$work"/RPMS/*/v2v-virtio-[0-9]*.rpm >"$work/requires"
grep -qx /usr/bin/qemu-nbd "$work/requires"
grep -q '^libguestfs\.so' "$work/requires"
mkdir "$work/files"
(cd "$work/files" && rpm2cpio "$work"/RPMS/*/v2v-virtio-[0-9]*.rpm | cpio -id --quiet)
"$work/files/usr/bin/v2v-virtio" --version
find "$work/files" -type f -name 'v2v-virtio*.[1-8]*' | grep .
