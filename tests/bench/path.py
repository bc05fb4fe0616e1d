"""What rules cost the traffic: a new connection through a published port, and a datagram past the firewall, with those of many others there.

A client on a wire to the host asks the oldest and the newest of the containers, as a rule's place in a list counts. With no plugin's rules at all: "none".
"""
import fills
import world
from chains import Chain
from suites import BUILD
from tables import median, table

OTHERS = (10, 1000, 5000)
REPEATS, CONNECTIONS, DATAGRAMS = 5, 500, 2000
HOST, CLIENT = "10.99.0.1", "10.99.0.2"
FIRST, OLDEST, NEWEST = 2, 3, 4

PUBLISHED = Chain("published", "bridge", "portmap", masq=True).but(ports=1)
FIREWALLED = Chain("firewalled", "bridge", "firewall", masq=True).but(policy="same-bridge")     # without a policy, ours has nothing there


def client(host):
    host.sh("ip link add wire up type veth peer name eth0 netns pod3"
            f" && ip address add {HOST}/24 dev wire"
            f" && ip -n pod3 link set eth0 up && ip -n pod3 address add {CLIENT}/24 dev eth0 && ip -n pod3 route add default via {HOST}")


def flow(host, kind, pod, to, port, count):
    """The median of several runs' medians, us."""
    return median([float(host.sh(f"{BUILD}/flow {kind} /run/netns/{pod} /run/netns/pod3 {to} {port} {count}").split()[0]) for _ in range(REPEATS)])


def one_suite(suite, kind, chain, ask):
    by_n = {}
    for n in OTHERS:
        with world.Host(suite, 4) as host:
            client(host)
            host.run("ADD", chain, FIRST, "pod4")
            template = fills.Template(host, chain, OLDEST, "pod1")
            fills.leave_leases(host, chain, fills.FIRST, n)
            fills.leave_rules(host, chain, template, fills.FIRST, chain.first_port + fills.FIRST, n)
            newest = host.run("ADD", chain, NEWEST, "pod2")
            by_n[n] = {"oldest": ask(host, kind, "pod1", template.ip, template.port),
                       "newest": ask(host, kind, "pod2", newest.ip(), chain.first_port + NEWEST)}
    return by_n


def through_port(host, kind, pod, _, port):
    return flow(host, kind, pod, HOST, port, CONNECTIONS)


def past_firewall(host, kind, pod, ip, _):
    return flow(host, kind, pod, ip, 80, DATAGRAMS)


def nothing(suite, kind, count):
    """The same way without a rule: the floor's host, where there are none."""
    with world.Host(suite, 3) as host:
        client(host)
        host.sh("ip link add veth1 up type veth peer name eth0 netns pod1 && ip address add 10.88.0.1/16 dev veth1 && echo 1 >/proc/sys/net/ipv4/ip_forward"
                " && ip -n pod1 link set eth0 up && ip -n pod1 address add 10.88.0.2/16 dev eth0 && ip -n pod1 route add default via 10.88.0.1")
        return flow(host, kind, "pod1", "10.88.0.2", 80, count)


def series(title, kind, chain, ask, count, suites):
    figures = {"none": {0: {"oldest": nothing(suites[0], kind, count), "newest": float("nan")}}}
    for s in suites:
        if not s.is_floor:
            figures[s.name] = one_suite(s, kind, chain, ask)
    table(title, ["rules of", "others", "oldest", "newest"],
          [[name, str(n), f["oldest"], f["newest"]] for name, by_n in figures.items() for n, f in by_n.items()])
    return figures


def measure(suites):
    return {"connect": series("a new connection through a published port (us, median)", "connect", PUBLISHED, through_port, CONNECTIONS, suites),
            "datagram": series("a datagram past the firewall, there and back (us, median)", "datagrams", FIREWALLED, past_firewall, DATAGRAMS, suites)}
