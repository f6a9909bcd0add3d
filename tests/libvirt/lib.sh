# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# lib.sh - sourced by the tests of this folder.  A real libvirtd with the qemu
# driver that the test has to itself, and the checks of tests/guest/lib.sh.
#
# In namespaces of its own (tests/alone.sh): libvirt's settings, state and logs are
# empty folders that no other libvirtd sees.
#
# "test:///default" would need none of this, and accepts what the qemu driver
# refuses.

PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/alone.sh
. "$(dirname "${BASH_SOURCE[0]}")/../alone.sh"
command -v libvirtd >/dev/null || alone_skip "no libvirtd"
command -v virsh >/dev/null || alone_skip "no virsh"
alone "libvirt's qemu driver" "$@"

# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest/lib.sh"

# The first process of a namespace takes only signals that it has a trap for.
trap 'libvirt_stop; rm -rf "$tmp"' EXIT
trap 'exit 143' TERM INT HUP

libvirt_log=$tmp/libvirtd.log
export LIBVIRT_DEFAULT_URI=qemu:///system
export XDG_CACHE_HOME=$tmp/home XDG_CONFIG_HOME=$tmp/home XDG_DATA_HOME=$tmp/home

# /run as a whole: that hides the machine's D-Bus as well, over which libvirtd
# would register our guests.
libvirt_private() {
    local folder
    for folder in /run /etc/libvirt /var/{lib,log,cache}/libvirt; do
        [ -d "$folder" ] || skip "no $folder: is libvirt-daemon installed?"
        mount -t tmpfs -o mode=755 v2v-test "$folder" || skip "cannot mount on $folder"
    done
    mkdir -p /run/lock /run/libvirt
}

# libvirt_user NAME: the qemu driver wants it to exist, even where qemu.conf
# says another; only libvirt-daemon-system makes it
libvirt_user() {
    getent passwd "$1" >/dev/null && return
    (cat /etc/passwd; echo "$1:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin") >"$tmp/passwd"
    (cat /etc/group; echo "$1:x:64055:") >"$tmp/group"
    mount --bind "$tmp/passwd" /etc/passwd && mount --bind "$tmp/group" /etc/group
}

libvirt_settings() {
    cat >/etc/libvirt/qemu.conf <<'CONF'
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
CONF
    cat >/etc/libvirt/libvirtd.conf <<'CONF'
auth_unix_rw = "none"
auth_unix_ro = "none"
CONF
}

# Functions for tests ------------------------------------------------------

# libvirt_start: the daemon answers when it returns; also after libvirt_stop,
# with the domains that were defined
libvirt_start() {
    local i
    libvirtd -p "$tmp/libvirtd.pid" >>"$libvirt_log" 2>&1 &
    libvirt_pid=$!
    for ((i = 0; i < 150; i++)); do
        virsh version >/dev/null 2>&1 && return
        kill -0 $libvirt_pid 2>/dev/null || break
        sleep 0.2
    done
    echo "not ok - libvirtd starts"
    sed 's/^/    /' "$libvirt_log"
    exit 1
}

# libvirt_stop: with all guests
libvirt_stop() {
    local name
    [ -n "${libvirt_pid:-}" ] || return 0
    for name in $(virsh list --name 2>/dev/null); do
        virsh destroy "$name" >/dev/null 2>&1
    done
    kill "$libvirt_pid" 2>/dev/null && wait "$libvirt_pid"
    libvirt_pid=
}

# define XML-FILE [OPTION...]: says "Domain 'NAME' defined from ..."
define() {
    virsh define "$@"
}

# defined NAME: the definition as it will be at the next start, without the
# empty line that virsh adds
defined() {
    printf '%s\n' "$(virsh dumpxml --inactive --security-info "$1")"
}

# start_paused NAME: QEMU runs and no guest code does
start_paused() {
    virsh start --paused "$1"
}

# qtree NAME: QEMU's devices; "info pci" sees nothing behind root ports
qtree() {
    virsh qemu-monitor-command --hmp "$1" 'info qtree'
}

# has_pci NAME ID: a running guest has a device with this PCI id, as 1af4:1001
has_pci() {
    qtree "$1" | grep -q "pci id $2 "
}

# undefine NAME: whatever state it is in, no trace of it is left; not its disks
undefine() {
    virsh destroy "$1" >/dev/null 2>&1
    virsh undefine --managed-save --snapshots-metadata --checkpoints-metadata \
        --nvram "$1"
}

# for_tcg IN OUT: the same machine, which QEMU starts without KVM
for_tcg() {
    python3 - "$1" "$2" <<'PY'
import sys, xml.etree.ElementTree as tree

tree.register_namespace("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")
doc = tree.parse(sys.argv[1])
root = doc.getroot()
root.set("type", "qemu")
for path, names in ((".", ["cpu"]), ("features", ["hyperv", "kvm"]),
                    ("devices", ["emulator"])):
    for parent in root.findall(path):
        for child in [c for c in parent if c.tag in names]:
            parent.remove(child)
for clock in root.findall("clock"):
    for timer in clock.findall("timer[@name='hypervclock']"):
        clock.remove(timer)
doc.write(sys.argv[2])
PY
}

libvirt_private
libvirt_user libvirt-qemu
libvirt_settings
