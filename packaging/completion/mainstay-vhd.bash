# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of mainstay-vhd for bash. Verbs and options are read from the program's own help.

_mainstay_vhd_verbs()
{
	mainstay-vhd --help 2>/dev/null | sed -n '/^verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_mainstay_vhd_options()
{
	mainstay-vhd "$1" --help 2>/dev/null | sed -n '/^options:/,/^examples:/s/^ .*\(--[a-z-]*\).*  .*/\1/p'
}

_mainstay_vhd_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# The value of option $1, which begins with $2. False: it takes none.
_mainstay_vhd_value()
{
	case $1 in
	--type | -t) _mainstay_vhd_words "dynamic fixed raw qcow2 vmdk vdi vhdx" "$2" ;;
	--for) _mainstay_vhd_words "azure hyperv virtualpc qemu xen" "$2" ;;
	--size-policy) _mainstay_vhd_words "exact chs-up chs-down mib" "$2" ;;
	--size-rule) _mainstay_vhd_words "creator current chs" "$2" ;;
	--format | --second-format | --parent-format) _mainstay_vhd_words "auto vhd raw" "$2" ;;
	--undo | -u) _mainstay_vhd_words "keep commit discard" "$2" ;;
	--as) _mainstay_vhd_words "device file" "$2" ;;
	--block-size) _mainstay_vhd_words "512K 2M" "$2" ;;
	--parent | --to | --socket | -s)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	--device) mapfile -t COMPREPLY < <(compgen -f -- "${2:-/dev/disk/by-id/}") ;;
	--search)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	--size | --offset | -o | --length | -l | --port | --address | --run) ;;
	*) return 1 ;;
	esac
}

_mainstay_vhd()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_mainstay_vhd_words "$(_mainstay_vhd_verbs) --help --version" "$current"
		return
	fi
	# "--option=value" arrives as three words.
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	if [[ $current == = ]]; then
		_mainstay_vhd_value "$previous" "" && return
	fi
	_mainstay_vhd_value "$previous" "$current" && return
	if [[ $current == -* ]]; then
		_mainstay_vhd_words "$(_mainstay_vhd_options "${COMP_WORDS[1]}")" "$current"
		return
	fi
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

complete -F _mainstay_vhd mainstay-vhd
