#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine as a service, without systemd as process 1 and without KVM: what make install puts where, the unit as
# systemd's own tools see it, what "run --service" tells systemd (a socket of ours listens), and the ladder by which it stops.
# The machine is the one with the device test port, whose saved states are real ones; a stand-in (fake_vmm.c) plays
# machines that do not do as they are told. Prints TAP lines. $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay
work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
${CC:-cc} -D_GNU_SOURCE -std=gnu11 -O1 -o "$work/fake-vmm" tests/system/fake_vmm.c vmm/config.c \
	base/*.c $(pkg-config --cflags --libs json-c libdeflate) || exit 1
count=0
check() # DESCRIPTION COMMAND...
{
	local description=$1
	shift
	((count++))
	if "$@" >"$work/said" 2>&1; then
		echo "ok $count - $description"
	else
		echo "not ok $count - $description"
		sed 's/^/# /' "$work/said" "$work/err" "$work/told" 2>/dev/null | tail -n 30
	fi
}
eventually() # COMMAND...: it succeeds, within 20 s
{
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	"$@"
}

# --- what is installed
root=$work/root
make -s install BUILD="$build" PREFIX=/usr DESTDIR="$root" >"$work/err" 2>&1
check "make_install_puts_units_user_and_folders_in_place" test -s "$root/usr/lib/systemd/system/mainstay-vm@.service" \
	-a -s "$root/usr/lib/systemd/system/mainstay.slice" -a -s "$root/usr/lib/sysusers.d/mainstay.conf" \
	-a -s "$root/usr/lib/tmpfiles.d/mainstay.conf" -a -s "$root/usr/share/man/man5/mainstay-vm@.service.5"
if [[ -x /usr/bin/systemd-analyze ]]; then
	mkdir -p "$root/etc/mainstay"
	verify() {
		local said
		said=$(systemd-analyze verify --man=no --recursive-errors=no --root="$root" "mainstay-vm@nt4.service" 2>&1 |
			grep mainstay)
		echo "$said"
		[[ -z $said ]]
	}
	check "systemd_finds_no_fault_with_the_unit" verify
	check "the_unit_gives_up_what_it_does_not_need" systemd-analyze security --offline=true --threshold=45 --no-pager \
		--root="$root" mainstay-vm@.service
	check "there_is_no_exec_stop" bash -c "! grep -q '^ExecStop=' '$root/usr/lib/systemd/system/mainstay-vm@.service'"
	folders() {
		systemd-sysusers --root="$root" && grep -q '^mainstay:' "$root/etc/passwd" && grep -q '^kvm:.*mainstay' "$root/etc/group" &&
			{ systemd-tmpfiles --root="$root" --create mainstay.conf || true; } &&
			[[ $(stat -c %a "$root/run/mainstay-vm") == 700 && $(stat -c %a "$root/var/lib/mainstay") == 750 ]]
	}
	if ((EUID == 0)); then
		check "its_user_and_folders_are_made" folders
	else
		echo "ok $((++count)) - its_user_and_folders_are_made # SKIP needs root"
	fi
else
	echo "ok $((++count)) - systemd_finds_no_fault_with_the_unit # SKIP there is no systemd-analyze"
fi

# --- what systemd is told
export MAINSTAY_RUNTIME_DIR=$work/run MAINSTAY_NETWORKS=$work/networks MAINSTAY_NET=none LC_ALL=C
unset XDG_RUNTIME_DIR FAKE_VMM LISTEN_FDS WATCHDOG_PID
cd "$work" || exit 1
mkdir state
"$build/bin/mainstay-vhd" create disk.vhd 16M >/dev/null
truncate -s 1M plain.img
head -c 65536 /dev/zero >bios.bin
cat >listen.py <<'PY'
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
print(flush=True)
while True:
    for line in s.recv(4096).decode().splitlines():
        print(line, flush=True)
PY
python3 listen.py >told &
eventually test -s told
describe() # STOP-ACTION [MORE]
{
	cat >nt4.json <<-JSON
		{ "version": 1, "name": "nt4", "memory_mib": 16, "networks": [], "stop_action": "$1", "stop_seconds": 1 ${2:-} }
	JSON
}
begin() # [ARGUMENT...]: the service in the background; its status comes into the file "status"
{
	rm -f status
	: >told
	: >err
	(
		STATE_DIRECTORY=$work/state NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=600000 \
			"$mainstay" run --service --config nt4.json "$@" </dev/null >out 2>>err &
		echo $! >pid
		wait $!
		echo $? >status
	) &
	eventually test -s pid
}
stop() {
	kill -TERM "$(<pid)"
	eventually test -s status
}
ended() # STATUS
{
	eventually test -s status && [[ $(<status) == "$1" ]]
}
told() { # PATTERN...: all of them, as whole lines, in any order
	local line
	for line; do grep -qxE "$line" told || { echo "not told: $line"; return 1; }; done
}
machine() # the process of the machine itself
{
	pgrep -P "$(<pid)" -f 'mainstay-vmm|fake-vmm' | head -n 1
}
port=(--devtest "unix:$work/port")
# shellcheck disable=SC2089
disk=', "disks": [ { "path": "disk.vhd" } ], "serial": [ { "kind": "file", "path": "serial.txt" } ]'

describe save "$disk"
begin "${port[@]}"
check "ready_is_told_when_the_machine_runs" eventually told READY=1 STATUS=Running
check "the_watchdog_is_fed" eventually told WATCHDOG=1
kill -STOP "$(machine)"
sleep 0.5
silent() {
	: >told
	sleep 1.2
	! grep -q WATCHDOG told
}
check "but_not_when_the_machine_does_not_answer" silent
kill -CONT "$(machine)"
check "and_again_when_it_does" eventually told WATCHDOG=1
stop
check "stopping_saves_the_machine_and_ends_well" ended 0
check "and_tells_so" told STOPPING=1 "STATUS=Saving into $work/state/nt4.state" 'EXTEND_TIMEOUT_USEC=[0-9]+'
check "the_state_is_whole" "$mainstay" state check state/nt4.state
check "nothing_else_is_left_there" test "$(ls state)" = nt4.state
cp state/nt4.state kept.state
cp disk.vhd kept.vhd
begin "${port[@]}"
check "starting_goes_on_from_the_state" eventually told READY=1 'STATUS=Running, restored'
check "which_is_used_up" eventually test ! -e state/nt4.state
cp -p kept.state state/nt4.state # as if the host had died just before its name was gone
kill -KILL "$(machine)"
check "a_machine_that_is_killed_is_for_systemd_to_start_anew" ended 2
begin "${port[@]}"
check "a_state_whose_disks_went_on_is_used_up" eventually told READY=1 STATUS=Running
check "and_one_line_says_so" grep -q 'was used up: its disks have been written to since' err
check "and_it_is_removed" test ! -e state/nt4.state
stop
check "it_can_be_saved_again" test -s state/nt4.state

# The host died while the machine was being saved: the disk is marked, and of the state there is a draft.
rm state/nt4.state
cp kept.vhd disk.vhd
begin "${port[@]}"
check "a_disk_that_belongs_to_a_state_elsewhere_is_left_alone" ended 1
: >state/nt4.state.new-abcdef
begin "${port[@]}"
check "a_save_that_the_host_did_not_survive_is_no_obstacle" eventually told READY=1 STATUS=Running
check "its_draft_is_removed" eventually test ! -e state/nt4.state.new-abcdef
stop
rm state/nt4.state
cp kept.vhd disk.vhd
: >state/nt4.state.new-abcdef
begin "${port[@]}"
eventually told READY=1
vmm=$(machine)
kill -STOP "$vmm"
kill -TERM "$(<pid)"
eventually told "STATUS=Saving into $work/state/nt4.state"
eventually eval 'ls state/nt4.state.new-*'
kill -KILL "$vmm"
check "a_machine_that_dies_while_it_is_saved_is_for_systemd_to_start_anew" ended 2
cp kept.vhd disk.vhd
begin "${port[@]}"
check "which_it_can" eventually told READY=1 STATUS=Running
stop
truncate -s 1000 state/nt4.state
begin "${port[@]}"
check "a_damaged_state_is_an_error_that_is_not_tried_again" ended 1
check "and_kept" test -e state/nt4.state
rm state/nt4.state
rm disk.vhd
"$build/bin/mainstay-vhd" create disk.vhd 16M >/dev/null

# --- the ladder
describe turn-off "$disk"
begin "${port[@]}"
eventually told READY=1
stop
check "turn_off_ends_the_machine_without_a_state" ended 0
check "there_is_none" test -z "$(ls state)"
export MAINSTAY_VMM=$work/fake-vmm MAINSTAY_KVM=/dev/null
# shellcheck disable=SC2090
plain=', "firmware": "bios.bin", "disks": [ { "path": "plain.img", "format": "raw" } ]'
describe shutdown "$plain"
begin
eventually told READY=1
stop
check "shutdown_asks_the_guest" ended 0
check "and_tells_so_too" told STOPPING=1 'STATUS=Shutting down'
export FAKE_VMM=deaf
begin
eventually told READY=1
SECONDS=0
stop
check "a_guest_that_does_not_is_turned_off_after_its_time" ended 0
check "not_before" test $SECONDS -ge 1
export FAKE_VMM=stuck
begin
eventually told READY=1
kill -TERM "$(<pid)"
eventually told 'STATUS=Shutting down'
kill -TERM "$(<pid)"
sleep 0.2
kill -TERM "$(<pid)"
check "who_asks_again_is_in_a_hurry" ended 0
unset FAKE_VMM
describe save "$plain"
begin
eventually told READY=1
stop
check "a_machine_that_cannot_be_saved_is_shut_down" ended 0
check "one_line_says_so" grep -q 'nt4: was not saved; its guest is asked to shut down' err
check "no_draft_is_left" test -z "$(ls state)"
begin --restore kept.state
check "a_service_chooses_its_state_itself" ended 1
echo "1..$count"
