# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest of ours (asm/v86.S) reads its disk by int 13h in real mode, and again in virtual-8086 mode into a buffer whose
# pages are elsewhere: what is read must be where the guest sees it.
cp "$disks/v86.img" disk.img
start v86 --drive=disk.img,format=raw --memory 8M
must "int 13h in real mode" serial v86 'v86: real mode: ok'
must "int 13h into a remapped buffer in virtual-8086 mode" serial v86 'v86: remapped buffer: ok'
must "no other page is written" serial v86 'v86: done'
check "power-off ends the machine" ends v86 0
