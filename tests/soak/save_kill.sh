#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A service whose processes are killed while they save it: the machine's, its starter or "mainstay save", at the first,
# second ... occurrence of every system call by which something reaches a disk or another process. Whatever
# happened, starting the service again goes on from a whole state or boots, and the disk is sound. The machine is the one
# with the device test port. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay
command -v strace >/dev/null || { echo "ok 1 - # SKIP there is no strace"; exit 0; }
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill -KILL 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none LC_ALL=C STATE_DIRECTORY=$work/state
unset XDG_RUNTIME_DIR NOTIFY_SOCKET LISTEN_FDS WATCHDOG_USEC
cd "$work" || exit 1
mkdir state run
chmod 700 run
cat >nt4.json <<'JSON'
{ "version": 1, "name": "nt4", "memory_mib": 4, "networks": [], "stop_seconds": 1, "disks": [ { "path": "disk.vhd" } ] }
JSON
"$build/bin/mainstay-vhd" create fresh.vhd 4M >/dev/null
eventually() { # COMMAND...: within 20 s
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}
runs() {
	"$mainstay" status nt4
}
gone() { # nobody holds the disk or the name any more
	! runs && flock -n disk.vhd true && ! pgrep -g "$group"
}
service=(run --service --config nt4.json --devtest "unix:$work/port")

# One try; what came of it is in $outcome. 1: something is wrong, and said.
try() { # SYSTEM-CALL NUMBER
	rm -rf state/* port
	cp fresh.vhd disk.vhd
	set -m
	strace -f -qq -o trace -e trace="$1" -e inject="$1:signal=KILL:when=$2" "$mainstay" "${service[@]}" >out 2>&1 </dev/null &
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
	"$build/bin/mainstay-vhd" check disk.vhd >said 2>&1 || { cat said; return 1; }
	before=$(ls state)
	rm -f port
	"$mainstay" "${service[@]}" >again 2>&1 </dev/null &
	starter=$!
	eventually runs || { echo "it does not start again; there was: $before"; cat out again; kill -KILL $starter; return 1; }
	"$mainstay" quit nt4 && wait $starter || { cat again; return 1; }
	[[ $outcome == killed || $before == nt4.state ]] || { echo "not killed and not saved: $before"; cat out; return 1; }
	[[ -z $(ls state) ]] || { echo "left behind: $(ls state)"; return 1; }
	"$build/bin/mainstay-vhd" check disk.vhd >said 2>&1 || { cat said; return 1; }
}
count=0
for call in pwritev pwrite64 fdatasync fsync fallocate ftruncate link unlink unlinkat sendmsg; do
	failed="" tries=0 kills=0
	for ((n = 1; n <= ${KILLS:-6}; n++)); do
		try $call $n >said.try 2>&1 || { failed="number $n"; break; }
		tries=$n
		[[ $outcome == ended ]] && break
		[[ $outcome == killed ]] && ((kills++))
	done
	((count++))
	if [[ -z $failed ]]; then
		echo "ok $count - killed at $call: $kills times while it saved, of $tries"
	else
		echo "not ok $count - killed at $call, $failed"
		sed 's/^/# /' said.try
	fi
done
echo "1..$count"
