#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/registers.md is what the devices' tables say, and the same as JSON is JSON.
set -u
cd "$(dirname "$0")/../.." || exit 1
vmm=${BUILD:-build}/bin/mainstay-vmm
failed=0

[[ -x $vmm ]] || { echo "$vmm is missing: run make first"; exit 1; }
if difference=$(diff docs/registers.md <("$vmm" --describe-devices)); then
	echo "ok - docs/registers.md is current"
else
	echo "not ok - docs/registers.md is current (make registers)"
	head -20 <<<"$difference" | sed 's/^/# /'
	failed=1
fi

# Every register of the Markdown is in the JSON as well.
rows=$(grep -cE '^\| [0-9A-F]+h \|' docs/registers.md)
objects=$("$vmm" --describe-devices --json | grep -c '"offset":')
if ((rows > 100 && rows == objects)); then
	echo "ok - the JSON has the same $rows registers"
else
	echo "not ok - the JSON has the same registers ($rows rows, $objects objects)"
	failed=1
fi
exit $failed
