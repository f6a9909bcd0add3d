#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mutations.sh NTFS-MUTATE NTFS-FILL WORK [RUNS] - a small volume with what an
# injection looks for, damaged in RUNS ways (tests/tools/ntfs-mutate.c).
# Each run of it takes other ways; V2V_SEED repeats them.
set -eu
mutate=$1 fill=$2 work=$3 runs=${4:-100}
here=$(cd "$(dirname "$0")" && pwd)
seed=${V2V_SEED:-$(date +%s)}
PATH=$PATH:/sbin:/usr/sbin
# shellcheck disable=SC2016 # O:BAG:SYD:AI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)
sd=0100048448000000580000000000000014000000020034000200000000031400ff011f00
sd+=01010000000000051200000000031800ff011f0001020000000000052000000020020000
sd+=01020000000000052000000020020000010100000000000512000000

rm -rf "$work"
mkdir -p "$work"
truncate -s 6M "$work/volume"
mkntfs -F -Q -q -s 512 -c 4096 -p 0 -H 255 -S 63 "$work/volume" >"$work/log" 2>&1
seq 14000 >"$work/text"
{
    for dir in Windows Windows/System32 Windows/System32/config Windows/System32/drivers; do
        printf 'dir\t%s\t%s\n' $sd $dir
    done
    printf 'file\t%s\tWindows/System32/config/SYSTEM\t%s\n' $sd "$work/text"
    for i in $(seq 90); do
        printf 'file\t%s\tWindows/System32/drivers/driver-with-a-long-name-%d.sys\t%s\n' \
            $sd "$i" "$here/mutations.sh"
    done
} | "$fill" "$work/volume"
python3 "$here/../../fixtures/damage" journal-clean "$work/volume"
echo "seed $seed"
"$mutate" "$work/volume" "$runs" "$seed" "$work"
