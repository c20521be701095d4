#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Drives, ports and the battery of a whole machine in its sandbox, driven through its device test port: media
# put in and taken out, connections made when the guest opens a port, what outlives a machine. No KVM needed.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MAINSTAY=$PWD/${BUILD:-build}/bin/mainstay MAINSTAY_VMM=$PWD/${BUILD:-build}/bin/mainstay-vmm
export MAINSTAY_RUNTIME_DIR=$work/run
unset XDG_RUNTIME_DIR
cd "$work" || exit 1
exec python3 - <<'END'
import os, pty, socket, subprocess, sys, time

MAINSTAY = os.environ["MAINSTAY"]
count = 0
failed = False


def result(ok, text):
    global count, failed
    count += 1
    failed = failed or not ok
    print(("ok" if ok else "not ok") + f" {count} - {text}", flush=True)


def eventually(what):
    for _ in range(200):
        if what():
            return True
        time.sleep(0.05)
    return False


def run(*arguments):
    return subprocess.run([MAINSTAY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


class Machine:
    def __init__(self, *options, stderr=None):
        self.process = subprocess.Popen([MAINSTAY, "run", "--devtest", "unix:port", "--name", "m", "--sandbox", "degraded",
                                         "--net", "none", "--memory", "16M", *options], stdin=subprocess.DEVNULL, stderr=stderr)
        self.socket = socket.socket(socket.AF_UNIX)
        eventually(self.connect)

    def connect(self):
        try:
            self.socket.connect("port")
            return True
        except OSError:
            return False

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")
        answer = self.socket.recv(4096).decode().split()
        return int(answer[1], 16) if len(answer) > 1 else None

    def out(self, port, value):
        self.say(f"outb {port} {value}")

    def get(self, port):
        return self.say(f"inb {port}")

    def cmos(self, index):
        self.out(0x70, index)
        return self.get(0x71)

    def end(self):
        run("quit", "m")
        return self.process.wait(20)


def drives():
    return [line.split(None, 1)[1] for line in run("status", "m").stdout.splitlines() if ".medium" in line and " " in line
            and len(line.split(None, 1)) > 1]


# --- media
run("floppy", "create", "a.vfd")
run("floppy", "create", "b.vfd", "--format", "720K")
run("floppy", "create", "big.vfd", "--format", "2.88M")
with open("c.iso", "wb") as f:
    f.truncate(2048 * 100)
machine = Machine("--floppy", "a.vfd", "--cdrom", "empty", "--nvram", "m.nvram")
result(machine.cmos(0x10) == 0x40, "CMOS tells of a 1.44 MB drive A")
result(drives() == ["a.vfd"], "status tells what is in the drives")
result(run("insert", "m", "floppy0", "b.vfd").returncode == 0 and run("insert", "m", "cd0", "c.iso").returncode == 0
       and eventually(lambda: drives() == ["b.vfd", "c.iso"]), "media are put in")
machine.out(0x3f2, 0x1c)
result(machine.get(0x3f7) & 0x80 == 0x80, "the guest sees the disk change")
answer = run("insert", "m", "floppy0", "big.vfd")
result(answer.returncode == 1 and "does not fit" in answer.stderr, "a disk of another density is refused")
answer = run("insert", "m", "cd1", "c.iso")
result(answer.returncode == 1 and "floppy0, cd0" in answer.stderr, "a drive that is not there is named")
answer = run("insert", "m", "floppy0", "b.vfd")
result(answer.returncode == 1 and "in use" in answer.stderr, "a disk that is in a drive is not put into another")
result(run("eject", "m", "floppy0").returncode == 0 and run("eject", "m", "cd0").returncode == 0
       and eventually(lambda: drives() == []), "media are taken out")
result(run("insert", "m", "floppy0", "b.vfd", "--readonly").returncode == 0, "an ejected disk is free again")

# --- tuning
answer = run("run", "--devtest", "unix:nowhere", "--name", "p", "--sandbox", "degraded", "--net", "none", "--tune", "pin=1023")
result(answer.returncode == 1 and "host's processor 1023" in answer.stderr and "--tune pin" in answer.stderr,
       "a processor of the host that is not there is named")

# --- the battery
machine.out(0x70, 0x45)
machine.out(0x71, 0x5a)
result(eventually(lambda: 0x5a in (open("m.nvram", "rb").read()[40 + 0x45], open("m.nvram", "rb").read()[552 + 0x45])),
       "CMOS memory is written while the machine runs")
machine.out(0x70, 0x46)
machine.out(0x71, 0xa5)
result(machine.end() == 0, "quit")
machine = Machine("--nvram", "m.nvram")
result((machine.cmos(0x45), machine.cmos(0x46)) == (0x5a, 0xa5), "CMOS memory outlives the machine")
result(machine.cmos(0x10) == 0, "but drives are those of today")
machine.end()

# --- VHD images in drives
def same_bytes_as_vhd(raw, vhd):
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=dynamic,force_size=on", raw, vhd], check=True)


same_bytes_as_vhd("a.vfd", "a.vhd")
same_bytes_as_vhd("b.vfd", "b.vhd")
same_bytes_as_vhd("big.vfd", "big.vhd")
machine = Machine("--floppy", "a.vhd,format=vhd")
result(machine.cmos(0x10) == 0x40, "a VHD image of 1.44 MB in a drive from the start")
result(run("insert", "m", "floppy0", "b.vhd", "--format=vhd").returncode == 0 and eventually(lambda: drives() == ["b.vhd"]),
       "a VHD image is put in while the machine runs")
answer = run("insert", "m", "floppy0", "big.vhd", "--format=vhd")
result(answer.returncode == 1 and "does not fit" in answer.stderr, "one of another density is refused")
answer = run("insert", "m", "floppy0", "a.vfd", "--format=vhd")
result(answer.returncode == 1 and "a.vfd" in answer.stderr and drives() == ["b.vhd"], "what is no VHD image is refused")
answer = run("insert", "m", "floppy0", "a.vfd", "--format=qcow2")
result(answer.returncode == 1 and "give raw or vhd" in answer.stderr, "another format is refused")
result(run("insert", "m", "floppy0", "a.vfd").returncode == 0, "a raw image takes its place")
result(machine.end() == 0, "and the machine ends")

# --- media that shrink
for name in "disk.img", "shrinks.iso":
    with open(name, "wb") as f:
        f.write(b"\x5a" * (2048 * 100))


class Ata:
    """A task file at BASE: what a driver that polls would do."""

    def __init__(self, machine, base):
        self.machine, self.base = machine, base
        # What the firmware does: both channels are decoded.
        machine.say("outl 0xcf8 0x80000904")
        machine.say("outw 0xcfc 0x0005")
        machine.say("outl 0xcf8 0x80000940")
        machine.say("outl 0xcfc 0x80008000")

    def settled(self):
        self.machine.say("clock_step 200000")
        return self.machine.get(self.base + 7) & 0x80 == 0

    def command(self, *values):
        for register, value in enumerate(values, 1):
            self.machine.out(self.base + register, value)
        return self.result()

    def result(self):
        """Status and error."""
        eventually(self.settled)
        return self.machine.get(self.base + 7), self.machine.get(self.base + 1)

    def packet(self, *values):
        self.command(0, 0, 0, 0, 8, 0xa0, 0xa0)
        for at in range(0, 12, 2):
            word = bytes(values).ljust(12, b"\0")[at:at + 2]
            self.machine.say(f"outw {self.base} {int.from_bytes(word, 'little')}")
        return self.result()


log = open("log", "w+")
machine = Machine("--drive", "disk.img,format=raw", "--cdrom", "shrinks.iso", stderr=log)
disk, cdrom = Ata(machine, 0x1f0), Ata(machine, 0x170)
result(disk.command(0, 1, 100, 0, 0, 0xe0, 0x20)[0] & 0x89 == 0x08 and machine.say("inw 0x1f0") == 0x5a5a, "a disk is read")
for _ in range(255):
    machine.say("inw 0x1f0")
for _ in range(3):
    cdrom.packet(0)
result(cdrom.packet(0x28, 0, 0, 0, 0, 50, 0, 0, 1)[0] & 0x89 == 0x08 and machine.say("inw 0x170") == 0x5a5a, "a CD is read")
for _ in range(1023):
    machine.say("inw 0x170")
os.truncate("disk.img", 0)
os.truncate("shrinks.iso", 0)
status, error = disk.command(0, 1, 100, 0, 0, 0xe0, 0x20)
result(status & 1 and error & 0x40, "the guest sees the error of a disk whose file was cut")
for _ in range(20):
    disk.command(0, 1, 100, 0, 0, 0xe0, 0x20)
status, error = cdrom.packet(0x28, 0, 0, 0, 0, 50, 0, 0, 1)
result(status & 1 and error >> 4 in (3, 4), "and of a CD")
log.seek(0)
lines = log.read().splitlines()
result(sum("disk.img" in line for line in lines) in range(1, 7) and sum("shrinks.iso" in line for line in lines) == 1,
       "the log has a few lines that name them")
result(run("eject", "m", "cd0").returncode == 0 and run("insert", "m", "cd0", "c.iso").returncode == 0, "another CD helps")
cdrom.packet(0)
result(eventually(lambda: cdrom.packet(0x28, 0, 0, 0, 0, 50, 0, 0, 1)[0] & 0x89 == 0x08), "and is read")
result(run("eject", "m", "cd0").returncode == 0, "a CD is ejected in the middle of a command")
result(machine.end() == 0, "and the machine ends")

# --- ports
server = socket.create_server(("127.0.0.1", 0))
master, slave = pty.openpty()
machine = Machine("--serial", f"tcp:127.0.0.1:{server.getsockname()[1]},on-open", "--serial", f"tty:{os.ttyname(slave)}",
                  "--parallel", "command:cat >printed")
server.settimeout(0.3)
try:
    server.accept()
    early = True
except TimeoutError:
    early = False
result(not early, "nobody is connected before the guest opens the port")
server.settimeout(20)
machine.out(0x3fb, 0x03)
machine.out(0x3fc, 0x03)
peer, _ = server.accept()
result(eventually(lambda: machine.get(0x3fe) & 0xb0 == 0xb0), "opening the port connects, and the carrier rises")
machine.out(0x3f8, 0x41)
result(peer.recv(1) == b"A", "what the guest sends arrives")
peer.sendall(b"Z")
result(eventually(lambda: machine.get(0x3fd) & 1) and machine.get(0x3f8) == ord("Z"), "and what the peer says")
machine.out(0x3fc, 0x00)
result(peer.recv(1) == b"", "closing the port ends the connection")
machine.out(0x3fc, 0x03)
peer, _ = server.accept()
peer.close()
result(eventually(lambda: machine.get(0x3fe) & 0x80 == 0), "a peer that leaves is a carrier that falls")
server.close()
machine.out(0x3fc, 0x00)
machine.out(0x3fc, 0x03)
machine.out(0x3f8, 0x41)
result(machine.get(0x3fd) & 0x60 == 0x60, "with nobody there the guest does not wait")
machine.out(0x2fb, 0x83)
machine.say("outw 0x2f8 0x30")
machine.out(0x2fb, 0x03)
machine.out(0x2fc, 0x03)
machine.out(0x2f8, 0x42)
result(os.read(master, 1) == b"B", "a terminal line takes what the guest sends")
os.write(master, b"\x03")
result(eventually(lambda: machine.get(0x2fd) & 1) and machine.get(0x2f8) == 3, "and gives every byte as it is")
machine.out(0x378, 0x50)
machine.out(0x37a, 0x0d)
machine.out(0x37a, 0x0c)
result(machine.end() == 0 and eventually(lambda: os.path.exists("printed") and open("printed", "rb").read() == b"P"),
       "a command gets what is printed")

# --- a peer that stops reading
server = socket.create_server(("127.0.0.1", 0))
machine = Machine("--serial", f"tcp:127.0.0.1:{server.getsockname()[1]}")
server.settimeout(20)
peer, _ = server.accept()
machine.out(0x3fb, 0x03)
machine.out(0x3fc, 0x03)
started = time.monotonic()
for _ in range(2000):
    machine.out(0x3f8, 0x55)
result(time.monotonic() - started < 20, "a peer that does not read holds nobody up")
result(machine.end() == 0, "and the machine ends")
print(f"1..{count}")
sys.exit(failed)
END
