# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# GRUB's rescue disks come to their menu and their prompt, from floppy and from CD; the prompt answers.

# screen NAME PATTERN [SECONDS]: waits for words that the firmware's console moves the cursor between.
screen() {
	local limit=$((SECONDS + ${3:-60} * scale))
	until sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$1.serial" | tr -d '\r\0' | grep -aq "$2"; do
		((SECONDS < limit)) || {
			echo "\"$2\" did not come in time"
			shown "$1"
			return 1
		}
		nap
		nap
		nap
	done
}

cp "$disks/grub-floppy.img" floppy.img
for media in floppy=floppy.img "cdrom=$disks/grub.iso"; do
	kind=${media%%=*} name=grub-${media%%=*}
	mkfifo "$name.input"
	exec {keys}<>"$name.input"
	start "$name" "--$media" --memory 32M --firmware-console 1
	must "$kind: GRUB comes to its menu" screen "$name" 'Press enter to boot\|grub>' 900
	printf 'c' >&"$keys"
	must "$kind: and to its prompt" screen "$name" 'grub>' 300
	printf 'lsmod\r' >&"$keys"
	check "$kind: which answers" screen "$name" 'Ref Count' 300
	exec {keys}>&-
	kill "$(<"$name.pid")"
done
