# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# iPXE boots a kernel over the network with its own driver for the 21140: an address from the network's DHCP
# server, the files from its TFTP server.
mkdir files
cp "$disks/linux" "$disks/initrd.gz" files/
cat >files/boot.ipxe <<'END'
#!ipxe
kernel linux console=ttyS0 quiet cryptomgr.notests noisapnp mainstay.mode=once mainstay.from=${net0/ip}
initrd initrd.gz
boot
END
must "net create" "$mainstay" net create boot
must "net dhcp" "$mainstay" net dhcp boot --enable --boot-file boot.ipxe --tftp-root "$PWD/files"
copy_disk once disk.vhd
start netboot disk.vhd --boot net,disk --net internal:boot --firmware-console 1
must "the kernel comes over the network" serial netboot 'mainstay-guest: ok ' 300
check "power-off ends the machine" ends netboot 0
check "the address was lent" grep -q '^10\.237\.' <("$mainstay" net dhcp boot --leases)
