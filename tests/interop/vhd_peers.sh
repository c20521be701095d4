#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Images of ours in the hands of qemu and libvhdi, theirs in ours, byte by byte. What a peer is known to do
# wrong is a test, too: it says when that has changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/vhd.bash

# defect NAME COMMAND...: the command shows that a peer still has a known defect.
defect() {
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok - known defect: $name"
	else
		echo "ok - known defect: $name # gone in the installed version"
	fi
}
command -v qemu-img >/dev/null || {
	echo "qemu-img is not installed"
	exit 77
}
truncate -s 41943040 raw
for at in 0 7 1000 4095 4096 20000 81919; do
	dd if=/dev/urandom of=raw bs=512 seek=$at count=1 conv=notrunc status=none
done
dd if=/dev/urandom of=raw bs=1M seek=10 count=5 conv=notrunc status=none
dd if=/dev/urandom of=raw bs=1M seek=31 count=2 conv=notrunc status=none
sound() { "$tool" check --deep --quiet "$1"; }
same() { "$tool" compare "$1" "$2"; }

# --- qemu
qemu_reads() { "$tool" convert -f "$@" raw o.vhd && qemu-img compare -f raw -F vpc raw o.vhd; }
check "qemu reads our dynamic disk" qemu_reads
check "qemu reads our dynamic disk of 512K blocks" qemu_reads --block-size 512K
check "qemu reads our dynamic disk of 8M blocks" qemu_reads --block-size 8M
check "qemu reads our fixed disk" qemu_reads -t fixed
check "qemu reads our disk for Virtual PC" qemu_reads --for virtualpc
check "qemu reads our disk for Azure" qemu_reads --for azure
qemu_resized() {
	cp --sparse=always raw big && truncate -s 3G big && "$tool" convert -f raw o.vhd && "$tool" resize o.vhd 3G &&
		qemu-img compare -f raw -F vpc big o.vhd && qemu-io -f vpc -c 'write -P 7 2G 1M' -c 'write -P 8 0 64k' o.vhd &&
		qemu-io -f raw -c 'write -P 7 2G 1M' -c 'write -P 8 0 64k' big && sound o.vhd && same big o.vhd
}
check "qemu reads and writes our disk after a resize" qemu_resized
qemu_compacted() {
	"$tool" write -z -o 10M -l 4M o.vhd && "$tool" write -z -o 2G -l 1M o.vhd && "$tool" convert -f -t raw o.vhd big &&
		"$tool" compact o.vhd && sound o.vhd && qemu-img compare -f raw -F vpc big o.vhd &&
		qemu-io -f vpc -c 'write -P 9 1G 3M' o.vhd && qemu-io -f raw -c 'write -P 9 1G 3M' big && sound o.vhd && same big o.vhd
}
check "and after compacting" qemu_compacted
reads_qemu() {
	rm -f q.vhd && qemu-img convert -f raw -O vpc -o "$1" raw q.vhd && same raw q.vhd && sound q.vhd
}
check "we read qemu's dynamic disk" reads_qemu subformat=dynamic,force_size=on
check "we read qemu's fixed disk" reads_qemu subformat=fixed,force_size=on
check "we read qemu's disk of a size by cylinders" reads_qemu subformat=dynamic
changes_qemu() {
	rm -f q.vhd && qemu-img convert -f raw -O vpc -o force_size=on raw q.vhd && cp raw r && head -c 3M /dev/urandom >noise &&
		"$tool" write -o 20M q.vhd <noise && dd if=noise of=r bs=1M seek=20 conv=notrunc status=none &&
		"$tool" write -z -o 31M -l 2M q.vhd && dd if=/dev/zero of=r bs=1M seek=31 count=2 conv=notrunc status=none &&
		"$tool" compact q.vhd && sound q.vhd && qemu-img compare -f raw -F vpc r q.vhd
}
check "we write to and compact qemu's disk" changes_qemu
defect "qemu takes a fixed VHD for raw, its footer for data" \
	bash -c '"$0" convert -f -t fixed raw f.vhd && qemu-img info f.vhd | grep -q "format: raw"' "$tool"
