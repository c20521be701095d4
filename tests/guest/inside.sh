#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs guest cases where there is a /dev/kvm, one after the other, and leaves their TAP lines in LOGS/CASE.tap.
#
#   inside.sh LANE BIN DISKS LOGS CASE...
#
# Several lanes may go through the same list side by side: who makes LOGS/claims/CASE runs the case.
set -u
here=$(cd "$(dirname "$0")" && pwd)
lane=$1 bin=$(realpath "$2") disks=$(realpath "$3") logs=$(realpath "$4")
shift 4
export disks mainstay=$bin/mainstay mainstay_vhd=$bin/mainstay-vhd pictures=$here/pictures scale=${SCALE:-1}

work=$(mktemp -d) # short, for unix sockets; in memory on a nested host
# Where what a parallel port of this host prints is seen.
[[ ! ${MAINSTAY_NESTED-} ]] || export printer=$logs/paper.$lane
# A case that wants a network says so.
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none

run_case() {
	local name=$1 started=$SECONDS status
	mkdir "$work/$name"
	(
		cd "$work/$name" || exit
		set -euo pipefail
		# shellcheck disable=SC2034
		case_name=$name
		# shellcheck source=/dev/null
		. "$here/lib.sh"
		# shellcheck source=/dev/null
		. "$here/cases/$name.sh"
	) >"$work/$name.tap" 2>&1
	status=$?
	((status == 0)) || grep -q '^not ok' "$work/$name.tap" ||
		echo "not ok - $name: the case ended with status $status" >>"$work/$name.tap"
	# Machines that a failed case has left.
	for pid in "$work/$name"/*.pid; do
		[[ ! -e $pid || -e ${pid%.pid}.status ]] || kill "$(<"$pid")" 2>/dev/null
	done
	cp "$work/$name"/*.serial "$work/$name"/*.err "$work/$name"/*.png "$logs/" 2>/dev/null
	echo "# $name: $((SECONDS - started)) s" >>"$work/$name.tap"
	cp "$work/$name.tap" "$logs/$name.tap.new" && mv "$logs/$name.tap.new" "$logs/$name.tap"
	rm -rf "${work:?}/$name"
}

# Who waits for us must be able to tell a slow host from one that stands still.
while :; do
	echo "$SECONDS" >"$logs/alive.$lane"
	sleep 5
done &
trap 'kill $!; rm -rf "$work"' EXIT

for name in "$@"; do
	mkdir "$logs/claims/$name" 2>/dev/null || continue
	echo "$lane" >"$logs/claims/$name/lane"
	run_case "$name"
done
