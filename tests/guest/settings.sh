#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the user says of the appliance arrives there: --memsize, --smp and the
# variables of libguestfs, whatever sandbox and children are between.  The
# machine is not waited for: what it would be started with is noted, and that
# is enough.
# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cd "$tmp" || exit 1
qemu=$(command -v qemu-system-x86_64) || skip 'no qemu-system-x86_64'
"$fixtures/mkguest" --size 96 guest.qcow2 || exit 1
cat >machine <<EOS
#!/bin/sh
case " \$* " in
*" -m "*) echo "\$*" >$tmp/arguments; env >$tmp/environment; exit 1 ;;
*) exec $qemu "\$@" ;;
esac
EOS
chmod +x machine
mkdir folder
export LIBGUESTFS_HV=$tmp/machine LIBGUESTFS_BACKEND_SETTINGS=force_tcg \
    LIBGUESTFS_CACHEDIR=${LIBGUESTFS_CACHEDIR:-/var/tmp} LIBGUESTFS_TMPDIR=$tmp/folder
run=("$v2v" check guest.qcow2 --backend libguestfs)

expect_exit 1 "the machine of LIBGUESTFS_HV is started" "${run[@]}" -m 700 --smp 3
check "--memsize arrives" grep -qE -e ' -m 700M? ' arguments
check "--smp arrives" grep -qE -e ' -smp 3 ' arguments
check "LIBGUESTFS_BACKEND_SETTINGS arrives: no KVM" grep -qE 'accel=tcg' arguments
check "LIBGUESTFS_TMPDIR has its files" grep -qF "$tmp/folder/" arguments
check "nothing is left there" rmdir folder
mkdir folder
rm arguments
LIBGUESTFS_MEMSIZE=600 expect_exit 1 "a second time" "${run[@]}"
check "LIBGUESTFS_MEMSIZE arrives" grep -qE -e ' -m 600M? ' arguments
LIBGUESTFS_TRACE=1 LIBGUESTFS_DEBUG=1 expect_exit 1 "with a trace" "${run[@]}"
expect_output "LIBGUESTFS_TRACE arrives" 'trace: launch'
expect_output "LIBGUESTFS_DEBUG arrives" 'launch: backend=direct'
LIBGUESTFS_PATH=$tmp/folder expect_exit 1 "a folder without an appliance" "${run[@]}"
expect_output "LIBGUESTFS_PATH arrives" 'see LIBGUESTFS_PATH'
guest_done
