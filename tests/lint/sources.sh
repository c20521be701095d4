#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every source names its licence, no line ends in blanks, and every folder says what it is for.
set -u
cd "$(dirname "$0")/../.." || exit 1

failed=0
report()
{
	if [[ -z $2 ]]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		sed 's/^/# /' <<<"$2"
		failed=1
	fi
}

folders="base devmodel vhd net vmm mgmt tests packaging docs"
# Scripts without a suffix are known by their first line.
sources=$( (
	find $folders -type f \( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -name '*.mk' -o -name '*.asl' -o -name '*.js' \)
	find $folders .ci -type f -exec awk 'FNR == 1 { if (/^#!\//) print FILENAME; nextfile }' {} +
	echo Makefile
) | grep -v '/node_modules/' | sort -u)

bad=$(xargs -r awk '
	FNR == 1 { if (named == 0 && file != "") print file; file = FILENAME; named = 0 }
	/SPDX-License-Identifier: GPL-2.0-or-later/ { named = 1 }
	FNR == 2 { if (!named) print file; file = ""; nextfile }' <<<"$sources")
report "sources name their licence in the first two lines" "${bad%$'\n'}"
report "no line ends in blanks" "$(xargs -r grep -nE '[[:blank:]]+$' <<<"$sources" | cut -c1-100)"

bad=
for folder in $folders; do
	[[ -n $(find "$folder" -type f ! -name README.md -print -quit 2>/dev/null) ]] || continue
	if [[ ! -f $folder/README.md ]]; then
		bad+="$folder/README.md is missing"$'\n'
	elif (($(wc -l <"$folder/README.md") > 100)); then
		bad+="$folder/README.md is longer than a page"$'\n'
	fi
done
report "every folder has a README.md of one page" "${bad%$'\n'}"
exit $failed
