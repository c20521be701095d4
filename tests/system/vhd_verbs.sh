#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mainstay-vhd's work on disks that are there: convert, resize, compact, merge and the others, and what each
# of them refuses.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/vhd.bash

# 24 MiB: noise, holes, and sectors here and there.
make_raw() {
	local at
	truncate -s 25165824 "$1"
	for at in 0 7 1000 4095 4096 20000 49151; do
		dd if=/dev/urandom of="$1" bs=512 seek=$at count=1 conv=notrunc status=none
	done
	dd if=/dev/urandom of="$1" bs=1M seek=10 count=5 conv=notrunc status=none
}
make_raw raw
sound() { "$tool" check --deep --quiet "$1"; }
same() { "$tool" compare "$1" "$2"; }

# --- convert and compare
raw_to_dynamic() { "$tool" convert raw d.vhd && same raw d.vhd && sound d.vhd && [[ $(json d.vhd blocks_used) == 7 ]]; }
check "convert raw to dynamic" raw_to_dynamic
dynamic_to_fixed() {
	"$tool" convert -t fixed d.vhd f.vhd && same d.vhd f.vhd && sound f.vhd && [[ $(json f.vhd type) == fixed ]] &&
		cmp raw <(head -c 25165824 f.vhd) && (($(stat -c %b f.vhd) * 512 < 8000000))
}
check "convert dynamic to fixed, with holes" dynamic_to_fixed
back_to_raw() { "$tool" convert --type raw f.vhd r && cmp raw r && (($(stat -c %b r) * 512 < 8000000)); }
check "convert fixed to raw, with holes" back_to_raw
solid() { "$tool" convert -t fixed --preallocate raw solid.vhd && (($(stat -c %b solid.vhd) * 512 >= 25165824)); }
check "convert --preallocate leaves no holes" solid
pipes() {
	"$tool" convert --format raw - p.vhd <raw && same raw p.vhd &&
		cat raw | "$tool" convert - p2.vhd && same raw p2.vhd &&
		cat d.vhd | "$tool" convert -t raw - - | cmp raw - &&
		"$tool" convert -t fixed d.vhd - | cat >p3.vhd && sound p3.vhd && same raw p3.vhd &&
		"$tool" convert raw - | cat >p4.vhd && sound p4.vhd && same raw p4.vhd && [[ $(json p4.vhd type) == dynamic ]]
}
check "convert from and to pipes" pipes
odd_size() {
	head -c 3000001 raw >odd && "$tool" convert odd odd.vhd && [[ $(json odd.vhd size_bytes) == 3000320 ]] &&
		same odd odd.vhd && "$tool" convert --for azure odd odd2.vhd && [[ $(json odd2.vhd size_bytes) == 3145728 ]] &&
		same odd odd2.vhd && refuses 1 "is not as large" sh -c '"$0" compare --strict odd odd2.vhd >&2' "$tool"
}
check "a raw image that is no number of sectors" odd_size
larger() { "$tool" convert --size 1G d.vhd large.vhd && [[ $(json large.vhd size_bytes) == 1073741824 ]] && same d.vhd large.vhd; }
check "convert --size" larger
keeps_id() { "$tool" convert --keep-id -t fixed d.vhd kept.vhd && [[ $(json d.vhd id) == "$(json kept.vhd id)" && $(json d.vhd id) != "$(json f.vhd id)" ]]; }
check "convert --keep-id" keeps_id
differs() {
	local out
	cp raw other && printf x | dd of=other bs=1 seek=11000000 conv=notrunc status=none
	out=$("$tool" compare d.vhd other)
	[[ $? == 1 && $out == *"byte 11000000"* ]] && [[ $("$tool" compare --json d.vhd other | "$copy" member offset) == 11000000 ]]
	"$tool" compare -q d.vhd other
	[[ $? == 1 ]]
}
check "compare finds the first difference" differs
check "compare has a status of its own for trouble" refuses 2 "No such file" "$tool" compare d.vhd missing.vhd
check "and for a wrong option" refuses 2 "no such option" "$tool" compare --fast d.vhd f.vhd
check "convert keeps what is there" refuses 1 "d.vhd: exists already" "$tool" convert raw d.vhd
check "convert cuts nothing off" refuses 2 "would cut off" "$tool" convert --size-policy chs-down raw x.vhd
check "convert does not shrink" refuses 2 "none of them are cut off" "$tool" convert --size 1M raw x.vhd
truncated() { head -c -512 f.vhd >cut.vhd; refuses 1 "its name says that it is one" "$tool" convert cut.vhd x.vhd; }
check "a fixed disk without its footer is not taken for raw" truncated
fullhost() { refuses 1 "standard output: No space" sh -c '"$0" convert -t raw d.vhd - >/dev/full' "$tool"; }
check "convert to a full standard output" fullhost
interrupted() {
	"$tool" convert --format raw - y.vhd < <(head -c 1000000 raw; sleep 5) 2>/dev/null &
	sleep 0.3
	kill -TERM $!
	wait $!
	[[ $? == 143 && -z $(ls -A | grep -E 'new-|[xy]\.vhd|\.mainstay') ]]
}
check "a signal leaves nothing behind" interrupted

