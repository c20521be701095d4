# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/board.S) that looks at what no system tries: SMRAM, the missing MP table, and floppy
# disks of every density, which are also changed while the machine runs.
cp "$disks/board.img" disk.img
last_sector() { # FILE: its first four bytes
	tail -c 512 "$1" | head -c 4
}
for format in 360K:40/2/9 720K:80/2/9 1.2M:80/2/15 1.44M:80/2/18 dmf:80/2/21 2.88M:80/2/36; do
	"$mainstay" floppy create a.vfd --format "${format%:*}"
	printf LSTA | dd of=a.vfd bs=1 seek=$(($(stat -c %s a.vfd) - 512)) conv=notrunc status=none
	start board --drive=disk.img,format=raw --memory 16M --floppy a.vfd
	must "${format%:*} floppy" serial board "board: floppy ${format#*:} read and written"
	must "${format%:*} guest ends" serial board "board: done"
	check "power-off ends the machine" ends board 0
	check "what was written to the ${format%:*} floppy is in its image" is "$(last_sector a.vfd)" = WRTN
	rm a.vfd
done
for what in 'SMRAM opens and closes' 'SMRAM locks' 'no MP table for one processor'; do
	check "$what" serial board "board: $what: ok"
done
