# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# GRUB's menu on a graphical screen, drawn through VBE in 8, 16 and 32 bits, and operated by keys. Its version stands
# in the first lines, which may be anything.
start menu "--cdrom=$disks/menu.iso" --memory 32M
must "the menu is drawn in 640x480 pixels of 32 bits" looks menu menu menu.png 0,0,640,40
for mode in '8 640' '16 800' '32 1024'; do
	read -r bits width <<<"$mode"
	check "Return is pressed" "$mainstay" key menu enter
	check "it is drawn in $width pixels of $bits bits" looks menu "menu-$bits" "menu-$bits.png" "0,0,$width,40"
	check "the cursor goes down" "$mainstay" key menu down
done
check "its plug is pulled" "$mainstay" quit menu