if command -v qemu-img >/dev/null; then
	foreign() {
		local kind
		for kind in qcow2 vmdk vdi vhdx; do
			qemu-img convert -O $kind raw from.$kind && "$tool" convert from.$kind from-$kind.vhd && same raw from-$kind.vhd &&
				"$tool" convert -t $kind d.vhd to.$kind && qemu-img compare -f raw -F $kind raw to.$kind || return 1
		done
	}
	check "qcow2, VMDK, VDI and VHDX by qemu-img" foreign
	check "compare does not take a qcow2 for raw" refuses 2 "is a qcow2 image" "$tool" compare from.qcow2 raw
fi
without_qemu() { refuses 1 "its Debian package is qemu-utils" env PATH=/nowhere "$tool" convert -t qcow2 d.vhd x.qcow2; }
check "and what is said without it" without_qemu

# --- resize
grows() {
	cp d.vhd g.vhd && "$tool" resize g.vhd 26M && [[ $(json g.vhd size_bytes) == 27262976 ]] && same raw g.vhd && sound g.vhd &&
		"$tool" resize g.vhd +200G && [[ $(json g.vhd size_bytes) == 214775627776 ]] && same raw g.vhd && sound g.vhd &&
		echo end | "$tool" write --offset 214775627770 g.vhd && sound g.vhd
}
mkdir alone && cp d.vhd f.vhd raw alone && cd alone || exit 1
check "resize a dynamic disk" grows
grows_fixed() {
	"$tool" resize f.vhd 64M && [[ $(json f.vhd size_bytes) == 67108864 && $(stat -c %s f.vhd) == 67109376 ]] &&
		same raw f.vhd && sound f.vhd && "$tool" resize --preallocate f.vhd +1M && (($(stat -c %b f.vhd) * 512 >= 68157440))
}
check "resize a fixed disk" grows_fixed
check "resize never shrinks" refuses 1 "cannot become smaller" "$tool" resize f.vhd 10M
check "resize of what is no size" refuses 2 "not a size" "$tool" resize f.vhd big
cd ..

