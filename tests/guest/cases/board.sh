# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/board.S) that looks at what no system tries: SMRAM, the tables that one processor has and has
# not, lost ticks, and floppy disks of every format, which are put in while the machine runs. It prints on a parallel
# port of the nested host, behind which is $printer.
cp "$disks/board.img" disk.img
port=none
if [[ ${printer-} ]]; then
	modprobe parport_pc
	modprobe ppdev
	port=parport:/dev/parport0
fi
last_sector() { # FILE: its first four bytes
	tail -c 512 "$1" | head -c 4
}

# floppies DRIVE TUNING FORMAT:GEOMETRY...: all these disks, one after the other, in a drive of that kind
floppies() {
	local kind=$1 tuning=$2 name=board-$1 rounds=0 format file
	shift 2
	for format; do
		file=$kind-${format%:*}.vfd
		"$mainstay" floppy create "$file" --format "${format%:*}"
		printf LSTA | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 512)) conv=notrunc status=none
	done
	mkfifo "$name.input"
	exec {keys}<>"$name.input"
	start "$name" --drive=disk.img,format=raw --memory 16M --floppy "$kind-${1%:*}.vfd,kind=$kind" \
		--parallel "$port" --tune "$tuning"
	for format; do
		file=$kind-${format%:*}.vfd
		if ((rounds++)); then
			must "$kind drive: a disk of ${format%:*} is put in" "$mainstay" insert "$name" floppy0 "$file"
			printf n >&"$keys"
		fi
		must "$kind drive: ${format%:*} is read and written" serial "$name" \
			"board: floppy ${format#*:} read and written"
		must "$kind drive: the guest wants the next" serial "$name" 'board: next' 60 $rounds
	done
	printf q >&"$keys"
	must "$kind drive: the guest ends" serial "$name" 'board: done'
	check "$kind drive: power-off ends the machine" ends "$name" 0
	exec {keys}>&-
	for format; do
		check "$kind drive: what was written to ${format%:*} is in its image" \
			is "$(last_sector "$kind-${format%:*}.vfd")" = WRTN
	done
}

floppies 2.88M pit=catchup 2.88M:80/2/36 dmf:80/2/21 1.44M:80/2/18 720K:80/2/9
for what in 'SMRAM opens and closes' 'SMRAM locks' 'no MP table for one processor' \
	'one PIR table, of this machine' 'a register of no processor' 'printer'; do
	check "$what" serial board-2.88M "board: $what: ok"
done
check "the timer's lost ticks are made up" serial board-2.88M 'board: ticks of the timer are made up'
check "the clock's lost ticks are made up" serial board-2.88M 'board: ticks of the clock are made up'
check "the register is told once" is "$(grep -c 'MSR 4d41494eh' board-2.88M.err)" = 1
if [[ $port != none ]]; then
	check "a printer at a port of the host" is "$(tr -d '\r' <"$printer")" = 'printed by the board'
else
	echo "ok - $case_name: a printer at a port of the host # SKIP only a nested host has one to spare"
fi
[[ ${SOAK-} ]] || return 0
# Drives of 5.25 inches. The firmware makes one step a track, so that it reads 360 KB in a drive of 40 tracks alone.
floppies 1.2M pit=drop 1.2M:80/2/15
check "the timer's lost ticks are lost when that is asked for" serial board-1.2M 'board: ticks of the timer are lost'
floppies 360K pit=catchup 360K:40/2/9
