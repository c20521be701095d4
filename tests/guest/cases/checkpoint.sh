# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest that writes to its disk is backed up and gets a checkpoint; in the end its disk is that of a guest that nobody
# has touched. Then the machine goes back to the checkpoint, and comes to the same end again.
options=(--cpu p3 --memory 64M --uuid 6d61696e-7374-6179-0000-000000000006)

all_there() { # with all its layers
	rm -rf flat
	"$mainstay" backup disk.vhd flat && raw_of flat/disk.vhd && all_written flat/disk.vhd.raw
}
nothing_left() {
	[[ ! -e disk.checkpoints ]]
}
# What was flushed when the backup was asked for is in it, and nothing that was flushed after it was there.
of_one_moment() { # FIRST LAST
	local there
	raw_of saved/disk.vhd || return
	there=$(pieces_written saved/disk.vhd.raw)
	((there > $1 && there <= $2 + 2)) || {
		echo "$there pieces are in it; $1 was the last before, and $2 after"
		return 1
	}
}
last_piece() {
	grep -aoE 'flushed [0-9]+' "$1.serial" | tail -n 1 | cut -d' ' -f2
}

copy_disk write disk.vhd
start one disk.vhd "${options[@]}"
must "it writes" serial one 'mainstay-guest: flushed 0*8'
first=$(last_piece one)
must "a backup while it writes" "$mainstay" backup one saved
last=$(last_piece one)
must "a checkpoint while it writes" "$mainstay" checkpoint create one before
check "the backup is a sound disk" "$mainstay_vhd" check saved/disk.vhd
check "of one moment" of_one_moment "$first" "$last"
must "it comes to its end" ends one 0 300
check "every piece was written once" is "$(count one 'mainstay-guest: flushed [0-9]+')" = 128
check "what it wrote is what an untouched guest writes" all_there
must "back to the checkpoint" "$mainstay" checkpoint restore disk.vhd before --discard
start again disk.vhd "${options[@]}" --restore disk.state
must "it comes to its end from there" ends again 0 300
check "after the checkpoint it goes on with the next piece" is \
	"$(grep -aoE 'flushed [0-9]+' again.serial | sort -c -k2n && echo sorted)" = sorted
check "it has seen its end again" is "$(count again 'mainstay-guest: all flushed')" = 1
check "and has written the same" all_there
must "the checkpoint is deleted" "$mainstay" checkpoint delete disk.vhd before
check "nothing is left of it" nothing_left
check "the disk is sound" "$mainstay_vhd" check disk.vhd
check "merged, it is the same disk" all_there
