#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "mainstay backup" of a running machine, killed at the first, second ... occurrence of every system call by which
# something reaches a disk or another process, the copying included. Whatever happened, the machine runs on, the backup is
# whole or is not there, and the next one to the same place goes well and leaves nothing behind. The machine is the one
# with the device test port. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay
command -v strace >/dev/null || { echo "ok 1 - # SKIP there is no strace"; exit 0; }
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill -KILL 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none LC_ALL=C
unset XDG_RUNTIME_DIR NOTIFY_SOCKET LISTEN_FDS WATCHDOG_USEC
cd "$work" || exit 1
mkdir run
chmod 700 run
# Something in every block, so that copying takes many calls.
truncate -s 16M contents
yes 'what the guest has written' | head -c 16M >contents
"$build/bin/mainstay-vhd" convert contents disk.vhd >/dev/null || exit 1
"$mainstay" run disk.vhd --name nt4 --memory 4M --headless --devtest "unix:$work/port" >machine 2>&1 </dev/null &
for ((i = 0; i < 400; i++)); do
	"$mainstay" status nt4 >/dev/null 2>&1 && break
	sleep 0.05
done

whole() { # the backup's disk
	"$build/bin/mainstay-vhd" check copy/disk.vhd && "$build/bin/mainstay-vhd" convert --type raw copy/disk.vhd copy.raw &&
		cmp copy.raw contents
}
# One try; 1: something is wrong, and said.
try() { # SYSTEM-CALL NUMBER
	local status=0
	rm -rf copy copy.raw
	strace -f -qq -o trace -e trace="$1" -e inject="$1:signal=KILL:when=$2" "$mainstay" backup nt4 copy -q >out 2>&1 || status=$?
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
count=0
for call in pwritev pwrite64 fdatasync fsync fallocate ftruncate link linkat unlink unlinkat rename renameat renameat2 \
	mkdir mkdirat rmdir copy_file_range sendmsg; do
	failed="" kills=0
	for ((n = 1; n <= ${KILLS:-60}; n++)); do
		try $call $n >said 2>&1 || { failed="number $n"; break; }
		[[ $outcome == killed ]] || break
		((kills++))
	done
	((count++))
	if [[ -z $failed ]]; then
		echo "ok $count - killed at $call: $kills times"
	else
		echo "not ok $count - killed at $call, $failed"
		sed 's/^/# /' said
	fi
done
"$mainstay" quit nt4
wait
((count++))
if "$build/bin/mainstay-vhd" check disk.vhd >said 2>&1 &&
	"$build/bin/mainstay-vhd" convert --force --type raw disk.vhd copy.raw >said 2>&1 &&
	cmp copy.raw contents; then
	echo "ok $count - the machine's disk is what it was"
else
	echo "not ok $count - the machine's disk is what it was"
	sed 's/^/# /' said
fi
echo "1..$count"
