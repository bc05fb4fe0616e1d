"""What plumb promises, held against the figures of a run. Cpu against cpu, of the same run; a figure that is missing is passed over."""
from grow import SILENT
from tables import table

OURS = ("plumb", "plumb-musl")


def at(figures, *keys):
    for k in keys:
        figures = figures.get(k, figures.get(str(k))) if isinstance(figures, dict) else None
    return figures


def times_floor(figures, ours, case, verb):
    a, b = at(figures, "attach", case, ours, verb, "cpu"), at(figures, "attach", case, "floor", verb, "cpu")
    return a / b if a and b else None


def under(figures, ours, peer, case, verb, what="cpu"):
    """How many times less than a peer's."""
    a, b = at(figures, "attach", case, ours, verb, what), at(figures, "attach", case, peer, verb, what)
    return b / a if a and b else None


def growth(figures, ours, kind, verb, n):
    a, b = at(figures, kind, ours, n, verb, "cpu"), at(figures, kind, ours, 0, verb, "cpu")
    return a / b if a and b else None


def at_once(figures, ours):
    a, b = at(figures, "at-once", ours, 64), at(figures, "at-once", "reference", 64)
    if not a or not b:
        return None, None
    return a["ADD"]["failed"] + a["twice"], a["ADD"]["rate"] / b["ADD"]["rate"]


def path(figures, ours, kind):
    worst = [max(at(figures, "path", kind, ours, n).values()) for n in (10, 5000) if at(figures, "path", kind, ours, n)]
    return worst[1] / worst[0] if len(worst) == 2 else None


def promises(figures, ours):
    """(what, figure, at most or at least, bound)"""
    for case, bound in (("loopback", 1.2), ("bridge", 1.3), ("ptp", 1.3), ("masq", 1.3), ("portmap", 1.3), ("full", 1.3)):
        for verb in ("ADD", "DEL"):
            yield f"{case} {verb}, x floor", times_floor(figures, ours, case, verb), "<=", bound
    for case, verb, peer, bound in (("loopback", "ADD", "reference", 7), ("bridge", "ADD", "reference", 13), ("ptp", "ADD", "reference", 13),
                                    ("masq", "ADD", "reference", 30), ("masq", "ADD", "netavark", 20), ("portmap", "ADD", "reference", 40),
                                    ("portmap", "DEL", "reference", 40), ("full", "ADD", "reference", 45), ("full", "DEL", "reference", 45),
                                    ("full", "ADD", "netavark", 8), ("full", "DEL", "netavark", 5.5)):
        yield f"{case} {verb}, times under {peer}", under(figures, ours, peer, case, verb), ">=", bound
    for case in ("bridge", "ptp"):
        yield f"{case} DEL wall, times under reference", under(figures, ours, "reference", case, "DEL", "wall"), ">=", 16
    for kind, n, bound in (("leases", 60000, 1.2), ("ports", 10000, 1.2), ("ports", 60000, 1.2), ("attachments", 1000, 2.5)):
        for verb in ("ADD", "DEL"):
            yield f"{kind} 0 -> {n}, {verb} growth", growth(figures, ours, kind, verb, n), "<=", bound
    for verb in ("ADD", "DEL"):
        yield f"attachments 0 -> 1000, silentIPv6, {verb} growth", growth(figures, ours + SILENT, "attachments", verb, 1000), "<=", 1.3
    failed, rate = at_once(figures, ours)
    yield "64 at once: failed or given twice", failed, "<=", 0
    yield "64 at once: ADD/s, times the reference's", rate, ">=", 13
    yield "new connection, 5000 ports against 10", path(figures, ours, "connect"), "<=", 1.15
    yield "peak memory, MiB", peak(figures, ours), "<=", 1.2


def peak(figures, ours):
    sizes = [f[ours][verb]["memory"] for f in figures.get("attach", {}).values() if ours in f for verb in ("ADD", "DEL")]
    return max(sizes) / 1024 if sizes else None


def compare(figures):
    for ours in OURS:
        rows = [[what, value, f"{sign} {bound}", "yes" if (value <= bound if sign == "<=" else value >= bound) else "NO"]
                for what, value, sign, bound in promises(figures, ours) if value is not None]
        if rows:
            table(f"{ours} against its targets", ["what", "is", "target", "reached"], rows)
