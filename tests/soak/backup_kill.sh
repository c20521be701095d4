#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "mainstay backup" of a running machine, killed at the first, second ... occurrence of every system call by which
# something reaches a disk or another process, the copying included. Whatever happened, the machine runs on, the backup is
# whole or is not there, and the next one to the same place goes well and leaves nothing behind. The machine is the one
# with the device test port. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/soak/killing.bash
# Something in every block, so that copying takes many calls.
truncate -s 16M contents
yes 'what the guest has written' | head -c 16M >contents
"$mainstay_vhd" convert contents disk.vhd >/dev/null || exit 1
"$mainstay" run disk.vhd --name nt4 --memory 4M --headless --devtest "unix:$work/port" >machine 2>&1 </dev/null &
eventually runs

whole() { # the backup's disk
	"$mainstay_vhd" check copy/disk.vhd && "$mainstay_vhd" convert --type raw copy/disk.vhd copy.raw &&
		cmp copy.raw contents
}
# One try; 1: something is wrong, and said.
try() { # SYSTEM-CALL NUMBER
	local status=0
	rm -rf copy copy.raw
	killed_at "$1" "$2" "$mainstay" backup nt4 copy -q >out 2>&1 || status=$?
	outcome=ended
	! grep -q 'killed by SIGKILL' trace || outcome=killed
	[[ $outcome == killed || $status == 0 ]] || { cat out; return 1; }
	"$mainstay" status nt4 >out 2>&1 || { cat out machine; return 1; }
	if [[ -e copy ]]; then
		whole >out 2>&1 || { cat out; return 1; }
		rm -rf copy copy.raw
	elif [[ $outcome == ended ]]; then
		echo "it has ended well, and there is no backup"
		return 1
	fi
	"$mainstay" backup nt4 copy -q >out 2>&1 || { cat out; return 1; }
	whole >out 2>&1 || { cat out; return 1; }
	[[ ! -e copy.partial && ! -e disk.checkpoints ]] || { echo "left behind:"; ls . disk.checkpoints; return 1; }
}
at_each "${KILLS:-60}" pwritev pwrite64 fdatasync fsync fallocate ftruncate link linkat unlink unlinkat rename renameat renameat2 \
	mkdir mkdirat rmdir copy_file_range sendmsg
"$mainstay" quit nt4
wait
((count++))
if "$mainstay_vhd" check disk.vhd >said 2>&1 &&
	"$mainstay_vhd" convert --force --type raw disk.vhd copy.raw >said 2>&1 &&
	cmp copy.raw contents; then
	echo "ok $count - the machine's disk is what it was"
else
	echo "not ok $count - the machine's disk is what it was"
	sed 's/^/# /' said
fi
echo "1..$count"
