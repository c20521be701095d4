# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/v86.S) reads its disk by int 13h in real mode, and again in virtual-8086 mode into a buffer whose
# pages are elsewhere: what is read must be where the guest sees it.
# With the fast disk, and without: a guest that does not look sees no difference.
cp "$disks/v86.img" disk.img
for fast in on off; do
	start v86-$fast --drive=disk.img,format=raw --memory 8M --fast-disk $fast
	must "fast disk $fast: int 13h in real mode" serial v86-$fast 'v86: real mode: ok'
	must "fast disk $fast: into a remapped buffer in virtual-8086 mode" serial v86-$fast 'v86: remapped buffer: ok'
	must "fast disk $fast: int 10h in virtual-8086 mode" serial v86-$fast 'v86: int 10h: ok'
	must "fast disk $fast: no other page is written" serial v86-$fast 'v86: done'
	check "fast disk $fast: power-off ends the machine" ends v86-$fast 0
done
