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
# With everything that a machine can have: many descriptors.
printf 'floppy 0' >floppy.img
truncate -s 1440K floppy.img
truncate -s 1M cd.img
echo initrd >initrd
{
	head -c 497 /dev/zero && printf '\004' && head -c 16 /dev/zero && printf 'HdrS\017\002' && head -c 9 /dev/zero &&
		printf '\001' && head -c 26 /dev/zero && printf '\377\377\377\177' && head -c 8 /dev/zero && printf '\377\007' &&
		head -c 20000 /dev/zero
} >kernel
"$work/client" "$build/bin/mainstay-vmm" "$build/bin/mainstay" "$PWD/disk.img" 2>errors
status=$?
((status == 0)) || sed 's/^/# /' errors
exit $status
