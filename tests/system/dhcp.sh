#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The virtual DHCP server with the real dnsmasq: whole machines in their sandboxes ask it for addresses and fetch files as a
# machine that boots from the network does. No KVM needed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/machines.bash
if ! PATH=$PATH:/usr/sbin:/sbin command -v dnsmasq >/dev/null || ! unshare --user --net true 2>/dev/null; then
	echo "ok - dhcp # SKIP this host has no dnsmasq, or refuses user namespaces"
	exit 77
fi
mkdir "$work/files"
head -c 100000 /dev/urandom >"$work/files/boot.bin"
chmod -R a+rX "$work"
cd "$work" || exit 1
python3 - <<'END'
import os, signal, subprocess, sys
import net_machine
from net_guest import Guest
from net_machine import MAINSTAY, Machine, Nic, eventually, result, run

SETTINGS = ("--start", "10.237.0.20", "--end", "10.237.0.30", "--server", "10.237.0.5", "--gateway", "10.237.0.1", "--dns",
            "10.237.0.2,10.237.0.3", "--wins", "10.237.0.4", "--lease", "7200", "--renewal", "3000", "--rebinding", "6000",
            "--static", "00:03:ff:00:00:0b=10.237.0.25", "--boot-file", "boot.bin", "--tftp-root", os.getcwd() + "/files")


def servers():
    """The processes that serve our networks, and their dnsmasq."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{pid}/cmdline").read().split("\0")
            if os.environ["MAINSTAY_RUNTIME_DIR"] in open(f"/proc/{pid}/environ").read() and \
                    ("serve-dhcp" in words or os.path.basename(words[0]) == "dnsmasq"):
                found[os.path.basename(words[0])] = int(pid)
        except OSError:
            pass
    return found


def leases():
    return run("net", "dhcp", "lab", "--leases").stdout


run("net", "create", "lab")
run("net", "create", "quiet")
answer = run("net", "dhcp", "lab", "--enable", *SETTINGS)
result(answer.returncode == 0, "every setting is taken", answer.stderr)
a = Machine("a", "--net", "internal:lab,mac=00:03:ff:00:00:0a")
b = Machine("b", "--net", "internal:lab,mac=00:03:ff:00:00:0b", "--net", "internal:quiet")
first, fixed, quiet = Guest(Nic(a, 3, 0xc000)), Guest(Nic(b, 3, 0xc000)), Guest(Nic(b, 4, 0xc100, 0x100000))

lease = None


def leased():
    global lease
    lease = first.lease()
    return lease


result(eventually(leased, 30) and 20 <= int(lease.address.split(".")[3]) <= 30 and lease.address.startswith("10.237.0."),
       "the server starts with the first machine, and gives an address of its range", lease and lease.address)
result(lease.addresses(1) == ["255.255.0.0"] and lease.addresses(54) == ["10.237.0.5"], "with the network's mask and its own address",
       str(lease.options))
result(lease.addresses(3) == ["10.237.0.1"] and lease.addresses(6) == ["10.237.0.2", "10.237.0.3"]
       and lease.addresses(44) == ["10.237.0.4"], "gateway, DNS and WINS servers", str(lease.options))
result([lease.number(n) for n in (51, 58, 59)] == [7200, 3000, 6000], "lease, renewal and rebinding times", str(lease.options))
result(lease.next_server == "10.237.0.5" and "boot.bin" in (lease.file, lease.options.get(67, b"").decode().rstrip("\0")),
       "and what to boot from the network", f"{lease.next_server} {lease.file}")
got = fixed.lease()
result(got and got.address == "10.237.0.25", "a fixed address is given to its adapter", got and got.address)
text = leases()
result([line.split()[:2] for line in sorted(text.splitlines())] == sorted(
    [[lease.address, "00:03:ff:00:00:0a"], ["10.237.0.25", "00:03:ff:00:00:0b"]]), "the list shows who has which", text)

got = first.fetch("10.237.0.5", "boot.bin")
result(got == open("files/boot.bin", "rb").read(), "the file comes by TFTP, whole", str(got)[:100])
got = first.fetch("10.237.0.5", "../../etc/passwd")
result(isinstance(got, str), "nothing else does", str(got)[:100])
result(quiet.discover(2) is None, "another network has no server")

# --- it is asked for other things while it runs
run("net", "dhcp", "quiet", "--enable")
result(eventually(quiet.lease, 30), "a server is switched on while machines are plugged in")
run("net", "dhcp", "quiet", "--disable")
result(eventually(lambda: quiet.discover(0.5) is None), "and off")
run("net", "dhcp", "lab", "--server", "10.237.0.6", "--dns", "10.237.0.9", "--start", "10.237.0.20")
result(eventually(lambda: leased() and lease.addresses(6) == ["10.237.0.9"] and lease.addresses(54) == ["10.237.0.6"], 30),
       "settings that change count at once", lease and str(lease.options))
result(fixed.lease().address == "10.237.0.25" and lease.address in leases(), "and who has an address keeps it")
again = subprocess.run([MAINSTAY, "net", "serve-dhcp", "lab"], capture_output=True, text=True)
result(again.returncode != 0 and again.stderr.strip().endswith("lab has a DHCP server already"), "a second server is refused",
       again.stderr)

# --- ends that nobody asked for
before = servers()
result(set(before) == {"mainstay", "dnsmasq"}, "one server runs", str(before))
os.kill(before["dnsmasq"], signal.SIGKILL)
result(eventually(lambda: servers().get("dnsmasq", before["dnsmasq"]) != before["dnsmasq"]) and eventually(leased, 30),
       "a dnsmasq that was killed is started again", str(servers()))
os.kill(servers()["mainstay"], signal.SIGKILL)
result(eventually(lambda: not servers()), "dnsmasq ends with its server", str(servers()))
run("net", "disconnect", "a", "0")
run("net", "connect", "a", "0", "internal:lab")
result(eventually(leased, 30) and lease.address in leases(), "the next machine starts it anew, and has its address still", leases())
result(a.end() == 0 and b.end() == 0, "the machines end")
# It looks every 15 s.
result(eventually(lambda: not servers(), 40), "and the server with the last of them", str(servers()))

# --- a host without dnsmasq
HIDDEN = ("unshare", "--mount", "sh", "-c",
          'mount --bind /dev/null "$(PATH=$PATH:/usr/sbin:/sbin command -v dnsmasq)" && exec "$0" "$@"')
if os.geteuid() == 0:
    c = Machine("c", "--net", "internal:lab", within=HIDDEN)
    eventually(lambda: "DHCP server" in c.words())
    result("dnsmasq is not installed" in c.words() and c.words().count("\n") == 1 and not servers() and c.end() == 0,
           "without dnsmasq: one line, and the machine runs", c.words())
else:
    result(True, "without dnsmasq # SKIP only root can hide it")

sys.exit(net_machine.failed)
END
