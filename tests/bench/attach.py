"""ADD and DEL of each chain, the suites in turn run by run.

Every suite has a host of its own. One container stays attached, so that no run makes or removes what all share. Pods are there beforehand and used again.
One round more, with counters on, tells processes, system calls and page faults.
"""
import world
from tables import median, p99, table

PODS, WARM = 16, 3
HEAD = ["suite"] + ["ADD cpu", "x", "wall p50", "p99", "processes", "syscalls", "faults"] + ["DEL cpu", "x", "wall p50", "p99", "processes", "peak KiB"]


def one_chain(chain, suites, rounds):
    hosts = [world.Host(s, PODS + 1) for s in suites if chain.fits(s)]
    runs = {(h.suite.name, verb): [] for h in hosts for verb in ("ADD", "DEL")}
    for h in hosts:
        h.run("ADD", chain, 1, f"pod{PODS + 1}")
    for i in range(2, 2 + WARM + rounds):
        for h in hosts if i % 2 else hosts[::-1]:
            for verb in ("ADD", "DEL"):
                run = h.run(verb, chain, i, f"pod{1 + i % PODS}")
                if i >= 2 + WARM:
                    runs[h.suite.name, verb].append(run)
    counted = {}
    for h in hosts:
        h.counted(True)
        for verb in ("ADD", "DEL"):
            counted[h.suite.name, verb] = h.run(verb, chain, 2 + WARM + rounds, "pod1")
        h.__exit__()
    return {h.suite.name: {verb: figures(runs[h.suite.name, verb], counted[h.suite.name, verb]) for verb in ("ADD", "DEL")} for h in hosts}


def figures(runs, counted):
    return {"cpu": median([r.cpu for r in runs]), "wall": median([r.wall for r in runs]), "p99": p99([r.wall for r in runs]),
            "memory": max(r.memory for r in runs), "processes": counted.execs, "syscalls": counted.syscalls, "faults": counted.faults,
            "steps": [median(list(c)) for c in zip(*(r.cpus for r in runs))]}


def measure(chains, suites, rounds):
    out = {}
    for chain in chains:
        out[chain.name] = by_suite = one_chain(chain, suites, rounds)
        floor = next(iter(by_suite.values()))
        rows = []
        for name, f in by_suite.items():
            a, d = f["ADD"], f["DEL"]
            rows.append([name, a["cpu"], a["cpu"] / floor["ADD"]["cpu"], a["wall"], a["p99"], a["processes"], a["syscalls"], a["faults"],
                         d["cpu"], d["cpu"] / floor["DEL"]["cpu"], d["wall"], d["p99"], d["processes"], max(a["memory"], d["memory"])])
        table(f"{chain.name}: {' + '.join(chain.plugins)}{', ipMasq' if chain.masq else ''} (ms, {rounds} runs)", HEAD, rows)
    return out
