#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xml.sh PROGRAM: the subcommand "xml": where input and output may be, what the
# diff and the JSON document say, and what is refused with which exit status.
set -u
program=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0 count=0

fail() {
    echo "FAIL: $*"
    status=1
}

# is NAME COMMAND...: the command succeeds
is() {
    local name=$1
    shift
    count=$((count + 1))
    "$@" || fail "$name: $*"
}

# refused STATUS TEXT ARGUMENT...: TEXT is a pattern of the first line
refused() {
    local want=$1 text=$2 got=0 said
    shift 2
    said=$("$program" xml "$@" 2>&1 >out.txt) || got=$?
    count=$((count + 1))
    # shellcheck disable=SC2053
    if [ $got != "$want" ] || [[ ${said%%$'\n'*} != "v2v-virtio: error: "$text ]]; then
        fail "xml $*: exit status $got for $want: $said, for: $text"
    fi
    case $* in
    --json*) jq -e '.status == "failed"' out.txt >/dev/null ||
        fail "xml $*: a refusal has no document" ;;
    *) [ ! -s out.txt ] || fail "xml $*: a refusal has a result" ;;
    esac
}

cat >in.xml <<'XML'
<?xml version='1.0' encoding='UTF-8'?>
<domain type='kvm'>
  <name>vm</name>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://microsoft.com/win/10"/>
    </libosinfo:libosinfo>
  </metadata>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type="file">
      <source file='/a.qcow2'/>
      <target dev='sda' bus='sata'/>
    </disk>
    <interface type='network'>
      <source network='default'/>
      <model type='e1000e'/>
    </interface>
    <!-- päöü -->
    <memballoon model='none'/>
  </devices>
</domain>
XML
sed -e "s/'sda' bus='sata'/'vda' bus='virtio'/" -e "s/'e1000e'/'virtio'/" \
    -e "s/'none'/'virtio'/" in.xml >want.xml
sed 's/$/\r/' in.xml >crlf.xml
sed 's/$/\r/' want.xml >want-crlf.xml
sed 's/UTF-8/UTF-16/' in.xml | iconv -t UTF-16 >utf16.xml
sed 's/UTF-8/UTF-16/' want.xml | iconv -t UTF-16 >want-utf16.xml
sed 's/UTF-8/UTF-16/' in.xml | { printf '\376\377'; iconv -t UTF-16BE; } >utf16be.xml
printf %s "$(cat in.xml)" >unended.xml # no line end at the end
printf %s "$(cat want.xml)" >want-unended.xml

# Places.
is 'to standard output' "$program" xml -q in.xml >out.xml
is 'to standard output' cmp out.xml want.xml
is '- is standard output' "$program" xml -q in.xml - >out.xml
is '- is standard output' cmp out.xml want.xml
is 'a pipe' cmp <("$program" xml -q - <in.xml) want.xml
is 'a pipe that brings little at a time' cmp want.xml \
    <(dd if=in.xml bs=100 status=none | "$program" xml -q -)
is 'to a file' "$program" xml -q in.xml out.xml
is 'to a file' cmp out.xml want.xml
cp in.xml same.xml && chmod 640 same.xml && ln -s same.xml link.xml
is 'in place' "$program" xml -q link.xml link.xml
is 'in place' cmp same.xml want.xml
is 'a link stays one' test -L link.xml
is 'the mode stays' test "$(stat -c %a same.xml)" = 640
cp in.xml secret.xml && chmod 600 secret.xml
is 'what others may not read' "$program" xml -q secret.xml new.xml
is 'they may not read rewritten' test "$(stat -c %a new.xml)" = 600
chmod 644 new.xml
is 'nor in the place of another file' "$program" xml -q secret.xml new.xml
is 'nor in the place of another file' test "$(stat -c %a new.xml)" = 600
is 'no temporary file is left' test ! -e same.xml.v2v-new -a ! -e link.xml.v2v-new
for form in crlf utf16 unended; do
    "$program" xml -q $form.xml >out.xml
    is "$form" cmp out.xml want-$form.xml
done

