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
    def __init__(self, *options):
        self.process = subprocess.Popen([MAINSTAY, "run", "--devtest", "unix:port", "--name", "m", "--sandbox", "degraded",
                                         "--net", "none", "--memory", "16M", *options], stdin=subprocess.DEVNULL)
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
