#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The main job on a guest made from fixtures, through the real appliance; the
# result is read back with ntfs-3g's programs, hivexsh and qemu-img.
# shellcheck disable=SC2317 # functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
services='\ControlSet001\Services'
"$fixtures/mkguest" vm.qcow2
check "the guest is there" volume vm.qcow2 c.ntfs
hive c.ntfs SYSTEM SYSTEM
check "its boot chain has a StartOverride" \
    hive_has SYSTEM "$services\\disk\\StartOverride"
"$fixtures/mkiso" virtio-win.iso
mkdir medium
7z x -omedium virtio-win.iso >/dev/null
sed "s#/var/lib/libvirt/images/#$tmp/#" "$fixtures/domain.xml" >vm.xml
before=$(fingerprint vm.qcow2)
inject=("$v2v" inject vm.qcow2 --virtio-iso virtio-win.iso
    --domain-xml vm.xml --output-xml out.xml)

untouched() { [ "$(fingerprint vm.qcow2)" = "$before" ]; }
no_leftovers() { ! compgen -G '*.v2v-*'; }
says() { jq -e "$1" report.json; }
report() { "${inject[@]}" --json "$@" >report.json; }

# ---- a plan, and nothing else
check "dry run" report --dry-run
check "the plan is said to be one" says '.status == "planned"'
check "the plan has files and edits" \
    says '(.files | length) == 17 and (.registry | length) > 100'
check "a dry run leaves the image" untouched
check "a dry run writes no XML" test ! -e out.xml
check "a dry run leaves nothing behind" no_leftovers

# ---- killed in the middle: the image is as it was, and the next run works
"${inject[@]}" >killed.log 2>&1 &
running=$!
until grep -q 'Editing the SYSTEM hive' killed.log ||
    ! kill -0 $running 2>/dev/null; do sleep 0.05; done
expect_exit 75 "a second run on the same image ends at once" report
kill -9 $running
wait $running 2>/dev/null
sleep 2 # the appliance notices that its parent is gone
check "a killed run leaves the image" untouched

# ---- the job
check "inject" report
check "it says done" says '.status == "done"'
check "the killed run's overlay is named" \
    says '[.warnings[].code] | index("stale-overlay") != null'
check "nothing is left behind" no_leftovers
check "the image is sound" qemu-img check -q vm.qcow2
check "the volume is there" volume vm.qcow2 c.ntfs
check "the volume is sound" volume_check c.ntfs

store=Windows/System32/DriverStore/FileRepository
catroot='Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}'
same_file() { volume_cat c.ntfs "$1" | cmp - "medium/$2"; }
package() { jq -r ".drivers[] | select(.driver == \"$1\") | .package" report.json; }
oem() { jq -r ".drivers[] | select(.driver == \"$1\") | .oem_inf" report.json; }

