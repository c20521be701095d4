# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest with two processors suspends to RAM and is woken by its power button: the firmware finds its way back.
copy_disk sleep disk.vhd
start sleep disk.vhd --cpus 2
must "boots to the proof line" serial sleep 'mainstay-guest: ok ' 300
must "goes to sleep" serial sleep 'mainstay-guest: going to sleep' 60
asleep() {
	local tries
	for ((tries = 0; tries < 40 * scale; tries++)); do
		"$mainstay" status sleep | tee status.txt | grep -qw suspended && return
		nap
	done
	cat status.txt
	return 1
}
must "status: suspended" asleep
must "power-button" "$mainstay" power-button sleep
must "wakes where it was" serial sleep 'mainstay-guest: awake, processors 2, disk the same' 120
check "power-off ends the machine" ends sleep 0
