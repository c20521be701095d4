#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Saving and restoring against QEMU, in one run of a nested host that counts instructions; README.md has the method.
#
#   state.sh [OPTION...]      options of state
#
# Writes $BUILD/bench/bench-state.json and prints a table. The exit status says whether it could run.
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(realpath "${BUILD:-build}")
bench=$build/bench

if [[ ${1-} == --inside ]]; then
	shift
	work=$(mktemp -d)
	cp --sparse=always "$bench/linux.vhd" "$bench/linux.img" "$work"
	exec "$bench/state" "$@" "${BIN:-$build/bin}/mainstay" "$work"/linux.{vhd,img} "$bench/bench-state.json"
fi

BUILD=$build "$top/tests/guest/make-disk" run "$bench/linux.vhd" "$bench/disk"
# QEMU refuses to save a machine with a VHD.
qemu-img convert -f vpc -O raw "$bench/linux.vhd" "$bench/linux.img"
rm -f "$bench/bench-state.json"
BUILD=$build exec "$top/tests/nested/with-kvm" -i -t 2900 -s "$bench" -- "$here/state.sh" --inside "$@"
