#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every C file as .clang-format has it.
set -u
cd "$(dirname "$0")/../.." || exit 1

if ! command -v clang-format >/dev/null; then
	echo "clang-format is not installed: run packaging/setup"
	exit 77
fi
bad=$(find base devmodel vhd net vmm mgmt tests -name '*.[ch]' -print0 | sort -z |
	xargs -0 -r clang-format --dry-run 2>&1 | sed -En 's/^([^: ]+):[0-9]+:[0-9]+: warning.*/\1/p' | sort | uniq -c)
if [[ -z $bad ]]; then
	echo "ok - C files are formatted"
else
	echo "not ok - C files are formatted (clang-format -i FILE)"
	sed 's/^/# /' <<<"$bad"
fi
[[ -z $bad ]]
