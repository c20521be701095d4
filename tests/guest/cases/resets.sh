# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/resets.S) that resets its processor and the machine in every way, then misbehaves, in the
# least memory that a machine can have.
cp "$disks/resets.img" disk.img
start resets --drive=disk.img,format=raw --memory 4M
for step in 'i8042 FEh, shutdown code 0Ah' 'port 92h, shutdown code 05h' \
	'triple fault, shutdown code 0Ah' 'CF9h soft, shutdown code 0Ah' \
	'i8042 FEh, shutdown code 0' 'port 92h, shutdown code 0' 'CF9h hard'; do
	must "$step" serial resets "resets: $step: ok"
done
must "misbehaviour stops nothing" serial resets 'resets: done'
check "power-off ends the machine" ends resets 0
one_line_at_most() {
	is "$(wc -l <resets.err)" -le 3
}
check "misbehaviour costs a few lines" one_line_at_most
