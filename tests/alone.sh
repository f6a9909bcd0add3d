# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# alone.sh - sourced before anything else, it starts the test again in namespaces
# of its own: mounts, so that what is mounted is seen by the test alone; processes,
# so that daemons end with the test however that ends; network, so that ports are
# free and no firewall changes.  Needs root; without, the test is skipped.

alone_skip() {
    echo "skipped: $*"
    exit 77
}

# alone NAME ARGS...: NAME, what needs it
alone() {
    local name=$1 own=(unshare --mount --pid --net --fork --kill-child --mount-proc
        --propagation private)
    shift
    [ "$$${V2V_ALONE:-}" != 1alone ] || { unset V2V_ALONE; return; }
    [ "$(id -u)" = 0 ] || alone_skip "$name needs root"
    "${own[@]}" true 2>/dev/null || alone_skip "no namespaces here (${own[*]})"
    V2V_ALONE=alone exec "${own[@]}" bash "$0" "$@"
}
