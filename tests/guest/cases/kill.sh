# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The machine's process is killed while its guest writes: all that the guest was told is on the disk, is.
copy_disk write disk.vhd
start kill disk.vhd --cpu nt4
must "the guest writes" serial kill 'mainstay-guest: flushed 20' 300
read -ra vmm <"/proc/$(<kill.pid)/task/$(<kill.pid)/children" || true # no newline at its end
must "the machine is a process of its own" is "${#vmm[@]}" -ge 1
kill -KILL "${vmm[@]}"
must "the starter ends with its machine" ends kill any 10
check "and says that it failed" is "$(<kill.status)" -ne 0
flushed=$(grep -aoE 'mainstay-guest: flushed [0-9]+' kill.serial | tail -n 1 | grep -oE '[0-9]+$')
check "it was killed before all was written" is "$flushed" -lt 127
check "the image is sound" "$mainstay_vhd" check disk.vhd
must "another reader of the format can read it" raw_of disk.vhd
check "every flushed piece is in the image ($((flushed + 1)))" is "$(pieces_written disk.vhd.raw)" -gt "$flushed"
start again disk.vhd --cpu nt4
check "the image can be used again" serial again SYSLINUX 120
check "quit" "$mainstay" quit again
check "quit ends the machine" ends again any
