# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2016
# Two guests with Linux's tulip driver on one network of the switch: an address from its DHCP server, 64 MiB
# each way compared by checksum, what a capture saw; the cable is pulled under load, the switch is killed.
copy_disk shell a.vhd
copy_disk shell b.vhd
mkfifo a.input b.input
exec {keys_a}<>a.input {keys_b}<>b.input
type_to() { # MACHINE COMMAND
	local keys=keys_$1
	echo "$2" >&"${!keys}"
}

# Without a network of the host nat is one line, and the machine runs.
must "net create" "$mainstay" net create lab
must "net dhcp" "$mainstay" net dhcp lab --enable --static 00:03:ff:00:00:0a=10.237.0.10
start a a.vhd --net internal:lab,mac=00:03:ff:00:00:0a --memory 96M
start b b.vhd --net internal:lab,model=21143 --net nat --memory 96M
must "the first guest boots" serial a 'guest:' 300
must "the second guest boots" serial b 'guest:' 300
check "the first machine's starter has nothing to say" is "$(cat a.err)" = ""
check "nat without a network of the host is one line" is "$(grep -c 'link is down' b.err)" = 1
script='#!/bin/busybox sh
[ "$1" = bound ] && ifconfig $interface $ip netmask $subnet && echo address $ip'
for name in a b; do
	type_to $name "printf '%s\\n' '${script//$'\n'/\' \'}' >/u; chmod +x /u; insmod /data/tulip.ko; udhcpc -i eth0 -s /u -n -q -t 8 2>&1 | grep ^add"
done
must "the 21140 gets its fixed address" serial a '^address 10\.237\.0\.10' 120
must "the 21143 gets an address" serial b '^address 10\.237\.' 120
address=$(sed -nE 's/^address (10\.237[0-9.]+).*/\1/p' b.serial | head -n 1)
check "net dhcp --leases shows it" grep -q "$address" <("$mainstay" net dhcp lab --leases)

"$mainstay" net capture lab --output lab.pcapng &
type_to a "ping -c 3 -W 5 $address; echo ping en\"\"ded"
must "ping ends" serial a '^ping ended' 60
kill $! && wait $! || true
check "pings are answered" is "$(count a '3 packets received')" = 1
check "the capture has both directions" is "$(tcpdump -nr lab.pcapng icmp 2>/dev/null | wc -l)" = 6

# Both directions at once; the bytes are those of the disk, whose sum is known.
sum=$(for ((i = 0; i < 16; i++)); do head -c 4M "$disks/../debs/guest-kernel/vmlinuz"; done | md5sum | cut -c 1-32)
data='for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat /data/bytes; done'
type_to a "nc -l -p 5000 </dev/null | md5sum | sed 's/^/received /' & sleep 2; $data | nc $address 5000"
type_to b "nc -l -p 5000 </dev/null | md5sum | sed 's/^/received /' & sleep 2; $data | nc 10.237.0.10 5000"
must "64 MiB arrive at the second guest" serial b '^received ' 300
must "64 MiB arrive at the first guest" serial a '^received ' 300
check "what the first sent is what came" grep -q "^received $sum" b.serial
check "what the second sent is what came" grep -q "^received $sum" a.serial

# The cable is pulled while frames fly, and plugged in again; then the switch dies.
type_to a "ping -i 1 -c 1000 $address >/p & echo pinging"
must "pings go on" serial a '^pinging' 30
check "net disconnect" "$mainstay" net disconnect a 0
type_to a 'sleep 3; cp /p /q; echo out""side'
must "the guest lives on" serial a '^outside' 60
check "net connect" "$mainstay" net connect a 0 internal:lab
# Only the switch of this case: nobody else's is in this process' reach by its socket.
pid=$(grep -l mainstay-switch /proc/[0-9]*/comm 2>/dev/null | head -n 1 | cut -d / -f 3)
check "the switch is killed" kill -9 "$pid"
type_to a "for i in 1 2 3 4 5 6 7 8 9; do sleep 2; ping -c 1 -W 1 $address >/dev/null && break; done; echo back a\"\"gain"
must "machines find their way to a new switch" serial a '^back again' 120
type_to a "ping -c 2 -W 5 $address; echo ping en\"\"ded"
must "ping ends again" serial a '^ping ended' 60 2
check "pings are answered again" is "$(count a '2 packets received')" = 1
