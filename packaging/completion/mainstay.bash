# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of mainstay for bash. The system test compares it with the program's own help.

_mainstay_machines()
{
	mainstay list 2>/dev/null | sed -n '2,$s/  *\(running\|paused\|ended\|unknown\) .*//p'
}

# Candidates that may contain blanks, one a line on standard input.
_mainstay_lines()
{
	local line
	while IFS= read -r line; do
		[[ $line == "$1"* ]] && COMPREPLY+=("$(printf %q "$line")")
	done
}

_mainstay_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_mainstay_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# The value of option $1, which begins with $2. False: it takes none.
_mainstay_value()
{
	case $1 in
	--config | --check | --firmware | --firmware-log) _mainstay_files "$2" ;;
	--drive) _mainstay_files "$2" ;;
	--cpu) _mainstay_words "nt4 p5 p3 host help" "$2" ;;
	--cpus) _mainstay_words "1 2 3 4 5 6 7 8" "$2" ;;
	--memory) _mainstay_words "64M 128M 256M 512M 1G" "$2" ;;
	--rtc) _mainstay_words "utc local" "$2" ;;
	--sandbox) _mainstay_words "full degraded" "$2" ;;
	--serial) _mainstay_words "stdio console pty unix: file: none" "$2" ;;
	--devtest) _mainstay_words "unix: connect: fd:" "$2" ;;
	--parallel) _mainstay_words "file: none" "$2" ;;
	--name | --uuid | --timeout) ;;
	*) return 1 ;;
	esac
}

_mainstay()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb options
	local machine="--memory --cpus --cpu --drive --serial --parallel --name --uuid --firmware
		--firmware-log --rtc --sandbox"

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_mainstay_words "run config list status stats console pause resume reset power-button stop
			quit --help --version" "$current"
		return
	fi
	verb=${COMP_WORDS[1]}
	case $verb in
	run) options="$machine --config --devtest" ;;
	config) options="$machine --check --schema" ;;
	list | status | stats) options=--json ;;
	stop) options="--timeout --force" ;;
	*) options= ;;
	esac
	# "--option=value" arrives as three words.
	[[ $previous == = ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}
	if [[ $current == = ]]; then
		_mainstay_value "$previous" "" && return
	fi
	_mainstay_value "$previous" "$current" && return
	if [[ $current == -* ]]; then
		_mainstay_words "$options --help" "$current"
		return
	fi
	case $verb in
	run | config) _mainstay_files "$current" ;;
	list) _mainstay_words "$options" "$current" ;;
	*) _mainstay_lines "$current" < <(_mainstay_machines) ;;
	esac
}

complete -F _mainstay mainstay
