#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# completion.sh PROGRAM COMPLETION: what TAB offers in a real bash with the
# package bash-completion, which finds the completion by its name.
set -u
program=$(realpath "$1") completion=$(realpath "$2")
package=/usr/share/bash-completion/bash_completion
[ -e $package ] || { echo "skipped: no bash-completion"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
status=0 count=0
mkdir -p bin share/bash-completion/completions 'a folder'
ln -s "$program" bin/v2v-virtio
cp "$completion" share/bash-completion/completions/v2v-virtio
touch 'my disk.qcow2' other.qcow2 --
export PATH=$work/bin:$PATH BASH_COMPLETION_USER_DIR=$work/share/bash-completion

# offers LINE: what TAB offers at its end, sorted, between commas.  The words are
# made as readline makes them, "=" and ":" being words of their own.
cat >offers.bash <<'EOS'
. /usr/share/bash-completion/bash_completion
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
COMP_WORDS=()
word=''
for ((i = 0; i < ${#1}; i++)); do
    c=${1:i:1}
    case $c in
    ' ') [ -z "$word" ] || COMP_WORDS+=("$word"); word='' ;;
    [=:]) [ -z "$word" ] || COMP_WORDS+=("$word"); COMP_WORDS+=("$c"); word='' ;;
    *) word+=$c ;;
    esac
done
COMP_WORDS+=("$word")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; } # there is no line whose options could be set
_completion_loader v2v-virtio # loads it by name, and says 124: again
complete -p v2v-virtio | grep -q _v2v_virtio || { echo "not loaded"; exit 1; }
_v2v_virtio v2v-virtio "$word" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd,
EOS
offers() { # LINE WANT: a pattern
    local got
    count=$((count + 1))
    got=$(bash --norc -i offers.bash "v2v-virtio $1" 2>err.txt)
    # shellcheck disable=SC2053
    [[ $got == $2 ]] || { echo "FAIL: \"$1\": $got for $2 $(cat err.txt)"; status=1; }
}

offers '' 'batch,check,drivers,help,inject,recover,undo,verify,xml'
offers 'in' 'inject'
offers 'drivers ' 'explain,list'
offers 'help dr' 'drivers'
offers 'help drivers e' 'explain'
offers '--' '--help,--version'
offers 'undo --l' '--list,--long-options'
offers 'batch --re' '--report,--report-only,--resume,--retries,--retry-pause'
offers 'batch --dr' '--drivers,--dry-run'
offers 'batch --ev' ''
offers 'check --l' '--long-options'
offers 'inject --dr' '--drivers,--dry-run'
offers 'check --backend ' 'auto,direct,libguestfs'
offers 'check --backend=d' 'direct'
offers 'check --root f' 'first'
offers 'inject --format v' 'vdi,vhdx,vmdk,vpc'
offers 'inject --add r' 'rng'
offers 'inject --add rng,h' 'rng\\,hyperv,rng\\,hypervclock'
offers 'inject --allow hive' 'hive-dirty'
offers 'xml --drivers=viostor,Net' 'viostor\\,NetKVM'
offers 'inject ot' 'other.qcow2'
offers 'inject -a ot' 'other.qcow2'
offers 'inject --virtio-iso=ot' 'other.qcow2'
offers 'check my' 'my?disk.qcow2'
offers 'inject --work-dir ' 'a?folder,bin,share'
offers 'inject -m ' ''
if command -v virsh >/dev/null; then
    offers 'check -c test:///default -d ' 'test'
    offers 'check --connect test:///default --domain=t' 'test'
    offers 'check -c test:///default -d x' ''
fi

# A whole session: keys in, a line out.
count=$((count + 1))
session=$( (printf '. %s\n' $package; sleep 1; printf 'v2v-virtio --vers\t\n'; sleep 1; echo exit) |
    script -qec 'bash --norc -i' /dev/null 2>/dev/null | tr -d '\r')
grep -qE 'v2v-virtio [0-9]+\.' <<<"$session" ||
    { echo "FAIL: in a session: $session"; status=1; }
echo "$count completions"
exit $status