# --- children: map, merge, rebase, relink, clone
child() {
	"$tool" create --parent d.vhd c.vud && echo hello | "$tool" write -o 5000000 c.vud && head -c 3M raw | "$tool" write -o 18M c.vud &&
		[[ $(json c.vud type) == differencing ]] && sound c.vud && "$tool" convert -t raw c.vud c.raw
}
check "create --parent" child
maps() {
	[[ $("$tool" map --json c.vud | "$copy" count layer 0) -gt 1 && $("$tool" map --json c.vud | "$copy" count layer 1) -gt 1 ]] &&
		"$tool" map c.vud | grep -q ' c.vud$'
}
check "map" maps
reads() { [[ $("$tool" read -o 5000000 -l 5 c.vud) == hello ]] && "$tool" read -o 24M c.vud | cmp - /dev/null && "$tool" read d.vhd | cmp - raw; }
check "read" reads
check "write to a parent" refuses 1 "d.vhd: is the parent of c.vud" "$tool" write d.vhd
check "resize of a parent" refuses 1 "is the parent of c.vud" "$tool" resize d.vhd 1G
check "resize of a child" refuses 1 "has its parent's size" "$tool" resize c.vud 1G
check "write beyond the end" refuses 1 "do not lie within" "$tool" write -o 30M c.vud
overflow() { head -c 2M raw >two; refuses 1 "standard input has more" sh -c '"$0" write -o 23M c.vud <two' "$tool" && "$tool" write -o 23M -l 1M -z c.vud && "$tool" convert -f -t raw c.vud c.raw; }
check "write of more than fits" overflow
check "write of less than was said" refuses 1 "ended after 0 of 512 bytes" sh -c '"$0" write -l 512 c.vud </dev/null' "$tool"
busy() {
	local r
	mkfifo hold
	"$copy" hold c.vud <hold >held &
	holder=$!
	exec 9<>hold
	until [[ -s held ]]; do
		kill -0 "$holder" || return 1
		sleep 0.05
	done
	refuses 1 "c.vud: in use" "$tool" merge c.vud && refuses 1 "c.vud: in use" "$tool" compact c.vud &&
		refuses 1 "c.vud: in use" "$tool" write c.vud && refuses 1 "in use" "$tool" relink c.vud d.vhd && "$tool" info c.vud
	r=$?
	exec 9>&-
	kill "$holder"
	wait "$holder" 2>/dev/null
	holder=
	return $r
}
check "a disk in use is left alone, but for info" busy
grandchild() {
	"$tool" create -p c.vud g.vud && head -c 100k raw | "$tool" write -o 1M g.vud && "$tool" convert -t raw g.vud g.raw && sound g.vud &&
		refuses 1 "c.vud: is the parent of g.vud" "$tool" merge c.vud
}
check "a child with a child is not merged away" grandchild
to_new() { "$tool" merge --to flat.vhd g.vud && same flat.vhd g.raw && [[ $(json flat.vhd type) == dynamic ]] && sound flat.vhd; }
check "merge --to" to_new
mkdir sub
clones() {
	"$tool" clone g.vud sub/clone.vud && same sub/clone.vud g.raw && [[ $(json g.vud id) != "$(json sub/clone.vud id)" ]] &&
		"$tool" info sub/clone.vud | grep -q 'W2ru: *../c.vud' && "$tool" clone d.vhd sub/d2.vhd && same sub/d2.vhd d.vhd && sound sub/d2.vhd
}
check "clone" clones
rebases() { "$tool" rebase g.vud d.vhd && same g.vud g.raw && sound g.vud && [[ $(json g.vud parent_id) == "$(json d.vhd id)" ]]; }
check "rebase to the grandparent" rebases
check "rebase to itself" refuses 1 "cannot be its child" "$tool" rebase d.vhd g.vud
relinks() {
	mkdir -p "away/ü b" && mv d.vhd "away/ü b/" && refuses 1 "was not found" "$tool" map g.vud &&
		"$tool" compare --parent "away/ü b/d.vhd" g.vud g.raw && "$tool" compare --search "away/ü b" g.vud g.raw &&
		"$tool" relink g.vud "away/ü b/d.vhd" && same g.vud g.raw && sound g.vud &&
		refuses 1 "its id is another" "$tool" relink g.vud f.vhd && refuses 1 "a dynamic disk has no parent" "$tool" relink flat.vhd d3.vhd
	mv "away/ü b/d.vhd" . && cp d.vhd d3.vhd && "$tool" relink g.vud d.vhd && rm d3.vhd
}
mv d.vhd d3.vhd && cp d3.vhd d.vhd && rm d3.vhd
check "relink and the search for parents" relinks
merges() {
	refuses 1 "is the parent of" "$tool" merge g.vud && "$tool" merge --ignore-children --keep g.vud && [[ -e g.vud ]] && same d.vhd g.raw &&
		rm g.vud sub/clone.vud c.vud && "$tool" create -p d.vhd u.vud && head -c 1M raw | "$tool" write u.vud &&
		"$tool" convert -t raw u.vud u.raw && "$tool" merge u.vud && [[ ! -e u.vud ]] && same d.vhd u.raw && sound d.vhd
}
check "merge into the parent" merges
check "merge of a disk without a parent" refuses 1 "has no parent that it could be merged into" "$tool" merge flat.vhd

# --- compact
compacts() {
	local before after
	"$tool" write --ignore-children -o 10M -l 4M -z d.vhd && before=$(json d.vhd blocks_used) && "$tool" convert -t raw d.vhd now.raw &&
		"$tool" compact d.vhd && after=$(json d.vhd blocks_used) && same d.vhd now.raw && sound d.vhd &&
		((after <= before - 2 && $(stat -c %s d.vhd) < 8192 + after * 2101248))
}
check "compact" compacts
compacts_child() {
	"$tool" create -p d.vhd c.vud && "$tool" read d.vhd | "$tool" write c.vud && echo more | "$tool" write -o 9M c.vud &&
		"$tool" convert -t raw c.vud c.raw -f && "$tool" compact c.vud && same c.vud c.raw && sound c.vud && [[ $(json c.vud blocks_used) == 1 ]]
}
check "compact what equals the parent" compacts_child
check "compact of a fixed disk" refuses 1 "a fixed disk has no blocks to give up" "$tool" compact f.vhd
check "compact of noise" refuses 1 "not a virtual hard disk" "$tool" compact raw

