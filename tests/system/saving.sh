#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Saving and restoring when things go wrong, with the machine of the device test port: no room for the file, a client that
# is killed, states that are damaged, cut short, of other machines, used twice or lost, disks that were changed. Each time
# one line says why, and the machine or the state is what it was. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/eventually.bash
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay mainstay_vhd=$build/bin/mainstay-vhd
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait 2>/dev/null; umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none LC_ALL=C
unset XDG_RUNTIME_DIR
cd "$work" || exit 1
count=0
check() { # DESCRIPTION COMMAND...
	local description=$1
	shift
	((count++))
	if "$@" >said 2>&1; then
		echo "ok $count - $description"
	else
		echo "not ok $count - $description"
		sed 's/^/# /' said err 2>/dev/null | tail -n 20
	fi
}
refused() { # PATTERN COMMAND...: it fails, with one line that says why
	local pattern=$1
	shift
	! "$@" >refused.out 2>refused.err </dev/null || { echo "it was done"; return 1; }
	[[ $(wc -l <refused.err) == 1 ]] && grep -q "$pattern" refused.err && return
	cat refused.err
	return 1
}
cat >port.py <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("port")
f = s.makefile("rw")
for command in sys.argv[1:]:
    f.write(command + "\n")
    f.flush()
    print(f.readline().strip())
PY
port() { # COMMAND...: to the test port
	python3 port.py "$@"
}
start() { # [OPTION...]: a machine named m; its words come into err, its status into status
	rm -f status port
	(
		"$mainstay" run disk.vhd --name m --memory 16M --devtest unix:port "$@" >out 2>err </dev/null &
		echo $! >pid
		wait $!
		echo $? >status
	) &
	eventually test -S port && eventually "$mainstay" status m
}
ends() { # STATUS
	eventually test -s status && [[ $(<status) == "$1" ]]
}
counter=0
goes_on() { # it does what it is told, and its memory is what it was
	((counter++))
	[[ $(port "writel 0x200000 $counter" "readl 0x200000") == "OK"*"OK 0x"*$(printf %x $counter) ]]
}

"$mainstay_vhd" create disk.vhd 16M >/dev/null
start
check "a machine runs" goes_on
touch there.state
check "a file that is there is not overwritten" refused 'exists' "$mainstay" save m there.state
check "nor is one made in a folder that is not there" refused 'No such file' "$mainstay" save m nowhere/x.state
check "the machine goes on" goes_on
mkdir small
if ((EUID == 0)) && mount -t tmpfs -o size=2M tmpfs small 2>/dev/null; then
	port "memset 0x100000 0x40000 0x5a" "memset 0x300000 0x40000 0x5b" "memset 0x400000 0x40000 0x5b" \
		"memset 0x500000 0x40000 0x5c" "memset 0x600000 0x40000 0x5c" "memset 0x700000 0x40000 0x5c" \
		"memset 0x800000 0x40000 0x5c" "memset 0x900000 0x40000 0x5c" "memset 0xa00000 0x40000 0x5c" >/dev/null
	check "no room for the file" refused 'No space left on device; make room' "$mainstay" save m small/x.state
	check "was known before the guest stopped" eval "\"\$mainstay\" status m | grep -q 'state *running'"
	check "nothing is left there" eval '[[ -z $(ls small) ]]'
	check "the machine goes on" goes_on
	check "its disk bears no mark" eval "! \"\$mainstay_vhd\" info disk.vhd | grep -i 'saved state.*yes'"
	umount small
else
	echo "ok $((++count)) - no room for the file # SKIP needs root"
fi

# A client that is killed has cancelled, wherever it was.
for delay in 0 0.01 0.02 0.05 0.1 0.2; do
	"$mainstay" save m killed.state >/dev/null 2>&1 &
	client=$!
	sleep $delay
	kill -KILL $client 2>/dev/null
	wait $client 2>/dev/null
	[[ ! -e status && ! -e killed.state ]] || break
done
# A whole state and no machine, or the machine and no state.
if [[ -e killed.state ]] && eventually test -s status; then
	check "the client was faster: the state is whole" "$mainstay" state check killed.state
	start --restore killed.state
else
	check "after killed clients the machine goes on" eventually goes_on
fi
rm -f killed.state*
check "it can be paused" "$mainstay" pause m
check "and saved then" "$mainstay" save m now.state
check "it has ended" ends 0
cp -p now.state copy.state
cp disk.vhd kept.vhd
again() { # PATTERN OPTION...: a machine that is refused
	refused "$1" "$mainstay" run disk.vhd --name m --devtest unix:other "${@:2}"
}
same=(--memory 16M --restore)
check "another size of memory is refused" again '16 MiB of memory, and this machine 32 MiB' --memory 32M --restore copy.state
check "another processor" again 'processors of model nt4, and this machine p3' --cpu p3 "${same[@]}" copy.state
check "another number of them" again 'has 1 processors, and this machine 2' --cpus 2 "${same[@]}" copy.state
truncate -s 1M more.img
check "a disk more" again 'has no disk in slot 1' --drive more.img,format=raw,slot=primary-slave "${same[@]}" copy.state
"$mainstay_vhd" create other.vhd 16M >/dev/null
check "another disk" refused 'another disk than other.vhd' "$mainstay" run other.vhd --name m --devtest unix:other --uuid \
	"$("$mainstay" state show copy.state | sed -n 's/^uuid *//p')" "${same[@]}" copy.state
check "another display memory" again 'vram' --video-memory 1M "${same[@]}" copy.state
head -c 100000 copy.state >cut.state
check "a state that is cut short" again 'damaged: it has 100000 bytes' "${same[@]}" cut.state
cp copy.state bad.state
printf 'x' | dd of=bad.state bs=1 seek=20 conv=notrunc status=none
check "a damaged one" again 'damaged' "${same[@]}" bad.state
cp copy.state bad.state
printf 'x' | dd of=bad.state bs=1 seek=$((0x1000 + 0x200000)) conv=notrunc status=none
check "a damaged page is found by check" refused 'wrong sum' "$mainstay" state check bad.state
check "and by verify" again 'wrong sum' --verify "${same[@]}" bad.state
check "no state at all" again 'no saved state' "${same[@]}" more.img
check "the disk belongs to the state" again 'belongs to the saved state' --memory 16M

start --restore now.state --keep-state
check "it goes on where it was" eval "[[ \$(port 'readl 0x200000') == 'OK 0x'*$(printf %x $counter) ]]"
check "a state cannot be used by two" again 'in use' "${same[@]}" now.state
check "nobody writes to it meanwhile" refused 'exists' "$mainstay" state compact copy.state now.state
: >now.state
port 'read 0x500000 0x1000' >/dev/null 2>&1
check "a machine whose state is lost ends" ends 1
check "with one line" eval "[[ \$(wc -l <err) == 1 ]] && grep -q 'cut short' err"
check "its disk is sound" "$mainstay_vhd" check disk.vhd
check "and was changed since: the state is refused" again 'changed after the machine was' "${same[@]}" copy.state
start --discard-state
check "it boots from the disk" goes_on
"$mainstay" quit m
check "and ends well" ends 0

# What the state was written on is in the undo disk.
start --undo discard
check "a machine on an undo disk" goes_on
check "is saved" "$mainstay" save m undo.state
check "it has ended" ends 0
check "its undo disk is kept, whatever was to become of it" test -s disk.vud
start --undo discard --restore undo.state
check "it goes on where it was" goes_on
"$mainstay" quit m
check "and ends well" ends 0
check "now the undo disk goes" test ! -e disk.vud
echo "1..$count"
