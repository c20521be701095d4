# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154,SC2034
# A guest with Linux's tulip driver talks to this host through a loopback network: what tcpdump sees of it here is
# what the switch captures; 64 MiB each way, every byte compared, while the cable is pulled and plugged in
# again, the machine is saved and restored, and the switch is killed. For make soak 10 GiB more. On an emulated processor,
# which moves a quarter of a megabyte a second, 4 MiB each way, and a quarter of a GiB for make soak.
export MAINSTAY_RUNTIME_DIR=$PWD/run
mib=64 rounds=80
[[ ! ${MAINSTAY_NESTED-} ]] || mib=4 rounds=2
[[ ! ${MAINSTAY_NESTED-} || ! ${SOAK-} ]] || mib=64
printf -v segments %06d $((mib * 1048576 / 1448))
cp --sparse=always "$disks/net.vhd" disk.vhd
mkfifo traffic.input
exec {keys}<>traffic.input
"$disks/../bench/net" serve &
server=$! dones=0
options=(--net 'loopback:lab,mac=00:03:ff:00:00:02' --memory 64M)

tell() { # COMMAND: what the guest shall do
	dones=$((dones + 1))
	echo "$1" >&"$keys"
}
done_with() { # TEXT [SECONDS]
	must "$1" serial traffic '^done' "${2:-300}" $dones
}
switch_pid() {
	local pid
	for pid in $(pgrep -x mainstay-switch); do
		! tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "MAINSTAY_RUNTIME_DIR=$PWD/run" || echo "$pid"
	done
}
# What the guest's port has given and taken, in bytes.
port_bytes() {
	"$mainstay" net stats lab | awk '$1 == "traffic/0" { print $3 + $5 }'
}
# until_flowing [START]: an eighth of it has gone since, or since the counters were at START
until_flowing() {
	local start=${1-} now tries
	[[ $start ]] || start=$(port_bytes)
	for ((tries = 0; tries < 400; tries++)); do
		now=$(port_bytes)
		((${now:-0} < ${start:-0} + mib * 131072)) || return 0
		nap
	done
	echo "no data flows: ${start:-none} to ${now:-none} bytes"
	return 1
}
# A real processor would be through before anything could be done to the cable.
slow_down() {
	[[ ${MAINSTAY_NESTED-} ]] || "$mainstay" net wan lab --rate 8M
}
frames() { # FILE: the pings in a capture, byte by byte
	tcpdump -Z root -t -xx -nr "$1" icmp 2>/dev/null
}

must "net create" "$mainstay" net create lab --kind loopback --host-address 10.9.0.1/24
start traffic disk.vhd "${options[@]}"
must "the guest's driver reaches the host" serial traffic 'bench: ready' 300

tcpdump -Z root -U -i ms-lab -w host.pcap 2>/dev/null &
dump=$!
"$mainstay" net capture lab --output lab.pcapng &
capture=$!
sleep 1
tell p000020
done_with "20 pings are answered" 60
sleep 1
kill $dump $capture && wait $dump $capture || true
check "tcpdump and the switch saw 20 pings and answers" is "$(frames host.pcap | grep -c 'ICMP echo')" = 40
check "and the same bytes" diff <(frames host.pcap) <(frames lab.pcapng)

slow_down
tell T$segments
must "$mib MiB are on their way to the host" until_flowing
check "the cable is pulled" "$mainstay" net disconnect traffic 0
nap
check "and plugged in again" "$mainstay" net connect traffic 0 loopback:lab
done_with "they arrive here as they were sent"

slow_down
tell V$segments
must "$mib MiB are on their way to the guest" until_flowing
check "the machine is saved" "$mainstay" save traffic now.state
must "its process has ended" ends traffic 0
rm traffic.serial traffic.status
dones=1
start traffic disk.vhd "${options[@]}" --restore now.state
must "they flow again" until_flowing 0
check "the switch is killed" kill -9 "$(switch_pid)"
done_with "they arrive at the guest as they were sent"

if [[ ${SOAK-} ]]; then
	for ((round = 1; round <= rounds; round++)); do # 64 MiB each way
		tell T$segments
		done_with "round $round to the host" 900
		tell V$segments
		done_with "round $round to the guest" 900
	done
fi
kill $server
