#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VHD images against plain files and qemu-img, in memory; README.md has the method.
#
#   vhd.sh [OPTION...]      options of tests/bench/vhd.c, such as -n 3
#
# Reads $BUILD/bin and $BUILD/bench, writes $BUILD/bench/bench-vhd.json and prints a table.
set -euo pipefail
build=$(realpath "${BUILD:-build}")
memory=/dev/shm
[[ -w $memory && $(stat -f -c %T $memory) == tmpfs ]] || {
	echo "bench-vhd: no tmpfs at $memory; figures of another file system say little" >&2
	memory=${TMPDIR:-/tmp}
}
work=$(mktemp -d "$memory/bench-vhd.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$build/bench/vhd" "$@" "$build/bin/mainstay-vhd" "$work" "$build/bench/bench-vhd.json"
