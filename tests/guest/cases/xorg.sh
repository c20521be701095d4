# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Debian's X server on our adapter: with its vesa driver, which sets modes through our video BIOS, and with fbdev over
# Linux's s3fb. The picture that is drawn over the X protocol is compared pixel by pixel.
mkfifo xorg.input
exec {lines}<>xorg.input
start xorg "--kernel=$disks/xorg.linux" "--initrd=$disks/xorg.initrd" --cpu p3 --memory 160M \
	--append 'console=ttyS0 quiet cryptomgr.notests noisapnp'
must "the guest is up" serial xorg '^xorg: ready' 600
servers=('vesa 16 800 0' 'vesa 24 1024 1' 'vesa 8 640 2' 'fbdev 16 640 3' 'fbdev 24 640 4' 'fbdev 8 640 5')
drawn=0
for server in "${servers[@]}"; do
	read -r driver depth width number <<<"$server"
	bits=$depth
	[[ $depth != 24 ]] || bits=32
	echo "$driver $depth $number" >&"$lines"
	check "$driver starts in depth $depth" serial xorg 'x_picture: drawn|xorg: failed' 600 $((drawn += 1))
	check "$driver shows in depth $depth what was drawn" looks xorg "xorg-$driver-$bits" \
		-t "$number" "$bits" "$width"
done
check "no server has failed" is "$(count xorg 'failed')" = 0
echo off >&"$lines"
check "power-off ends the machine" ends xorg 0