# Nothing to do.
rm -f again.xml
is 'a second time' "$program" xml want.xml again.xml >said
is 'a second time' grep -q 'nothing to do' said
is 'written all the same' cmp again.xml want.xml
is 'a second time, piped' "$program" xml want.xml 2>said >out.xml
is 'a second time, piped' grep -q 'nothing to do' said
is 'a second time, piped' cmp out.xml want.xml
is 'no difference' test -z "$("$program" xml -q --diff want.xml)"
is 'quiet' test -z "$("$program" xml -q want.xml again.xml 2>&1)"

# The report: on standard output, unless something else is there.
is 'report' grep -q 'XML: .*disk sda: bus sata -> virtio' <("$program" xml in.xml out.xml)
is 'one change' grep -q '^Result:   1 change$' <("$program" xml --drivers viostor in.xml out.xml)
"$program" xml in.xml 2>said >out.xml
is 'report beside an XML' grep -q 'disk sda: bus sata -> virtio' said
is 'report beside an XML' cmp out.xml want.xml

# The diff is what diff(1) says, and patch(1) takes it.
for form in in crlf unended; do
    want=want-$form.xml
    [ $form != in ] || want=want.xml
    "$program" xml -q --diff $form.xml out.xml >said
    is "$form: diff" cmp said \
        <(LC_ALL=C diff -u --label $form.xml --label out.xml $form.xml $want)
    is "$form: a diff, and the XML" cmp out.xml $want
    if command -v patch >/dev/null; then
        cp $form.xml patched.xml
        is "$form: patch" patch -s --binary patched.xml said
        is "$form: patch" cmp patched.xml $want
    fi
done
for form in utf16 utf16be; do
    "$program" xml -q --diff $form.xml >said
    is "$form: a diff in UTF-8" grep -q "^+ *<target dev='vda' bus='virtio'/>$" said
    is "$form: a diff in UTF-8" test "$(iconv -f UTF-8 said | grep -c '^[-+] ')" = 6
done
is 'the diff has the names' test "$("$program" xml -q --diff in.xml | head -2 |
    cut -c5- | uniq)" = in.xml
is 'a name cannot split a line' test "$(cp in.xml $'a\nb' &&
    "$program" xml -q --diff $'a\nb' | sed -n 2p)" = '+++ a?b'

# JSON.
if command -v jq >/dev/null; then
    "$program" xml --json in.xml out.xml >doc
    is 'JSON' jq -e '.schema == 1 and .status == "done" and .error == null and
        .input == "in.xml" and .output == "out.xml" and .diff == null and
        (.changes | length) == 3 and .changes[0].device == "disk sda" and
        (.changes | all(.what and .why)) and (.notes | length) == 1 and
        .warnings == [] and .drivers == ["viostor", "NetKVM", "Balloon"]' doc \
        >/dev/null
    is 'JSON, and the XML' cmp out.xml want.xml
    "$program" xml --json want.xml >doc
    is 'JSON: nothing' jq -e '.status == "nothing-to-do" and .changes == []
        and .output == null' doc >/dev/null
    "$program" xml --json --diff in.xml | jq -j .diff >said
    is 'JSON: diff' cmp said <("$program" xml -q --diff in.xml)
    is 'JSON: no difference' test "$("$program" xml --json --diff want.xml |
        jq .diff)" = '""'
    "$program" xml --json none.xml >doc 2>/dev/null
    is 'JSON: failure' jq -e '.status == "failed" and .error.exit_status == 2
        and .changes == []' doc >/dev/null
fi

# Drivers: only what is in the guest moves; names in any case, and those of
# other drivers, as in a list for "inject".
is 'only the disk' test "$("$program" xml -q --diff --drivers VIOSTOR in.xml |
    grep -c '^+ ')" = 1
