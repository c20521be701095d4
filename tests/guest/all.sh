#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots real guests under real KVM: the cases of cases/, all on one nested host where /dev/kvm is missing.
#
#   all.sh [CASE...]
#
# What the guests' serial ports said is left in $BUILD/guest/log. BIN names another folder of programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
logs=$build/guest/log
cases=("$@")
((${#cases[@]})) || cases=(state control cycle undo kernel kill sleep video shell host resets refused ipxe v86 memtest) # the longest first

for mode in cycle once sleep wait write shell refused; do
	tests/guest/make-disk "$mode"
done
tests/guest/make-media "${cases[@]}"
# Direct boot takes the same kernel and initial RAM disk from outside.
cp -u build/debs/guest-kernel/vmlinuz "$build/guest/linux"
[[ $build/guest/initrd.gz -nt $build/guest/base.img ]] ||
	MTOOLS_SKIP_CHECK=1 mcopy -o -n -i "$build/guest/base.img@@1048576" ::initrd.gz "$build/guest/initrd.gz"
rm -rf "$logs"
mkdir -p "$logs"
scale=1
[[ $build != *sanitize* ]] || scale=3
SCALE=$scale SOAK=${SOAK-} exec tests/nested/with-kvm -m 8192 -t $((${TIME:-1200} * scale)) -s "$logs" -- \
	tests/guest/inside.sh "${BIN:-$build/bin}" "$build/guest" "$logs" "${cases[@]}"
