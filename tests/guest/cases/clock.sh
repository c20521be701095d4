# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest that does nothing but compare its clocks (tests/guest/clock) is saved and restored SAVES times, and paused: no
# clock of it goes back, and they agree with each other as before, to 0.1 %. The clock with the battery follows the
# machine, or the wall clock, by setting.
saves=${SAVES:-6}
cp "$disks/clock.img" disk.img
options=(--drive=disk.img,format=raw --memory 16M)

line() { # NUMBER: waits for that many lines in all.serial and the running machine's
	local limit=$((SECONDS + 120 * scale))
	until (($(cat all.serial clock.serial 2>/dev/null | grep -acE 'clock: [0-9a-f]+ .*') >= $1)); do
		((SECONDS < limit)) && [[ ! -e clock.status ]] || { shown clock; return 1; }
		nap
	done
}
lines() {
	cat all.serial clock.serial 2>/dev/null | grep -acE 'clock: [0-9a-f]+ .*'
}
again() { # OPTION...: saved, and restored
	"$mainstay" save clock now.state --quiet && ends clock 0 || return
	cat clock.serial >>all.serial
	rm clock.serial clock.status
	start clock "${options[@]}" "$@" --restore now.state
}
compare() { # FIRST-LINE BASE-LINE [wall]: what happened since BASE-LINE with what was so before
	cat all.serial clock.serial | tr -d '\r' | grep -aE '^clock: [0-9a-f]+( [0-9a-f]+){4}$' | python3 -c '
import sys
rows = [[int(x, 16) for x in line.split()[1:]] for line in sys.stdin]
first, base, wall = int(sys.argv[1]), int(sys.argv[2]), len(sys.argv) > 3
a, b, e = rows[first], rows[base], rows[-1]
N, TSC, PIT, PM, RTC = range(5)
d = lambda x, y, i: y[i] - x[i]
bad = [r for p, r in zip(rows, rows[1:]) if r[N] != p[N] + 1]
seconds = d(b, e, PM) / 3579545
drift = {
    "tsc": d(b, e, TSC) / (d(a, b, TSC) / d(a, b, PM)) / d(b, e, PM) - 1,
    "pit": d(b, e, PIT) / 1193182 / seconds - 1,
    "rtc": (d(b, e, RTC) - seconds) / seconds,
}
print("lines", len(rows), "seconds", round(seconds, 2), {k: f"{100 * v:.4f} %" for k, v in drift.items()}, "gaps", bad)
if wall:
    del drift["rtc"]
# The guest looks every 10 ms when the second is over, which is what the rtc can seem to be off.
limit = {"tsc": 0.001, "pit": 0.001, "rtc": 0.001 + 0.02 / seconds}
sys.exit(bool(bad) or any(abs(v) > limit[k] for k, v in drift.items()))' "$@"
}
never_back() {
	! cat all.serial clock.serial | grep -a 'back:'
}

: >all.serial
start clock "${options[@]}" --resume-clock frozen
must "the guest looks at its clocks" line 8
check "they agree while nothing happens" compare 1 5
for ((i = 1; i <= saves; i++)); do
	must "save and restore $i" again --resume-clock frozen
	have=$(lines)
	must "it goes on" line $((have + 1 + RANDOM % 2))
done
check "no clock went back in $saves saves" never_back
check "nor did any drift" compare 1 7
must "pause" "$mainstay" pause clock
nap; nap; nap; nap; nap
base=$(lines)
must "resume" "$mainstay" resume clock
must "it goes on" line $((base + 3))
check "no clock went back in a pause" never_back
check "nor did any drift through that" compare 1 7
base=$(lines)
before=$(cat all.serial clock.serial | tr -d '\r' | awk '/^clock: [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+$/ { l = $6 } END { print l }')
must "save" "$mainstay" save clock now.state --quiet
must "its end" ends clock 0
cat clock.serial >>all.serial
rm clock.serial clock.status
sleep 5
start clock "${options[@]}" --restore now.state
must "it goes on with today's time" line $((base + 2))
after=$(cat all.serial clock.serial | tr -d '\r' | awk '/^clock: [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+$/ { l = $6 } END { print l }')
check "which the battery's clock shows" test $((16#$after - 16#$before)) -ge 5
check "and no other" compare 1 7 wall
check "nor did any clock go back" never_back
"$mainstay" quit clock
