# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Debian's kernel wants a Pentium Pro or better, and says what it misses on a Pentium.
copy_disk refused disk.vhd
start refused disk.vhd --cpu p5
must "model p5 runs the kernel's first part" serial refused 'features not present on the CPU' 300
check "model p5 has no CMOV" serial refused '^cmov'
check "quit" "$mainstay" quit refused
check "quit ends the machine" ends refused any
