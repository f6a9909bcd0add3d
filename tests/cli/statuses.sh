#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# statuses.sh PROGRAM: the class of a failure is the exit status, and it is the
# same for every subcommand: the table below, each field of which is run.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# What the rows are about ------------------------------------------------------

"$fixtures/mkguest" --size 96 --fast-startup hibernated.qcow2 || exit 1
"$fixtures/mkguest" --size 96 --corrupt-system corrupt.qcow2 || exit 1
"$fixtures/mkguest" --size 96 --no-windows data.qcow2 || exit 1
"$fixtures/mkguest" --size 96 --two two.qcow2 || exit 1
cp guest.qcow2 locked.qcow2 && chmod 600 locked.qcow2
cp -r medium locked-medium && chmod 700 locked-medium
cp in.xml locked.xml && chmod 600 locked.xml
echo 'no image' >text.img
echo 'no image' >text.iso
echo '<domain' >text.xml
echo "<domain type='xen'><os><type>hvm</type></os><devices/></domain>" >xen.xml
qemu-img create -q -f qcow2 -F qcow2 -b guest.qcow2 child.qcow2
mkdir empty
mkdir bin # without QEMU's programs
for tool in sh env; do ln -s "$(command -v $tool)" bin; done

# in use by QEMU, and by another run, which has this lock (src/image/open.c)
cp guest.qcow2 busy.qcow2
cp guest.qcow2 ours.qcow2
mkfifo held held2
qemu-io -f qcow2 busy.qcow2 <held >/dev/null 2>&1 &
holder=$!
exec 9>held
until grep -q "OFDLCK.*:$(stat -c %i busy.qcow2) " /proc/locks; do
    kill -0 $holder 2>/dev/null || { echo "FAIL: qemu-io died"; exit 1; }
    sleep 0.1
done
python3 - ours.qcow2 9>&- <<'PY' &
import fcntl, struct, sys, time
F_OFD_SETLK = 37  # linux/fcntl.h
with open(sys.argv[1], "r+b") as f:
    fcntl.fcntl(f, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0,
                                            0x76327600, 1, 0))
    open("has-lock", "w").close()
    time.sleep(600)
PY
other=$!
trap 'kill $other; chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
until [ -e has-lock ]; do
    kill -0 $other 2>/dev/null || { echo "FAIL: no lock"; exit 1; }
    sleep 0.1
done

# The table ----------------------------------------------------------------------
#
# -: there is no such thing for the command.  The commands: inject, check, verify,
# drivers explain, undo, recover on an image; drivers list on a medium; xml.
#   what               how             inj chk ver exp und rec  lst xml
table="
    fine               guest.qcow2       0   0   3   0   2   0    0   0
    unknown-option     --nonsense        2   2   2   2   2   2    2   2
    no-such-file       missing           2   2   2   2   2   2    2   2
    not-allowed        locked            2   2   2   2   2   2    2   2
    no-file            folder            2   2   2   2   2   2    -   2
    no-image           text              5   5   5   5   5   0    5   5
    damaged-guest      corrupt.qcow2     5   5   5   5   2   0    -   -
    hibernated         hibernated.qcow2  3   3   3   0   2   0    -   -
    no-windows         data.qcow2        3   3   3   3   2   0    -   -
    several-windows    two.qcow2         3   3   3   3   2   0    -   -
    backing-file       child.qcow2       3   3   3   3   3   0    -   -
    refused-machine    xen               3   3   3   3   -   -    -   3
    no-driver          empty             4   4   -   0   -   -    0   -
    in-use-by-qemu     busy.qcow2       75  75  75  75  75   0    -   -
    in-use-by-a-run    ours.qcow2       75  75  75  75  75  75    -   -
    tool-missing       no-qemu           1   1   1   1   1   0    0   0
    stdout-full        /dev/full         1   1   3   1   2   1    1   1
"

commands=(inject check verify explain undo recover list xml)

# words COMMAND IMAGE MEDIUM XML: the command line
words() {
    case $1 in
    inject) echo "inject -q --dry-run $2 --virtio-iso $3" ;;
    check) echo "check $2 --virtio-iso $3" ;;
    explain) echo "drivers explain $2 $3" ;;
    list) echo "drivers list $3" ;;
    xml) echo "xml $4" ;;
    *) echo "$1 $2" ;;
    esac
}

