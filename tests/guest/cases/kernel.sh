# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A kernel from outside: --kernel, --initrd and --append, without a boot loader on the disk.
copy_disk once disk.vhd
start kernel disk.vhd --kernel "$disks/linux" --initrd "$disks/initrd.gz" \
	--append 'console=ttyS0 quiet cryptomgr.notests noisapnp mainstay.mode=once mainstay.direct'
must "a kernel with its initial RAM disk boots" serial kernel 'mainstay-guest: ok ' 300
check "power-off ends the machine" ends kernel 0
# Memory for the kernel, but not for what is to be unpacked into it.
start small disk.vhd --memory 8M --kernel "$disks/linux" --initrd "$disks/initrd.gz"
check "a kernel that does not fit is refused" ends small 1
check "and the reason named" grep -q 'does not fit the machine.s memory\|do not fit the machine.s memory' small.err
head -c 100000 "$disks/linux" | tail -c 90000 >no-kernel
start none disk.vhd --kernel no-kernel
check "what is no kernel is refused" ends none 1
check "and named" grep -q 'is no Linux kernel' none.err
