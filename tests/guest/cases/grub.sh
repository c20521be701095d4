# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# GRUB's rescue disks come to their prompt, from floppy and from CD; the prompt answers.
cp "$disks/grub-floppy.img" floppy.img
for media in floppy=floppy.img "cdrom=$disks/grub.iso"; do
	name=grub-${media%%=*}
	mkfifo "$name.input"
	exec {keys}<>"$name.input"
	start "$name" "--$media" --memory 32M --firmware-console 1
	must "${media%%=*}: GRUB comes to its prompt" serial "$name" 'grub>' 180
	printf 'lsmod\r' >&"$keys"
	check "${media%%=*}: and answers" serial "$name" 'Ref Count' 60
	printf 'halt\r' >&"$keys"
	check "${media%%=*}: its halt powers off" ends "$name" 0 60
	exec {keys}>&-
done
