# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Linux draws through its driver for the adapter, s3fb: a test picture in 8, 16 and 32 bits, compared pixel by pixel.
# The driver first saves the fonts of the text screen, one read after the other.
mkfifo framebuffer.input
exec {lines}<>framebuffer.input
start framebuffer "--kernel=$disks/framebuffer.linux" "--initrd=$disks/framebuffer.initrd" --cpu p3 \
	--memory 64M --append 'console=ttyS0 quiet cryptomgr.notests noisapnp'
must "s3fb finds the adapter" serial framebuffer '^framebuffer: 0 .*Trio64' 600
modes=('640 8 0' '640 16 1' '640 32 2' '800 8 3' '800 16 4' '800 32 5' '1024 8 6' '1024 16 7' '1024 32 8' '640 32 9')
for mode in "${modes[@]}"; do
	read -r width bits number <<<"$mode"
	echo "$mode" >&"$lines"
	must "it draws $width pixels of $bits bits" serial framebuffer "^framebuffer: $mode" 60
	check "the picture of $bits bits is what was drawn" looks framebuffer "$width-$bits" -t "$number" "$bits" "$width"
done
echo off >&"$lines"
check "none has failed" is "$(count framebuffer failed)" = 0
check "power-off ends the machine" ends framebuffer 0
