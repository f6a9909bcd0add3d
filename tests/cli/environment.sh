#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# environment.sh PROGRAM: a whole injection, wherever and by whomever the program
# is started: no terminal, no HOME, files that are closed or full, any locale and
# umask, any name, an ordinary user.  It is done and can be undone, or nothing has
# happened; and what it says on standard output is whole, or an error.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
export VIRTIO_WIN=$work/medium program work

# an image as it is before, and after an injection
before=$(sha256sum <guest.qcow2)

# injected NAME IMAGE: the driver is in, and undo brings the image back
injected() {
    local name=$1 image=$2
    [ "$("$program" verify --json -- "$image" | jq -r .status)" = holds ] ||
        fail "$name: verify"
    "$program" undo -q -- "$image" || fail "$name: undo"
    qemu-img compare -q guest.qcow2 "$(realpath -- "$image")" ||
        fail "$name: not as it was before"
    [ -z "$(find "$work" -name '*.v2v-*')" ] || fail "$name: left: $(ls)"
}

# inject NAME COMMAND...: which ends in the words of an injection into vm.qcow2
inject() {
    local name=$1 got=0
    shift
    count=$((count + 1))
    cp guest.qcow2 vm.qcow2
    "$@" "$program" inject --output-xml out.xml vm.qcow2 >out.txt 2>err.txt ||
        got=$?
    if [ $got != 0 ]; then
        fail "$name: exit status $got: $(tail -n 1 err.txt)"
        return
    fi
    grep -q '^Result: ' out.txt || fail "$name: no report"
    xmllint --noout out.xml || fail "$name: the XML"
    injected "$name" vm.qcow2
    rm -f vm.qcow2 out.xml
}

# What is asked for, and where from -----------------------------------------

inject 'plain'
inject 'no terminal' setsid --wait
inject 'no HOME' env -u HOME
inject 'a HOME that is not there' env HOME=/nonexistent
inject 'no environment' env -i "VIRTIO_WIN=$VIRTIO_WIN"
inject 'the old name' env -u VIRTIO_WIN "VIRTIO_WIN_DIR=$VIRTIO_WIN"
inject 'no TMPDIR' env -u TMPDIR
inject 'SIGCHLD is ignored' bash -c 'trap "" CHLD; exec "$@"' -
inject 'SIGPIPE and SIGHUP are ignored' bash -c 'trap "" PIPE HUP; exec "$@"' -
inject 'few files may be open' bash -c 'ulimit -n 48; exec "$@"' -
inject 'an old getopt' env POSIXLY_CORRECT=1

for mask in 000 027 077; do
    # shellcheck disable=SC2016
    inject "umask $mask" bash -c 'umask '$mask'; exec "$@"' -
done
# nobody else reads what is kept of a guest, however open the umask is
cp guest.qcow2 vm.qcow2
(umask 000; "$program" inject -q vm.qcow2 2>/dev/null)
[ -z "$(find . -name 'vm.qcow2.v2v-*' -perm /077)" ] ||
    fail "umask 000: $(ls -l vm.qcow2.v2v-*)"
rm -f vm.qcow2*

# Files that are closed or full ----------------------------------------------

# said WANT NAME REDIRECTION OPTION...: exit status WANT; done in any case, for
# the image is more than the report
said() {
    local want=$1 name=$2 redirection=$3 got=0
    shift 3
    count=$((count + 1))
    cp guest.qcow2 vm.qcow2
    bash -c "exec '$program' inject vm.qcow2 $* $redirection" >out.txt 2>err.txt || got=$?
    [ $got = "$want" ] || fail "$name: exit status $got for $want"
    injected "$name" vm.qcow2
    rm -f vm.qcow2
}

for option in '' --json; do
    said 0 "stdin closed $option" '<&-' $option
    said 0 "stderr closed $option" '2>&-' $option
    said 0 "stderr full $option" '2>/dev/full' $option
    for where in '>&-' '>/dev/full' '<&- >&-'; do
        said 1 "$where $option" "$where" $option
        grep -q '^v2v-virtio: error: standard output (all is done, only the report is lost): ' err.txt ||
            fail "$where $option: $(tail -n 1 err.txt)"
        [ "$(grep -c '^v2v-virtio: [^w]' err.txt)" = 1 ] ||
            fail "$where $option: said twice: $(cat err.txt)"
    done
    said 1 "all closed $option" '<&- >&- 2>&-' $option
done
said 0 'stdout full and quiet' '>/dev/full' -q
for words in 'check guest.qcow2' 'check guest.qcow2 --json' \
    'drivers list medium' 'drivers explain guest.qcow2' 'xml in.xml' 'undo --list --json' \
    --help 'help inject' --version; do
    count=$((count + 1)) got=0
    # shellcheck disable=SC2086
    "$program" $words >/dev/full 2>err.txt || got=$?
    [ $got = 1 ] || fail "$words on a full device: exit status $got"
    grep -qx 'v2v-virtio: error: standard output: No space left on device' err.txt ||
        fail "$words on a full device: $(cat err.txt)"
done

# Who reads one line has it, and the injection is whole.
count=$((count + 1))
cp guest.qcow2 vm.qcow2
"$program" inject vm.qcow2 2>/dev/null | head -n 1 >out.txt
[ -s out.txt ] || fail 'head -1: nothing'
injected 'head -1' vm.qcow2

# Locales -------------------------------------------------------------------

