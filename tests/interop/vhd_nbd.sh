#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mainstay-vhd serve and mount: nbdkit with our plugin, read and written by libnbd, qemu and nbdfuse.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/vhd.bash

for program in nbdkit nbdinfo nbdcopy; do
	command -v $program >/dev/null || {
		echo "$program is not installed"
		exit 77
	}
done
[[ -f $build/lib/nbdkit/plugins/nbdkit-mainstay-vhd-plugin.so ]] || {
	echo "the plugin is not built: nbdkit-plugin-dev was missing"
	exit 77
}
if nm -u "$build/lib/vhd.a" 2>/dev/null | grep -q __asan_init; then
	echo "nbdkit does not load a plugin with sanitizers"
	exit 77
fi
export XDG_RUNTIME_DIR=$work/run
mkdir -m 700 run
truncate -s 25165824 raw
dd if=/dev/urandom of=raw bs=1M seek=10 count=5 conv=notrunc status=none
dd if=/dev/urandom of=raw bs=512 seek=49151 count=1 conv=notrunc status=none
sound() { "$tool" check --deep --quiet "$1"; }
same() { "$tool" compare "$1" "$2"; }
serve() { timeout 60 "$tool" serve "$@"; }
"$tool" convert raw d.vhd

reads() { serve --read-only --run 'nbdcopy "$uri" out' d.vhd && cmp raw out; }
check "nbdcopy reads a dynamic disk" reads
writes() {
	"$tool" create w.vhd 24M && serve --run 'nbdcopy raw "$uri"' w.vhd && same raw w.vhd && sound w.vhd &&
		[[ $(json w.vhd blocks_used) == "$(json d.vhd blocks_used)" ]]
}
check "nbdcopy writes one" writes
says_map() {
	[[ $(serve -r --run 'nbdinfo --map --totals "$uri"' d.vhd | awk '/hole,zero/ { print $1 }') -gt 8000000 ]] &&
		serve -r --run 'nbdinfo "$uri"' d.vhd >info && grep -q 'is_read_only: true' info && grep -q 'export-size: 25165824' info
}
check "holes are told" says_map
chain() {
	"$tool" create -p d.vhd c.vhd && head -c 300k /dev/urandom | "$tool" write -o 3M c.vhd && "$tool" convert -t raw c.vhd c.raw &&
		serve -r --run 'nbdcopy "$uri" out' c.vhd && cmp c.raw out && mkdir -p far && mv d.vhd far &&
		serve -r --search far --run 'nbdcopy "$uri" out' c.vhd && cmp c.raw out &&
		serve -r --parent far/d.vhd --run 'nbdcopy "$uri" out' c.vhd && cmp c.raw out &&
		refuses_serve c.vhd "was not found" && mv far/d.vhd .
}
refuses_serve() { ! serve --run true "$1" 2>err && grep -q "$2" err; }
check "a chain, and the search for its parent" chain
raw_image() { serve -r --format raw --run 'nbdcopy "$uri" out' raw && cmp raw out; }
check "a raw image" raw_image
if command -v qemu-io >/dev/null; then
	qemu() {
		"$tool" clone d.vhd q.vhd && cp raw q.raw && serve --run 'qemu-io -f raw -c "write -P 5 7M 70k" -c "write -z 11M 1M" -c "discard 12M 2M" -c "write -f -P 6 0 512" -c flush "$uri"' q.vhd &&
			qemu-io -f raw -c "write -P 5 7M 70k" -c "write -z 11M 1M" -c "write -z 12M 2M" -c "write -P 6 0 512" q.raw && sound q.vhd && same q.raw q.vhd
	}
	check "qemu writes, zeroes, discards and flushes" qemu
	undo() {
		serve --undo discard --run 'qemu-io -f raw -c "write -P 9 0 1M" "$uri"' q.vhd && [[ ! -e q.vud ]] && same q.raw q.vhd &&
			serve --undo keep --run 'qemu-io -f raw -c "write -P 9 0 1M" "$uri"' q.vhd && [[ -e q.vud ]] && same q.raw q.vhd &&
			! same q.raw q.vud && serve --undo commit --run 'qemu-io -f raw -c "write -P 8 4M 1M" "$uri"' q.vhd && [[ ! -e q.vud ]] &&
			qemu-io -f raw -c "write -P 9 0 1M" -c "write -P 8 4M 1M" q.raw && same q.raw q.vhd && sound q.vhd
	}
	check "an undo disk is discarded, kept, gone on with and committed" undo
