# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# The guest writes to an undo disk over a child of a disk. Committed, all that it flushed is in the child; the
# parent is as it was.
copy_disk write base.vhd
cp --sparse=always base.vhd untouched.vhd
must "a child is made" "$mainstay_vhd" create --parent base.vhd child.vhd
start undo child.vhd --cpu nt4 --undo commit
must "the guest boots from its parent's disk and writes" serial undo 'mainstay-guest: flushed 5' 300
check "there is an undo disk" test -s child.vud
check "quit" "$mainstay" quit undo
must "quit ends the machine" ends undo 0
flushed=$(grep -aoE 'mainstay-guest: flushed [0-9]+' undo.serial | tail -n 1 | grep -oE '[0-9]+$')
check "the undo disk is gone" test ! -e child.vud
check "the parent is as it was" cmp base.vhd untouched.vhd
check "the chain is sound" "$mainstay_vhd" check child.vhd
must "the child can be read" "$mainstay_vhd" convert --type raw child.vhd child.raw

all_committed() {
	is "$(pieces_written child.raw)" -gt "$flushed" || return
	cmp <(sectors child.raw 0 "$room_start") <(raw_of "$PWD/untouched.vhd" && sectors untouched.vhd.raw 0 "$room_start")
}
check "every flushed piece is in the child ($((flushed + 1))), and the rest is the parent's" all_committed
