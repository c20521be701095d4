#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whole machines in their sandboxes on networks of the real switch, their adapters driven through the device test
# port as a driver does; mainstay net beside them, and what it says of mistakes. No KVM needed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/machines.bash
cd "$work" || exit 1
python3 - <<'END'
import json, os, signal, subprocess, sys, time
import net_machine
from net_machine import MAINSTAY, Machine, Nic, eventually, frame, refused, result, run

def stats(network, port=None):
    answer = run("net", "stats", network, *([port] if port else []), "--json")
    return json.loads(answer.stdout)["networks"][0]


# --- networks and what is wrong with them
result(run("net", "create", "lab", "--notes", "a test").returncode == 0, "net create")
refused("a name can be taken once", "lab: is there already", "net", "create", "lab")
refused("nat needs no network", "nat", "net", "create", "x", "--kind", "nat")
refused("names have no slashes", "cannot name a network", "net", "create", "a/b")
refused("what is not there cannot be shown", "no network none", "net", "show", "none")
result("lab" in run("net", "list").stdout and json.loads(run("net", "show", "lab").stdout)["notes"] == "a test",
       "net list and show")
before = run("net", "show", "lab").stdout
for text, want, *options in (
        ("addresses are within the network", "must be in the network", "--start", "10.9.0.1"),
        ("a range has an order", "from dhcp.start", "--start", "10.237.0.50", "--end", "10.237.0.20"),
        ("the server is within the network", "dhcp.server: must be in the network", "--server", "192.168.1.1"),
        ("no address is twice", "has the address of leases[0]", "--static", "00:03:ff:00:00:01=10.237.0.20", "--static",
         "00:03:ff:00:00:02=10.237.0.20"),
        ("no adapter has two addresses", "for the adapter of leases[0]", "--static", "00:03:ff:00:00:01=10.237.0.20",
         "--static", "00:03:ff:00:00:01=10.237.0.21"),
        ("a lease lasts", "less than", "--lease", "5"),
        ("times have an order", "less than", "--lease", "3600", "--renewal", "3000", "--rebinding", "2000"),
        ("an address has four numbers", "is no address", "--server", "10.237.0"),
        ("a folder's path is whole", "whole path", "--tftp-root", "files")):
    refused("net dhcp: " + text, want, "net", "dhcp", "lab", "--enable", *options)
result(run("net", "show", "lab").stdout == before, "refused settings change nothing")
refused("without a switch there are no counters", "no switch runs", "net", "stats")

for text, want, *nets in (
        ("there are at most four adapters", "at most 4 adapters", *["none"] * 5),
        ("a kind of network is known", "give nat, internal:NAME", "bridged"),
        ("internal has a name", "needs the network's name", "internal"),
        ("nat has none", "takes no network's name", "nat:lab"),
        ("a MAC is an adapter's", "not the address of an adapter", "internal:lab,mac=01:03:ff:00:00:01"),
        ("a model is one of two", "model=21140 or 21143", "internal:lab,model=21041"),
        ("forwarded ports are ports", "forwards what are no ports", "nat,tcp=8080:0"),
        ("only nat forwards", "only nat can", "internal:lab,tcp=80")):
    refused("--net: " + text, want, "run", *[word for net in nets for word in ("--net", net)], "--memory", "16M")

refused("--boot net needs an adapter", "has no network adapter", "run", "--boot", "net", "--net", "none", "--memory", "16M")
refused("and no kernel beside it", "leave one of them out", "run", "--boot", "net", "--kernel", "/dev/null", "--memory", "16M")

# --- machines
a = Machine("a", "--net", "internal:lab,mac=00:03:ff:00:00:0a")
b = Machine("b", "--net", "internal:lab,model=21143", "--net", "internal:lab", "--net", "internal:other", "--net", "none")
result(a.config(3, 0) == 0x00091011 and a.config(3, 8) == 0x02000020 and a.config(3, 0x2c) == 0x21140a00,
       "the 21140A is where drivers look for it, with the subsystem of Virtual Server")
result(b.config(3, 0) == 0x00191011 and b.config(4, 0) == 0x00091011, "model=21143 is one")
result([b.config(slot, 0) & 0xffff for slot in range(3, 7)] == [0x1011] * 4, "there are up to four adapters")
na, nb, nb2, other = Nic(a, 3, 0xc000), Nic(b, 3, 0xc000), Nic(b, 4, 0xc100, 0x100000), Nic(b, 5, 0xc200, 0x200000)
result(na.mac() == "00:03:ff:00:00:0a", "the serial ROM has the address that was given")
macs = [nb.mac(), nb2.mac(), other.mac()]
result(len(set(macs)) == 3 and all(m.startswith("00:03:ff") for m in macs), "each adapter has an address of its own",
       str(macs))

wire = frame(1)
na.send(wire)
got = [nb.receive(), nb2.receive()]
result(got == [wire, wire], "a broadcast reaches the others of the network", str(got))
result(other.receive(0.3) is None and na.receive(0.1) is None, "and nobody else")
nb.send(frame(2, sender="02:00:00:00:00:02"))
result(na.receive() == frame(2, sender="02:00:00:00:00:02"), "the other way round")
nb2.receive()
na.send(frame(3, to="02:00:00:00:00:02"))
result(nb.receive() == frame(3, to="02:00:00:00:00:02") and nb2.receive(0.3) is None, "a known address gets its frames alone")
long = frame(4, size=1518, tag=5)
na.send(long)
result(nb.receive() == long, "frames with a VLAN tag are whole")
nb2.receive()

