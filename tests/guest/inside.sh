#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs guest cases where there is a /dev/kvm, two at a time, and prints their TAP lines.
#
#   inside.sh BIN DISKS LOGS CASE...
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(realpath "$1") disks=$(realpath "$2") logs=$(realpath "$3")
shift 3
export disks mainstay=$bin/mainstay mainstay_vhd=$bin/mainstay-vhd scale=${SCALE:-1}

work=$(mktemp -d) # short, for unix sockets; in memory on a nested host
trap 'rm -rf "$work"' EXIT
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
	cp "$work/$name"/*.serial "$work/$name"/*.err "$logs/" 2>/dev/null
	echo "# $name: $((SECONDS - started)) s" >>"$work/$name.tap"
	cat "$work/$name.tap"
	rm -rf "${work:?}/$name"
}

for name in "$@"; do
	while (($(jobs -pr | wc -l) >= 2)); do
		wait -n
	done
	run_case "$name" &
done
wait
