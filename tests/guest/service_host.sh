#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2119,SC2120
# A machine that is a service of systemd, on a nested host of its own with systemd as process 1: stopped and started, through
# a reboot of the host, a hanging machine, a power cut, and a power cut in the middle of a save. TAP lines on standard output.
#
#   service_host.sh             makes the host and shows what came of it
#   service_host.sh boot        process 1 of the host, until it becomes systemd
#   service_host.sh inside      the host's only job, a unit of systemd
set -u
self=$(realpath "$0")
here=$(dirname "$self")
unit=mainstay-vm@nt4
state=/var/lib/mainstay/nt4.state
disk=/var/lib/mainstay/disk.vhd

# --- on the nested host, before systemd: what must not survive a reboot is made again

if [[ ${1-} == boot ]]; then
	modprobe -a virtio_blk ext4
	mkdir -p /var/lib/mainstay
	mount /dev/vda /var/lib/mainstay
	boot=$(($(cat /var/lib/mainstay/boots 2>/dev/null || echo 0) + 1))
	echo $boot >/var/lib/mainstay/boots
	ls /var/lib/mainstay >/run/found
	[[ ! -e $state ]] || cp --sparse=always $state /run/found.state
	cp -r "$HOST_FILES"/. /
	systemd-sysusers mainstay.conf
	chown -R mainstay: /var/lib/mainstay
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	install -d /etc/mainstay /run/systemd/system
	cat >/etc/mainstay/nt4.json <<-'JSON'
		{ "version": 1, "name": "nt4", "memory_mib": 16, "networks": [], "disks": [ { "path": "/var/lib/mainstay/disk.vhd" } ],
		  "serial": [ { "kind": "file", "path": "/var/lib/mainstay/serial" } ] }
	JSON
	echo '{ "version": 1, "name": "wrong", "memory_mib": 1 }' >/etc/mainstay/wrong.json
	cat >/run/systemd/system/test.target <<-'UNIT'
		[Unit]
		Requires=basic.target mainstay-vm@nt4.service
		Wants=test.service
		After=basic.target
		AllowIsolate=yes
	UNIT
	cat >/run/systemd/system/test.service <<-UNIT
		[Unit]
		After=basic.target
		[Service]
		Type=simple
		Environment=PATH=$PATH SCALE=${SCALE:-1}
		StandardOutput=file:/dev/vport0p2
		StandardError=inherit
		ExecStart=/bin/bash $self inside
	UNIT
	install -d "/run/systemd/system/$unit.service.d"
	# A watchdog for the impatient.
	printf '[Service]\nWatchdogSec=8\n' >"/run/systemd/system/$unit.service.d/test.conf"
	for name in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
		systemd-timesyncd.service systemd-resolved.service systemd-networkd.service e2scrub_reap.service \
		systemd-journal-flush.service systemd-update-utmp.service systemd-random-seed.service systemd-hwdb-update.service \
		systemd-binfmt.service systemd-sysctl.service systemd-modules-load.service systemd-pstore.service \
		systemd-journal-catalog-update.service ldconfig.service dev-hugepages.mount sys-fs-fuse-connections.mount \
		apparmor.service systemd-firstboot.service systemd-machine-id-commit.service systemd-remount-fs.service; do
		ln -sf /dev/null "/run/systemd/system/$name"
	done
	unset NOTIFY_SOCKET
	exec /lib/systemd/systemd --unit=test.target --show-status=no --log-target=console --log-level=notice
fi

# --- on the nested host, with systemd

