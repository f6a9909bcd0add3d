#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# package.sh - the Debian package, from the tarball to its removal.  As root, with
# the network of apt; else it is skipped (77).
#
# It is built by a user who may nothing and reaches nobody, twice, as in two
# build machines; lintian looks at it; it goes into a root that debootstrap made,
# with what apt adds to it; somebody there uses it; it goes, and nothing is left.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
nobody=65534
system_path=/usr/sbin:/usr/bin:/sbin:/bin

skip() {
    echo "skipped: $1"
    exit 77
}

[ "$(id -u)" = 0 ] || skip "a clean root needs root"
for tool in debootstrap lintian dpkg-buildpackage dh; do
    command -v $tool >/dev/null || skip "no $tool"
done
# not below the source tree, which may be where nobody else can look
work=$(mktemp -d /var/tmp/v2v-package.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

# told WHAT COMMAND...: how long it took
told() {
    local what=$1 start=$SECONDS
    shift
    "$@" >"$work/log" 2>&1 || {
        tail -n 60 "$work/log"
        echo "failed: $what"
        exit 1
    }
    cat "$work/log" >>"$work/all.log"
    echo "$what: $((SECONDS - start)) s"
}

# Building -------------------------------------------------------------------

# build FOLDER OPTIONS [NAME=VALUE]...: both packages, DEB_BUILD_OPTIONS as given
build() {
    local folder=$1 options=$2
    shift 2
    mkdir -p "$folder/tmp"
    tar -C "$folder" -xf "$work"/v2v-virtio-*.tar.xz
    cp "$work/v2v-virtio-$version.tar.xz" \
        "$folder/v2v-virtio_$version.orig.tar.xz"
    chown -R $nobody:$nobody "$folder"
    (
        cd "$folder/v2v-virtio-$version"
        # shellcheck disable=SC2016 # the inner shell's
        unshare --net sh -c 'ip link set lo up && exec "$@"' - \
            env -i PATH="$system_path" HOME=/nonexistent \
            TMPDIR="$folder/tmp" DEB_BUILD_OPTIONS="$options" "$@" \
            setpriv --reuid $nobody --regid $nobody --clear-groups \
            --inh-caps=-all dpkg-buildpackage -us -uc
    )
}

# the same bytes from both; buildinfo says where and when, and the changes its hash
same() {
    local file
    for file in "$work"/one/*.deb "$work"/one/*.dsc "$work"/one/*.xz; do
        cmp "$file" "$work/elsewhere/${file##*/}"
    done
}

# what is promised of the files in the package
contents() {
    local files=$work/files
    dpkg-deb -x "$deb" "$files"
    "$source/tests/package/bill.py" \
        "$files/usr/share/doc/v2v-virtio/v2v-virtio.spdx.json" "$files" \
        libarchive13 libcsv3 libguestfs0 libhivex0 libjansson4 libnbd0 \
        libntfs-3g89 libseccomp2 libsqlite3-0 libssl3 libvirt0 libxml2
    readelf -W -l -d "$files/usr/bin/v2v-virtio" >"$work/elf"
    grep -q 'GNU_RELRO' "$work/elf"
    grep -q 'BIND_NOW' "$work/elf"
    grep -q 'Flags: .*PIE' "$work/elf"
}

# A clean root ---------------------------------------------------------------

# What apt reads here, or Debian's own mirror.
make_root() {
    debootstrap --variant=minbase bookworm "$root" \
        "${V2V_MIRROR:-http://deb.debian.org/debian}"
    cp /etc/resolv.conf "$root/etc/"
    cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$root/etc/apt/"
    [ ! -e "$root/etc/apt/sources.list.d/debian.sources" ] ||
        : >"$root/etc/apt/sources.list"
}

# in_root COMMAND...: as root, with /dev and /proc, in a mount and PID namespace
# that goes with it
in_root() {
    # shellcheck disable=SC2016 # the inner shell's
    unshare --mount --pid --fork --kill-child sh -c '
        root=$1 && shift
        mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" &&
            exec chroot "$root" "$@"' - "$root" \
        env -i PATH="$system_path" LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

apt() {
    in_root apt-get -q -y --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io "$@"
}

# What the package needs is not what the package leaves.
dependencies() {
    apt update
    apt install man-db
    apt satisfy "$(dpkg-deb -f "$deb" Depends)"
    in_root useradd --create-home somebody
}

# A guest that was made outside, in the home of somebody.
guest() {
    local home=$root/home/somebody/guest
    mkdir -p "$home"
    "$source/fixtures/mkguest" "$home/vm.qcow2"
    "$source/fixtures/mkiso" "$home/virtio-win.iso"
    cp "$source/fixtures/domain.xml" "$home/vm.xml"
    cp "$source/tests/package/use.sh" "$deb" "$root/tmp/"
    in_root chown -R somebody: /home/somebody
}

# files OUT: all there is but what apt and dpkg note for themselves
files() {
    (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp \
        -o -path ./home -o -path ./var/log -o -path ./var/cache \
        -o -path ./var/lib/apt -o -path './var/lib/dpkg/*-old' \) -prune \
        -o -printf '%y %m %U:%G %p\n' | sort) >"$1"
}

use() {
    in_root setpriv --reuid somebody --regid somebody --init-groups \
        env HOME=/home/somebody /tmp/use.sh /home/somebody/guest
}

remove() {
    apt remove v2v-virtio
    apt purge v2v-virtio
    files "$work/after"
    diff "$work/before" "$work/after"
}

told "tarball" "$source/scripts/dist.sh" "$work"
version=$(basename "$work"/v2v-virtio-*.tar.xz .tar.xz)
version=${version#v2v-virtio-}
chmod 755 "$work"
told "build, with its tests" build "$work/one" "parallel=$(nproc)" TZ=UTC LC_ALL=C
told "build elsewhere" build "$work/elsewhere" "nocheck parallel=1" \
    TZ=Asia/Tokyo LC_ALL=C.UTF-8
told "the same twice" same
deb=$(echo "$work/one/v2v-virtio_$version-"*.deb)
told "lintian" lintian --display-info --pedantic \
    --fail-on error,warning,info,pedantic "$work"/one/*.changes
told "what is in it" contents
told "debootstrap" make_root
told "what it depends on" dependencies
told "a guest" guest
files "$work/before"
told "install" apt install "/tmp/$(basename "$deb")"
told "use" use
told "remove and purge" remove
