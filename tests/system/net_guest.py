# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's side of IP, as little as tests take, above a Nic of net_machine.py."""
import socket
import struct
import time

FIN, SYN, PUSH, ACK = 1, 2, 8, 16
NOBODY, EVERYBODY = "0.0.0.0", "255.255.255.255"
DISCOVER, OFFER, REQUEST, ACKNOWLEDGE = 1, 2, 3, 5


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def address(text):
    return socket.inet_aton(text)


class Lease:
    """What a DHCP server answered."""

    def __init__(self, bootp):
        self.address = socket.inet_ntoa(bootp[16:20])
        self.next_server = socket.inet_ntoa(bootp[20:24])
        self.file = bootp[108:236].rstrip(b"\0").decode()
        self.options = {}
        rest = bootp[240:]
        while rest and rest[0] != 255:
            if rest[0] == 0:
                rest = rest[1:]
                continue
            self.options[rest[0]] = rest[2:2 + rest[1]]
            rest = rest[2 + rest[1]:]
        self.kind = self.options[53][0]

    def addresses(self, option):
        value = self.options.get(option, b"")
        return [socket.inet_ntoa(value[i:i + 4]) for i in range(0, len(value), 4)]

    def number(self, option):
        return int.from_bytes(self.options.get(option, b""), "big")


class Guest:
    """Answers for its address while it waits for something."""

    def __init__(self, nic, own=NOBODY):
        self.nic, self.own, self.router = nic, own, b"\xff" * 6
        self.mac = bytes.fromhex(nic.mac().replace(":", ""))

    # --- packets
    def send_ip(self, protocol, to, payload):
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, address(self.own), address(to))
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        router = b"\xff" * 6 if to == EVERYBODY else self.router
        self.nic.send(router + self.mac + b"\x08\x00" + head + payload)

    def send_transport(self, protocol, to, payload, at):
        """With the checksum, which is at @at, filled in."""
        pseudo = address(self.own) + address(to) + struct.pack(">BBH", 0, protocol, len(payload))
        payload = payload[:at] + struct.pack(">H", checksum(pseudo + payload)) + payload[at + 2:]
        self.send_ip(protocol, to, payload)

    def send_udp(self, port, to, to_port, data):
        self.send_transport(17, to, struct.pack(">HHHH", port, to_port, 8 + len(data), 0) + data, 6)

    def send_tcp(self, flags, data=b""):
        self.send_transport(6, self.peer, struct.pack(">HHIIBBHHH", 80, self.peer_port, self.seq, self.ack, 5 << 4, flags, 8192,
                                                      0, 0) + data, 16)
        self.seq += len(data) + (1 if flags & (SYN | FIN) else 0)

    def receive_ip(self, protocol, port, seconds=20):
        """(sender, what follows IP's head) of the next packet for @port, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (got := self.nic.receive_any(max(end - time.monotonic(), 0.01))):
            if got[12:14] == b"\x08\x06" and got[20:22] == b"\0\x01" and got[38:42] == address(self.own):
                self.router = got[6:12]
                self.nic.send(self.router + self.mac + got[12:20] + b"\0\x02" + self.mac + got[38:42] + got[22:32])
            elif got[12:14] == b"\x08\x00" and got[23] == protocol:
                size, = struct.unpack(">H", got[16:18])
                packet = got[14:14 + size]
                body = packet[(packet[0] & 15) * 4:]
                if struct.unpack(">H", body[2:4])[0] == port:
                    self.router = got[6:12]
                    return socket.inet_ntoa(packet[12:16]), body
        return None

    # --- TCP
    def serve_tcp(self, answer):
        """Takes one connection to port 80; what was said."""
        said, finished = b"", False
        self.seq = 1000
        while not finished and (got := self.receive_ip(6, 80)):
            self.peer, segment = got
            self.peer_port, _, seq, _, offset, flags = struct.unpack(">HHIIBB", segment[:14])
            data = segment[(offset >> 4) * 4:]
            if flags & SYN:
                self.ack = seq + 1
                self.send_tcp(SYN | ACK)
            elif data and seq == self.ack:
                said += data
                self.ack += len(data)
                self.send_tcp(ACK | PUSH | FIN, answer)
            elif flags & FIN and seq == self.ack:
                self.ack += 1
                self.send_tcp(ACK)
                finished = True
        return said

    # --- DHCP (RFC 2131)
    def ask_dhcp(self, kind, options=b"", seconds=10):
        """The answer, or None. Asks again every second, as clients do."""
        bootp = struct.pack(">BBBBIHH16s16s", 1, 1, 6, 0, 7, 0, 0x8000, b"", self.mac) + bytes(192) + b"\x63\x82\x53\x63"
        bootp += bytes([53, 1, kind]) + options + b"\xff"
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.send_ip(17, EVERYBODY, struct.pack(">HHHH", 68, 67, 8 + len(bootp), 0) + bootp)
            again = min(now + 1, end)
            while got := self.receive_ip(17, 68, again - time.monotonic()):
                # Answers are to everybody.
                if got[1][8 + 28:8 + 34] == self.mac:
                    return Lease(got[1][8:])
        return None

    def discover(self, seconds=10):
        """The address that is offered, or None."""
        own, self.own = self.own, NOBODY
        lease = self.ask_dhcp(DISCOVER, seconds=seconds)
        self.own = own
        return lease and lease.address

    def lease(self):
        """An address for good, which then is ours: what was acknowledged, or None."""
        wanted = bytes([55, 10, 1, 3, 6, 44, 51, 54, 58, 59, 66, 67])
        self.own = NOBODY
        lease = self.ask_dhcp(DISCOVER, wanted)
        if not lease or lease.kind != OFFER:
            return None
        lease = self.ask_dhcp(REQUEST, wanted + b"\x32\x04" + address(lease.address) + b"\x36\x04" + lease.options[54])
        if not lease or lease.kind != ACKNOWLEDGE:
            return None
        self.own = lease.address
        return lease

    # --- TFTP (RFC 1350)
    def fetch(self, server, name):
        """The file's bytes, or the server's error as text, or None."""
        data, block, port = b"", 1, 2000
        self.send_udp(port, server, 69, b"\0\x01" + name.encode() + b"\0octet\0")
        while got := self.receive_ip(17, port):
            body = got[1]
            kind, number = struct.unpack(">HH", body[8:12])
            if kind == 5:
                return body[12:-1].decode()
            if kind != 3 or number != block:
                continue
            data += body[12:]
            self.send_udp(port, server, struct.unpack(">H", body[:2])[0], struct.pack(">HH", 4, block))
            block += 1
            if len(body) < 12 + 512:
                return data
        return None
