# SPDX-License-Identifier: GPL-2.0-or-later
"""Writers on a node while another one resyncs: how long each of their writes takes."""
import json

from bed import DEVICE, WRITERS
from box import BoxError, say
from byhand import QUICK, SLOW, beside
from mirror import sync_speed, wait_clean

SIZE_MB = 1024
THREADS = 4
# A resync of SIZE_MB in emulated guests takes half a minute to two.
RESYNC_S = 600


def measure(bed, side):
    """n1 makes the mirror's legs equal, n2 writes all over it, n3 is one more that listens."""
    n1, n2, _ = bed.cluster.nodes
    bed.cluster.each(lambda node: sync_speed(node, SLOW))
    with bed.joined(side, size=f"{SIZE_MB}M", clean=False) as array:
        n1.wait_for(lambda: array.sysfs(n1, "sync_action") == "resync", 60, "it resyncs")
        result = _race(bed, array, n1, n2)
        wait_clean(DEVICE, [n1])
        bed.cluster.each(lambda node: sync_speed(node, QUICK))
        quiesced = array.counters(n2).get(("quiesced", "")) if side == "ours" else None
    say(f"{side}: {result}" + (f", quiesced {quiesced}" if quiesced is not None else ""))
    for name in ("p50", "p99", "p999", "max"):
        bed.note(f"write {name} ms", side, result["us"][name] / 1000)
    bed.note("writes/s", side, result["writes"] / result["seconds"])
    bed.note("resync MiB/s", side, result["resync MiB/s"])


def _race(bed, array, n1, n2):
    """Both at once; the writers end with the resync."""
    with beside() as begin:
        writing = begin(n2.run, f"{WRITERS} {DEVICE} {THREADS} {RESYNC_S}", timeout=RESYNC_S + 60)
        n2.wait_for("pgrep -x writers", 30, "its writers run")
        before = _done(array, n1)
        start = float(n1.out("cut -d' ' -f1 /proc/uptime"))
        sync_speed(n1, QUICK)
        n1.wait_for(lambda: array.sysfs(n1, "sync_action") != "resync", RESYNC_S,
                    "the resync is done")
        seconds = float(n1.out("cut -d' ' -f1 /proc/uptime")) - start
        n2.run("pkill -TERM -x writers")
        result = json.loads(writing.result().out)
    if result["writes"] < 1000:
        raise BoxError(f"only {result['writes']} writes were made: no percentile of that few")
    result["resync MiB/s"] = (SIZE_MB - before) / seconds
    return result


def _done(array, node):
    """MiB that the resync has behind it."""
    words = array.sysfs(node, "sync_completed").split()
    return int(words[0]) / 2048 if words[0].isdigit() else 0