is 'other drivers' "$program" xml -q --drivers viofs,VioInput,netkvm in.xml out.xml
is 'other drivers' test "$(diff in.xml out.xml | grep -c '^>')" = 1
is 'virtio-scsi' "$program" xml -q --block-driver virtio-scsi in.xml out.xml
is 'virtio-scsi' grep -q "model='virtio-scsi'" out.xml
"$program" xml -q --block-driver virtio-scsi --drivers vioscsi in.xml out.xml
is 'the only boot driver says which bus' cmp out.xml <("$program" xml -q --drivers vioscsi in.xml)
is 'two boot drivers do not' grep -q "bus='virtio'" <("$program" xml -q --drivers vioscsi,viostor in.xml)
is 'it was said' cmp in.xml <("$program" xml -q --block-driver virtio-blk --drivers vioscsi in.xml)
is 'queues' "$program" xml -q --nic-queues 4 in.xml out.xml
is 'queues' grep -q "queues='4'" out.xml
is 'a feature' "$program" xml -q --add rng --drivers viorng in.xml out.xml
is 'a feature' grep -q "<rng model='virtio'>" out.xml

# Refusals, with nothing written.
cp want.xml keep.xml
refused 2 'which XML*'
refused 2 'which XML*' in.xml out.xml third.xml
refused 2 'none.xml: No such file*' none.xml
refused 2 '.: *' .
refused 2 '*: not a regular file' in.xml /dev/null
refused 2 'no/out.xml: No such file*' in.xml no/out.xml
refused 2 '--diff and --json take standard output*' --diff in.xml -
refused 2 '--diff and --json take standard output*' --json in.xml -
refused 2 '--drivers viostr: no driver of virtio-win; an XML depends on viostor, vioscsi, NetKVM, Balloon, vioserial, viorng, pvpanic' \
    --drivers netkvm,viostr in.xml
refused 2 '--add rng: *add it to --drivers' --add rng in.xml keep.xml
refused 2 '--add nonsense: *' --add nonsense in.xml
refused 2 '--nic-queues 0: *' --nic-queues 0 in.xml
refused 2 '--block-driver virtio-scsi: the guest needs vioscsi*' \
    --block-driver virtio-scsi --drivers viostor in.xml
refused 2 '--root does not go with xml, but with inject, check, verify, batch, drivers explain' --root 1 in.xml
refused 2 '--windows: no such option*' --windows 10 in.xml
sed "s/type='kvm'/type='vmware'/" in.xml >vmware.xml
refused 3 "vmware.xml: domain type 'vmware' is not kvm or qemu*" vmware.xml keep.xml
refused 3 "standard input: domain type*" - <vmware.xml
head -c 300 in.xml >cut.xml
refused 5 'cut.xml: not well-formed*' cut.xml keep.xml
sed '1a <!DOCTYPE domain [<!ENTITY x "y">]>' in.xml >doctype.xml
refused 5 'doctype.xml: *DOCTYPE*' doctype.xml keep.xml
refused 5 'standard input: *' - keep.xml </dev/null
head -c 17000000 /dev/zero | tr '\0' ' ' >big.xml
refused 5 'big.xml: larger than*' big.xml keep.xml
refused 5 'standard input: larger than*' - keep.xml <big.xml
is 'a refusal writes nothing' cmp keep.xml want.xml

# Where nothing can be written nothing is, and standard output that is full is
# no success.
if [ "$(id -u)" != 0 ]; then
    mkdir locked && chmod 555 locked
    refused 2 'locked/out.xml: cannot be written*' in.xml locked/out.xml
elif unshare --mount true 2>/dev/null; then
    mkdir locked
    export program
    count=$((count + 1)) got=0
    # shellcheck disable=SC2016
    unshare --mount bash -c 'mount -t tmpfs -o ro none locked &&
        "$program" xml in.xml locked/out.xml' >out.txt 2>&1 || got=$?
    if [ $got != 2 ] ||
        ! grep -q 'locked/out.xml: cannot be written: Read-only' out.txt; then
        fail "a read-only folder: exit status $got: $(cat out.txt)"
    fi
fi
count=$((count + 1))
"$program" xml -q in.xml >/dev/full 2>said && fail 'a full standard output'
echo 'v2v-virtio: error: standard output: No space left on device' |
    cmp -s - said || fail "full: $(cat said)"

echo "$count checks"
exit $status
