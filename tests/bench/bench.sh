#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares Mainstay with QEMU in one run of a nested host that counts instructions; README.md has the method.
#
#   bench.sh [OPTION...]      options of compare
#
# SUITE is the program: compare (the default), board, video, state or net. Reads $BUILD/bin and $BUILD/bench, writes
# $BUILD/bench/bench.json, or bench-SUITE.json, and prints a table. The exit status
# says whether it could run, not whether goals are reached.
set -euo pipefail
# The peer has no network adapter either.
export MAINSTAY_NET=none
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(realpath "${BUILD:-build}")
bench=$build/bench
limit=2900
# Processor time of the emulator after which a guest stands still: twice what a scenario takes.
patience=240
suite=${SUITE:-compare}
json=$bench/bench.json
[[ $suite == compare ]] || json=$bench/bench-$suite.json
[[ $suite != net ]] || patience=150

# Disks and programs are copied into the nested host's memory: nothing waits for the outside then.
if [[ ${1-} == --inside ]]; then
	shift
	work=$(mktemp -d)
	case $suite in
	compare) disks=(linux.vhd ports.vhd) ;;
	video) disks=(video.vhd) ;;
	state) disks=(linux.vhd linux.img) ;;
	net) disks=(net.vhd ports.vhd net-other.vhd) ;;
	*) disks=(linux.vhd ports.vhd bios.vhd floppy.img cd.img) ;;
	esac
	for disk in "${disks[@]}"; do
		cp --sparse=always "$bench/$disk" "$work"
	done
	cp -r "$build/bin" "$work"
	[[ $suite != net ]] || {
		export MAINSTAY_NETWORKS=$work/networks MAINSTAY_RUNTIME_DIR=$work/run
		"$work/bin/mainstay" net create bench --kind loopback --host-address 10.9.0.1/24
	}
	exec "$bench/$suite" "$@" "$work/bin/mainstay" "${disks[@]/#/$work/}" "$json"
fi

# make_disk NAME: a VHD with a bare guest
make_disk() {
	[[ $bench/$1.vhd -nt $bench/$1.bin ]] || {
		cp "$bench/$1.bin" "$bench/$1.img"
		truncate -s 4M "$bench/$1.img"
		qemu-img convert -f raw -O vpc -o subformat=dynamic "$bench/$1.img" "$bench/$1.vhd"
		rm "$bench/$1.img"
	}
}

if [[ $suite == video ]]; then
	make_disk video
elif [[ $suite == state ]]; then
	BUILD=$build "$top/tests/guest/make-disk" run "$bench/linux.vhd" "$bench/disk"
	# QEMU refuses to save a machine with a VHD.
	qemu-img convert -f vpc -O raw "$bench/linux.vhd" "$bench/linux.img"
elif [[ $suite == net ]]; then
	BUILD=$build "$top/tests/guest/make-disk" run "$bench/net.vhd" "$bench/net_guest"
	cp --sparse=always "$bench/net.vhd" "$bench/net-other.vhd"
	make_disk ports
else
	BUILD=$build "$top/tests/guest/make-disk" run "$bench/linux.vhd" "$bench/disk"
	make_disk ports
	[[ $suite == compare ]] || {
		make_disk bios
		truncate -s 1440K "$bench/floppy.img" "$bench/cd.img"
	}
fi
# Each scenario, side and run has a nested host of its own, which is begun anew when its guest stands still
# (compare.c says why). Counts are the same in each.
runs=3 sides=(ours peer) verbose=() scenarios=()
while getopts vn:o:s: option; do
	case $option in
	v) verbose=(-v) ;;
	n) runs=$OPTARG ;;
	o) sides=("$OPTARG") ;;
	s) scenarios+=("$OPTARG") ;;
	*) exit 1 ;;
	esac
done
((${#scenarios[@]})) || mapfile -t scenarios < <("$bench/$suite" -l)
values=${json%.json}.values
rm -f "$json" "$values"

measure() { # SCENARIO SIDE
	local status
	for _ in 1 2 3 4 5; do
		status=0
		BUILD=$build "$top/tests/nested/with-kvm" -i -t $limit -p "${PROCESSOR_SECONDS:-$patience}" -s "$bench" -- \
			"$here/bench.sh" --inside "${verbose[@]}" -s "$1" -o "$2" -c "$values" 2> >(grep -v "no usable" >&2) ||
			status=$?
		((status == 124)) || return $status
	done
	echo "bench: $1, $2: given up" >&2
}

echo "bench: ${#scenarios[@]} scenarios, each on an emulated processor, many times slower" >&2
for ((run = 0; run < runs; run++)); do
	for scenario in "${scenarios[@]}"; do
		for side in "${sides[@]}"; do
			# "NAME peer": ours is measured in another scenario; "NAME ours": there is no peer.
			case $scenario,$side in
			*' peer,ours' | *' ours,peer') ;;
			*) name=${scenario% peer} && measure "${name% ours}" "$side" ;;
			esac
		done
	done
done
exec "$bench/$suite" -p "$values"