# --- saved disks, and the signal that only asks
saved() {
	local verb
	"$tool" convert raw s.vhd && "$copy" saved s.vhd && "$tool" info s.vhd | grep 'saved state' || return 1
	for verb in "compact s.vhd" "resize s.vhd 1G" "write -z -l 512 s.vhd" "clone s.vhd s2.vhd"; do
		refuses 1 "s.vhd: it belongs to a saved state" "$tool" $verb || return 1
	done
	[[ ! -e s2.vhd ]] && same raw s.vhd
}
check "a disk of a saved state is only read" saved
stops() {
	local verb status
	"$tool" create big.vhd 1G && head -c 1G /dev/zero | tr '\0' x | "$tool" write big.vhd && "$tool" write -z -l 500M big.vhd &&
		"$tool" create -p big.vhd bigger.vhd && head -c 300M /dev/zero | tr '\0' y | "$tool" write bigger.vhd || return 1
	for verb in "compact bigger.vhd" "merge bigger.vhd" "compact big.vhd"; do
		"$tool" $verb 2>err &
		sleep 0.1
		kill -TERM $! 2>/dev/null
		wait $!
		status=$?
		# Before it has begun nothing need be said.
		[[ $status == 0 || ($status == 143 && (! -s err || $(<err) == *"doing it again goes on")) ]] || {
			echo "$verb: $status: $(<err)"
			return 1
		}
		# Gaps that are not closed yet are leaks, status 3.
		sound big.vhd || [[ $? == 3 ]] || return 1
		[[ $status == 0 ]] || "$tool" $verb || return 1
	done
	[[ ! -e bigger.vhd && $("$tool" read -o 299M -l 1 big.vhd) == y && $("$tool" read -o 900M -l 1 big.vhd) == x ]] && sound big.vhd &&
		[[ $("$tool" read -o 400M -l 1 big.vhd | od -An -tx1) == " 00" ]] && rm big.vhd
}
check "a signal stops work on a disk in order, and it can be done again" stops

# --- check, repair, and what is not one of the kinds
repairs() {
	"$tool" convert raw bad.vhd && truncate -s -512 bad.vhd
	"$tool" check bad.vhd
	[[ $? == 2 ]] && "$tool" repair --dry-run --json bad.vhd | "$copy" member errors
	refuses 1 "bad.vhd" "$tool" compact bad.vhd && "$tool" repair bad.vhd && sound bad.vhd && same raw bad.vhd
}
check "repair" repairs
check "check of a file that is no disk" refuses 1 "not a virtual hard disk" "$tool" check raw
check "check with a wrong option" refuses 1 "no such option" "$tool" check --fix bad.vhd
check_json() { "$tool" check --json bad.vhd | "$copy" member errors; }
check "check --json" check_json
linked() {
	"$tool" create --device /dev/disk/by-id/none-such l.vhd && [[ $(head -1 l.vhd) == "mainstay linked disk 1" ]] &&
		refuses 1 "none-such" "$tool" map l.vhd && refuses 2 "/dev/disk/by-id" "$tool" create --device /etc/passwd l2.vhd
}
check "create --device" linked
check "a size for a child" refuses 2 "a size is not given" "$tool" create -p d.vhd x.vhd 1G
check "a type for a child" refuses 2 "leave out --type" "$tool" create -p d.vhd -t fixed x.vhd

# --- help, manual and completion know every verb and option
documented() {
	local verb option page completion=$top/packaging/completion/mainstay-vhd.bash missing=
	page=$(MANWIDTH=200 man -l "$top/packaging/man/mainstay-vhd.1" 2>/dev/null | col -b)
	PATH=$build/bin:$PATH
	. "$completion"
	for verb in $(_mainstay_vhd_verbs); do
		"$tool" "$verb" --help | grep -q '^examples:' || missing+=" $verb:examples"
		grep -q "^ *$verb " <<<"$page" || missing+=" $verb"
		for option in $(_mainstay_vhd_options "$verb"); do
			grep -q -- "$option" <<<"$page" || missing+=" $verb:$option"
		done
	done
	[[ -z $missing && $(_mainstay_vhd_verbs | wc -l) -ge 15 && $(_mainstay_vhd_options convert) == *--keep-id* ]] || {
		echo "missing:$missing"
		return 1
	}
}
check "the manual has every verb and option" documented
exit $failed
