# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests that wait for other processes, sourced in the tree's top folder. What the last try says is shown.
eventually() { # COMMAND...: within 20 s
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	"$@"
}
