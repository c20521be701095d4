# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# For tests that kill processes at the first, second ... occurrence of a system call, sourced in the tree's top folder: a
# folder $work of the test's own, which it enters and which goes with it, with the machines. $BUILD is the build folder.
. tests/lib/eventually.bash
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay
mainstay_vhd=$build/bin/mainstay-vhd
command -v strace >/dev/null || { echo "ok 1 - # SKIP there is no strace"; exit 0; }
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill -KILL 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none LC_ALL=C
unset XDG_RUNTIME_DIR NOTIFY_SOCKET LISTEN_FDS WATCHDOG_USEC
cd "$work" || exit 1
mkdir run
chmod 700 run
count=0

runs() { # the machine answers
	"$mainstay" status nt4
}

# killed_at SYSTEM-CALL NUMBER COMMAND...: runs it, its trace is left in the file trace. Its words are to go somewhere.
killed_at() {
	local call=$1 number=$2
	shift 2
	strace -f -qq -o trace -e trace="$call" -e inject="$call:signal=KILL:when=$number" "$@"
}

# at_each MOST SYSTEM-CALL...: the test's "try SYSTEM-CALL NUMBER" with rising numbers, MOST at most, until its $outcome is
# "ended": nothing was killed any more. "killed" counts, others do not. It says what is wrong, and fails then.
at_each() {
	local most=$1 call number kills failed
	shift
	for call; do
		failed='' kills=0
		for ((number = 1; number <= most; number++)); do
			try "$call" $number >said.try 2>&1 || { failed="number $number"; break; }
			[[ $outcome != ended ]] || break
			[[ $outcome != killed ]] || ((kills++))
		done
		((count++))
		if [[ -z $failed ]]; then
			echo "ok $count - killed at $call: $kills times"
		else
			echo "not ok $count - killed at $call, $failed"
			sed 's/^/# /' said.try
		fi
	done
}
