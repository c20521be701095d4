# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# GRUB's menu on a graphical screen, drawn through VBE in 32, 8 and 16 bits, and operated by keys. Its version stands
# in the first lines, which may be anything. The colours tell the depths apart: each keeps other bits of them.
start menu "--cdrom=$disks/menu.iso" --memory 32M
must "the menu is drawn in 640x480 pixels of 32 bits" looks menu menu menu.png 0,0,640,40
check "Return is pressed" "$mainstay" key menu enter
check "it is drawn in 640x480 pixels of 8 bits" looks menu menu-8 menu-8.png 0,0,640,40
check "the cursor goes down" "$mainstay" key menu down enter
check "it is drawn in 800x600 pixels of 16 bits" looks menu menu-16 menu-16.png 0,0,800,40
check "its plug is pulled" "$mainstay" quit menu
