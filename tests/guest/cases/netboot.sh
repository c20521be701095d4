# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# iPXE boots a kernel over the network with its own driver for the 21140: an address from the network's DHCP
# server, the files from its TFTP server. The disk has a boot loader, too, which is not asked.
mkdir files
cp "$disks/linux" "$disks/initrd.gz" files/
cat >files/boot.ipxe <<'END'
#!ipxe
kernel linux console=ttyS0 quiet cryptomgr.notests noisapnp mainstay.mode=once
initrd initrd.gz
boot
END
must "net create" "$mainstay" net create boot
must "net dhcp" "$mainstay" net dhcp boot --enable --boot-file boot.ipxe --tftp-root "$PWD/files"
copy_disk once disk.vhd
start netboot disk.vhd --boot net,disk --net 'internal:boot,mac=00:03:ff:00:00:0b' --firmware-console 1
must "iPXE drives the 21140" serial netboot 'net0: 00:03:ff:00:00:0b using ds21140' 120
must "it is given an address" serial netboot 'net0: 10\.237\.[0-9.]+/255\.255\.0\.0' 120
must "the script comes by TFTP" serial netboot 'tftp://10\.237\.0\.1/boot\.ipxe\.\.\. ok' 120
must "so do kernel and RAM disk, which start" serial netboot 'mainstay-guest: ok ' 300
check "power-off ends the machine" ends netboot 0
check "the disk's boot loader was not asked" is "$(count netboot SYSLINUX)" = 0
check "the list of leases has it" grep -qE '^10\.237\.[0-9.]+ +00:03:ff:00:00:0b' <("$mainstay" net dhcp boot --leases)
