"""Hosts full of what many attachments have left, without running the plugins for each; and the proof that it is the same.

One attachment is made by the plugins. What it added is written again for all others, with their ids, addresses and ports: the records and the
nftables elements by `fill records`, iptables rules as text by iptables-restore. Lease files and links are made by `fill` as well.
"""
import re
import time

import world
from chains import address, container
from suites import BUILD

FILL = BUILD + "/fill"
FIRST = 1000                    # the number of the first filled container; measured ones stay below
TEMPLATE_PORTS = 64000          # measured and filled ones stay below


# ---- Rules of iptables, as text ----

def saved(host):
    """{table: lines} of iptables-save, counters left out."""
    tables, table = {}, None
    for line in host.sh("iptables-save 2>/dev/null").splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:], [])
        elif line[:1] in (":", "-"):
            table.append(re.sub(r" \[\d+:\d+\]", "", line))
    return tables


def added(before, after):
    """What of `after` was not in `before`, in its order."""
    return {table: [x for x in lines if x not in set(before.get(table, ()))] for table, lines in after.items()}


class Likeness:
    """Turns the lines of the template container into those of another one."""

    def __init__(self, chain, template, lines):
        self.chain, self.template = chain, template
        self.own_chains = [x[1:].split()[0] for table in lines.values() for x in table if x.startswith(":")]

    def of(self, line, i, first_port):
        chain, t = self.chain, self.template
        line = line.replace(container(t.number), container(i))
        line = re.sub(rf"\b{re.escape(t.ip)}\b", address(chain.base, i), line)
        for k in range(chain.ports):
            line = re.sub(rf"\b{t.port + k}\b", str(first_port + k), line)
        for n, name in enumerate(self.own_chains):      # named by a hash; any other name of the length does
            line = line.replace(name, name[:-9] + f"{i:x}{n:x}".rjust(9, "f"))
        return line


def rules(host, chain, template, lines, first, first_port, count):
    likeness, text = Likeness(chain, template, lines), []
    for table, template_lines in lines.items():
        text.append("*" + table)
        text += [likeness.of(x, first + n, first_port + n * chain.ports) + (" [0:0]" if x.startswith(":") else "")
                 for n in range(count) for x in template_lines if x.startswith(":")]
        text += [likeness.of(x, first + n, first_port + n * chain.ports)
                 for n in range(count) for x in template_lines if not x.startswith(":")]
        text.append("COMMIT")
    host.put("/run/rules", "\n".join(text) + "\n")
    host.sh("iptables-restore --noflush /run/rules")


# ---- Attachments ----

class Template:
    """One attachment, made by the suite's plugins; not the first one, which brings along what all share."""

    def __init__(self, host, chain, number, pod):
        self.number, self.port = number, TEMPLATE_PORTS + number % 100 * 10
        before = saved(host) if host.suite.by_iptables else {}
        run = host.run("ADD", chain.but(first_port=self.port - number * chain.ports), number, pod)
        self.ip = run.ip() if chain.plugins[0] != "portmap" else address(chain.base, number)
        self.rules = added(before, saved(host)) if host.suite.by_iptables else {}


def leave_rules(host, chain, template, first, first_port, count):
    """What `count` containers have in nftables or iptables."""
    if host.suite.is_ours:
        host.sh(f"{FILL} records {container(template.number)} {template.ip} {template.port} {chain.ports} {chain.base} {first} {first_port} {count}")
    elif host.suite.by_iptables:
        rules(host, chain, template, template.rules, first, first_port, count)
    elif not host.suite.is_floor:
        raise world.Failed(f"{host.suite.name}: no way to fill its rules")


def leave_leases(host, chain, first, count):
    if not host.suite.is_netavark and not host.suite.is_floor:
        host.sh(f"mkdir -p /run/store/{chain.net} && {FILL} leases /run/store/{chain.net} {chain.base} {first} {count}")


def ipv6_of_new_links(host, pod, on):
    for where in ("", f"ip netns exec {pod} "):
        host.sh(f"{where}sh -c 'echo {int(not on)} >/proc/sys/net/ipv6/conf/default/disable_ipv6'")


