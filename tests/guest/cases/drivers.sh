# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Debian's kernels find the board's devices with their own drivers, and use them: i386 on the model for NT 4.0, and in
# make soak amd64 on the host's own processor, too.
for arch in i386 ${SOAK:+amd64}; do
	{ printf 'disk of text' && head -c 1048564 /dev/zero; } >disk.img
	{ printf 'floppy of text' && head -c 1474546 /dev/zero; } >floppy.img
	rm -f lpt.prn
	machine=(--cpu nt4 --memory 96M)
	[[ $arch == i386 ]] || machine=(--cpu host --cpus 2 --memory 5G)
	start drivers-$arch --drive=disk.img,format=raw "${machine[@]}" --floppy floppy.img \
		--cdrom "$disks/drivers.iso" --parallel file:lpt.prn --kernel "$disks/drivers-$arch.linux" \
		--initrd "$disks/drivers-$arch.initrd" --append 'console=ttyS0 quiet cryptomgr.notests noisapnp'
	must "$arch: the kernel reaches its first program" serial drivers-$arch 'drivers: kernel ' 300
	must "$arch: it tries all drivers" serial drivers-$arch 'drivers: done' 180
	for driver in ata_piix sr floppy i2c-piix4 rtc_cmos lp 8250 psmouse atkbd; do
		check "$arch: $driver" grep -a "drivers: $driver: ok" drivers-$arch.serial
	done
	[[ $arch == i386 ]] || check "$arch: memory beyond 4 GiB, and two processors" \
		grep -aE 'drivers: kernel .* memory=(4[89]|5)[0-9]{2,} cpus=2' drivers-$arch.serial
	check "$arch: power-off ends the machine" ends drivers-$arch 0
	check "$arch: what was printed is on paper" grep -q 'printed by the guest' lpt.prn
	check "$arch: what was written is on the floppy" grep -aq 'written by the guest' floppy.img
done
