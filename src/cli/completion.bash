# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of v2v-virtio for bash.  What there is to complete the program says
# itself (--complete): the first line may be @files, @folders, @domains (and
# libvirt's URI on the second line) or @list (words with commas between).

# The domains of the libvirt at this URI; read-only, as it then asks for no
# password.
_v2v_virtio_domains()
{
    virsh ${1:+-c "$1"} -q -r list --all --name 2>/dev/null </dev/null
}

# Whole lines are words here: a domain's name may have blanks.
_v2v_virtio_offer() # PREFIX WORD...
{
    local prefix=$1 word
    shift
    for word; do
        [[ -n $word && $prefix$word == "$cur"* ]] &&
            COMPREPLY+=("$(printf %q "$prefix$word")")
    done
}

_v2v_virtio()
{
    local cur words cword offered
    COMPREPLY=()
    _get_comp_words_by_ref -n =: cur words cword || return
    mapfile -t offered < <("$1" --complete "${words[@]:1:cword}" 2>/dev/null)
    # bash replaces what follows the "=" only
    [[ $cur == --*=* ]] && cur=${cur#*=}
    case ${offered[0]-} in
    @files) _filedir ;;
    @folders) _filedir -d ;;
    @domains)
        mapfile -t offered < <(_v2v_virtio_domains "${offered[1]-}")
        _v2v_virtio_offer '' "${offered[@]}"
        ;;
    @list)
        compopt -o nospace
        if [[ $cur == *,* ]]; then
            _v2v_virtio_offer "${cur%,*}," "${offered[@]:1}"
        else
            _v2v_virtio_offer '' "${offered[@]:1}"
        fi
        ;;
    *) _v2v_virtio_offer '' "${offered[@]}" ;;
    esac
    __ltrim_colon_completions "$cur"
}

complete -F _v2v_virtio v2v-virtio