def leave_attachments(host, chain, template, pod, first, count, first_link=None):
    ipv6_of_new_links(host, pod, not chain.silent)
    # with the bridge down, as every new port's multicast would go to all others and take longer than all else
    host.sh(f"ip link set {chain.bridge} down && {FILL} links {chain.bridge} /run/netns/{pod} {first_link or first} {count} {int(host.suite.is_ours)}; ip link set {chain.bridge} up")
    ipv6_of_new_links(host, pod, True)
    # portmap may have set hairpin mode on the template's port
    host.sh(f"cd /sys/class/net/{chain.bridge}/brif && like=$(sort -r */hairpin_mode | head -n 1) && for f in */hairpin_mode; do echo $like >$f; done")
    leave_leases(host, chain, first, count)
    if "portmap" in chain.plugins:
        leave_rules(host, chain, template, first, chain.first_port + first * chain.ports, count)


# ---- The proof: one made by the plugins, and the same one filled ----

def left_behind(host):
    """What is there, sorted, without what differs from time to time: MACs, counters, hashes in iptables' chains."""
    hashes = r"CNI-(DN-)?[0-9a-f]{15,}"
    lines = sorted(re.sub(hashes, r"CNI-\1HASH", x) for table in saved(host).values() for x in table)
    lines += sorted(re.split(r"[{},]|elements =", host.sh("nft list table inet plumb 2>/dev/null", check=False).replace("\n", ",")))
    lines += host.sh("cd /run/store && ls */10.* 2>/dev/null; cat */10.* 2>/dev/null", check=False).splitlines()
    # without the note of the namespace at a record's head: filled ones share one
    lines += host.sh("cd /run/plumb/nftables 2>/dev/null && for f in *; do echo $f; tail -c +33 $f | sha256sum; done", check=False).splitlines()
    return [x.strip() for x in lines if x.strip()]


def link_kind(host, name):
    """One host end, without its names, addresses and numbers; nor the length of its queue, as it has none."""
    text = host.sh(f"ip -d link show {name}")
    return re.sub(r"qlen \d+|^\d+: \S+|link/ether \S+|link-netns\S* \S+|designated_port \S+|0x8\w+|port_no \S+|\b8000\.\S+|timer +\S+|group_fwd\S* \S+", "", text)


def check(suite, chain):
    """Ends the program where a filled attachment differs from one that the plugins made."""
    if suite.is_floor:
        return
    # the address that each container gets is the one of its number: the first lease is .2
    with world.Host(suite, 4) as made, world.Host(suite, 4) as filled:
        for host in (made, filled):
            host.run("ADD", chain, 2, "pod1")
            template = Template(host, chain, 3, "pod2")
        made.run("ADD", chain, 4, "pod3")
        leave_attachments(filled, chain, template, "pod4", 4, 1)
        here, there = left_behind(made), left_behind(filled)
        if here != there:
            raise world.Failed(f"{suite.name}: filled is not as made:\n" + "\n".join(sorted(set(here) ^ set(there))))
        names = made.sh("ls /sys/class/net/cni0/brif").split(), filled.sh("ls /sys/class/net/cni0/brif").split()
        kinds = {link_kind(made, n) for n in names[0]}, {link_kind(filled, "veth%011x" % 4)}
        if not kinds[1] <= kinds[0]:
            raise world.Failed(f"{suite.name}: a filled link is not as made:\n{kinds}")


def quieten(host, pod):
    """The far ends' share of IPv6's talk: in a container of one's own each asks for routers for some 12 s; a thousand in one, for minutes."""
    host.sh(f"ip netns exec {pod} sh -c 'cd /proc/sys/net/ipv6/conf/default && echo 0 >router_solicitations && echo 0 >accept_dad'")


def frames(host):
    return host.sh("cat /sys/class/net/cni*/statistics/rx_packets")


def settle(host, patience=40):
    """Waits until the bridges are quiet: what the kernel does with the links' multicast is on the account of whoever runs then."""
    before = frames(host)
    for _ in range(patience):
        time.sleep(1.5)
        now = frames(host)
        if now == before:
            return
        before = now