"$tool" convert -f raw base.vhd >/dev/null
"$tool" create -p base.vhd child.vhd >/dev/null
head -c 64k /dev/urandom | "$tool" write -o 5M child.vhd
defect "qemu opens a child without its parent and returns other data, with exit status 0" \
	bash -c '"$0" convert -f -t raw child.vhd good && qemu-img convert -f vpc -O raw child.vhd bad && ! cmp -s good bad' "$tool"

# --- libvhdi
mountpoint=$work/vhdi
mkdir "$mountpoint"
vhdi() { # vhdi IMAGE COMMAND...: with the disk as $mountpoint/vhdi1 or vhdi2, the last of a chain
	local status
	timeout 20 vhdimount "$1" "$mountpoint" >/dev/null || return 1
	shift
	"$@"
	status=$?
	fusermount3 -u "$mountpoint" 2>/dev/null || fusermount -u "$mountpoint" || umount "$mountpoint"
	return $status
}
vhdi_same() { cmp "$1" "$(ls "$mountpoint"/vhdi* | tail -1)"; }
if ! command -v vhdimount >/dev/null || [[ ! -w /dev/fuse ]]; then
	echo "ok - libvhdi reads our disks # SKIP libvhdi-utils is not installed, or there is no /dev/fuse"
else
	vhdi_reads() { "$tool" convert -f "$@" raw o.vhd && vhdi o.vhd vhdi_same raw; }
	check "libvhdi reads our dynamic disk" vhdi_reads
	check "libvhdi reads our fixed disk" vhdi_reads -t fixed
	vhdi_says() { vhdiinfo child.vhd | grep -q "Parent filename.*base.vhd" && vhdiinfo base.vhd | grep -qi "$(json base.vhd id)"; }
	check "libvhdi finds our parent's name and id" vhdi_says
	small_blocks() { "$tool" convert -f --block-size 512K raw o.vhd && qemu-img compare -f raw -F vpc raw o.vhd && ! vhdi o.vhd vhdi_same raw; }
	defect "libvhdi returns other data where blocks have 512K" small_blocks
	vhdi_begins() { cmp -n 41943040 "$1" "$mountpoint/vhdi1"; }
	resized() { "$tool" convert -f raw o.vhd && "$tool" resize o.vhd 1G && vhdi o.vhd vhdi_begins raw; }
	check "libvhdi reads our disk after a resize" resized
	old_size() { vhdiinfo o.vhd | grep -q 41943040 && [[ $(json o.vhd current_bytes) == 1073741824 ]]; }
	defect "libvhdi takes the size that a disk was made with" old_size
	# Whole bytes of the bitmap: eight sectors.
	chain() {
		"$tool" create -f -p base.vhd whole.vhd && head -c 64k /dev/urandom | "$tool" write -o 5M whole.vhd &&
			head -c 4k /dev/urandom | "$tool" write -o 12M whole.vhd && "$tool" convert -f -t raw whole.vhd good && vhdi whole.vhd vhdi_same good
	}
	check "libvhdi reads our chain" chain
	wrong() {
		"$tool" create -f -p base.vhd odd.vhd && head -c 512 /dev/urandom | "$tool" write -o 10486272 odd.vhd &&
			"$tool" convert -f -t raw odd.vhd good && ! vhdi odd.vhd vhdi_same good
	}
	defect "libvhdi takes sectors next to a written one from the child" wrong
	moved() {
		mkdir -p up/down && cp base.vhd up && "$tool" clone child.vhd up/down/c.vhd && "$tool" relink up/down/c.vhd up/base.vhd &&
			"$tool" compare up/down/c.vhd child.vhd && ! vhdi up/down/c.vhd true
	}
	defect "libvhdi does not find a parent one folder up" moved
	badsum() { "$tool" convert -f raw o.vhd && printf 'x' | dd of=o.vhd bs=1 seek=100 conv=notrunc status=none && vhdiinfo o.vhd && ! sound o.vhd; }
	defect "libvhdi checks no checksum" badsum
fi
exit $failed