# run COMMAND HOW: its exit status
run() {
    local as='' out=out.txt args got=0
    case $2 in
    --nonsense) args="$(words "$1" guest.qcow2 medium in.xml) $2" ;;
    missing) args=$(words "$1" missing.qcow2 missing.iso missing.xml) ;;
    locked) args=$(words "$1" locked.qcow2 locked-medium locked.xml) as=ordinary ;;
    folder) args=$(words "$1" empty empty empty) ;;
    text) args=$(words "$1" text.img text.iso text.xml) ;;
    xen)
        args=$(words "$1" guest.qcow2 medium xen.xml)
        [ "$1" = xml ] || args="$args --domain-xml xen.xml"
        [ "$1" != inject ] || args="$args --output-xml new.xml"
        ;;
    empty) args=$(words "$1" guest.qcow2 empty in.xml) ;;
    no-qemu) args=$(words "$1" guest.qcow2 medium in.xml) as="env PATH=$work/bin" ;;
    /dev/full) args=$(words "$1" guest.qcow2 medium in.xml) out=/dev/full args=${args/-q /} ;;
    *) args=$(words "$1" "$2" medium in.xml) ;;
    esac
    # shellcheck disable=SC2086
    $as "$program" $args >$out 2>err.txt || got=$?
    echo $got
}

while read -r name how row; do
    [ -n "$name" ] || continue
    read -ra wants <<<"$row"
    for i in "${!commands[@]}"; do
        [ "${wants[i]}" != - ] || continue
        count=$((count + 1))
        got=$(run "${commands[i]}" "$how")
        [ "$got" = "${wants[i]}" ] ||
            fail "$name: ${commands[i]}: exit status $got for ${wants[i]}: $(tail -n 1 err.txt)"
        # a reason is given, in one line that begins with the program's name
        [ "$got" = 0 ] || [ "$name" = fine ] ||
            grep -q '^v2v-virtio: ' err.txt || [[ ${commands[i]} == @(check|verify) ]] ||
            fail "$name: ${commands[i]}: nothing is said"
    done
done <<<"$table"

# Interrupted -----------------------------------------------------------------------
#
# As every shell tells it: 128 and the signal's number.  What waits for its end is
# the appliance's machine, which never comes up.
printf '#!/bin/sh\nexec sleep 60\n' >machine
chmod +x machine
export LIBGUESTFS_HV=$work/machine LIBGUESTFS_BACKEND_SETTINGS=force_tcg
for signal in INT TERM HUP QUIT; do
    for command in inject check; do
        cp guest.qcow2 vm.qcow2
        args=$(words $command vm.qcow2 medium in.xml)
        count=$((count + 1)) got=0
        # shellcheck disable=SC2086
        env --default-signal setsid "$program" ${args/--dry-run /} --backend libguestfs >out.txt 2>&1 &
        pid=$!
        until pgrep -s $pid -f "sleep 60" >/dev/null; do
            kill -0 $pid 2>/dev/null || break
            sleep 0.05
        done
        kill -$signal $pid
        wait $pid 2>/dev/null || got=$?
        [ $got = $((128 + $(kill -l $signal))) ] ||
            fail "$command, SIG$signal: exit status $got: $(tail -n 1 out.txt)"
        cmp -s guest.qcow2 vm.qcow2 || fail "$command, SIG$signal: the image has changed"
        [ -z "$(ls -d vm.qcow2.* tmp/v2v* 2>/dev/null)" ] ||
            fail "$command, SIG$signal: left: $(ls -d vm.qcow2.* tmp/*)"
        pgrep -s $pid >/dev/null && fail "$command, SIG$signal: a process is left"
    done
done
# one that starts nobody
for signal in INT TERM HUP QUIT; do
    count=$((count + 1)) got=0
    env --default-signal "$program" xml - <held2 >out.txt 2>&1 &
    pid=$!
    exec 8>held2
    until [ "$(cat /proc/$pid/comm)" = v2v-virtio ]; do sleep 0.05; done
    kill -$signal $pid
    wait $pid 2>/dev/null || got=$?
    exec 8>&-
    [ $got = $((128 + $(kill -l $signal))) ] || fail "xml, SIG$signal: exit status $got"
done

exec 9>&-
wait $holder
echo "$count statuses"
exit $status
