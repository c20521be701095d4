#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include whom (docs/architecture.md, "Layers"). One TAP line for each rule.
set -u
cd "$(dirname "$0")/../.." || exit 1

# What a folder's files may include besides their own folder: folders ("base/") or single headers.
declare -A may=(
	[base]=""
	[devmodel]="base/"
	[vhd]="base/"
	[net]="base/"
	[vmm/state]="base/"
	[vmm]="base/ devmodel/ vhd/ net/port.h"
	[mgmt]="base/ vhd/vhd.h vmm/state/statefile.h vmm/state/stream.h net/port.h"
)

# A device includes the header of no other device, but of an engine that it declares here.
declare -A engine=(
	[devmodel/s3_trio64.c]="devmodel/vga.h"
)

# System headers that devices may use; those behind a colon only in the files named.
device_headers="assert.h errno.h limits.h stdarg.h stdbool.h stddef.h stdint.h string.h
	stdio.h:devmodel/device.c,devmodel/state.c stdlib.h:devmodel/device.c,devmodel/state.c,devmodel/fwcfg.c
	sys/uio.h:devmodel/*"

report()
{
	if [[ -z $2 ]]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		printf '%s' "$2" | sed 's/^/# /'
		failed=1
	fi
}

# "file included" for each #include "..." of folder $1, the path made plain. A header that is generated lies
# in the build folder and is told by having no folder of its own there: it counts as the includer's.
own_includes()
{
	grep -rEHo --include='*.[ch]' '^#include "[^"]+"' "$1" 2>/dev/null | awk -F'[:"]' '{
		n = split($1, part, "/")
		path = ""
		for (i = 1; i < n; i++)
			path = path part[i] "/"
		header = $3
		while (sub(/^\.\.\//, "", header))
			sub(/[^\/]+\/$/, "", path)
		print $1, path header
	}'
}

allowed()
{
	local one

	for one in $2; do
		[[ $1 == "$one" || ($one == */ && $1 == "$one"*) ]] && return 0
	done
	return 1
}

failed=0
for folder in base devmodel vhd net vmm/state vmm mgmt; do
	bad=
	while read -r file path; do
		allowed "$path" "$folder/ ${may[$folder]}" || bad+="$file includes $path"$'\n'
	done < <(own_includes "$folder")
	report "$folder includes only the layers below it" "$bad"
done

device_header_list=$(grep -lE '^extern const struct device_class [a-z0-9_]+;' devmodel/*.h)
bad=
while read -r file path; do
	[[ $file == devmodel/classes.c || ${path%.h} == "${file%.[ch]}" ]] && continue
	grep -qxF "$path" <<<"$device_header_list" || continue
	allowed "$path" "${engine[$file]:-}" || bad+="$file includes $path"$'\n'
done < <(own_includes devmodel)
report "no device includes the header of another" "$bad"

bad=$(set -f && grep -rEH --include='*.[ch]' '^#include <' devmodel |
	awk -F'[:<>]' -v allowed="$(tr -s '[:space:]' ' ' <<<"$device_headers")" '
	BEGIN {
		n = split(allowed, entries, " ")
		for (i = 1; i <= n; i++) {
			split(entries[i], parts, ":")
			m = split(parts[2] == "" ? "*" : parts[2], files, ",")
			for (j = 1; j <= m; j++)
				known[parts[1] ":" files[j]] = 1
		}
	}
	!((($3 ":*") in known) || (($3 ":devmodel/*") in known) || (($3 ":" $1) in known)) {
		print $1 " includes <" $3 ">"
	}')
report "devmodel uses no threads, sockets, files, clocks or stdio" "$bad"
exit $failed
