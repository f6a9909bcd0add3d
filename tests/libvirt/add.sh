#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: add.sh
# What --add and --nic-queues write is what a running QEMU has: each feature
# alone and all at once, on both machine types and both buses; and libvirt or
# QEMU refuses what our rules keep from it.
#
# No guest code runs, and QEMU emulates (type='qemu').  So the Hyper-V features
# are seen in QEMU's command line only, which it accepts without KVM too; that
# KVM and Windows then make use of them is not shown.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/libvirt/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

rewrite=$tools/domain-rewrite
[ -x "$rewrite" ] || skip "no $rewrite"
cd "$tmp" || exit 1
libvirt_start
qemu-img create -q -f raw "$tmp/disk.img" 1M
ip link add v2vtest type bridge || skip "no bridges here"
ip link set v2vtest up

# machine TYPE BUS NIC-TYPE: XML of a guest without virtio, but with a
# controller for it
machine() {
    local scsi="<controller type='scsi' index='0' model='virtio-scsi'/>"
    [ "$2" = scsi ] || scsi=
    cat <<XML
<domain type='qemu'>
  <name>guest</name>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='$1'>hvm</type>
  </os>
  <clock offset='localtime'/>
  <devices>
    $scsi
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$tmp/disk.img'/>
      <target dev='sda' bus='$2'/>
    </disk>
    <interface type='$3'>
      <source bridge='v2vtest'/>
      <model type='e1000'/>
    </interface>
    <memballoon model='none'/>
  </devices>
</domain>
XML
}

# started FILE: guest runs, paused
started() {
    undefine guest >/dev/null 2>&1
    define "$1" && start_paused guest
}

# rewritten OPTION...: out.xml, of in.xml
rewritten() {
    "$rewrite" "$@" in.xml out.xml
}

# refuses FILE TEXT: libvirt or QEMU does, and says so
refuses() {
    if started "$1" >refusal 2>&1; then
        echo "it starts"
        return 1
    fi
    cat refusal
    grep -qF -- "$2" refusal
}

command_line() {
    tr '\0' '\n' <"/proc/$(cat /run/libvirt/qemu/guest.pid)/cmdline"
}

# qmp COMMAND [ARGUMENTS]
qmp() {
    virsh qemu-monitor-command guest "{\"execute\":\"$1\",\"arguments\":${2:-{\}}}"
}

# What a running guest shows of each feature; ids as src/domain/domain.h says.
shows_rng() {
    has_pci guest "$([ "$1" = pc ] && echo 1af4:1005 || echo 1af4:1044)" &&
        command_line | grep -q 'rng-random.*/dev/urandom'
}
shows_balloon_stats() {
    has_pci guest "$([ "$1" = pc ] && echo 1af4:1002 || echo 1af4:1045)" &&
        qmp qom-get '{"path":"/machine/peripheral/balloon0",
            "property":"guest-stats-polling-interval"}' | grep '"return":5,'
}
shows_agent_channel() {
    has_pci guest "$([ "$1" = pc ] && echo 1af4:1003 || echo 1af4:1043)" &&
        qtree guest | grep -A4 'dev: virtserialport' |
            grep 'name = "org.qemu.guest_agent.0"'
}
shows_pvpanic() {
    qtree guest | grep -A1 'dev: pvpanic' | grep '(0x505)'
}
shows_hyperv() {
    command_line | grep 'hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff'
}
shows_hypervclock() {
    command_line | grep 'hv-time=on'
}
shows_discard() {
    command_line | grep '"driver":"raw"' | grep '"discard":"unmap"'
}
shows_iothread() {
    local on=virtio-blk-pci
    [ "$2" != scsi ] || on="virtio-scsi-pci[a-z-]*"
    virsh qemu-monitor-command --hmp guest 'info iothreads' | grep '^iothread1:' &&
        command_line | grep "\"driver\":\"$on\",\"iothread\":\"iothread1\""
}
shows_queues() {
    virsh qemu-monitor-command --hmp guest 'info network' | grep 'net0: index=3' &&
        qtree guest | grep 'mq = true'
}

features="rng balloon-stats agent-channel pvpanic hyperv hypervclock discard iothread"

# shown_by_all MACHINE BUS: what is not shown is named
shown_by_all() {
    local feature missing=0
    for feature in $features queues; do
        "shows_${feature//-/_}" "$@" >/dev/null && continue
        echo "no $feature"
        missing=1
    done
    return "$missing"
}