for driver in viostor:viostor NetKVM:netkvm Balloon:balloon; do
    name=${driver#*:} driver=${driver%:*}
    folder=$(package "$driver") inf=$(oem "$driver")
    for file in "$name.inf" "$name.sys"; do
        check "$driver: $file is in the driver store" \
            same_file "$store/$folder/$file" "$driver/w10/amd64/$file"
    done
    check "$driver: the INF is published" \
        same_file "Windows/INF/$inf" "$driver/w10/amd64/$name.inf"
    check "$driver: the catalog is in CatRoot" \
        same_file "$catroot/${inf%.inf}.cat" "$driver/w10/amd64/$name.cat"
done
check "the boot driver is where its service expects it" \
    same_file Windows/System32/drivers/viostor.sys viostor/w10/amd64/viostor.sys

# S-1-1-0, Everyone, as a SID in a descriptor; and the inherited entry that
# System32\drivers gives: Administrators, full control
everyone=010100000000000100000000
administrators=00101800ff011f0001020000000000052000000020020000
for file in Windows/System32/drivers/viostor.sys "Windows/INF/$(oem viostor)" \
    "$store/$(package viostor)" "$store/$(package viostor)/viostor.sys"; do
    volume_acl c.ntfs "$file" >acl.txt
    check "$file: Everyone has no entry" \
        eval "[ -s acl.txt ] && ! grep -q $everyone acl.txt"
done
volume_acl c.ntfs Windows/System32/drivers/viostor.sys >acl.txt
check "the boot driver inherits from its folder" grep -q $administrators acl.txt

for name in SYSTEM SOFTWARE DRIVERS; do hive c.ntfs $name $name; done
database='\DriverDatabase'
value() { hive_value "$1" "$2" "$3" | grep -qx -- "$4"; }
check "viostor starts at boot" value SYSTEM "$services\\viostor" Start 0
check "its image path" value SYSTEM "$services\\viostor" ImagePath \
    'System32\\drivers\\viostor.sys'
check "its group" value SYSTEM "$services\\viostor" Group 'SCSI miniport'
check "StartOverride of the boot chain is gone" \
    eval "! hive_has SYSTEM '$services\\disk\\StartOverride'"
check "that of others stays" hive_has SYSTEM "$services\\intelide\\StartOverride"
check "the package is configured" value SYSTEM \
    "$database\\DriverPackages\\$(package viostor)\\Configurations\\viostor_inst" \
    Service viostor
check "NetKVM is staged in DRIVERS" value DRIVERS \
    "$database\\DriverInfFiles\\$(oem NetKVM)" Active "$(package NetKVM)"
check "NetKVM has no service" eval "! hive_has SYSTEM '$services\\netkvm'"
check "lockdown names the driver" hive_has SOFTWARE \
    '\Microsoft\Windows\CurrentVersion\Setup\PnpLockdownFiles\%SystemRoot%/System32/drivers/viostor.sys'

check "the XML: disk on virtio" grep -q "<target dev='vda' bus='virtio'/>" out.xml
check "the XML: CD-ROM stays on sata" grep -q "bus=.sata" out.xml

# ---- again: nothing to do
after=$(fingerprint vm.qcow2) && cp out.xml first.xml
check "inject again" report
check "nothing is to do" says '.status == "nothing-to-do"'
check "the second run leaves the image" \
    test "$(fingerprint vm.qcow2)" = "$after"
check "the second run writes the same XML" cmp first.xml out.xml

# ---- another Windows, another disk layout, raw, drivers from a folder
"$fixtures/mkguest" --gpt --version 2k25 --format raw vm.raw
server() {
    "$v2v" inject --format raw vm.raw --virtio-iso medium --json >report.json
}
check "inject into Server 2025 on GPT, raw, drivers from a folder" server
check "it says done" says '.status == "done"'
check "the driver runs from the store (directory id 13)" \
    says '[.files[].path | select(endswith("drivers/viostor.sys"))] == []'
check "the volume is there" volume vm.raw c.ntfs
hive c.ntfs SYSTEM SYSTEM
check "the image path is in the store" value SYSTEM "$services\\viostor" \
    ImagePath "System32\\\\DriverStore\\\\FileRepository\\\\$(package viostor)\\\\viostor.sys"

# ---- before Windows 8
"$fixtures/mkguest" --version winxp --arch x86 xp.qcow2
xp() {
    "$v2v" inject xp.qcow2 --virtio-iso medium --drivers viostor --json \
        >report.json
}
check "inject into Windows XP" xp
check "the volume is there" volume xp.qcow2 c.ntfs
hive c.ntfs SYSTEM SYSTEM
hive c.ntfs SOFTWARE SOFTWARE
check "the device is critical" value SYSTEM \
    '\ControlSet001\Control\CriticalDeviceDatabase\PCI#VEN_1AF4&DEV_1001' \
    Service viostor
check "its driver is there" \
    same_file Windows/System32/drivers/viostor.sys viostor/xp/x86/viostor.sys
check "Plug and Play looks for the package" value SOFTWARE \
    '\Microsoft\Windows\CurrentVersion' DevicePath \
    '%SystemRoot%\\inf;%SystemRoot%\\Drivers\\VirtIO\\viostor'
check "nothing is to do again" xp
check "it says so" says '.status == "nothing-to-do"'

guest_done
