# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# setup.sh - sourced by demo.sh and test.sh: setup GROUP... installs what is
# missing of those groups of packages.txt.  On Debian and its relatives with
# apt, as root or through sudo; elsewhere it says what is missing.
#
# It does not stop at what cannot be installed: whether that matters shows
# where it is used.

# names GROUP...: "package probe" lines of the groups
setup_names() {
    local group
    for group; do
        awk -v g="$group" '$1 == g { print $2, $3 }' \
            "$(dirname "${BASH_SOURCE[0]}")/packages.txt"
    done
}

setup_probe() {
    case $1 in
    -) ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    file:*) [ -e "${1#file:}" ] ;;
    *) command -v "$1" >/dev/null || [ -x "/sbin/$1" ] || [ -x "/usr/sbin/$1" ] ;;
    esac
}

# What this system lacks, by dpkg's book or else by looking.
setup_missing() {
    local package probe
    setup_names "$@" | while read -r package probe; do
        if command -v dpkg-query >/dev/null; then
            dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
                grep -qx installed || echo "$package"
        else
            setup_probe "$probe" || echo "$package"
        fi
    done
}

setup_apt() {
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

setup() {
    local missing setup_log
    mapfile -t missing < <(setup_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "set-up: this is no Debian; missing, by their names there:" \
            "${missing[*]}" >&2
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "set-up: neither root nor sudo; please run:" \
            "apt-get install --no-install-recommends ${missing[*]}" >&2
        return 1
    fi
    echo "set-up: installing ${missing[*]}"
    setup_log=$(mktemp "${TMPDIR:-/tmp}/v2v-virtio-setup.XXXXXX")
    setup_apt update >"$setup_log" 2>&1 &&
        setup_apt install --no-install-recommends "${missing[@]}" \
            >>"$setup_log" 2>&1 && rm "$setup_log" && return 0
    tail -n 20 "$setup_log" >&2
    echo "set-up: apt-get failed; all it said: $setup_log" >&2
    return 1
}

# mkntfs, mkfs.vfat and sfdisk are where a user's path may not lead.
PATH=$PATH:/usr/sbin:/sbin
