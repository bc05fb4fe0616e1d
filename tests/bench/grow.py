"""How ADD and DEL grow with what is there already, and with how many come at once."""
import fills
import world
from chains import CHAINS
from tables import median, p99, table

LEASES = (0, 1000, 10000, 60000)
PORTS = (0, 1000, 10000, 60000)
ATTACHMENTS = (0, 100, 1000, 4000)
SILENT = ", silentIPv6"
A_BRIDGE = 1000                 # the kernel gives a bridge 1023 ports
AT_ONCE = (1, 4, 16, 64)
SLOW = 10000                    # how many rules iptables is asked to hold; with more, filling it takes longer than all else


def runs(host, chain, rounds, pods, first):
    out = {"ADD": [], "DEL": []}
    for i in range(first, first + rounds + 1):
        for verb in ("ADD", "DEL"):
            run = host.run(verb, chain, i, f"pod{1 + i % pods}")
            if i > first:
                out[verb].append(run)
    return {verb: {"cpu": median([r.cpu for r in rs]), "wall": median([r.wall for r in rs]), "p99": p99([r.wall for r in rs])}
            for verb, rs in out.items()}


def show(title, figures):
    """figures: {suite: {n: {verb: …}}}"""
    rows = []
    for name, by_n in figures.items():
        least = next(iter(by_n.values()))
        for n, f in by_n.items():
            rows.append([name, str(n)] + [x for verb in ("ADD", "DEL")
                                          for x in (f[verb]["cpu"], f[verb]["cpu"] / least[verb]["cpu"], f[verb]["wall"], f[verb]["p99"])])
    table(title, ["suite", "n", "ADD cpu", "x least", "wall p50", "p99", "DEL cpu", "x least", "wall p50", "p99"], rows)
    return figures


# ---- Leases ----

def leases(suites, rounds):
    figures, chain = {}, CHAINS["leases"]
    for s in suites:
        if s.is_netavark:
            continue
        with world.Host(s, 1) as host:
            by_n, have = figures.setdefault(s.name, {}), 0
            for n in LEASES:
                fills.leave_leases(host, chain, fills.FIRST + have, n - have)
                have = n
                by_n[n] = runs(host, chain, rounds, 1, 1)
    return show("host-local with leases there already (ms)", figures)


# ---- Published ports ----

def ports(suites, rounds):
    figures, chain = {}, CHAINS["portmap"].alone().but(ports=10, base="10.88.0.0")
    for s in suites:
        if s.is_netavark:
            continue
        with world.Host(s, 1) as host:
            host.run("ADD", chain.but(first_port=63500), 1, "pod1")        # away from what is filled
            template = fills.Template(host, chain, 2, "pod1")
            by_n, have = figures.setdefault(s.name, {}), 0
            measured = chain.but(ports=2, first_port=63000)
            for n in PORTS:
                if n > SLOW and s.by_iptables:
                    continue
                fills.leave_rules(host, chain, template, fills.FIRST + have // 10, 2000 + have, (n - have) // 10)
                have = n
                by_n[n] = runs(host, measured, rounds, 1, 3)
    return show("portmap, 2 ports, with ports published already (ms)", figures)


# ---- Attachments ----

def block(chain, k):
    """The k-th thousand of attachments has a network of its own."""
    return chain if k == 0 else chain.but(bridge=f"cni{k}", net=f"bench{k}", base=f"10.{88 + k}.0.0")


def fill_to(host, chain, have, want, templates):
    while have < want:
        k = have // A_BRIDGE
        part = block(chain, k).but(first_port=chain.first_port + k * A_BRIDGE * chain.ports)
        if k not in templates:
            templates[k] = fills.Template(host, part, 900 + k, f"pod{9 + k}")
        count = min(want - have, (k + 1) * A_BRIDGE - have)
        fills.leave_attachments(host, part, templates[k], "pod14", fills.FIRST + have - k * A_BRIDGE, count, fills.FIRST + have)
        have += count


def attachments(suites, rounds):
    """Ours a second time without what IPv6 has to say."""
    figures = {}
    for s, silent in [(s, False) for s in suites] + [(s, True) for s in suites if s.is_ours]:
        chain = CHAINS["full" if s.is_netavark else "portmap"].but(silent=silent)
        fills.check(s, chain)
        with world.Host(s, 14) as host:
            fills.quieten(host, "pod14")
            by_n, have, templates = figures.setdefault(s.name + SILENT * silent, {}), 0, {}
            for n in ATTACHMENTS:
                if n > A_BRIDGE and (silent or not s.is_ours):  # the floor knows one bridge; others' would take longer than all else
                    continue
                fill_to(host, chain, have, n, templates)
                have = n
                if n == 0:
                    host.run("ADD", chain, 1, "pod8")
                fills.settle(host)
                by_n[n] = runs(host, chain, rounds, 7, 2)
    return show("bridge + portmap with attachments there already, 1000 to a bridge (ms; netavark: with masquerading)", figures)


# ---- Many at once ----

def at_once(suites, total=64):
    """Round by round in turn, as this is wall clock."""
    chain, rows = CHAINS["bridge"], []
    hosts = [world.Host(s, max(AT_ONCE) + 1) for s in suites if chain.fits(s)]
    figures = {h.suite.name: {} for h in hosts}
    for h in hosts:
        h.run("ADD", chain, 1, f"pod{max(AT_ONCE) + 1}")
    for k in AT_ONCE:
        tallies = {h.suite.name: Tally() for h in hosts}
        for r in range(max(3, total // k)):
            for h in hosts if r % 2 else hosts[::-1]:
                tallies[h.suite.name].round(h, chain, [(2 + r * k + j, f"pod{1 + j}") for j in range(k)])
        for name, tally in tallies.items():
            figures[name][k] = tally.figures()
    for h in hosts:
        h.__exit__()
    for name, by_k in figures.items():
        rows += [[name, str(k), f["ADD"]["rate"], f["ADD"]["p99"], f["ADD"]["failed"], f["twice"], f["DEL"]["rate"], f["DEL"]["p99"], f["DEL"]["failed"]]
                 for k, f in by_k.items()]
    table("bridge, many at once", ["suite", "at once", "ADD/s", "p99 ms", "failed", "twice", "DEL/s", "p99 ms", "failed"], rows)
    return figures


class Tally:
    def __init__(self):
        self.walls, self.runs, self.twice = {"ADD": [], "DEL": []}, {"ADD": [], "DEL": []}, 0

    def round(self, host, chain, pairs):
        for verb in ("ADD", "DEL"):
            wall, done = host.run_at_once(verb, chain, pairs)
            self.walls[verb].append(wall)
            self.runs[verb] += done
            if verb == "ADD":
                ips = [d.ip() for d in done if d.status == 0]
                self.twice += len(ips) - len(set(ips))

    def figures(self):
        """Rates of the median round."""
        out = {"twice": self.twice}
        for verb, runs in self.runs.items():
            good = [r.wall for r in runs if r.status == 0]
            out[verb] = {"rate": len(good) / len(self.walls[verb]) / median(self.walls[verb]), "p99": p99(good), "failed": len(runs) - len(good)}
        return out
