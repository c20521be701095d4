# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2034
# What the guest cases share. A case is a bash script in cases/ that is run where there is a /dev/kvm, in
# a folder of its own ($PWD, in memory on a nested host), by inside.sh, with
#
#   $disks      the folder with the disks that make-disk made
#   $mainstay   the program, and $mainstay_vhd
#   $pictures   the folder of what screens should look like
#   $printer    what comes out at /dev/parport0 of a nested host; empty elsewhere
#   $scale      factor for time limits: sanitizers are slow
#
# A case prints TAP lines through check. It may leave machines and files behind: inside.sh cleans up.

# check TEXT COMMAND...: one test; what it prints is shown when it fails.
check() {
	local text=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok - $case_name: $text"
	else
		echo "not ok - $case_name: $text"
		echo "#   ${output//$'\n'/$'\n'#   }"
		failed=1
	fi
}

# Ends the case when nothing that follows could pass.
must() {
	failed=
	check "$@"
	[[ -z $failed ]] || exit 1
}

# copy_disk MODE FILE
copy_disk() {
	cp --sparse=always "$disks/$1.vhd" "$2"
}

# start NAME DISK [OPTION...]: a machine in the background. Its serial port goes to NAME.serial, its own
# words to NAME.err, its process id to NAME.pid and in the end its exit status to NAME.status. It reads
# from NAME.input if that is there: a pipe that the case has opened.
start() {
	local name=$1 disk=$2 input=/dev/null
	shift 2
	[[ ! -p $name.input ]] || input=$name.input
	[[ " $* " == *' --serial '* ]] || set -- "$@" --serial stdio
	(
		"$mainstay" run "$disk" --name "$name" "$@" <"$input" >"$name.serial" 2>"$name.err" &
		echo $! >"$name.pid"
		status=0
		{ wait $! || status=$?; } 2>/dev/null # nor does bash tell how it ended
		echo $status >"$name.status"
	) &
}

shown() { # what there is to say about machine $1 when something went wrong
	echo "serial port:"
	tail -n 15 "$1.serial" | cut -c 1-200
	echo "standard error:"
	tail -n 15 "$1.err"
}

count() { # NAME PATTERN: how many lines of its serial port match
	local lines
	lines=$(grep -aEc "$2" "$1.serial" 2>/dev/null) || true
	echo "${lines:-0}"
}

# Waits without starting a process: the processor is emulated, and the machines need it.
mkfifo .never
exec {never}<>.never
nap() {
	read -r -t 0.3 -u "$never" || true
}

# serial NAME PATTERN [SECONDS [TIMES]]: waits until the extended regular expression is in that many
# lines of the machine's serial port; the last may be one without its end, such as a prompt. Fails when
# the machine ends before, or the time is up.
serial() {
	local name=$1 pattern=$2 limit=$((SECONDS + ${3:-120} * scale)) times=${4:-1}
	local file line part="" matches=0 ended=""
	until [[ -e $name.serial ]]; do
		nap
	done
	exec {file}<"$name.serial"
	while true; do
		if IFS= read -r -u "$file" line; then
			line=$part$line part=""
			[[ ! $line =~ $pattern ]] || ((matches += 1))
		else
			part+=$line
			[[ ! $part =~ $pattern ]] || ((matches += 1))
			if ((matches >= times || SECONDS >= limit)) || [[ $ended ]]; then
				break
			fi
			[[ ! $part =~ $pattern ]] || matches=$((matches - 1)) # it is seen again when it is longer
			[[ ! -e $name.status ]] || ended=1 # look once more: these may be its last words
			nap
		fi
	done
	exec {file}<&-
	((matches < times)) || return 0
	[[ -z $ended ]] || echo "the machine ended before \"$pattern\""
	[[ -n $ended ]] || echo "\"$pattern\" did not come in time"
	shown "$name"
	return 1
}

# ends NAME STATUS [SECONDS]: the machine ends in that time, with that exit status ("any": any).
ends() {
	local name=$1 status=$2 limit=$((SECONDS + ${3:-60} * scale))
	until [[ -s $name.status ]]; do
		((SECONDS < limit)) || {
			echo "the machine still runs"
			shown "$name"
			return 1
		}
		nap
	done
	[[ $status == any || $(<"$name.status") == "$status" ]] || {
		echo "exit status $(<"$name.status") instead of $status"
		shown "$name"
		return 1
	}
}

# value NAME KEY: what the proof line says about KEY
value() {
	sed -nE "s/.*mainstay-guest: ok.* $2=(\"[^\"]*\"|[^ \r]*).*/\1/p" "$1.serial" | head -n 1
}

# is ACTUAL OPERATOR EXPECTED, as test has it, but with words
is() {
	test "$1" "$2" "$3" || {
		echo "\"$1\" $2 \"$3\" is not so"
		return 1
	}
}

# looks NAME SHOT GOLDEN [AREA...]: the machine's screen is $pictures/GOLDEN outside of AREAs (X,Y,WIDTH,HEIGHT), now or
# within a minute, or $patience seconds. looks NAME SHOT -t NUMBER BITS WIDTH [AREA...]: it is the test picture (see
# picture_compare). The last screenshot is left in SHOT.png for whoever wants to see it.
looks() {
	local name=$1 shot=$2.png golden=$3 limit=$((SECONDS + ${patience:-60} * scale)) said=""
	local -a expected=("$shot" "$pictures/$golden")
	shift 3
	if [[ $golden == -t ]]; then
		expected=(-t "$1" "$2" "$shot" "$3")
		shift 3
	fi
	while true; do
		rm -f "$shot"
		said=$("$mainstay" screenshot "$name" "$shot" 2>&1 && "$disks/picture_compare" "${expected[@]}" "$@" 2>&1) &&
			return 0
		((SECONDS < limit)) || break
		nap
	done
	echo "$said; see $shot in the logs"
	return 1
}

# raw_of DISK: its contents in DISK.raw, as read by a program that is not ours
raw_of() {
	qemu-img convert -f vpc -O raw "$1" "$1.raw"
}

# sectors FILE START COUNT: that part of a raw image. The partitions are make-disk's.
sectors() {
	tail -c "+$(($2 * 512 + 1))" "$1" | head -c "$(($3 * 512))"
}
room_start=51200 room_sectors=16384

# What a guest of mode "write" leaves there, whole, in the file written.
make_written() {
	local piece
	[[ ! -e written ]] || return 0
	for ((piece = 0; piece < room_sectors / 128; piece++)); do
		yes "piece $piece" | head -c 65536 || true # yes is cut off
	done >written
}
all_written() { # IMAGE, a raw one
	make_written && cmp <(sectors "$1" "$room_start" "$room_sectors") written
}
pieces_written() { # IMAGE, a raw one: how many, from the first on
	local same
	make_written
	same=$(cmp <(sectors "$1" "$room_start" "$room_sectors") written | sed -nE 's/.*byte ([0-9]+),.*/\1/p') || true
	echo $(((${same:-$((room_sectors * 512 + 1))} - 1) / 65536))
}
