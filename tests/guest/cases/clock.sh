# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest that does nothing but compare its clocks (tests/guest/clock) is saved and restored SAVES times, and paused: no
# clock of it goes back, and they agree with each other as before, to 0.1 %. The clock with the battery follows the
# machine, or the wall clock, by setting.
saves=${SAVES:-4}
cp "$disks/clock.img" disk.img
options=(--drive=disk.img,format=raw --memory 16M)

said() { # by all of them, but a line that is still on its way: half a number is a number, too
	local text
	text=$(cat all.serial clock.serial 2>/dev/null; echo .)
	[[ $text != *$'\n'* ]] || echo "${text%$'\n'*}"
}
lines() {
	said | grep -acE 'clock: [0-9a-f]+ .*'
}
line() { # NUMBER: waits for that many lines
	local limit=$((SECONDS + 120 * scale))
	until (($(lines) >= $1)); do
		((SECONDS < limit)) && [[ ! -e clock.status ]] || { shown clock; return 1; }
		nap
	done
}
again() { # OPTION...: saved, and restored; not within check, which would wait for the machine
	must "save" "$mainstay" save clock now.state --quiet
	must "its process has ended" ends clock 0
	cat clock.serial >>all.serial
	rm clock.serial clock.status
	start clock "${options[@]}" "$@" --restore now.state
}
rows() { # in decimal
	local word values
	said | tr -d '\r' | grep -aE '^clock: [0-9a-f]+( [0-9a-f]+){6}$' | while read -r _ values; do
		for word in $values; do
			printf '%d ' $((16#$word))
		done
		echo
	done
}
compare() { # FIRST-LINE BASE-LINE [wall]: what happened since BASE-LINE with what was so before
	rows | awk -v first="$1" -v base="$2" -v wall="${3-}" '
	function since(n, i, from) { return row[n, i] - row[from, i] }
	function magnitude(x) { return x < 0 ? -x : x }
	# Between what and what the seconds are behind, by all that was seen from one row to another: low and high.
	function lag(from, to,   n) {
		low = -1e9; high = 1e9
		for (n = from; n <= to; n++) {
			if (row[n, 6] / 3579545 - row[n, 5] > low) low = row[n, 6] / 3579545 - row[n, 5]
			if (row[n, 7] / 3579545 - row[n, 5] < high) high = row[n, 7] / 3579545 - row[n, 5]
		}
	}
	{
		for (i = 1; i <= 7; i++) row[NR, i] = $i
		if (NR > 1 && $1 != row[NR - 1, 1] + 1) gaps++
	}
	END {
		first++; base++
		seconds = since(NR, 4, base) / 3579545
		tsc = since(NR, 2, base) / (since(base, 2, first) / since(base, 4, first)) / since(NR, 4, base) - 1
		pit = since(NR, 3, base) / 1193182 / seconds - 1
		lag(first, base); low_before = low; high_before = high
		lag(NR - 4, NR)
		rtc = (low > high_before ? low - high_before : high < low_before ? high - low_before : 0) / seconds
		printf "%d lines, %.1f s: tsc %.4f %%, pit %.4f %%, rtc %.4f %%, %d gaps\n", NR, seconds, 100 * tsc, 100 * pit, 100 * rtc, gaps
		# A stop is right to half a tick, and on a busy host a tick may be lost in it.
		exit gaps || magnitude(tsc) > 0.001 + 0.005 / seconds || magnitude(pit) > 0.001 + 0.05 / seconds ||
			(!wall && magnitude(rtc) > 0.001)
	}'
}
seconds_now() {
	rows | awk '{ last = $5 } END { print last }'
}
never_back() {
	! cat all.serial clock.serial | grep -a 'back:'
}

: >all.serial
start clock "${options[@]}" --resume-clock frozen
must "the guest looks at its clocks" line 8
check "they agree while nothing happens" compare 1 5
for ((i = 1; i <= saves; i++)); do
	again --resume-clock frozen
	have=$(lines)
	must "save and restore $i: it goes on" line $((have + 1 + RANDOM % 2))
done
must "it runs on" line $((have + 7))
check "no clock went back in $saves saves" never_back
check "nor did any drift" compare 1 7
must "pause" "$mainstay" pause clock
nap; nap; nap; nap; nap
base=$(lines)
must "resume" "$mainstay" resume clock
must "it goes on" line $((base + 6))
check "no clock went back in a pause" never_back
check "nor did any drift through that" compare 1 7
must "save" "$mainstay" save clock now.state --quiet
must "its end" ends clock 0
cat clock.serial >>all.serial
: >clock.serial # counted once
rm clock.status
base=$(lines)
before=$(seconds_now)
sleep 5
start clock "${options[@]}" --restore now.state
must "it goes on with today's time" line $((base + 2))
after=$(seconds_now)
check "which the battery's clock shows" test $((after - before)) -ge 5
check "and no other" compare 1 7 wall
check "nor did any clock go back" never_back
"$mainstay" quit clock
