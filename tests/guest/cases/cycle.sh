# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of the main model reads its whole disk, writes, resets the machine, reads back, powers off.
copy_disk cycle disk.vhd
start cycle disk.vhd --cpu nt4 --memory 128M
must "model nt4 boots to the proof line" serial cycle 'mainstay-guest: ok ' 300
check "one processor" is "$(value cycle cpus)" = 1
check "128 MiB of memory" is "$(value cycle memory | tr -d M)" -ge 100
check "disk interrupts are counted" is "$(value cycle irqs | sed 's/.*ata_piix=14:\([0-9]*\).*/\1/')" -ge 10
must "it reads its disk" serial cycle 'mainstay-guest: disk sha256=' 120
check "what it read is what is on the disk" serial cycle "disk sha256=$(<"$disks/cycle.vhd.sha256")" 1
must "it resets the machine" serial cycle 'mainstay-guest: rebooting' 120
must "it boots again" serial cycle 'mainstay-guest: ok ' 300 2
check "what it wrote is there after the reset" serial cycle 'mainstay-guest: came back' 120
must "power-off ends the machine" ends cycle 0
check "the image is sound" "$mainstay_vhd" check disk.vhd
must "another reader of the format can read it" raw_of disk.vhd

written() { # what it wrote is in the image, and the rest of the image is as it was
	raw_of "$PWD/before.vhd" &&
		cmp <(sectors disk.vhd.raw 0 "$room_start") <(sectors before.vhd.raw 0 "$room_start") &&
		cmp <(sectors disk.vhd.raw "$room_start" "$room_sectors") \
			<(yes 'mainstay was here' | head -c $((room_sectors * 512)))
}
copy_disk cycle before.vhd
check "what it wrote is in the image" written
