# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines in their sandboxes that are driven through the device test port, and a driver for their adapters."""
import atexit
import os
import socket
import struct
import subprocess
import time

MAINSTAY = os.environ["MAINSTAY"]
count = 0
failed = False # whether any result was
OWN, RING_END, LAST, FIRST = 1 << 31, 1 << 25, 1 << 30, 1 << 29
RX_RING, TX_RING, RX_BUFFERS, TX_BUFFERS = 0x10000, 0x18000, 0x20000, 0x30000


def result(ok, text, why=""):
    global count, failed
    count += 1
    failed = failed or not ok
    print(("ok" if ok else "not ok") + f" {count} - {text}", flush=True)
    if not ok and why:
        print(f"# {why}", flush=True)


def eventually(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def run(*arguments, **more):
    return subprocess.run([MAINSTAY, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)


def children_of(pid):
    """The names of a process's children by their numbers."""
    return {int(p): open(f"/proc/{p}/comm").read().strip()
            for p in open(f"/proc/{pid}/task/{pid}/children").read().split()}


def refused(text, want, *arguments):
    answer = run(*arguments)
    line = answer.stderr.strip()
    result(answer.returncode != 0 and want in line and "\n" not in line, text, f"{answer.returncode}: {line}")


class Machine:
    """A machine whose processor is this program. @within: a command that carries out another one."""

    def __init__(self, name, *options, within=(), **more):
        self.name = name
        self.errors = open(name + ".err", "w+")
        self.process = subprocess.Popen([*within, MAINSTAY, "run", "--devtest", f"unix:{name}.port", "--name", name, "--sandbox",
                                         "degraded", "--memory", "16M", *options], stdin=subprocess.DEVNULL,
                                        stderr=self.errors, **more)
        started.append(self.process)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.text = b""
        if not eventually(self.connect):
            print("# " + open(name + ".err").read())

    def connect(self):
        try:
            self.socket.connect(self.name + ".port")
            return True
        except OSError:
            return False

    def say(self, line):
        self.socket.sendall(line.encode() + b"\n")
        while b"\n" not in self.text:
            self.text += self.socket.recv(65536)
        answer, self.text = self.text.split(b"\n", 1)
        words = answer.decode().split()
        return words[1] if len(words) > 1 else None

    def config(self, slot, register, value=None):
        self.say(f"outl 0xcf8 {0x80000000 | slot << 11 | register}")
        return int(self.say("inl 0xcfc"), 16) if value is None else self.say(f"outl 0xcfc {value}")

    def write(self, address, data):
        self.say(f"write {address} {len(data)} 0x{data.hex()}")

    def read(self, address, size):
        return bytes.fromhex(self.say(f"read {address} {size}")[2:])

    def words(self):
        self.errors.flush()
        return open(self.name + ".err").read()

    def end(self):
        run("quit", self.name)
        self.socket.close()
        return self.process.wait(20)


class Nic:
    """A driver that takes everything: 16 descriptors each way, promiscuous."""

    def __init__(self, machine, slot, io, at=0):
        self.machine, self.slot, self.io, self.at = machine, slot, io, at
        self.rx = self.tx = 0
        machine.config(slot, 0x10, io | 1)
        machine.config(slot, 0x04, 5)
        for i in range(16):
            end = RING_END if i == 15 else 0
            machine.write(at + RX_RING + i * 16, struct.pack("<IIII", OWN, 1600 | end, at + RX_BUFFERS + i * 2048, 0))
            machine.write(at + TX_RING + i * 16, struct.pack("<IIII", 0, end, 0, 0))
        self.csr(0, 1)
        self.csr(0, 0)
        self.csr(3, at + RX_RING)
        self.csr(4, at + TX_RING)
        self.csr(6, 0x020c0000 | 1 << 6 | 1 << 13 | 1 << 1)

    def csr(self, number, value=None):
        port = self.io + number * 8
        return int(self.machine.say(f"inl {port}"), 16) if value is None else self.machine.say(f"outl {port} {value}")

    def mac(self):
        """From the serial ROM, word by word."""
        words = b""
        for word in range(10, 13):
            self.csr(9, 0x4800)
            self.csr(9, 0x4801)
            for bit in f"110{word:06b}":
                for clock in (0, 2, 0):
                    self.csr(9, 0x4801 | int(bit) << 2 | clock)
            value = 0
            for _ in range(16):
                self.csr(9, 0x4803)
                value = value << 1 | (self.csr(9) >> 3 & 1)
                self.csr(9, 0x4801)
            self.csr(9, 0x4800)
            words += struct.pack("<H", value)
        return words.hex(":")

    def send(self, frame):
        i = self.tx % 16
        self.machine.write(self.at + TX_BUFFERS + i * 2048, frame)
        self.machine.write(self.at + TX_RING + i * 16, struct.pack(
            "<IIII", OWN, FIRST | LAST | (RING_END if i == 15 else 0) | len(frame), self.at + TX_BUFFERS + i * 2048, 0))
        self.tx += 1
        self.csr(1, 0)
        return struct.unpack("<I", self.machine.read(self.at + TX_RING + i * 16, 4))[0]

    def receive(self, seconds=5):
        """The next frame of the tests' type without its check sequence, or None."""
        end = time.monotonic() + seconds
        while (got := self.receive_any(max(end - time.monotonic(), 0.01))):
            if got[12:14] in (b"\x88\xb5", b"\x81\x00"):
                return got
        return None

    def receive_any(self, seconds):
        at = self.at + RX_RING + self.rx % 16 * 16
        status = []

        def there():
            status[:] = struct.unpack("<I", self.machine.read(at, 4))
            return not status[0] & OWN
        if not eventually(there, seconds):
            return None
        size = (status[0] >> 16 & 0x3fff) - 4
        frame = self.machine.read(self.at + RX_BUFFERS + self.rx % 16 * 2048, size)
        self.machine.write(at, struct.pack("<I", OWN))
        self.rx += 1
        self.csr(2, 0)
        return frame


def frame(number, to="ff:ff:ff:ff:ff:ff", sender="02:00:00:00:00:01", size=100, tag=None):
    head = bytes.fromhex(to.replace(":", "") + sender.replace(":", ""))
    head += b"" if tag is None else struct.pack(">HH", 0x8100, tag)
    return head + b"\x88\xb5" + bytes([number]) * (size - len(head) - 2)


# Whatever happens, nothing is left running.
started = []
atexit.register(lambda: [process.kill() for process in started])
