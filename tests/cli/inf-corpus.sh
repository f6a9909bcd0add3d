#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: inf-corpus.sh INF-DUMP
# Holds the parser against recorded results of an independent one, and reads
# the storage, network and balloon INFs of two virtio-win images.  V2V_SHARED
# names the directory that has all that.
set -u

dump=$1
shared=${V2V_SHARED:-$(dirname "$0")/../../../shared}
tools=$shared/tools
data=$shared/data
for needed in "$tools/compare-inf" "$data/inf" "$data/virtio-win"; do
    if [ ! -e "$needed" ]; then
        echo "skipped: V2V_SHARED has no ${needed#"$shared"/}"
        exit 77
    fi
done

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# Where Windows differs from the recorded parser, and we follow Windows:
#   Adafruit_usbser, 09, 11  the CR after an unterminated quote is no text
#   04                       UTF-16BE is documented, and read
#   22                       NULs are blanks; the file is no UTF-16
#   24                       fields are not cut at 511 characters
cat >"$tmp/corpus.want" <<END
adafruit_win__a37370d7__Adafruit_usbser.inf
END
cat >"$tmp/tricky.want" <<END
04_utf16be_bom.inf
09_unterminated_quote.inf
11_continuation_vs_section.inf
22_ctrl_z_nul.inf
24_long_fields.inf
END
for set in corpus tricky; do
    "$tools/compare-inf" --cmd "'$dump' raw {inf}" --set $set --max 100000 |
        sed -n 's/^\([^ ]*\.in[fx]\): line [0-9]*$/\1/p' >"$tmp/$set.got"
    diff -u "$tmp/$set.want" "$tmp/$set.got" || failed=1
done

# image folder arch version type: what must come out, one a line
check() {
    file=$(find "$tmp/$1" -ipath "*/$2" | head -n 1)
    "$dump" device "$file" "$3" "$4" "$5" >"$tmp/got" 2>&1 || failed=1
    while read -r line; do
        grep -qF -- "$line" "$tmp/got" && continue
        echo "$1 $2 on $3 $4 type $5: no \"$line\" in"
        cat "$tmp/got"
        failed=1
    done
}

disk() {
    check "$@" <<END
version SCSIAdapter {4D36E97B-E325-11CE-BFC1-08002BE10318} catalog viostor.cat
device Red Hat VirtIO SCSI controller: PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00, PCI\\VEN_1AF4&DEV_1001 -> scsi_inst
device Red Hat VirtIO SCSI controller: PCI\\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01, PCI\\VEN_1AF4&DEV_1042 -> scsi_inst
copy $dirid:\\viostor.sys from viostor.sys
service viostor: flags 0x2 type 1 start 0 error 1 binary %$dirid%\\viostor.sys group SCSI miniport event System, 
file viostor.sys
END
}
net() {
    check "$@" <<END
version Net
PCI\\VEN_1AF4&DEV_1000&SUBSYS_00011AF4&REV_00, PCI\\VEN_1AF4&DEV_1000 -> kvmnet6.ndi
PCI\\VEN_1AF4&DEV_1041&SUBSYS_11001AF4&REV_01, PCI\\VEN_1AF4&DEV_1041 -> kvmnet6.ndi
copy $dirid:\\netkvm.sys from netkvm.sys
service netkvm: flags 0x2 type 1 start 3 error 1 binary %$dirid%\\netkvm.sys group NDIS event System, 3 reg
file netkvm.sys
END
}
balloon() {
    check "$@" <<END
PCI\\VEN_1AF4&DEV_1045&SUBSYS_11001AF4&REV_01, PCI\\VEN_1AF4&DEV_1045 -> BALLOON_Device
install BALLOON_Device.NT: 
copy $dirid:\\balloon.sys from balloon.sys
service BALLOON: flags 0x2 type 1 start 3 error 1 binary %$dirid%\\balloon.sys
file balloon.sys
END
}

# image folder arch version type: it is read, and no device may come out
none() {
    file=$(find "$tmp/$1" -ipath "*/$2" | head -n 1)
    if ! "$dump" device "$file" "$3" "$4" "$5" >"$tmp/none" ||
        ! grep -q '^version ' "$tmp/none" || grep '^device' "$tmp/none"; then
        echo "$1 $2 is not read, or serves $3 $4 type $5"
        failed=1
    fi
}

for image in subset 0.1.285-style; do
    7z x -y -bd -o"$tmp/$image" "$data/virtio-win/virtio-win-$image.iso" \
        '*.inf' -r >/dev/null || exit 1
done
for row in w8.1:6.3.9600:1 2k12R2:6.3.9600:3 w10:10.0.19045:1 \
    2k16:10.0.14393:3 2k19:10.0.17763:3 2k22:10.0.20348:3 w11:10.0.22631:1 \
    w11:10.0.26100:3 2k25:10.0.26100:3; do
    folder=${row%%:*} type=${row##*:}
    version=${row%:*} version=${version#*:}
    for image in subset 0.1.285-style; do
        dirid=12
        case $image:$folder in 0.1.285-style:w11 | 0.1.285-style:2k25)
            dirid=13 ;;
        esac
        for part in viostor NetKVM Balloon; do
            inf=$part/$folder/amd64/$part.inf
            [ -n "$(find "$tmp/$image" -ipath "*/$inf")" ] || continue
            case $part in
            viostor) disk $image "$inf" amd64 "$version" "$type" ;;
            NetKVM) net $image "$inf" amd64 "$version" "$type" ;;
            Balloon) balloon $image "$inf" amd64 "$version" "$type" ;;
            esac
            none $image "$inf" amd64 6.2.9200 1
            none $image "$inf" arm64 "$version" "$type"
            none $image "$inf" x86 5.1.2600 1
            echo "$image $inf $version $type" >>"$tmp/checked"
        done
    done
done
none 0.1.285-style viostor/w11/amd64/viostor.inf amd64 10.0.14393 1
none 0.1.285-style viostor/w10/amd64/viostor.inf amd64 6.3.9600 1
echo "$(wc -l <"$tmp/checked") packages of virtio-win read"
[ "$(wc -l <"$tmp/checked")" -ge 20 ] || failed=1
exit $failed
