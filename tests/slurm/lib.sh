# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
# lib.sh - sourced by the tests of this folder.  A real slurmctld, two slurmd and a
# munged that the test has to itself, in namespaces of its own (tests/alone.sh),
# with all their files on a tmpfs that goes with them: killed, too, the test leaves
# nothing.  The checks of tests/guest/lib.sh.

PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/alone.sh
. "$(dirname "${BASH_SOURCE[0]}")/../alone.sh"
for slurm_program in slurmctld slurmd sbatch munged ip setpriv; do
    command -v $slurm_program >/dev/null || alone_skip "no $slurm_program"
done
alone "slurmd" "$@"

# The first process of a namespace takes only signals that it has a trap for.
trap 'exit 143' TERM INT HUP
mount -t tmpfs -o mode=755,size=2g v2v-test /run || alone_skip "cannot mount on /run"
mkdir -m 1777 /run/v2v
export TMPDIR=/run/v2v
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../guest/lib.sh"
chmod 755 "$tmp"
export SLURM_CONF=$tmp/slurm.conf

# Names are looked up with AI_ADDRCONFIG, for which 127.0.0.1 is no address:
# getaddrinfo(3).  The other is one of those for documents, RFC 5737.
slurm_network() {
    ip link set lo up && ip addr add 192.0.2.1/32 dev lo
}

slurm_munge() {
    mkdir -m 755 "$tmp/munge"
    (umask 077 && head -c 64 /dev/urandom >"$tmp/munge/key")
    munged --force --key-file="$tmp/munge/key" --socket="$tmp/munge/socket" \
        --pid-file="$tmp/munge/pid" --log-file="$tmp/munge/log" \
        --seed-file="$tmp/munge/seed"
}

# Without systemd, cgroups and a database: processes are found by their parents,
# nobody enforces memory, but it is counted out.  Two nodes on one machine have
# different ports, and more than it has; arrays are small, so that there are
# several.  Nothing is set that would queue a job again by its exit status.
# Source: slurm.conf(5), and slurmd(8) for -N.
slurm_settings() {
    mkdir -m 755 "$tmp/state" "$tmp/n1" "$tmp/n2"
    cat >"$SLURM_CONF" <<CONF
ClusterName=v2v-test
SlurmctldHost=localhost(127.0.0.1)
AuthInfo=socket=$tmp/munge/socket
SlurmUser=root
StateSaveLocation=$tmp/state
SlurmdSpoolDir=$tmp/%n
SlurmctldPidFile=$tmp/slurmctld.pid
SlurmdPidFile=$tmp/%n.pid
SlurmctldLogFile=$tmp/slurmctld.log
SlurmdLogFile=$tmp/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
KillWait=5
MaxArraySize=8
ReturnToService=2
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17011 CPUs=2 RealMemory=4000
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17012 CPUs=2 RealMemory=4000
PartitionName=main Nodes=ALL Default=YES State=UP
CONF
}

# slurm_ready: both nodes idle
slurm_ready() {
    local i
    for ((i = 0; i < 150; i++)); do
        [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ] && return
        sleep 0.2
    done
    tail -n 20 "$tmp/slurmctld.log" "$tmp"/n?.log
    return 1
}

slurm_start() {
    slurm_network && slurm_munge && slurm_settings && slurmctld -c && slurmd -N n1 &&
        slurmd -N n2
}

if ! slurm_start || ! slurm_ready; then
    echo "not ok - Slurm starts"
    exit 1
fi
