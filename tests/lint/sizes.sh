#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Size limits: a .c file at most 800 lines without its tables (400 in base/), a function at most 70. More is
# a signal that it holds two things; what may be larger stands below with its reason.
set -u
cd "$(dirname "$0")/../.." || exit 1

file_max=800 base_max=400 function_max=70

# "file" or "file:function" -> why it may be larger.
declare -A justified=(
)

found=$(find base devmodel vhd net vmm mgmt tests -name '*.c' | sort | xargs awk -v function_max=$function_max '
	function flush_file() {
		if (file != "")
			print "file", file, lines
	}
	FNR == 1 { flush_file(); file = FILENAME; lines = 0; table = 0; body = 0; name = "" }
	/^(static )?const .*= \{$/ { table = 1 }
	!table { lines++ }
	table && /^};/ { table = 0 }
	/^[A-Za-z_].*\(/ && !/;$/ && !/^#/ {
		name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
	}
	/^\{/ { body = FNR }
	/^\}/ && body {
		if (FNR - body - 1 > function_max)
			print "function", file ":" name, FNR - body - 1
		body = 0
	}
	END { flush_file() }')

bad=
while read -r kind what lines; do
	max=$file_max
	[[ $what == base/* ]] && max=$base_max
	[[ $kind == function ]] && max=$function_max
	((lines > max)) || continue
	[[ -n ${justified[$what]:-} ]] || bad+="# $what has $lines lines, more than $max"$'\n'
done <<<"$found"
if [[ -z $bad ]]; then
	echo "ok - files and functions are small"
else
	echo "not ok - files and functions are small"
	printf '%s' "$bad"
fi
[[ -z $bad ]]
