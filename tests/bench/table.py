# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured as a table, and whether it is as good as it has to be."""
import statistics

# Ours divided by stock: at most (or, for more is better, at least) this.
AT_MOST = {"write p99 ms": 0.5, "add ms": 0.6, "add: the call ms": 0.6,
           "add: writer's stall ms": 0.3,
           "refused add: the call ms": 0.3, "refused add: writer's stall ms": 0.3,
           "silent peer ms": 0.05, "silent peer: the call ms": 0.05,
           "silent peer: writer's stall ms": 0.3,
           "monitor ms": 1 / 30, "meta-data ms": 1 / 10}
AT_LEAST = {"writes/s": 1.0}


def _text(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def show(rows, rounds):
    """Prints the table; True if every ratio is as good as it has to be."""
    print(f"\nmedian (range) of {rounds} rounds, measured in the guests\n")
    width = max(map(len, rows), default=0)
    print(f"| {'':{width}} | {'stock':28} | {'ours':28} | ratio | must be |")
    print(f"| {'-' * width} | {'-' * 28} | {'-' * 28} | ----- | ------- |")
    good = True
    for name, sides in rows.items():
        ratio = must = ""
        if sides["stock"] and sides["ours"]:
            quotient = statistics.median(sides["ours"]) / statistics.median(sides["stock"])
            ratio = f"{quotient:.2f}"
            most, least = AT_MOST.get(name), AT_LEAST.get(name)
            must = f"≤ {most:.2f}" if most else f"≥ {least:.2f}" if least else ""
            if (most and quotient > most) or (least and quotient < least):
                good, must = False, must + " MISSED"
        cells = [_text(sides[side]) if sides[side] else "-" for side in ("stock", "ours")]
        print(f"| {name:{width}} | {cells[0]:28} | {cells[1]:28} | {ratio:>5} | {must:7} |")
    return good
