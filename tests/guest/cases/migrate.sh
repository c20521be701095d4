# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# A guest that writes to its disk, and so to its memory, is moved from process to process. Moves that fail leave it where
# it is; in the end its disk is that of a guest that nobody has touched.
options=(--cpu p3 --memory 64M --uuid 6d61696e-7374-6179-0000-000000000005)

# on_fd9 listen|connect PATH COMMAND...: runs it with the connected socket at descriptor 9
cat >on_fd9 <<'PY'
#!/usr/bin/python3
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
if sys.argv[1] == "listen":
    s.bind(sys.argv[2])
    s.listen(1)
    s = s.accept()[0]
else:
    s.connect(sys.argv[2])
os.dup2(s.fileno(), 9)
os.execv(sys.argv[3], sys.argv[3:])
PY
# Says hello, reads a little and then nothing more.
cat >stop_reading <<'PY'
#!/usr/bin/python3
import socket, struct, time
s = socket.socket(socket.AF_UNIX)
s.bind("slow.sock")
s.listen(1)
c = s.accept()[0]
c.recv(24)
c.sendall(b"MSGM" + struct.pack("<IQQ", 1, 2, 0))
c.recv(1 << 20)
time.sleep(600)
PY
printf '#!/bin/bash\nexec ./on_fd9 listen back.sock "%s" "$@"\n' "$mainstay" >on_socket
chmod +x on_fd9 stop_reading on_socket

waits() { # for the socket $1
	local tries
	for ((tries = 0; tries < 200 * scale; tries++)); do
		[[ ! -S $1 ]] || return 0
		nap
	done
	return 1
}
goes_on() { # machine $1, with pieces that come after now
	serial "$1" 'mainstay-guest: flushed [0-9]+' 120 $(($(count "$1" 'mainstay-guest: flushed [0-9]+') + 2))
}
refuses() { # the word that the one line must have
	local word=$1
	shift
	! "$mainstay" migrate one "$@" 2>said.txt && [[ $(wc -l <said.txt) == 1 ]] && grep -q "$word" said.txt || {
		cat said.txt
		return 1
	}
}
copy_disk write disk.vhd
start one disk.vhd "${options[@]}"
must "it writes" serial one 'mainstay-guest: flushed 0*4'

./stop_reading &
must "a side that will stop reading" waits slow.sock
check "is given up" refuses 'goes on here' unix:slow.sock --timeout 2
kill $! && wait $! 2>/dev/null || true
must "the guest goes on" goes_on one

start dies disk.vhd "${options[@]}" --incoming unix:dies.sock
must "a side that will die" waits dies.sock
{
	until [[ ! -S dies.sock ]]; do
		nap
	done
	kill -KILL "$(<dies.pid)"
} &
check "is given up" refuses 'goes on here' unix:dies.sock
wait $! || true
must "the guest goes on" goes_on one

start two disk.vhd "${options[@]}" --incoming unix:move.sock
must "another process waits for it" waits move.sock
must "it moves there while it writes" "$mainstay" migrate one unix:move.sock
must "the first process has ended" ends one 0
must "the guest goes on" goes_on two

mainstay=./on_socket start three disk.vhd "${options[@]}" --incoming fd:9
must "a third waits with an inherited socket" waits back.sock
must "it moves there through another one" ./on_fd9 connect back.sock "$mainstay" migrate two fd:9
must "the second process has ended" ends two 0
must "it comes to its end" ends three 0 300

cat one.serial two.serial three.serial >whole.serial
check "every piece was written once" is "$(count whole 'mainstay-guest: flushed [0-9]+')" = 128
check "and none after another's time" is "$(grep -aoE 'flushed [0-9]+' whole.serial | sort -c -k2n && echo sorted)" = sorted
check "it has seen its end" is "$(count whole 'mainstay-guest: all flushed')" = 1
check "the image is sound" "$mainstay_vhd" check disk.vhd
must "another reader of the format can read it" raw_of disk.vhd
check "what it wrote is what an untouched guest writes" all_written disk.vhd.raw
