#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The device test port from outside: a client of ours (devtest.c), clients that send nonsense or hang up, and
# the sandbox of the process. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait; rm -rf "$work"' EXIT
${CC:-cc} -D_GNU_SOURCE -std=gnu11 -O1 -Wall -Wextra -o "$work/client" tests/system/devtest.c || exit 1
cd "$work" || exit 1
export MAINSTAY_RUNTIME_DIR=$work/run
printf 'sector 0' >disk.img
truncate -s 1M disk.img
"$work/client" "$build/bin/mainstay-vmm" "$build/bin/mainstay" "$PWD/disk.img" 2>errors
status=$?
((status == 0)) || sed 's/^/# /' errors
exit $status