check() { # TEXT COMMAND...
	local text=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "ok - start $boot: $text"
	else
		echo "not ok - start $boot: $text"
		echo "${said//$'\n'/$'\n'#   }" | sed 's/^/#   /'
		echo failed >>/var/lib/mainstay/failed
	fi
}
within() { # SECONDS COMMAND...
	local end=$((SECONDS + $1 * ${SCALE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || {
			"$@"
			systemctl status --no-pager -l -n 12 $unit
			return 1
		}
		sleep 0.3
	done
}
shows() { # PROPERTY VALUE
	local value
	value=$(systemctl show -P "$1" $unit)
	[[ $value == "$2" ]] || { echo "$1 is \"$value\" instead of \"$2\""; return 1; }
}
last() { # the guest's last line
	grep -aoE '^clock: [0-9a-f]+ ' /var/lib/mainstay/serial | tail -n 1 | cut -d' ' -f2
}
goes_on() { # from line $1, which is not counted again
	local first
	first=$(grep -aoE '^clock: [0-9a-f]+ ' /var/lib/mainstay/serial | head -n 1 | cut -d' ' -f2)
	[[ -n $first && -n ${1-} ]] && ((16#$first > 16#$1 && 16#$first <= 16#$1 + 3))
}
counts() { # further than it has
	local now
	now=$(last)
	within 90 eval "[[ \$(last) != '$now' ]]"
}
is() {
	[[ $1 == "$2" ]] || { echo "\"$1\" instead of \"$2\""; return 1; }
}
end() { # reboot or poweroff, in order; without the login manager, which systemctl asks first and is not here
	systemctl start "$1.target" --job-mode=replace-irreversibly --no-block
}
main() {
	systemctl show -P MainPID $unit
}
vmm() {
	cat "/proc/$(main)/task/$(main)/children"
}

if [[ ${1-} == inside ]]; then
	boot=$(cat /var/lib/mainstay/boots)
	check "the unit is active" within 90 systemctl is-active $unit
	case $boot in
	1)
		check "it says that it runs" shows StatusText Running
		check "its slice" shows Slice mainstay.slice
		check "its user" is "$(stat -c %U "/proc/$(main)")" mainstay
		check "no capability" grep -q '^CapBnd:.0*$' "/proc/$(main)/status"
		check "the guest runs" counts
		check "a weight for its processors" systemctl set-property --runtime $unit CPUWeight=300
		check "is in force" is "$(cat "/sys/fs/cgroup/mainstay.slice/$unit.service/cpu.weight")" 300
		check "root sees it" env MAINSTAY_RUNTIME_DIR=/run/mainstay-vm mainstay status nt4
		systemctl stop $unit
		check "stopping ends it well" shows Result success
		seen=$(last)
		check "and saves it" mainstay state check $state
		check "its disk bears the mark" eval "mainstay-vhd info $disk | grep -i saved"
		check "and is sound" mainstay-vhd check $disk
		rm /var/lib/mainstay/serial
		systemctl start $unit
		check "starting restores it" shows StatusText "Running, restored"
		check "the state is used up" test ! -e $state
		check "the guest runs on" counts
		check "from where it was" goes_on "$seen"
		check "a wrong description is an error" eval "! systemctl start mainstay-vm@wrong"
		check "that is not tried again" is "$(systemctl show -P NRestarts mainstay-vm@wrong)" 0
		cp /var/lib/mainstay/serial /var/lib/mainstay/before
		end reboot
		;;
	2)
		check "the shutdown has saved it" mainstay state check /run/found.state
		check "it is restored" shows StatusText "Running, restored"
		check "the guest runs on" counts
		seen=$(grep -aoE '^clock: [0-9a-f]+ ' /var/lib/mainstay/before | tail -n 1 | cut -d' ' -f2)
		check "from where it was, or a little later" eval "(( 16#$(last) > 16#$seen ))"
		check "it was not started anew" eval "! grep -a 'clock: go' /var/lib/mainstay/serial"
		kill -STOP "$(vmm)"
		check "one that hangs is ended by the watchdog" within 60 shows NRestarts 1
		check "and started anew" within 60 shows StatusText Running
		kill -KILL "$(main)"
		check "as is one that is killed" within 60 shows NRestarts 2
		check "it runs" within 60 systemctl is-active $unit
		check "the guest too" counts
		echo b >/proc/sysrq-trigger # the power fails
		;;
	3)
		check "after a power cut it boots" shows StatusText Running
		check "the guest runs" counts
		systemctl stop --no-block $unit
		end=$((SECONDS + 60))
		until compgen -G "$state.new-*" >/dev/null || [[ -e $state ]] || ((SECONDS > end)); do
			:
		done
		echo b >/proc/sysrq-trigger # in the middle of the save
		;;
	*)
		sed 's/^/# found: /' /run/found
		check "after a power cut in a save it runs, from the old state or anew" \
			eval "[[ \$(systemctl show -P StatusText $unit) == Running* ]]"
		check "no draft is left" within 20 eval "! ls $state.new-*"
		check "the guest runs" counts
		systemctl stop $unit
		check "it can be saved" mainstay state check $state
		check "its disk is sound" mainstay-vhd check $disk
		echo $((-(-$(wc -l 2>/dev/null </var/lib/mainstay/failed || echo 0)) > 0)) >/run/nested/status
		end poweroff
		;;
	esac
	exit
fi

# --- outside

cd "$here/../.." || exit 1
build=$(realpath "${BUILD:-build}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ $EUID != 0 || ! -x /lib/systemd/systemd ]]; then
	echo "ok - # SKIP needs root and systemd"
	exit 0
fi
make -s install BUILD="$build" PREFIX=/usr DESTDIR="$work/root" || exit 1
truncate -s 200M "$work/disk"
mkdir "$work/fs"
"$build/bin/mainstay-vhd" convert "$build/guest/clock.img" "$work/fs/disk.vhd" >/dev/null || exit 1
mkfs.ext4 -q -d "$work/fs" "$work/disk" || exit 1
status=0
HOST_FILES=$work/root BUILD=$build tests/nested/with-kvm -b "$work/disk" -c 1 -m 2048 -t "${TIME:-900}" -s "$work" -- \
	"$self" boot || status=$?
exit $status
