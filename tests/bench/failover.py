# SPDX-License-Identifier: GPL-2.0-or-later
"""n3's power is cut while it writes: how long until another node has its bitmap, until the mirror
is whole again, and how long the slowest write on n1 takes meanwhile. Mostly corosync's patience
and the fencing, which are the same for both sides.
"""
import json
import time

from bed import DEVICE, WRITERS
from byhand import beside
from mirror import start_writer, wait_clean, wait_recovery

# Corosync's token and consensus, fencing, the DLM's recovery: half a minute to one in guests.
WRITING_S = 300


def measure(bed, side):
    n1, n2, n3 = bed.cluster.nodes
    bed.cluster.fencing.log.clear()
    with bed.joined(side):
        # What an earlier failover has logged is not this one's.
        n1.run("dmesg -C")
        n2.run("dmesg -C")
        start_writer(DEVICE, n3)
        with beside() as begin:
            writing = begin(n1.run, f"{WRITERS} {DEVICE} 1 {WRITING_S}", timeout=WRITING_S + 60)
            n1.wait_for("pgrep -x writers", 30, "its writer runs")
            cut = time.monotonic()
            n3.power_cut()
            wait_recovery(n1, n3)
            bed.note("failover s", side, time.monotonic() - cut)
            wait_clean(DEVICE, [n1, n2])
            bed.note("mirror whole s", side, time.monotonic() - cut)
            n1.run("pkill -TERM -x writers")
            result = json.loads(writing.result().out)
        bed.note("slowest write ms", side, result["us"]["max"] / 1000)
    bed.cluster.wait_fenced(n3)
    n3.boot()
    bed.cluster.wait_online()
    bed.cluster.wait_dlm()
