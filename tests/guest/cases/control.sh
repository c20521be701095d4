# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A machine of model p3 is told from outside to pause, resume, reset and press its power button.
copy_disk wait disk.vhd
start control disk.vhd --cpu p3 --memory 64M
must "model p3 with 64 MiB boots to the proof line" serial control 'mainstay-guest: ok ' 300
must "the guest counts seconds" serial control 'mainstay-guest: second 2' 120

status_says() {
	"$mainstay" status control | tee status.txt | grep -qw "$1" && return
	cat status.txt
	return 1
}
stands_still() {
	local before
	sleep 0.5 # what was on its way
	before=$(count control second)
	sleep 3
	is "$(count control second)" = "$before"
}
moves() {
	serial control 'mainstay-guest: second' 120 $(($(count control second) + 2))
}
check "status: running" status_says running
check "pause" "$mainstay" pause control
check "status: paused" status_says paused
check "a paused guest stands still" stands_still
check "resume" "$mainstay" resume control
check "a resumed guest goes on" moves
check "stats" "$mainstay" stats control
check "reset" "$mainstay" reset control
must "after a reset it boots again" serial control 'mainstay-guest: ok ' 300 2
must "and counts again" serial control 'mainstay-guest: second 1[^0-9]*$' 120 2
check "power-button" "$mainstay" power-button control
check "the guest sees the power button" serial control 'mainstay-guest: power button' 120
check "power-off ends the machine" ends control 0
gone() {
	! "$mainstay" status control
}
check "a machine that is gone has no status" gone