# Where case is another (Turkish), numbers have a comma (German).
mkdir locales
# newlocale(3) of Debian 12 loses a copy of LOCPATH, which AddressSanitizer would
# count as ours: libp11-kit calls it before main().
echo leak:__argz_add_sep >lsan
export LSAN_OPTIONS=suppressions=$work/lsan:print_suppressions=0
for name in tr_TR.UTF-8 de_DE.UTF-8 de_DE.ISO-8859-1; do
    localedef -i "${name%%.*}" -f "${name#*.}" "locales/$name" 2>/dev/null ||
        { fail "no locale $name (package locales)"; continue; }
    inject "$name" env LOCPATH="$work/locales" LC_ALL=$name LANG=$name LANGUAGE=tr:de
    LOCPATH=$work/locales LC_ALL=$name "$program" check --json --drivers VIOSTOR,netkvm \
        guest.qcow2 2>/dev/null >"$name.json"
done
LC_ALL=C "$program" check --json --drivers VIOSTOR,netkvm guest.qcow2 2>/dev/null >C.json
for name in tr_TR.UTF-8 de_DE.UTF-8 de_DE.ISO-8859-1; do
    count=$((count + 1))
    cmp -s C.json $name.json || fail "$name: another document than with C"
done
inject 'a locale that is not there' env LC_ALL=xx_XX.UTF-8

# Names -----------------------------------------------------------------------

# named FILE: as an image, a medium, an XML and an output of this name
named() {
    local name=$1 got=0
    count=$((count + 1))
    cp guest.qcow2 "./$name"
    mkdir folder
    cp in.xml "folder/$name"
    cp -r medium "folder/$name medium"
    "$program" inject -q --virtio-iso "folder/$name medium" --domain-xml "folder/$name" \
        --output-xml "folder/out$name" -- "$name" 2>err.txt || got=$?
    [ $got = 0 ] || fail "$name: exit status $got: $(tail -n 1 err.txt)"
    "$program" undo --list --json >out.json || fail "$name: undo --list"
    # JSON is Unicode: what is no UTF-8 cannot be in it
    [ "$(jq -r '.undo[0].image' out.json)" = "$name" ] ||
        ! iconv -f UTF-8 -t UTF-8 <<<"$name" >/dev/null 2>&1 || fail "$name: $(cat out.json)"
    injected "$name" "$name"
    "$program" inject -q "--image=$name" "--output=./new$name" 2>err.txt ||
        fail "$name, to a new one: $(tail -n 1 err.txt)"
    [ "$("$program" verify --json "./new$name" | jq -r .status)" = holds ] ||
        fail "$name: the new one"
    rm -rf folder "./$name" "./new$name"
}

named 'two words.qcow2'
named "it's \"quoted\".qcow2"
# shellcheck disable=SC2016 # no shell is to expand it
named '$(touch x) `touch y`; touch z.qcow2'
named 'größe ⚙ 日本.qcow2'
named $'two\nlines.qcow2'
named $'tab\tand bell\a.qcow2'
named $'no UTF-8 \xff.qcow2'
named '-n.qcow2'
named '--help'
named 'json:{"driver":"raw"}.qcow2'
named 'nbd:localhost:1'
named 'a,b=c.qcow2'
named '%s%n.qcow2'
[ -z "$(ls -d x y z.qcow2 2>/dev/null)" ] || fail 'a name was run'

# What comes from a name steers no terminal.
count=$((count + 1))
"$program" check $'esc\e[2J.qcow2' 2>err.txt
grep -q $'\e' err.txt && fail 'an escape sequence came through'

# The way there: relative, through a link, from a folder that nobody may write.
count=$((count + 3))
mkdir -p sub/deeper
cp guest.qcow2 sub/vm.qcow2
(cd sub/deeper && "$program" inject -q ../vm.qcow2) 2>/dev/null || fail 'a relative path'
injected 'a relative path' sub/vm.qcow2
ln -s sub/vm.qcow2 link.qcow2
"$program" inject -q link.qcow2 2>/dev/null || fail 'a symbolic link'
[ -L link.qcow2 ] || fail 'the link has become a file'
injected 'a symbolic link' link.qcow2
chmod 555 sub/deeper
(cd sub/deeper && ordinary "$program" check --json "$work/guest.qcow2" >"$work/out.json" 2>/dev/null) ||
    fail 'check from a folder that cannot be written'
jq -e '.status == "clear"' out.json >/dev/null || fail "read-only folder: $(cat out.json)"

# An ordinary user, who has no HOME, in a folder of his own --------------------

count=$((count + 1))
mkdir own
cp guest.qcow2 own/vm.qcow2
[ "$(id -u)" != 0 ] || chown -R 65534 own
ordinary env -u HOME "$program" inject own/vm.qcow2 >out.txt 2>err.txt ||
    fail "an ordinary user: $(tail -n 1 err.txt)"
ordinary env -u HOME "$program" undo -q own/vm.qcow2 || fail 'undo of an ordinary user'
qemu-img compare -q guest.qcow2 own/vm.qcow2 || fail 'undo of an ordinary user is not whole'
# but others' images only to look at
count=$((count + 1))
ordinary "$program" verify guest.qcow2 >/dev/null 2>&1
[ $? = 3 ] || fail "verify of another's image"

[ "$(sha256sum <guest.qcow2)" = "$before" ] || fail 'guest.qcow2 has changed'
[ -z "$(ls tmp)" ] || fail "left in TMPDIR: $(ls tmp)"
echo "$count environments"
exit $status
