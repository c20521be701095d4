#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The compiled device library: no writable global data, and nothing of libc but memory and strings.
set -u
cd "$(dirname "$0")/../.." || exit 1
library=${BUILD:-build}/lib/devmodel.a

if [[ ! -f $library ]]; then
	echo "$library is missing: run make first"
	exit 1
fi
if nm -u "$library" 2>/dev/null | grep -q __asan_init; then
	echo "sanitizers add data and calls of their own"
	exit 77
fi

# The compiler's own helpers, such as __udivti3, are arithmetic.
everywhere="memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strncpy
	__memcpy_chk __memmove_chk __memset_chk __strncpy_chk __stack_chk_fail __assert_fail
	_GLOBAL_OFFSET_TABLE_"
# What makes and loads devices may allocate; fw_cfg copies its files when it is made.
makers="malloc calloc free qsort snprintf __snprintf_chk"
maker_objects="device.o state.o fwcfg.o"

# In relocatable objects constant tables with pointers are in .data.rel.ro: written by the loader only.
writable=$(size -A "$library" | awk '
	/ \(ex / { object = $1; sub(":", "", object) }
	$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 {
		print "# " object ": " $2 " bytes in " $1
	}')
if [[ -z $writable ]]; then
	echo "ok - devices have no writable global data"
else
	echo "not ok - devices have no writable global data"
	echo "$writable"
fi

calls=$(nm -A -u "$library" | awk -v everywhere="$everywhere" -v makers="$makers" \
	-v maker_objects="$maker_objects" '
	BEGIN {
		n = split(everywhere, names); for (i = 1; i <= n; i++) ok[names[i]] = 1
		n = split(makers, names); for (i = 1; i <= n; i++) maker[names[i]] = 1
		n = split(maker_objects, names); for (i = 1; i <= n; i++) may_make[names[i]] = 1
	}
	{
		split($1, part, ":"); object = part[2]; symbol = $NF
		if ((symbol in ok) || symbol ~ /^__(u?(div|mod)|popcount|clz|ctz)[sdt]i[234]?$/) next
		if ((symbol in maker) && (object in may_make)) next
		print symbol " " object
	}' | sort -u)
# What the library or base defines is its own affair.
defined=$(nm --defined-only "$library" "${BUILD:-build}/lib/base.a" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u)
foreign=$(join -v1 <(echo "$calls" | sort -k1,1) <(echo "$defined") | sed '/^$/d; s/^/# /')
if [[ -z $foreign ]]; then
	echo "ok - devices call nothing but memory and string functions"
else
	echo "not ok - devices call nothing but memory and string functions"
	echo "$foreign"
fi
[[ -z $writable$foreign ]]