fi
stopped() {
	local pid
	"$tool" serve --socket "$work/sock2" k.vhd &
	pid=$!
	until [[ -S sock2 ]]; do kill -0 $pid || return 1; sleep 0.05; done
	nbdcopy c.raw 'nbd+unix:///?socket=sock2' && refuses 1 "k.vhd: in use" "$tool" compact k.vhd && kill -TERM $pid
	wait $pid
	same c.raw k.vhd && sound k.vhd
}
"$tool" clone d.vhd k.vhd
check "a signal ends it, and nothing is lost" stopped
check "no place to listen" refuses 2 "give --socket, --port or --run" "$tool" serve d.vhd
check "an undo disk that nothing writes to" refuses 2 "give one of them" "$tool" serve --undo keep -r --run true d.vhd
check "an undo disk's end" refuses 2 "give keep, commit or discard" "$tool" serve --undo maybe --run true d.vhd

# --- mount

# Stands in for guestmount, which takes a kernel and a minute: it, too, writes after its folder is empty.
mkdir stand-in f
cat >stand-in/guestmount <<-'END'
	#!/bin/bash
	echo "$*" >arguments
	while (($#)); do
		[[ $1 == --pid-file ]] && pid=$2
		[[ $1 == -a ]] && socket=${2#*socket=}
		shift
	done
	(
		until [[ -e unmounted ]]; do sleep 0.1; done
		sleep 1
		nbdcopy c.raw "nbd+unix:///?socket=$socket"
	) >/dev/null 2>&1 &
	echo $! >"$pid"
END
printf '#!/bin/bash\n>unmounted\n' >stand-in/guestunmount
chmod +x stand-in/*
mount_files() {
	"$tool" clone d.vhd f.vhd && PATH=$PWD/stand-in:$PATH timeout 60 "$tool" mount --files --partition 5 f.vhd f &&
		grep -q -- '-m /dev/sda5 --rw' arguments && PATH=$PWD/stand-in:$PATH timeout 60 "$tool" umount f && same c.raw f.vhd && [[ -z $(ls run) ]]
}
check "umount waits for what guestmount still writes" mount_files
check "a partition of what is no file system" refuses 2 "only with --files" "$tool" mount --partition 2 d.vhd f

if ! command -v nbdfuse >/dev/null || ! command -v fusermount3 >/dev/null || [[ ! -w /dev/fuse ]]; then
	echo "ok - a disk as a file # SKIP nbdfuse or fuse3 is not installed, or there is no /dev/fuse"
	exit $failed
fi
mkdir m
mounts() {
	timeout 60 "$tool" mount --read-only d.vhd m && cmp raw m/disk && ! dd if=raw of=m/disk bs=4k count=1 conv=notrunc &&
		timeout 60 "$tool" umount m && [[ -z $(ls run; ls m) ]]
}
check "mount a disk as a file" mounts
mount_writes() {
	"$tool" clone d.vhd mw.vhd && cp raw mw.raw && timeout 60 "$tool" mount mw.vhd m && dd if=c.raw of=m/disk bs=1M skip=3 seek=3 count=1 conv=notrunc,fsync &&
		refuses 1 "is mounted at" "$tool" mount mw.vhd m && refuses 1 "in use" "$tool" compact mw.vhd &&
		dd if=c.raw of=mw.raw bs=1M skip=3 seek=3 count=1 conv=notrunc && timeout 60 "$tool" umount mw.vhd && same mw.raw mw.vhd && sound mw.vhd
}
check "what is written to the file is in the disk" mount_writes
mount_undo() {
	timeout 60 "$tool" mount --undo discard mw.vhd m && dd if=/dev/urandom of=m/disk bs=1M count=1 conv=notrunc,fsync &&
		timeout 60 "$tool" umount m && same mw.raw mw.vhd && [[ ! -e mw.vud ]] &&
		timeout 60 "$tool" mount --undo discard mw.vhd m && dd if=c.raw of=m/disk bs=1M count=24 conv=notrunc,fsync &&
		timeout 60 "$tool" umount --undo commit m && same c.raw mw.vhd && sound mw.vhd && [[ ! -e mw.vud ]]
}
check "changes are discarded, or committed by umount" mount_undo
check "umount of what is not mounted" refuses 1 "is not mounted by mainstay-vhd" "$tool" umount m
no_disk() { ! timeout 60 "$tool" mount raw m 2>err && grep -q "raw: not a virtual hard disk" err && [[ -z $(ls run; ls m) ]]; }
check "mount of what is no disk" no_disk
exit $failed
