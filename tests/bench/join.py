# SPDX-License-Identifier: GPL-2.0-or-later
"""Joining and leaving: the third node comes and goes, while the two others are in the array."""
from bed import DEVICE, timed

TIMES = 3


def measure(bed, side):
    n3 = bed.cluster.nodes[2]
    with bed.joined(side, agents=False) as array:
        for _ in range(TIMES):
            bed.note("leave ms", side, timed(n3, ["mdadm", "--stop", DEVICE])[0])
            bed.note("join ms", side, timed(n3, array.assemble(n3).split())[0])
