#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line as people meet it, without KVM: a stand-in plays the machine's process (fake_vmm.c).
# Prints TAP lines. Run from anywhere; $BUILD is the build folder.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
[[ $build == /* ]] || build=$PWD/$build
mainstay=$build/bin/mainstay
[[ -x $mainstay ]] || { echo "$mainstay: not built"; exit 1; }

work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null; wait; rm -rf "$work"' EXIT
${CC:-cc} -D_GNU_SOURCE -std=gnu11 -O1 -o "$work/fake-vmm" tests/system/fake_vmm.c vmm/config.c \
	base/*.c $(pkg-config --cflags --libs json-c libdeflate) || exit 1
schema=$PWD/mgmt/machine.schema.json
completion=$PWD/packaging/completion/mainstay.bash

export MAINSTAY_VMM=$work/fake-vmm MAINSTAY_KVM=/dev/null MAINSTAY_RUNTIME_DIR=$work/run
export MAINSTAY_NET=none MAINSTAY_NETWORKS=$work/networks
export LC_ALL=C
unset FAKE_VMM XDG_RUNTIME_DIR
cd "$work" || exit 1
head -c 65536 /dev/zero >bios.bin
truncate -s 64K disk.img other.img
count=0

result() # STATUS DESCRIPTION
{
	((count++))
	if (($1 == 0)); then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' out err 2>/dev/null | tail -20
	fi
}

# Runs mainstay; its output in the files out and err, its status in $status.
m()
{
	timeout 20 ${as[@]+"${as[@]}"} "$mainstay" "$@" >out 2>err </dev/null
	status=$?
}

# One line on standard error with each of the words, status 1, nothing on standard output, nothing made.
refused() # DESCRIPTION WORD... -- ARGUMENT...
{
	local description=$1 words=() before word bad=0
	shift
	while [[ $1 != -- ]]; do words+=("$1"); shift; done
	shift
	before=$(find . -path ./run -prune -o ! -name out ! -name err -print | sort | cksum; cat ./*.img | cksum)
	m "$@"
	((status == 1)) || bad=1
	[[ $(wc -l <err) == 1 && ! -s out ]] || bad=1
	for word in "${words[@]}"; do grep -qF -e "$word" err || bad=1; done
	[[ $(find . -path ./run -prune -o ! -name out ! -name err -print | sort | cksum; cat ./*.img | cksum) == "$before" ]] || bad=1
	[[ -z $(find run -mindepth 1 -not -path 'run/.uids*' 2>/dev/null) || ${running:-} ]] || bad=1
	result $bad "$description"
}

# Waits until a command succeeds, at most 10 s.
eventually()
{
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

raw() { echo "--drive=$1,format=raw"; }
common=(--firmware bios.bin "$(raw disk.img)")

# --- help and version
m --help
result $((status || ! $(grep -c 'Usage: mainstay VERB' out))) "help_lists_the_verbs"
verbs=$(sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p' out)
bad=0
for verb in $verbs; do
	m "$verb" --help
	((status == 0)) && grep -q "^Usage: mainstay $verb" out && grep -q '^Examples:' out &&
		[[ ! -s err ]] || bad=1
done
[[ $(wc -w <<<"$verbs") -ge 12 ]] || bad=1
result $bad "every_verb_has_help_with_examples"
m --version
[[ $status == 0 && $(cat out) =~ ^mainstay\ [0-9.]+$ ]]
result $? "version"
if [[ -e /dev/full ]]; then
	timeout 5 "$mainstay" --help >/dev/full 2>err; (($? == 1))
	result $? "help_to_a_full_disk_is_an_error"
fi

# --- wrong command lines
refused "no_verb" "no verb" "--help" --
refused "unknown_verb" "fly" "no such verb" -- fly
refused "unknown_option" "--fly" "no such option" -- run disk.img --fly
refused "shortened_option" "--mem" -- run disk.img --mem 64M
refused "two_disks_as_arguments" "other.img" "too many" -- run disk.img other.img
refused "no_disk" "no disk" -- run
refused "missing_name" "NAME" -- stop
refused "memory_too_small" "3M" "4M" -- run "${common[@]}" --memory 3M
refused "memory_not_whole" "multiple" -- run "${common[@]}" --memory 4.5M
refused "memory_beyond_the_machine" "3584 MiB" "nt4" -- run "${common[@]}" --memory 3585M
refused "memory_beyond_the_host" "this host" -- run "${common[@]}" --cpu host --memory 1024G
refused "unknown_processor" "z80" "nt4" "host" -- run "${common[@]}" --cpu z80
refused "too_many_processors" "1 to 8" -- run "${common[@]}" --cpus 9
refused "name_that_is_none" "../x" -- run "${common[@]}" --name ../x
refused "slot_used_twice" "other.img" "primary-slave" -- run --firmware bios.bin \
	--drive disk.img,format=raw,slot=primary-slave --drive other.img,format=raw,slot=primary-slave
refused "serial_kind" "--serial carrier-pigeon:1" "tcp:HOST:PORT" -- run "${common[@]}" --serial carrier-pigeon:1
refused "stdio_twice" "stdio" -- run "${common[@]}" --serial stdio --serial stdio
m run --cpu help
[[ $status == 0 && $(grep -c '^nt4 ' out) == 1 ]]
result $? "cpu_help_lists_the_models"

# --- disks
refused "disk_missing" "none.vhd" "No such file" -- run none.vhd
refused "disk_is_a_folder" "$work" "image" -- run "$work"
refused "disk_is_a_device" "/dev/null" "block device" -- run /dev/null
refused "raw_disk_not_called_raw" "disk.img" "format=raw" -- run disk.img
head -c 1000 /dev/urandom >cut.img
refused "raw_disk_cut_off" "cut.img" "1000" -- run --firmware bios.bin "$(raw cut.img)"
rm cut.img
: >empty.vhd
refused "vhd_empty" "empty.vhd" -- run empty.vhd
if [[ -x $build/bin/mainstay-vhd ]] &&
	"$build/bin/mainstay-vhd" create good.vhd 16M >/dev/null 2>&1; then
	FAKE_VMM=exit m run good.vhd --firmware bios.bin
	result $((status)) "good_vhd_runs"
	refused "undo_kind" "maybe" "keep, commit, discard, ask" -- run good.vhd --firmware bios.bin --undo maybe
	FAKE_VMM=refuse m run good.vhd --firmware bios.bin --undo keep
	[[ $status == 1 && ! -e good.vud ]]
	result $? "failed_start_leaves_no_undo_disk"
	FAKE_VMM=exit m run good.vhd --firmware bios.bin --undo keep
	[[ $status == 0 && -s good.vud ]]
	result $? "undo_disk_is_kept"
	refused "undo_disk_stops_its_disk" "good.vhd" "good.vud" "--undo" -- run good.vhd --firmware bios.bin
	FAKE_VMM=exit m run --drive good.vhd,readonly --firmware bios.bin
	result $((status)) "read_only_the_disk_can_be_used"
	FAKE_VMM=crash m run good.vhd --firmware bios.bin --undo discard
	[[ $status == 1 && -s good.vud ]] && grep -q "undo disks are kept" err
	result $? "crash_keeps_the_undo_disk"
	FAKE_VMM=exit m run good.vhd --firmware bios.bin --undo ask </dev/null
	[[ $status == 0 && -s good.vud ]] && grep -q "no terminal to ask" err
	result $? "undo_without_a_terminal_keeps"
	FAKE_VMM=exit m run good.vhd --firmware bios.bin --undo commit
	[[ $status == 0 && ! -e good.vud ]] && "$build/bin/mainstay-vhd" check -q good.vhd
	result $? "undo_disk_is_committed"
	FAKE_VMM=exit m run good.vhd --firmware bios.bin --undo discard
	[[ $status == 0 && ! -e good.vud ]]
	result $? "undo_disk_is_discarded"
	head -c 1000 good.vhd >cut.vhd
	refused "vhd_cut_off" "cut.vhd" -- run cut.vhd --firmware bios.bin
	cp good.vhd torn.vhd
	# In the block size of the dynamic header, which its checksum covers.
	printf '\377\377' | dd of=torn.vhd bs=1 seek=544 conv=notrunc status=none
	refused "vhd_damaged" "torn.vhd" -- run torn.vhd --firmware bios.bin
	rm -f good.vhd cut.vhd torn.vhd
else
	for t in good_vhd_runs undo vhd_cut_off vhd_damaged; do
		echo "ok $((++count)) - $t # SKIP mainstay-vhd create is not built"
	done
fi
rm empty.vhd
# Root can read and write everything, so as root these run as nobody.
as=()
if (($(id -u) == 0)); then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	chmod 755 "$work"
fi
chmod 0 other.img
refused "disk_unreadable" "other.img" "readonly" -- run "$(raw other.img)"
chmod 444 other.img
refused "disk_read_only" "other.img" "readonly" -- run "$(raw other.img)"
chmod 644 other.img
as=()

# --- host
MAINSTAY_KVM=$work/nokvm refused "no_kvm" "nokvm" "kvm-intel" "with-kvm" -- run "${common[@]}"
MAINSTAY_VMM=$build/bin/mainstay-vmm refused "not_kvm" "/dev/kvm" "not KVM" -- run "${common[@]}" \
	--serial none
refused "firmware_missing" "no.bin" "seabios" -- run --firmware no.bin "$(raw disk.img)"
head -c 1000 /dev/zero >small.bin
refused "firmware_that_is_none" "small.bin" "64 KiB" -- run --firmware small.bin "$(raw disk.img)"
rm small.bin
MAINSTAY_VMM=$work/novmm refused "no_vmm" "novmm" "MAINSTAY_VMM" -- run "${common[@]}"
echo x >taken
refused "serial_file_exists" "taken" "remove it" -- run "${common[@]}" --serial file:taken
refused "serial_socket_exists" "taken" "remove it" -- run "${common[@]}" --serial unix:taken
refused "parallel_file_exists" "taken" "remove it" -- run "${common[@]}" --parallel file:taken
refused "serial_folder_missing" "nodir/x" -- run "${common[@]}" --serial file:nodir/x
[[ $(cat taken) == x ]]
result $? "existing_files_are_left_alone"
refused "files_made_are_removed_again" "remove it" -- run "${common[@]}" --serial file:new --serial \
	unix:newsock --firmware-log newlog --parallel file:taken
mkdir loose; chmod 777 loose
MAINSTAY_RUNTIME_DIR=$work/loose refused "runtime_folder_open_to_others" "loose" -- run "${common[@]}"
ln -s "$work" link
MAINSTAY_RUNTIME_DIR=$work/link refused "runtime_folder_is_a_link" "link" -- run "${common[@]}"
rm -r loose link

# --- drives and their media
refused "floppy_missing" "no.vfd: floppy" "mainstay floppy create" -- run "${common[@]}" --floppy no.vfd
refused "floppy_of_no_size" "other.img" "the size of no floppy disk" -- run "${common[@]}" --floppy other.img
refused "cdrom_missing" "no.iso: CD-ROM" "ISO image" -- run "${common[@]}" --cdrom no.iso
bad=0
for format in 160K:163840 180K:184320 320K:327680 360K:368640 720K:737280 1.2M:1228800 1.44M:1474560 \
	dmf:1720320 2.88M:2949120; do
	m floppy create new.vfd --format "${format%:*}" --label "Disk 1"
	[[ $status == 0 && ! -s out && ! -s err && $(stat -c %s new.vfd) == "${format#*:}" ]] || bad=1
	if command -v mdir >/dev/null; then
		mdir -i new.vfd :: 2>/dev/null | grep -q "DISK 1" || bad=1
		echo text | mcopy -i new.vfd - ::HELLO.TXT && [[ $(mtype -i new.vfd ::HELLO.TXT) == text ]] || bad=1
		! command -v fsck.fat >/dev/null || fsck.fat -n new.vfd >/dev/null || bad=1
	fi
	FAKE_VMM=exit m run "${common[@]}" --floppy new.vfd
	((status == 0)) || bad=1
	rm new.vfd
done
result $bad "floppies_of_every_format_are_what_they_say"
m floppy create old.vfd
refused "floppy_is_not_overwritten" "old.vfd" "remove it" -- floppy create old.vfd
refused "floppy_format_unknown" "--format 3M" "1.44M" -- floppy create a.vfd --format 3M
refused "floppy_label_wrong" "--label a*b" -- floppy create a.vfd --label 'a*b'
refused "floppy_action_unknown" "no such action" -- floppy destroy old.vfd
refused "floppy_does_not_fit" "does not fit" -- run "${common[@]}" --floppy old.vfd,kind=1.2M
FAKE_VMM=exit m run --firmware bios.bin --floppy old.vfd
[[ $status == 0 ]]
result $? "a_floppy_alone_is_enough"
refused "insert_into_nothing" "no such machine is running" -- insert nobody floppy0 old.vfd
refused "insert_what_is_missing" "no.iso: CD-ROM" -- insert nobody cd0 no.iso
rm old.vfd

# --- the battery
FAKE_VMM=exit m run "${common[@]}" --nvram new.nvram
[[ $status == 0 && $(stat -c %s new.nvram) == 1024 ]]
result $? "nvram_is_made"
FAKE_VMM=exit m run "${common[@]}" --nvram new.nvram
[[ $status == 0 ]]
result $? "nvram_is_used_again"
echo garbage >bad.nvram
refused "nvram_of_something_else" "bad.nvram" "remove it" -- run "${common[@]}" --nvram bad.nvram
truncate -s 0 bad.nvram; head -c 1024 /dev/urandom >bad.nvram
refused "nvram_damaged" "bad.nvram" "damaged" -- run "${common[@]}" --nvram bad.nvram
refused "nvram_without_folder" "nodir/x" -- run "${common[@]}" --nvram nodir/x
FAKE_VMM=refuse m run "${common[@]}" --nvram gone.nvram
[[ $status == 1 && ! -e gone.nvram ]]
result $? "nvram_of_a_machine_that_did_not_start_is_removed"
rm new.nvram bad.nvram

# --- what ports lead to
refused "serial_nobody_listens" "nosock" "start what listens there" -- run "${common[@]}" --serial connect:nosock
refused "serial_no_address" "nohost" "not HOST:PORT" -- run "${common[@]}" --serial tcp:nohost
refused "serial_no_such_service" "127.0.0.1:none" -- run "${common[@]}" --serial tcp:127.0.0.1:none
refused "serial_foreign_address" "192.0.2.1:1" "address of this host" -- run "${common[@]}" \
	--serial tcp-listen:192.0.2.1:1
refused "serial_no_terminal" "disk.img" "terminal line" -- run "${common[@]}" --serial tty:disk.img
refused "parallel_no_port" "disk.img" "/dev/parport0" -- run "${common[@]}" --parallel parport:disk.img
python3 - >port 2>heard <<'END' &
import socket
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
open("heard", "wb").write(c.recv(5))
END
eventually test -s port
FAKE_VMM=exit m run "${common[@]}" --serial "tcp:127.0.0.1:$(cat port)"
wait $!
[[ $status == 0 && $(cat heard) == hello ]]
result $? "serial_port_by_tcp"
rm port heard
FAKE_VMM=exit m run "${common[@]}" --serial none --parallel 'command:cat >printed'
[[ $status == 0 ]] && eventually test -e printed
result $? "parallel_port_to_a_command"
rm -f printed

# --- configuration files
m config disk.vhd --memory 64M --serial pty --drive 'x.vhd,readonly'
cp out nt.json
grep -q "\"$work/disk.vhd\"" nt.json
result $? "config_prints_whole_paths"
m config --check nt.json
[[ $status == 0 && ! -s out && ! -s err ]]
result $? "config_check_accepts_its_own"
sed 's/"cpus": 1/"cpus": 99/' nt.json >bad.json
refused "config_check_names_file_and_member" "bad.json" "cpus" "1 to 8" -- config --check bad.json
refused "config_check_file_missing" "no.json" -- config --check no.json
refused "config_and_other_options" "--config" -- run --config nt.json --memory 5M
m config --schema
cmp -s out "$schema"
result $? "schema_is_published"
mkdir sub; mv disk.img sub/
echo '{"version":1,"firmware":"../bios.bin","disks":[{"path":"disk.img","format":"raw"}],
	"serial":[{"kind":"stdio"}]}' >sub/m.json
FAKE_VMM=exit m run --config sub/m.json
[[ $status == 0 ]] && grep -q hello out
result $? "run_a_configuration_file_from_elsewhere"
mv sub/disk.img .; rm -r sub nt.json bad.json
if python3 -c 'import jsonschema.validators as v; v.Draft202012Validator' 2>/dev/null; then
	cat >files.py <<'END'
import json, subprocess, sys
from jsonschema import Draft202012Validator as V
v = V(json.load(open(sys.argv[2])))
V.check_schema(v.schema)
D = lambda **k: {"path": "a", **k}
values = {
    "$schema": ["x", 1], "version": [1, 2, "1", None, True], "name": ["a", "a b", "", ".a", "-a", " a", "a ",
    "a/b", "a\nb", "a" * 64, "a" * 65, "\u00e4", 5], "uuid": ["00112233-4455-6677-8899-aabbccddeeff",
    "{00112233-4455-6677-8899-AABBCCDDEEFF}", "{00112233-4455-6677-8899-aabbccddeeff", "x", 1],
    "board": [1, 0], "memory_mib": [4, 3, 3584, 3585, 128.0, 128.5, "4", 1048576, 1048577, -1, 1 << 70],
    "cpus": [1, 8, 0, 9, None], "cpu": ["nt4", "p5", "486", "p3", "p4", "host", "x", 1], "firmware": ["x", "", 1, "y" * 4095,
    "y" * 4096], "firmware_log": ["x", ""], "nvram": ["x", "", 1], "rtc": ["local", "utc", "x"], "resume_clock": ["catch-up", "frozen", "x"], "sandbox": ["full", "degraded", "x"],
    "stop_action": ["save", "shutdown", "turn-off", "x"], "stop_seconds": [1, 3600, 0, 3601, "1"], "undo": ["off", "keep", "commit", "discard", "ask", "x", 1],
    "disks": [[], {}, [1], [{}], [D()], [D()] * 4, [D()] * 5, [D(slot="primary-master")] * 2,
    [D(slot="primary-slave"), D(slot="primary-master")], [D(format="raw")], [D(format="x")],
    [D(read_only=True)], [D(read_only=1)], [D(x=1)], [D(geometry=[1, 1, 1])], [D(geometry=[1, 1])],
    [D(geometry=[1, 1, 1, 1])], [D(geometry=[65535, 255, 63])], [D(geometry=[65536, 255, 63])],
    [D(geometry=[1, 256, 63])], [D(geometry=[1, 0, 63])], [D(geometry=[1, 1, 64])], [D(geometry="1/1/1")]],
    "floppies": [[], {}, [{}], [{}] * 2, [{}] * 3, [{"kind": "1.2M"}], [{"kind": "8M"}], [{"path": "a"}],
    [{"path": ""}], [{"format": "vhd", "read_only": True}], [{"format": "x"}], [{"read_only": 1}], [{"x": 1}]],
    "cdroms": [[], [{}], [{}] * 4, [{}] * 5, [{"path": "a", "slot": "primary-slave"}], [{"slot": "x"}],
    [{"slot": "primary-slave"}] * 2, [{"read_only": True}]],
    "firmware_console": [0, 4, 5, -1, "1"], "fast_disk": [True, False, 1], "ide_irq_delay_us": [0, 100000, 100001],
    "kernel": ["x", "", 1], "initrd": ["x"], "append": ["x"],
    "smbios": [{}, {"serial": "a"}, {"serial": "\u00e4"}, {"serial": ""}, {"product": "a" * 65}, {"x": 1}, 1],
    "tuning": [{}, {"pages": "small"}, {"pages": "x"}, {"ksm": False}, {"ksm": 0}, {"pit": "drop"}, {"pin": "0"},
    {"pin": ""}, {"x": 1}],
    "boot": ["net", "net,disk", "disk,net", "disk", "cdrom,disk", "disk,disk", "", "tape", 1],
    "serial": [[], [{"kind": k} for k in ("none", "pty", "stdio", "console")], [{"kind": "unix"}],
    [{"kind": "unix", "path": "x"}], [{"kind": "file", "path": "x"}], [{"kind": "pty", "path": "x"}],
    [{"kind": "stdio"}] * 2, [{"kind": "console"}] * 2, [{"kind": "pty"}] * 4, [{"kind": "pty"}] * 5, [{}],
    [{"path": "x"}], [{"kind": "x"}], [{"kind": "tcp"}], [{"kind": "tcp", "address": "a:1"}],
    [{"kind": "tcp", "address": "a:1", "on_open": True}], [{"kind": "pty", "on_open": True}],
    [{"kind": "tcp", "address": ""}], [{"kind": "tcp", "path": "a"}], [{"kind": "tty", "path": "a"}],
    [{"kind": "tcp-listen", "address": "1"}], [{"kind": "connect", "path": "a", "on_open": False}],
    [{"kind": "command", "command": "a"}]],
    "parallel": [{"kind": "command", "command": "a"}, {"kind": "command"}, {"kind": "parport", "path": "a"},
    {"kind": "parport"}, {"kind": "file", "path": "x", "command": "a"}, {"kind": "tcp", "address": "a:1"}, {"kind": "none"}, {"kind": "file"}, {"kind": "file", "path": "x"}, {"kind": "pty"}, {}, []],
    "display": [{}, {"sharing": "shared"}, {"sharing": "exclusive", "view_only": True, "idle_timeout_s": 86400},
    {"sharing": "x"}, {"view_only": 1}, {"idle_timeout_s": -1}, {"idle_timeout_s": 86401}, {"x": 1}, [], 1],
    "video_memory": ["4M", "2M", "1M", "none", "3M", 4],
    "keyboard": ["us", "uk", "de", "jp106", "fr", 1],
    "networks": [[], [{"kind": k} for k in ("none", "nat")], [{"kind": "nat"}] * 4, [{"kind": "nat"}] * 5, [{}],
    [{"kind": "internal"}], [{"kind": "internal", "network": "lab"}], [{"kind": "nat", "network": "lab"}],
    [{"kind": "external", "network": "eth0", "model": "21143"}], [{"kind": "nat", "model": "21041"}],
    [{"kind": "nat", "mac": "00:03:ff:00:00:01"}], [{"kind": "nat", "mac": "01:03:ff:00:00:01"}],
    [{"kind": "nat", "mac": "00:03"}], [{"kind": "nat", "tcp": "8080:80"}], [{"kind": "nat", "tcp": "x"}],
    [{"kind": "loopback", "network": "lab", "udp": "53"}], [{"kind": "nat", "tcp": "1-2:3-4,5", "udp": "53"}],
    [{"kind": "nat", "tcp": "80,"}], [{"kind": "nat", "tcp": ":80"}], [{"kind": "nat", "tcp": "80:81:82"}], [{"kind": "nat", "x": 1}]],
    "unknown": [1],
}
files = [{}, [], 1] + [{"version": 1, k: x} for k, l in values.items() for x in l]
files += [{"version": 1, "cpu": c, "memory_mib": m} for c in ("nt4", "p5", "486", "p3", "p4", "host")
          for m in (3584, 3585, 65024, 65025)]
files += [{"version": 1, "kernel": "x", **k} for k in ({"initrd": "x"}, {"initrd": ""}, {"append": ""}, {"append": 1},
          {"append": "y" * 4095}, {"append": "y" * 4096}, {"initrd": "x", "append": "y"})]
missing = set(values) ^ set(v.schema["properties"]) ^ {"unknown"}
differ = [f"not tried: {missing}"] if missing else []
for f in files:
    open("f.json", "w").write(json.dumps(f))
    ours = subprocess.run([sys.argv[1], "config", "--check", "f.json"], capture_output=True)
    if (ours.returncode == 0) != v.is_valid(f):
        differ.append(f"{json.dumps(f)[:200]}: {ours.stderr.decode() or 'accepted'}")
print("\n".join(differ))
sys.exit(bool(differ))
END
	python3 files.py "$mainstay" "$schema" >out 2>err
	result $? "schema_and_checker_agree_on_every_member"
	rm -f files.py f.json
else
	echo "ok $((++count)) - schema_and_checker_agree_on_every_member # SKIP python3-jsonschema is missing"
fi

# --- a kernel from outside
refused "kernel_missing" "no.elf" "kernel" -- run --firmware bios.bin --kernel no.elf
refused "kernel_that_is_a_folder" "." "kernel" -- run --firmware bios.bin --kernel .
refused "initrd_without_kernel" "initrd" "--kernel" -- run --firmware bios.bin "$(raw disk.img)" --initrd x
refused "command_line_too_long" "--append" "4095" -- run --firmware bios.bin --kernel x --append "$(printf %4096d 0)"
echo kernel >vmlinuz
FAKE_VMM=exit m run --firmware bios.bin --kernel vmlinuz --initrd vmlinuz --append 'console=ttyS0'
[[ $status == 0 && ! -s err ]]
result $? "a_kernel_needs_no_disk"
rm vmlinuz

# --- a machine's life
FAKE_VMM=exit m run "${common[@]}"
[[ $status == 0 && $(tr -d '\r' <out) == "hello from the guest" && ! -s err ]]
result $? "power_off_is_status_0"
FAKE_VMM=refuse m run "${common[@]}"
[[ $status == 1 && $(wc -l <err) == 1 ]] && grep -q refused err
result $? "error_of_the_process_is_status_1_and_one_line"
FAKE_VMM=refuse m run "${common[@]}" --serial file:new --firmware-log newlog --serial unix:newsock
[[ $status == 1 && ! -e new && ! -e newlog && ! -e newsock ]]
result $? "failed_start_leaves_no_files"
FAKE_VMM=silent m run "${common[@]}"
[[ $status == 1 ]] && grep -q "without running" err
result $? "end_without_answer_is_an_error"
FAKE_VMM=crash m run "${common[@]}"
[[ $status == 1 ]] && grep -q "signal 11" err && grep -q hello out
result $? "crash_is_named_and_output_kept"
FAKE_VMM=burst m run "${common[@]}"
[[ $status == 0 && $(grep -c '^[0-9]\{6\} ' out) == 16384 ]]
result $? "no_output_is_lost_at_the_end"
FAKE_VMM=burst timeout 20 "$mainstay" run "${common[@]}" 2>err </dev/null | { sleep 1; cat; } >out
[[ $(grep -c '^[0-9]\{6\} ' out) == 16384 ]]
result $? "slow_reader_gets_everything"
printf 'abc!' | timeout 20 "$mainstay" run "${common[@]}" >out 2>err
[[ $? == 0 && $(tail -n1 out) == ABC* || $(cat out) == *"hello"* ]]
result $? "standard_input_from_a_pipe"
FAKE_VMM=exit m run "${common[@]}" --serial none
[[ $status == 0 && ! -s out ]]
result $? "no_serial_port_no_output"
FAKE_VMM=exit m run "${common[@]}" --serial file:com1.txt
[[ $status == 0 && $(cat com1.txt) == hello* ]]
result $? "serial_to_a_file"
rm -f com1.txt
[[ -z $(find run -mindepth 1 -not -path 'run/.uids*') ]]
result $? "nothing_is_left_in_the_runtime_folder"

# --- control
"$mainstay" run "${common[@]}" --name web --serial console </dev/null >run.out 2>run.err &
starter=$!
running=yes
eventually "$mainstay" status web
[[ $(stat -c '%a %F' run/web) == "700 directory" && $(stat -c '%a %F' run/web/control) == "600 socket" ]]
result $? "runtime_folder_is_private"
[[ $(cat run/web/lock) == "$starter" ]]
result $? "lock_names_the_starter"
m list
grep -q '^web  *running' out
result $? "list_shows_it"
m list --json
grep -q '"name": "web"' out
result $? "list_as_json"
m status web
grep -q '^memory  *128 MiB' out
result $? "status_as_table"
m reset web
result $status "simple_command"
refused "refusal_of_the_machine" "web: pause: not in this mood" -- pause web
refused "second_start_with_the_same_name" "web" "running" "$starter" "--name" -- run --name web \
	--firmware bios.bin "$(raw other.img)"
refused "disk_in_use" "disk.img" "in use" -- run --name web2 "${common[@]}"
refused "unknown_machine" "nobody" "mainstay list" -- status nobody
refused "name_of_a_machine_that_is_none" "../web" -- status ../web
(sleep 0.3; echo abc; sleep 0.5) | timeout 2 "$mainstay" console web >out 2>err
grep -q '^ABC' out
result $? "console_both_ways"
m stop web
wait "$starter"
[[ $? == 0 && $status == 0 && ! -e run/web ]]
result $? "stop_waits_until_all_is_gone"
running=

FAKE_VMM=deaf "$mainstay" run "${common[@]}" --name web --serial none </dev/null >run.out 2>run.err &
starter=$!
running=yes
eventually "$mainstay" status web
refused "stop_of_a_deaf_guest_says_how_to_force" "1 s" "--force" -- stop web --timeout 1
refused "console_that_is_none" "--serial console" -- console web
m stop web --force
wait "$starter"
[[ $? == 0 && $status == 0 && ! -e run/web ]]
result $? "stop_by_force"
for number in TERM INT HUP; do
	"$mainstay" run "${common[@]}" --name web --serial none </dev/null >run.out 2>run.err &
	starter=$!
	eventually "$mainstay" status web
	kill -$number "$starter"
	# A shell's background job ignores SIGINT from its start on, and so does mainstay's caller.
	wait "$starter"
	[[ $? == 0 && ! -e run/web ]]
	result $? "sig${number,,}_ends_the_machine_cleanly"
done
FAKE_VMM=stuck "$mainstay" run "${common[@]}" --name web --serial none </dev/null >run.out 2>run.err &
starter=$!
eventually test -S run/web/control
sleep 0.3
kill -TERM "$starter"; sleep 0.2; kill -TERM "$starter"
wait "$starter"
[[ $? == 0 && ! -e run/web ]]
result $? "second_signal_is_more_urgent"

# --- dead machines
"$mainstay" run "${common[@]}" --name web --serial none </dev/null >run.out 2>run.err &
starter=$!
eventually "$mainstay" status web
child=$(pgrep -P "$starter")
kill -KILL "$starter"
{ wait "$starter"; } 2>/dev/null
eventually eval "! kill -0 $child 2>/dev/null"
result $? "killed_starter_takes_the_machine_along"
[[ -e run/web/control ]]
result $? "killed_starter_leaves_its_folder"
m status web
[[ $status == 1 ]] && grep -q "no such machine" err
result $? "dead_machine_does_not_run"
FAKE_VMM=exit m run "${common[@]}" --name web
[[ $status == 0 && ! -e run/web ]]
result $? "stale_folder_is_taken_over"
mkdir -m 700 run/old; : >run/old/lock; : >run/old/control
m list
[[ $status == 0 && ! -e run/old ]]
result $? "list_removes_stale_folders"
running=

# --- names
"$mainstay" run "${common[@]}" --serial none </dev/null >run.out 2>run.err &
first=$!
eventually "$mainstay" status disk
"$mainstay" run --firmware bios.bin "--drive=other.img,format=raw" --name disk-2 --serial none </dev/null >run2.out 2>&1 &
second=$!
eventually "$mainstay" status disk-2
mkdir again; truncate -s 64K again/disk.img
"$mainstay" run --firmware bios.bin "--drive=again/disk.img,format=raw" --serial none </dev/null >run3.out 2>&1 &
third=$!
eventually "$mainstay" status disk-3
result $? "derived_name_is_made_unique"
for name in disk disk-2 disk-3; do m quit $name; done
wait $first $second $third
long=$work/$(printf 'x%.0s' {1..120})
mkdir "$long"
MAINSTAY_RUNTIME_DIR=$long/run "$mainstay" run "${common[@]}" --name web --serial "unix:$long/com1" \
	</dev/null >run.out 2>run.err &
starter=$!
MAINSTAY_RUNTIME_DIR=$long/run eventually "$mainstay" status web && [[ -S $long/com1 ]] &&
	MAINSTAY_RUNTIME_DIR=$long/run m stop web
wait "$starter"
[[ $? == 0 && $status == 0 && ! -e $long/com1 ]]
result $? "folders_longer_than_a_socket_address"

# --- pseudo terminals
"$mainstay" run "${common[@]}" --name web --serial pty </dev/null >run.out 2>run.err &
starter=$!
eventually "$mainstay" status web
pty=$(sed -n 's/.*serial port 1 is //p' run.err)
[[ -c $pty ]] && exec 7<>"$pty" && read -r -t 5 line <&7 && [[ $line == hello* ]]
result $? "serial_port_as_pseudo_terminal"
exec 7>&-
m quit web
wait "$starter"

# --- terminal
if command -v script >/dev/null; then
	# Inside script: a terminal whose modes are compared before and after.
	cat >tty.sh <<'END'
stty -a >before
tty >terminal
"$@"
echo "status $?"
stty -a >after
END
	raw_terminal() { [[ -e after ]] || stty -a -F "$(<terminal)" | grep -q -e -icanon; }
	in_terminal() # KEYS MORE-KEYS ARGUMENT...
	{
		local keys=$1 more=$2
		shift 2
		rm -f before after terminal
		# Keys go to the program, not to the terminal's echo.
		(eventually raw_terminal; printf "$keys"; sleep 0.4; printf "$more"; sleep 0.5) |
			timeout 20 script -qec "bash tty.sh $(printf '%q ' "$@")" /dev/null >out 2>err
		cmp -s before after
	}
	in_terminal 'a\003b' '\001x' "$mainstay" run "${common[@]}"
	[[ $? == 0 && $(cat out) == *A$'\003'B* && $(cat out) == *"status 0"* ]]
	result $? "ctrl_c_is_the_guests_and_ctrl_a_x_ends_the_machine"
	in_terminal '\001?' '!' "$mainstay" run "${common[@]}"
	[[ $? == 0 && $(cat out) == *"Ctrl-A X ends"* && $(cat out) == *"status 0"* ]]
	result $? "ctrl_a_question_mark_shows_help"
	FAKE_VMM=crash in_terminal '' '' "$mainstay" run "${common[@]}"
	[[ $? == 0 && $(cat out) == *"signal 11"* && $(cat out) == *"status 1"* ]]
	result $? "crash_restores_the_terminal"
	(eventually test -S run/ttyx/control; sleep 0.3; kill -TERM "$(cat run/ttyx/lock)") &
	in_terminal '' '' "$mainstay" run "${common[@]}" --name ttyx
	[[ $? == 0 && $(cat out) == *"status 0"* ]]
	result $? "sigterm_restores_the_terminal"
	"$mainstay" run "${common[@]}" --name web --serial console </dev/null >run.out 2>run.err &
	starter=$!
	eventually "$mainstay" status web
	in_terminal 'x' '\001x' "$mainstay" console web
	[[ $? == 0 && $(cat out) == *X* && $(cat out) == *"status 0"* ]] && "$mainstay" status web >/dev/null
	result $? "console_leaves_and_the_machine_goes_on"
	m quit web
	wait "$starter"
else
	echo "ok $((++count)) - terminal # SKIP script (util-linux) is missing"
fi

# --- users of root's machines
if (($(id -u) == 0)); then
	for name in a b; do
		truncate -s 64K $name.img
		FAKE_VMM_ARGUMENTS=1 "$mainstay" run --firmware bios.bin "$(raw $name.img)" --serial none \
			</dev/null >run.out 2>$name.err &
		eventually "$mainstay" status $name
	done
	[[ $(grep -c -- '--uid=2000' a.err) == 1 && $(grep uid a.err) != "$(grep uid b.err)" ]]
	result $? "each_machine_of_root_has_a_user_of_its_own"
	for name in a b; do m quit $name; done
	wait
else
	echo "ok $((++count)) - each_machine_of_root_has_a_user_of_its_own # SKIP not root"
fi

# --- completion
if [[ -e $completion ]]; then
	words() # WORD...: what follows them
	{
		bash -c 'source "$1"; shift; COMP_WORDS=(mainstay "$@" ""); COMP_CWORD=$(($# + 1))
			_mainstay; printf "%s\n" "${COMPREPLY[@]}"' - "$completion" "$@"
	}
	bad=0
	for verb in $verbs; do
		grep -qx -- "$verb" <<<"$(words)" || bad=1
		m "$verb" --help
		for option in $(sed -n 's/^  *\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p' out); do
			grep -qxF -e "$option" -e "$option=" <<<"$(words "$verb" -- 2>/dev/null)" ||
				bash -c 'source "$1"; COMP_WORDS=(mainstay "$2" --); COMP_CWORD=2; _mainstay
					printf "%s\n" "${COMPREPLY[@]}"' - "$completion" "$verb" |
				grep -qxF -e "$option" || { bad=1; echo "# $verb $option is not completed"; }
		done
	done
	result $bad "completion_knows_every_verb_and_option"
fi
echo "1..$count"
