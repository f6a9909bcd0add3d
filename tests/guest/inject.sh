#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The main job on a guest made from fixtures, through the real appliance; the
# result is read back with ntfs-3g's programs, hivexsh and qemu-img.
# shellcheck disable=SC2016,SC2317 # jq has its own $; functions are called through check
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
mkdir tmp
export TMPDIR=$tmp/tmp LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp}
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
cp vm.qcow2 original.qcow2
inject=("$v2v" inject vm.qcow2 --virtio-iso virtio-win.iso
    --domain-xml vm.xml --output-xml out.xml)

untouched() { [ "$(fingerprint vm.qcow2)" = "$before" ]; }
no_leftovers() { ! compgen -G '*.v2v-*' && rmdir "$TMPDIR" && mkdir "$TMPDIR"; }
only_undo() { test "$(echo *.v2v-*)" = "$1.v2v-undo-1 $1.v2v-undo-1.json"; }
says() { jq -e "$@" report.json; }
report() { "${inject[@]}" --json "$@" >report.json; }

# ---- a plan, and nothing else
check "dry run" report --dry-run
check "the plan is said to be one" says '.status == "planned"'
check "the plan has files and edits" \
    says '(.files | length) == 17 and (.registry | length) > 100'
check "a dry run leaves the image" untouched
check "a dry run writes no XML" test ! -e out.xml
check "a dry run leaves nothing behind" no_leftovers

# ---- killed in the middle, the program itself: the image is as it was, and the
# next run works
"${inject[@]}" >killed.log 2>&1 &
running=$!
until grep -q 'Editing the SYSTEM hive' killed.log ||
    ! kill -0 $running 2>/dev/null; do sleep 0.05; done
expect_exit 75 "a second run on the same image ends at once" report
kill -9 $running
wait $running 2>/dev/null
# libguestfs looks every two seconds whether its parent is gone
for ((i = 0; i < 100; i++)); do
    pgrep -f "$tmp/" >/dev/null || break
    sleep 0.1
done
check "a killed run leaves the image" untouched
check "it leaves no process" eval "! pgrep -f '$tmp/'"
check "it says how far it has come" \
    eval "jq -e '.state == \"preparing\"' vm.qcow2.v2v-state"

# ---- the job
check "inject" report
check "it says done" says '.status == "done"'
check "the boot chain was followed, and nothing in it is broken" \
    says '(.boot_chain | length) > 40 and
        ([.boot_chain[] | select(.state == "broken" or .state == "warns")] == [])'
check "the killed run is named" \
    says '[.warnings[].code] | index("interrupted-discarded") != null'
check "only what an undo needs is left behind" only_undo vm.qcow2
check "no temporary file either" rmdir tmp && mkdir tmp
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

check "other readers of NTFS find the same driver" volume_agrees c.ntfs \
    Windows/System32/drivers/viostor.sys medium/viostor/w10/amd64/viostor.sys

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
check "verify, with the new XML" "$v2v" verify vm.qcow2 --domain-xml out.xml
expect_output "every link holds" " 0 warn, 0 broken, 0 unknown"

# ---- undo: not after the guest has run, and else to the bit
check "undo --list" eval "'$v2v' undo --list --json >list.json"
check "it names the drivers" eval "jq -e '.undo[0].what |
    test(\"^viostor 100.1.104.10000, NetKVM .*, Balloon \")' list.json"
# as each run of Windows does: a sequence number of the hive that is 4 bytes in
witness() {
    jq -r --arg name "$1" '.witnesses[] | select(.[0] == $name) | .[1]' \
        vm.qcow2.v2v-undo-1.json
}
cp vm.qcow2 kept.qcow2
for name in "the NTFS journal" "the SOFTWARE hive" "the DRIVERS hive" \
    "the SYSTEM hive"; do
    qemu-io -f qcow2 -c "write -q -P 9 $(witness "$name") 8" vm.qcow2
    expect_exit 3 "no undo when $name has changed" "$v2v" undo vm.qcow2
    expect_output "$name is named" "$name"
    cp kept.qcow2 vm.qcow2
done
check "the places are those of the hives" eval "[ \"\$(qemu-img convert -O raw \
    vm.qcow2 raw && dd if=raw bs=1 count=4 status=none \
    skip=$(witness "the SYSTEM hive"))\" = regf ]"
rm -f raw kept.qcow2
check "undo" "$v2v" undo vm.qcow2
check "the disk is what it was" qemu-img compare -q vm.qcow2 original.qcow2
check "the image is sound" qemu-img check -q vm.qcow2
check "the XML, which was not there, is gone" test ! -e out.xml
check "nothing is left" no_leftovers
expect_exit 2 "there is nothing more to undo" "$v2v" undo vm.qcow2

# ---- another Windows, another disk layout, raw, drivers from a folder
"$fixtures/mkguest" --gpt --version 2k25 --format raw vm.raw
server() {
    "$v2v" inject --format raw vm.raw --virtio-iso medium --json >report.json
}
check "inject into Server 2025 on GPT, raw, drivers from a folder" server
check "it says done" says '.status == "done"'
check "the driver runs from the store (directory id 13)" \
    says '[.files[].path | select(endswith("drivers/viostor.sys"))] == []'
check "it says how to start it: UEFI, and what virt-install calls it" \
    says --arg path "$tmp/vm.raw" '.domain == null and (.virt_install |
        contains(" --osinfo win2k22 ") and contains(" --machine q35 --boot firmware=efi,") and
        contains(" path=\($path),format=raw,bus=virtio ") and contains(",model=virtio "))'
check "the volume is there" volume vm.raw c.ntfs
hive c.ntfs SYSTEM SYSTEM
check "the image path is in the store" value SYSTEM "$services\\viostor" \
    ImagePath "System32\\\\DriverStore\\\\FileRepository\\\\$(package viostor)\\\\viostor.sys"

# ---- before Windows 8, and a machine of two disks
"$fixtures/mkguest" --version winxp --arch x86 xp.qcow2
qemu-img create -q -f qcow2 data.qcow2 64M
data=$(fingerprint data.qcow2)
xp() {
    "$v2v" inject data.qcow2 xp.qcow2 --virtio-iso medium --drivers viostor \
        --json "$@" >report.json
}
check "inject into Windows XP on the second disk" xp --root 2:1 --no-undo
check "it says which disk" says '.image == "xp.qcow2" and .guest.disk == 2'
check "it says how to start it: what went in, and the disk that boots first" \
    says --arg dir "$tmp" '.virt_install | contains(" --osinfo winxp ") and
        contains(" --machine pc --disk path=\($dir)/xp.qcow2,format=qcow2,bus=virtio " +
            "--disk path=\($dir)/data.qcow2,format=qcow2,bus=virtio ") and
        contains(",model=rtl8139 ") and contains(" model=none ")'
check "the other disk is as it was" \
    test "$(fingerprint data.qcow2)" = "$data"
check "without an undo file nothing is left" \
    eval "! compgen -G 'xp*.v2v-*' && ! compgen -G 'data*.v2v-*'"
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
check "nothing is to do again" xp --output-xml xp.xml
check "it says so" says '.status == "nothing-to-do"'
check "the XML is a new one" says '.domain.input == null and .virt_install == null and
    .domain.changes[0].device == "domain xp"'
check "it is for this guest" test "$(xmllint --xpath \
    "concat(//*[local-name()='os']/@id, ' ', //disk[1]/source/@file, ' ', //disk[1]/target/@bus)" \
    xp.xml)" = "http://microsoft.com/win/xp $tmp/xp.qcow2 virtio"

guest_done