# ---- each alone: and nothing shows it without
machine pc ide bridge | sed "s/'sda'/'hda'/" >in.xml
rewritten >log
check "without features the guest runs" started out.xml
for feature in $features queues; do
    check "nothing shows $feature then" eval "! shows_${feature//-/_} pc ide"
done
for feature in $features; do
    check "$feature: rewritten" rewritten --add "$feature"
    check "$feature: the guest runs" started out.xml
    check "$feature: QEMU has it" "shows_${feature//-/_}" pc ide
done
check "queues: rewritten" rewritten --nic-queues 4
check "queues: the guest runs" started out.xml
check "queues: QEMU has them" shows_queues

# ---- all at once: machine, the bus of the disk before and after
for kind in "pc sata virtio" "q35 sata virtio" "pc scsi scsi" "q35 scsi scsi" \
    "pc sata scsi" "q35 sata scsi"; do
    # shellcheck disable=SC2086 # three words
    set -- $kind
    options="--add all --nic-queues 4"
    [ "$3" = virtio ] || options+=" --scsi"
    machine "$1" "$2" bridge >in.xml
    # shellcheck disable=SC2086 # several options
    check "all, $kind: rewritten" rewritten $options
    check "all, $kind: the guest runs" started out.xml
    check "all, $kind: QEMU has all" shown_by_all "$1" "$3"
    # what libvirt makes of it has all already
    defined guest >again.xml
    # shellcheck disable=SC2086 # several options
    check "all, $kind: libvirt's own XML needs nothing" \
        "$rewrite" $options again.xml again-out.xml
    check "all, $kind: it is the same" cmp again.xml again-out.xml
done

# ---- with KVM, which need not be here: the command is made, not run
sed "s/type='qemu'/type='kvm'/" out.xml >kvm.xml
virsh domxml-to-native qemu-argv --xml kvm.xml >argv 2>&1
check "the command for KVM has the Hyper-V features" \
    grep -q 'hv-time=on,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff' argv

# ---- what nobody has asked for
machine q35 sata bridge >in.xml
rewritten --add hypervclock >log
check "an offset stays" grep -q "<clock offset='localtime'>" out.xml
sed -i '/<clock/d' in.xml
rewritten >log
started out.xml >log 2>&1
defined guest | grep '<clock offset' >offset-before
rewritten --add hypervclock >log
started out.xml >log 2>&1
check "a clock that is added changes no offset" \
    grep -q "<clock offset='utc'>" <(defined guest)
check "libvirt had that offset" grep -q "<clock offset='utc'/>" offset-before

# ---- what our rules keep from libvirt
machine q35 sata bridge >in.xml
rewritten --nic-queues 4 >log
sed "s/type='bridge'/type='user'/; /<source bridge/d" out.xml >bad.xml
check "queues of a user interface are refused" refuses bad.xml "multiqueue is not supported"
machine q35 sata user | sed '/<source bridge/d' >in.xml
check "so it gets none" rewritten --nic-queues 4
check "and runs" started out.xml
expect_no_queues() {
    ! grep -q queues= out.xml
}
check "with one queue" expect_no_queues

machine q35 sata bridge >in.xml
rewritten --add iothread >log
sed "s/iothread='1'/& ioeventfd='off'/" out.xml >bad.xml
check "an iothread without ioeventfd is refused" refuses bad.xml "ioeventfd is required"
sed -i "s/type='raw'/& ioeventfd='off'/" in.xml
check "so the disk gets none" rewritten --add iothread
check "and QEMU runs" started out.xml

machine q35 sata bridge | sed "s,<memballoon,<panic model='isa'/>&," >in.xml
sed "s,<panic model='isa'/>,&&," in.xml >bad.xml
check "two pvpanic devices are refused" refuses bad.xml "Multiple panic devices"
check "so there is no second one" rewritten --add pvpanic
check "and one runs" started out.xml
sed -i "s/model='isa'/model='hyperv'/" in.xml
check "beside that of Hyper-V" rewritten --add pvpanic
check "QEMU runs" started out.xml
check "and has it" shows_pvpanic

machine q35 sata bridge | sed "s,<vcpu>,<iothreads>2</iothreads><iothreadids><iothread id='7'/></iothreadids>&," >in.xml
check "an iothread of the user's is taken" rewritten --add iothread
check "it exists" started out.xml
check "it is used" eval "command_line | grep '\"iothread\":\"iothread7\"'"

machine q35 scsi bridge | sed "s/model='virtio-scsi'/model='virtio-transitional'/" >in.xml
check "a transitional controller gets one" rewritten --add iothread
check "it starts" started out.xml
check "and has it" shows_iothread q35 scsi

guest_done
