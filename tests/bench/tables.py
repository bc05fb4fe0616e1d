"""Numbers, and tables of them."""
import statistics


def median(values):
    return statistics.median(values) if values else float("nan")


def p99(values):
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))] if values else float("nan")


def text(x):
    if isinstance(x, str):
        return x
    if x != x:
        return "-"
    if isinstance(x, int) or abs(x) >= 1000:
        return f"{x:.0f}"
    return f"{x:.2f}" if abs(x) < 100 else f"{x:.1f}"


def table(title, head, rows):
    """Prints a table that is readable as it is, and as Markdown."""
    cells = [list(head)] + [[text(c) for c in row] for row in rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    print(f"\n### {title}\n")
    for n, row in enumerate(cells):
        print("| " + " | ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths))) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 1) + (":" if k else "-") for k, w in enumerate(widths)) + "|")
    print(flush=True)
