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

_mainstay_net_options()
{
	case $1 in
	create) echo --kind --host-address --notes --schema ;;
	list | stats) echo --json ;;
	dhcp) echo --enable --disable --network --netmask --start --end --server --gateway --dns --wins --lease \
		--renewal --rebinding --static --boot-file --tftp-root --leases ;;
	capture) echo --port --output ;;
	wan) echo --latency --jitter --loss --rate ;;
	esac
}

# The value of option $1, which begins with $2. False: it takes none.
_mainstay_value()
{
	case $1 in
	--config | --restore | --check | --nvram | --firmware | --kernel | --initrd | --firmware-log) _mainstay_files "$2" ;;
	--drive | --floppy | --cdrom) _mainstay_files "$2" ;;
	--boot) _mainstay_words "net net,disk disk,floppy,cdrom floppy,disk cdrom,disk disk" "$2" ;;
	--format) _mainstay_words "160K 180K 320K 360K 720K 1.2M 1.44M DMF 2.88M" "$2" ;;
	--cpu) _mainstay_words "nt4 p5 486 p3 p4 host help" "$2" ;;
	--tune) _mainstay_words "pages=huge pages=small pages=reserved ksm=off pit=drop" "$2" ;;
	--cpus) _mainstay_words "1 2 3 4 5 6 7 8" "$2" ;;
	--memory) _mainstay_words "64M 128M 256M 512M 1G" "$2" ;;
	--resume-clock) _mainstay_words "catch-up frozen" "$2" ;;
	--firmware-console) _mainstay_words "1 2 3 4" "$2" ;;
	--fast-disk) _mainstay_words "on off" "$2" ;;
	--rtc) _mainstay_words "utc local" "$2" ;;
	--sandbox) _mainstay_words "full degraded" "$2" ;;
	--undo) _mainstay_words "keep commit discard ask off" "$2" ;;
	--serial) _mainstay_words "stdio console pty unix: connect: tcp: tcp-listen: tty: file: none" "$2" ;;
	--incoming) _mainstay_words "unix: fd:" "$2" ;;
	--before | --after) ;;
	--devtest) _mainstay_words "unix: connect: fd:" "$2" ;;
	--display) _mainstay_words "shared exclusive view-only idle=" "$2" ;;
	--video-memory) _mainstay_words "1M 2M 4M none" "$2" ;;
	--keyboard | --layout) _mainstay_words "us uk de jp106" "$2" ;;
	--password-file | --certificate | --state) _mainstay_files "$2" ;;
	--parallel) _mainstay_words "file: command: parport: none" "$2" ;;
	--net) _mainstay_words "nat internal: loopback: external: none" "$2" ;;
	--name | --uuid | --append | --ide-irq-delay | --timeout | --label | --smbios | --listen | --seconds) ;;
	*) return 1 ;;
	esac
}

_mainstay()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb options
	local machine="--memory --cpus --cpu --drive --floppy --cdrom --boot --serial --parallel --net --display --keyboard --video-memory --name
		--uuid --firmware --firmware-log --firmware-console --fast-disk --ide-irq-delay --kernel --initrd --append --nvram --rtc --resume-clock --smbios --tune --sandbox"

	COMPREPLY=()
	machine+=" --undo"
	if ((COMP_CWORD == 1)); then
		_mainstay_words "run config net list status stats console view screenshot record type key insert eject pause resume
			reset power-button stop quit floppy save restore state checkpoint backup migrate --help --version" "$current"
		return
	fi
	verb=${COMP_WORDS[1]}
	case $verb in
	run | restore) options="$machine --config --headless --devtest --restore --incoming --disks-copied --verify --keep-state --discard-state --service" ;;
	save) options="--compact --quiet" ;;
	config) options="$machine --check --schema" ;;
	list | status | stats) options=--json ;;
	view) options="--listen --password-file --certificate" ;;
	screenshot) options=--thumbnail ;;
	record) options=--seconds ;;
	type) options=--layout ;;
	insert) options="--format --readonly --force" ;;
	eject) options=--force ;;
	net) options="$(_mainstay_net_options "${COMP_WORDS[2]}")" ;;
	backup) options="--before --after --quiet" ;;
	migrate) options="--copy --timeout --quiet" ;;
	checkpoint) options="--no-state --discard --state --json --quiet" ;;
	floppy) options="--format --label --unformatted" ;;
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
	run | restore | config) _mainstay_files "$current" ;;
	state)
		if ((COMP_CWORD == 2)); then _mainstay_words "show check compact" "$current"; else _mainstay_files "$current"; fi ;;
	backup)
		if ((COMP_CWORD == 2)); then
			_mainstay_lines "$current" < <(_mainstay_machines)
			((${#COMPREPLY[@]})) || _mainstay_files "$current"
		else
			_mainstay_files "$current"
		fi ;;
	migrate)
		if ((COMP_CWORD == 2)); then _mainstay_lines "$current" < <(_mainstay_machines); else _mainstay_words "unix: fd:" "$current"; fi ;;
	checkpoint)
		case $COMP_CWORD in
		2) _mainstay_words "create list restore delete" "$current" ;;
		3)
			_mainstay_lines "$current" < <(_mainstay_machines)
			((${#COMPREPLY[@]})) || _mainstay_files "$current" ;;
		*) _mainstay_lines "$current" < <(mainstay checkpoint list "${COMP_WORDS[3]}" --json 2>/dev/null |
			sed -n 's/^.*"name": "\(.*\)",$/\1/p') ;;
		esac ;;
	save)
		if ((COMP_CWORD == 2)); then _mainstay_lines "$current" < <(_mainstay_machines); else _mainstay_files "$current"; fi ;;
	list) _mainstay_words "$options" "$current" ;;
	net)
		if ((COMP_CWORD == 2)); then
			_mainstay_words "create list show delete connect disconnect dhcp stats capture wan port" "$current"
		elif [[ ${COMP_WORDS[2]} == *connect ]] && ((COMP_CWORD == 3)); then
			_mainstay_lines "$current" < <(_mainstay_machines)
		elif ((COMP_CWORD == 3)); then
			_mainstay_lines "$current" < <(mainstay net list 2>/dev/null | awk '{ print $1 }')
		fi ;;
	floppy)
		if ((COMP_CWORD == 2)); then _mainstay_words create "$current"; else _mainstay_files "$current"; fi ;;
	screenshot | record)
		if ((COMP_CWORD == 2)); then _mainstay_lines "$current" < <(_mainstay_machines); else _mainstay_files "$current"; fi ;;
	insert | eject)
		case $COMP_CWORD in
		2) _mainstay_lines "$current" < <(_mainstay_machines) ;;
		3) _mainstay_words "floppy0 floppy1 cd0 cd1 cd2 cd3" "$current" ;;
		*) [[ $verb == insert ]] && _mainstay_files "$current" ;;
		esac ;;
	*) _mainstay_lines "$current" < <(_mainstay_machines) ;;
	esac
}

complete -F _mainstay mainstay
