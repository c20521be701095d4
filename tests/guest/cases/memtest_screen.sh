# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The screen of memtest86+, but for what it measures: clock, speeds of caches, progress, time, the wheel that turns.
start memtest_screen "--kernel=$disks/memtest" --memory 8M
check "it draws its screen" looks memtest_screen memtest memtest.png 81,16,171,16 171,32,81,64 261,16,459,80 \
	396,112,135,16 684,112,36,16 396,128,135,16
check "its plug is pulled" "$mainstay" quit memtest_screen
