#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mainstay-vhd mount as root: a block device with its partitions. Loads the kernel's nbd only in the nested
# host (tests/nested/); on a real machine it runs where that is loaded already.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [[ $(id -u) != 0 ]]; then
	echo "block devices are for root"
	exit 77
fi
if ! command -v nbd-client >/dev/null || ! command -v nbdkit >/dev/null; then
	echo "nbd-client or nbdkit is not installed"
	exit 77
fi
if [[ ! -b /dev/nbd0 && -z ${MAINSTAY_NESTED:-} ]]; then
	exec env NESTED=1 tests/nested/with-kvm -t 300 -- "$PWD/tests/interop/vhd_device.sh"
fi
no_copy=1 # compiling is slow in there
. tests/lib/vhd.bash
export XDG_RUNTIME_DIR=$work/run
mkdir -m 700 run

# A master boot record with one partition: sectors 2048 to 10239.
truncate -s 16M raw
printf '\0\0\0\0\6\0\0\0\0\10\0\0\0\40\0\0' | dd of=raw bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of=raw bs=1 seek=510 conv=notrunc status=none
dd if=/dev/urandom of=raw bs=64k seek=16 count=5 conv=notrunc status=none
"$tool" convert raw d.vhd
device=
mounts() {
	local out
	out=$("$tool" mount "$@" d.vhd) && device=$(grep -o '/dev/nbd[0-9]*' <<<"$out")
}
undo() {
	mounts --undo discard && cmp raw "$device" && for _ in 1 2 3 4 5 6 7 8 9 10; do [[ -b ${device}p1 ]] && break; sleep 0.2; done &&
		cmp <(dd if=raw bs=512 skip=2048 count=8192 status=none) "${device}p1" &&
		dd if=/dev/urandom of="${device}p1" bs=64k count=3 conv=fsync status=none && "$tool" umount d.vhd &&
		"$tool" compare raw d.vhd && [[ ! -e d.vud ]]
}
check "a block device with its partition; changes are discarded" undo
writes() {
	mounts && dd if=raw of="${device}p1" bs=64k skip=16 count=5 conv=fsync status=none && "$tool" umount "$device" &&
		cp raw r && dd if=raw of=r bs=64k skip=16 seek=16 count=5 conv=notrunc status=none && "$tool" compare r d.vhd &&
		"$tool" check --quiet d.vhd
}
check "what is written to the partition is in the disk" writes
read_only() {
	mounts --read-only && ! dd if=/dev/zero of="$device" count=1 conv=fsync status=none && "$tool" umount "$device" && "$tool" compare r d.vhd && [[ -z $(ls run) ]]
}
check "a read-only device" read_only
exit $failed
