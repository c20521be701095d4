#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compares Mainstay with QEMU in one run of a nested host that counts instructions; README.md has the method.
#
#   bench.sh [OPTION...]      options of compare
#
# Reads $BUILD/bin and $BUILD/bench, writes $BUILD/bench/bench.json and prints a table. The exit status
# says whether it could run, not whether goals are reached.
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(realpath "${BUILD:-build}")
bench=$build/bench
limit=2900

# The disks are copied into the nested host's memory: nothing waits for the outside then.
if [[ ${1-} == --inside ]]; then
	shift
	work=$(mktemp -d)
	cp --sparse=always "$bench/linux.vhd" "$bench/ports.vhd" "$work"
	exec "$bench/compare" "$@" "$build/bin/mainstay" "$work/linux.vhd" "$work/ports.vhd" \
		"$bench/bench.json"
fi

BUILD=$build "$top/tests/guest/make-disk" run "$bench/linux.vhd" "$bench/disk"
[[ $bench/ports.vhd -nt $bench/ports.bin ]] || {
	cp "$bench/ports.bin" "$bench/ports.img"
	truncate -s 4M "$bench/ports.img"
	qemu-img convert -f raw -O vpc -o subformat=dynamic "$bench/ports.img" "$bench/ports.vhd"
	rm "$bench/ports.img"
}
rm -f "$bench/bench.json"
status=0
BUILD=$build "$top/tests/nested/with-kvm" -i -t $limit -s "$bench" -- "$here/bench.sh" --inside "$@" || status=$?
[[ $status == 0 || ! -s $bench/bench.json ]] ||
	echo "bench: ended early; $bench/bench.json has what was measured" >&2
exit $status