# --- what can be asked of ports
result(run("net", "port", "lab", "a/0", "lock=on").returncode == 0, "an address is locked")
na.send(frame(5))
na.send(frame(6, sender="00:03:ff:00:00:0a"))
result(nb.receive() == frame(6, sender="00:03:ff:00:00:0a"), "only the machine's own address may send then")
nb2.receive()
run("net", "port", "lab", "a/0", "lock=off", "mirror=b/1")
na.send(frame(7, to="02:00:00:00:00:02"))
result(nb.receive() == nb2.receive() == frame(7, to="02:00:00:00:00:02"), "a mirror shows what is for another")
run("net", "port", "lab", "a/0", "mirror=")
run("net", "port", "lab", "a/0", "vlan=access", "vlan_id=7")
na.send(frame(8))
result(nb.receive(0.3) is None, "a VLAN is a network of its own")
run("net", "port", "lab", "b/0", "vlan=trunk")
na.send(frame(9))
result(nb.receive() == frame(9)[:12] + b"\x81\x00\x00\x07" + frame(9)[12:] and nb2.receive(0.2) is None,
       "and a trunk sees its tag")
for port in ("a/0", "b/0"):
    run("net", "port", "lab", port, "vlan=open", "vlan_id=0")
run("net", "port", "lab", "a/0", "link=off")
na.send(frame(10))
result(nb.receive(0.3) is None, "a port whose link is off is silent")
run("net", "port", "lab", "a/0", "link=on", "rate_bytes_per_s=20000")
for i in range(40):
    na.send(frame(11, size=1400))
port = stats("lab", "a/0")["port_list"][0]
result(port["drops"].get("rate", 0) > 20 and "history" in port, "a rate is a limit, and drops are counted", str(port))
run("net", "port", "lab", "a/0", "rate_bytes_per_s=0")
while nb.receive(0.2) or nb2.receive(0.1):
    pass
refused("a port has a name", "no port nosuch", "net", "port", "lab", "nosuch", "lock=on")

# --- far away, and captures
capture = subprocess.Popen([MAINSTAY, "net", "capture", "lab", "--output", "lab.pcapng"])
eventually(lambda: os.path.exists("lab.pcapng") and os.path.getsize("lab.pcapng") > 0)
run("net", "wan", "lab", "--latency", "300")
start = time.monotonic()
na.send(frame(12))
got = nb.receive()
result(got == frame(12) and time.monotonic() - start >= 0.3, "the wan filter takes its time")
run("net", "wan", "lab", "--loss", "100")
na.send(frame(13))
nb2.receive()
result(nb.receive(0.4) is None, "and loses what it is told to")
run("net", "wan", "lab")
na.send(frame(14))
result(nb.receive() == frame(14), "until it is taken away")
nb2.receive()
time.sleep(0.2)
capture.terminate()
capture.wait()
data = open("lab.pcapng", "rb").read()
result(data[:4] == b"\x0a\x0d\x0d\x0a" and frame(12) in data and frame(14) in data and frame(13) not in data,
       "a capture has the frames that passed")

# --- cables
result(run("net", "disconnect", "a", "0").returncode == 0 and eventually(lambda: na.send(frame(15)) & 1 << 15),
       "without a cable the sender loses the carrier")
while nb.receive(0.2):  # from before the cable was out
    pass
result(run("net", "connect", "a", "0", "internal:other").returncode == 0
       and eventually(lambda: not na.send(frame(16)) & 1 << 15), "a cable is moved to another network")
got = [other.receive(), nb.receive(0.2)]
result(got == [frame(16), None], "and leads there", str(got))
refused("a cable needs an adapter", "no adapter 3", "net", "connect", "a", "3", "internal:lab")
refused("a cable needs a network", "nonsense", "net", "connect", "a", "0", "nonsense")
refused("an interface must be there", "no such interface", "net", "connect", "a", "0", "external:nosuch0")
result(run("net", "connect", "a", "0", "internal:lab").returncode == 0, "and back")
twin = Machine("twin", "--net", "internal:lab,mac=00:03:ff:00:00:0a")
eventually(lambda: "already" in twin.words())
result("has the address 00:03:ff:00:00:0a already" in twin.words() and twin.words().count("\n") == 1,
       "two machines with one address: one line, and the second's link is down", twin.words())
twin.end()
path = dict(os.environ, PATH="/nonexistent")
lonely = Machine("lonely", "--net", "nat", env=path)
eventually(lambda: "link is down" in lonely.words())
result("passt is not installed" in lonely.words() and "link is down" in lonely.words() and lonely.words().count("\n") == 1,
       "without passt: one line, and the machine runs", lonely.words())
lonely.end()

# --- the switch dies
def switch():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            environment = open(f"/proc/{pid}/environ", "rb").read().split(b"\0")
            if open(f"/proc/{pid}/comm").read() == "mainstay-switch\n" and \
                    b"MAINSTAY_RUNTIME_DIR=" + os.environ["MAINSTAY_RUNTIME_DIR"].encode() in environment:
                return int(pid)
        except OSError:
            pass


if os.geteuid() == 0:
    old = switch()
    os.kill(old, signal.SIGKILL)

    def reached():
        na.send(frame(17))
        return nb.receive(0.3) == frame(17)
    result(eventually(reached, 30) and switch() not in (None, old), "a switch that was killed is started again, and joins them")

result(run("net", "delete", "lab").returncode == 0 and "lab" not in run("net", "list").stdout, "a network can be deleted")
result(a.end() == 0 and b.end() == 0, "the machines end")
sys.exit(net_machine.failed)
END
