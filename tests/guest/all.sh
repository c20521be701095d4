#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots real guests under real KVM: the cases of cases/, on two nested hosts where /dev/kvm is missing.
#
#   all.sh [CASE...]
#
# What the guests' serial ports said is left in $BUILD/guest/log. BIN names another folder of programs.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
logs=$build/guest/log
cases=("$@")
((${#cases[@]})) || cases=(state traffic netboot checkpoint migrate control cycle undo drivers show menu kernel kill sleep shell host board resets refused ipxe v86 engine memtest memtest_screen clock) # the longest first

for mode in cycle once sleep wait write shell refused; do
	tests/guest/make-disk "$mode"
done
# Traffic's two ends: a guest's program here, and build/bench/net on the host.
tests/guest/make-disk run "$build/guest/net.vhd" "$build/bench/net_guest"
tests/guest/make-media "${cases[@]}"
# Direct boot takes the same kernel and initial RAM disk from outside.
cp -u build/debs/guest-kernel/vmlinuz "$build/guest/linux"
[[ $build/guest/initrd.gz -nt $build/guest/base.img ]] ||
	MTOOLS_SKIP_CHECK=1 mcopy -o -n -i "$build/guest/base.img@@1048576" ::initrd.gz "$build/guest/initrd.gz"
rm -rf "$logs"
mkdir -p "$logs/claims"
scale=1
[[ $build != *sanitize* ]] || scale=3

# Ends the nested host of process $1 when $2, which its host writes to every few seconds, has not changed for long.
watch() {
	local before='' now still=0
	while sleep 10 && kill -0 "$1" 2>/dev/null; do
		now=$(cat "$2" 2>/dev/null) || true
		[[ $now && $now == "$before" ]] && ((still += 10)) || still=0
		before=$now
		((still < 90 * scale)) || kill "$1"
	done
}

# Two lanes go through the cases side by side, each on a nested host with one processor (with-kvm says why).
# When a nested host dies or stands still all the same, its lane begins the interrupted case anew, and says so.
lane() {
	local status claim attempt host
	for attempt in 1 2 3; do
		status=0
		rm -f "$logs/alive.$1"
		SCALE=$scale SOAK=${SOAK-} tests/nested/with-kvm -m 6144 -t $((${TIME:-700} * scale)) -s "$logs" \
			-l "$logs/paper.$1" -- \
			tests/guest/inside.sh "$1" "${BIN:-$build/bin}" "$build/guest" "$logs" "${cases[@]}" \
			>"$logs/lane$1.$attempt" 2>&1 &
		host=$!
		watch $host "$logs/alive.$1" &
		wait $host || status=$?
		kill $! 2>/dev/null || true
		((status == 124 || status == 125 || status == 143)) || break
		echo "# the nested host of lane $1 ended with status $status:"
		sed 's/^/#   /' "$logs/lane$1.$attempt"
		for claim in "$logs"/claims/*; do
			[[ $(cat "$claim/lane") != "$1" || -e $logs/${claim##*/}.tap ]] || rm -r "$claim"
		done
	done
	((status == 0)) || sed 's/^/# /' "$logs/lane$1.$attempt"
	return $status
}

lane 1 &
first=$!
lane 2 || true
wait $first || true
grep -h '^with-kvm: no usable' "$logs/lane1.1" || true
failed=0
for name in "${cases[@]}"; do
	cat "$logs/$name.tap" 2>/dev/null || echo "not ok - $name: it did not come to its end"
	! grep -qs '^not ok' "$logs/$name.tap" || failed=1
	[[ -e $logs/$name.tap ]] || failed=1
done
exit $failed
