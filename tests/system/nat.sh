#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nat with the real passt, whole machines in their sandboxes, and no KVM: a network namespace is the host, another one the
# world outside. Connections come in through forwarded ports and go out, passt is killed and comes back.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/machines.bash
user=()
((EUID == 0)) || user=(--user --map-current-user --keep-caps)
if ! command -v passt >/dev/null || ! unshare "${user[@]}" --net ip link add v0 type veth peer name v1 2>/dev/null; then
	echo "ok - nat # SKIP this host has no passt, or refuses network namespaces or veth"
	exit 77
fi
cd "$work" || exit 1
unshare "${user[@]}" --net python3 - <<'END'
import os, signal, struct, subprocess, sys
import net_machine
from net_guest import Guest
from net_machine import Machine, Nic, children_of, eventually, frame, result, run, started

HOST, WORLD, GUEST = "192.0.2.2", "192.0.2.1", "10.0.2.15"


# --- this host, and a world beyond its cable
def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


world = subprocess.Popen(["unshare", "--net", "sleep", "300"])
started.append(world)
eventually(lambda: os.readlink(f"/proc/{world.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
ip("link set lo up")
ip("link add v0 type veth peer name v1")
ip(f"link set v1 netns {world.pid}")
ip(f"address add {HOST}/24 dev v0")
ip("link set v0 up")
ip(f"route add default via {WORLD}")


def outside(program, *arguments):
    """A Python program in the world outside."""
    process = subprocess.Popen(["nsenter", "--net", f"--target={world.pid}", "python3", "-c", "import socket, sys\n" + program,
                                *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    started.append(process)
    return process


subprocess.run(["nsenter", "--net", f"--target={world.pid}", "sh", "-c",
                f"ip address add {WORLD}/24 dev v1 && ip link set v1 up"], check=True)


TCP_CLIENT = """
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.sendall(b"hello guest")
data = b""
while part := s.recv(100):
    data += part
print(data.decode())"""
UDP_CLIENT = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.sendto(b"hello guest", (sys.argv[1], int(sys.argv[2])))
print(s.recv(100).decode())"""
UDP_SERVER = """
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7000))
print("ready", flush=True)
data, sender = s.recvfrom(100)
s.sendto(data.upper(), sender)
print(sender[0])"""

# --- the machine
machine = Machine("web", "--net", "nat,tcp=8080:80+2200-2201:22-23,udp=5300:53")
guest = Guest(Nic(machine, 3, 0xc000), GUEST)
result(guest.discover() == GUEST, "passt's DHCP server offers an address of a private range")

client = outside(TCP_CLIENT, HOST, "8080")
said = guest.serve_tcp(b"hello world")
result(said == b"hello guest", "a connection from outside to a forwarded port reaches the guest", str(said))
text = client.communicate(timeout=20)[0]
result(text == "hello world\n", "and the guest's answer the world", text)

client = outside(UDP_CLIENT, HOST, "5300")
got = guest.receive_ip(17, 53)
result(got and got[1][8:] == b"hello guest", "so does a datagram", str(got))
if got:
    guest.send_udp(53, got[0], struct.unpack(">H", got[1][:2])[0], b"hello world")
text = client.communicate(timeout=20)[0]
result(text == "hello world\n", "and its answer", text)

client = outside(TCP_CLIENT, HOST, "8081")
text = client.communicate(timeout=20)[0]
result("refused" in text, "what is not forwarded is refused", text)

server = outside(UDP_SERVER)
server.stdout.readline()
guest.send_udp(4000, WORLD, 7000, b"anybody there")
got = guest.receive_ip(17, 4000)
result(got and got[0] == WORLD and got[1][8:] == b"ANYBODY THERE", "the guest reaches the world, and is answered", str(got))
text = server.communicate(timeout=20)[0]
result(text == HOST + "\n", "which sees the host's address", text)

# --- mistakes
second = Machine("second", "--net", "nat,tcp=8080:80")
eventually(lambda: "link is down" in second.words())
result("TCP port 8080 of this host: is in use" in second.words() and second.words().count("\n") == 1,
       "a port that another machine has: one line, and the machine runs", second.words())
answer = run("net", "connect", "second", "0", "nat,udp=5300")
result(answer.returncode != 0 and "UDP port 5300" in answer.stderr, "whoever plugs in a cable is told as well", answer.stderr)
answer = run("net", "connect", "second", "0", "nat,tcp=8081:80")
result(answer.returncode == 0, "another port is taken", answer.stderr)
other = Guest(Nic(second, 3, 0xc000), GUEST)
client = outside(TCP_CLIENT, HOST, "8081")
said = other.serve_tcp(b"hello again")
result(said == b"hello guest" and client.communicate(timeout=20)[0] == "hello again\n", "and leads to the second machine", str(said))

# --- isolation: both have the same addresses, and nothing in common
guest.nic.send(frame(1))
result(other.nic.receive(0.5) is None, "machines behind nat do not see each other")
result(second.end() == 0, "the second machine ends")
result(outside(TCP_CLIENT, HOST, "8081").communicate(timeout=20)[0].endswith("refused\n"), "and its ports with it")

# --- passt dies
passt = [pid for pid, name in children_of(machine.process.pid).items() if name.startswith("passt")]
result(len(passt) == 1, "there is one passt for the adapter", str(passt))
os.kill(passt[0], signal.SIGKILL)
result(eventually(lambda: "passt ended" in machine.words()), "a passt that was killed is one line", machine.words())
result(eventually(lambda: guest.discover() == GUEST, 20), "and is started again")
client = outside(TCP_CLIENT, HOST, "8080")
said = guest.serve_tcp(b"hello world")
result(said == b"hello guest" and client.communicate(timeout=20)[0] == "hello world\n", "with its ports", str(said))

# --- a host without a way to the outside
ip("route del default")
ip("link set v0 down")
cut = Machine("cut", "--net", "nat")
eventually(lambda: "link is down" in cut.words())
result("passt ended" in cut.words() and "link is down" in cut.words() and cut.words().count("\n") == 1,
       "without an interface: one line, and the machine runs", cut.words())
ip("link set v0 up")
ip(f"route add default via {WORLD}")
late = Guest(Nic(cut, 3, 0xc000), GUEST)
result(eventually(lambda: late.discover() == GUEST, 30), "and is connected when there is one")
result(cut.end() == 0 and machine.end() == 0, "the machines end")
sys.exit(net_machine.failed)
END
