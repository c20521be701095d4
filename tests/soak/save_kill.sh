#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A service whose processes are killed while they save it: the machine's, its starter or "mainstay save", at the first,
# second ... occurrence of every system call by which something reaches a disk or another process. Whatever
# happened, starting the service again goes on from a whole state or boots, and the disk is sound. The machine is the one
# with the device test port. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/soak/killing.bash
export STATE_DIRECTORY=$work/state
mkdir state
cat >nt4.json <<'JSON'
{ "version": 1, "name": "nt4", "memory_mib": 4, "networks": [], "stop_seconds": 1, "disks": [ { "path": "disk.vhd" } ] }
JSON
"$mainstay_vhd" create fresh.vhd 4M >/dev/null
service=(run --service --config nt4.json --devtest "unix:$work/port")

# One try; what came of it is in $outcome. 1: something is wrong, and said.
try() { # SYSTEM-CALL NUMBER
	rm -rf state/* port
	cp fresh.vhd disk.vhd
	set -m
	killed_at "$1" "$2" "$mainstay" "${service[@]}" >out 2>&1 </dev/null &
	group=$!
	set +m
	outcome=start
	eventually runs || { kill -KILL -- -$group 2>/dev/null; wait $group 2>/dev/null; grep -q 'killed by SIGKILL' trace && return 0; cat out; return 1; }
	starter=$(pgrep -g $group -f -- '--service' | while read -r pid; do
		[[ $(readlink "/proc/$pid/exe") == "$mainstay" ]] && echo "$pid"; done | head -n 1)
	kill -TERM "$starter"
	# Either it ends by itself, or what is left of it is killed, as systemd does.
	for ((i = 0; i < 100; i++)); do
		kill -0 "$starter" 2>/dev/null || break
		sleep 0.05
	done
	kill -KILL -- -$group 2>/dev/null
	wait $group 2>/dev/null
	pgrep -f "mainstay-vmm" -g $group | xargs -r kill -KILL
	eventually flock -n disk.vhd true || { echo "somebody still has the disk"; return 1; }
	outcome=ended
	! grep -q 'killed by SIGKILL' trace || outcome=killed
	"$mainstay_vhd" check disk.vhd >said 2>&1 || { cat said; return 1; }
	before=$(ls state)
	rm -f port
	"$mainstay" "${service[@]}" >again 2>&1 </dev/null &
	starter=$!
	eventually runs || { echo "it does not start again; there was: $before"; cat out again; kill -KILL $starter; return 1; }
	"$mainstay" quit nt4 && wait $starter || { cat again; return 1; }
	[[ $outcome == killed || $before == nt4.state ]] || { echo "not killed and not saved: $before"; cat out; return 1; }
	[[ -z $(ls state) ]] || { echo "left behind: $(ls state)"; return 1; }
	"$mainstay_vhd" check disk.vhd >said 2>&1 || { cat said; return 1; }
}
at_each "${KILLS:-6}" pwritev pwrite64 fdatasync fsync fallocate ftruncate link unlink unlinkat sendmsg
echo "1..$count"
