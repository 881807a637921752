# SPDX-License-Identifier: GPL-2.0-or-later
"""Adding a disk on three nodes: all peers have it; none of them has it; one of them is silent.
And for how long a writer on the node that adds stands still meanwhile.

On the stock side the peers run systemd-udevd with mdadm's own rule, on ours mdclusterd. How long it
takes is mdadm's time on both, with nothing else going on; only the add with a silent peer, after
which the nodes of the stock side do not hear each other, is timed beside the writer. Who minds the
writers has mdclusterctl add on ours, which asks the cluster before it calls mdadm.
"""
import json
import time
from contextlib import contextmanager

from bed import DEVICE, WRITERS, timed
from box import BoxError
from byhand import beside, silent

SPARE = "d3"
# Of Debian's udevd and rules in an emulated guest: seconds for each disk.
SETTLE_S = 60
# Longer than timed() gives mdadm, so that the writer never ends before it.
WRITING_S = 150
# Between its writes, which are to be there, not to be mdadm's rival for the one processor.
PAUSE_MS = 5
# An mdclusterd that has seen no block device come or go for 10 s does not wait for late ones.
QUIET_S = 11


def measure(bed, side):
    n1, n2, n3 = bed.cluster.nodes
    with _answers(bed, side), bed.joined(side, agents=side == "ours"):
        bed.cluster.blank_disks(SPARE)
        _add(bed, side, "add")
        # On all peers: one that has it keeps it as a candidate, with the kernel's own module.
        for node in (n2, n3):
            node.detach(SPARE)
        # On both sides, so that they stay alike.
        time.sleep(QUIET_S)
        _add(bed, side, "refused add", refused=True)
        for node in (n2, n3):
            node.attach(SPARE)
        if side == "ours":
            with silent(n2):
                _add(bed, side, "silent peer", refused=True, once=True)
        else:
            # Last: the nodes of the stock side do not hear each other after it.
            _end_udevd(n2)
            _add(bed, side, "silent peer", refused=True, once=True)


def _add(bed, side, row, refused=False, once=False):
    """ONCE: the add can be done but once, so it is timed while the writer runs."""
    disk = bed.cluster.nodes[0].disk(SPARE)
    mdadm = ["mdadm", "--manage", DEVICE, "--add", disk]
    if not once:
        with _done(bed, refused):
            took = _timed(bed, mdadm, refused)
    with _done(bed, refused), _writer(bed.cluster.nodes[0]) as slowest:
        beside_writer = _timed(bed, mdadm, refused)
    stall = slowest["ms"]
    bed.note(f"{row} ms", side, beside_writer if once else took)
    bed.note(f"{row}, mdadm alone: writer's stall ms", side, stall)
    if side == "ours":
        with _done(bed, refused), _writer(bed.cluster.nodes[0]) as slowest:
            _timed(bed, ["mdclusterctl", "add", "--yes", DEVICE, disk], refused)
        stall = slowest["ms"]
    bed.note(f"{row}: writer's stall ms", side, stall)


def _timed(bed, words, refused):
    took, code = timed(bed.cluster.nodes[0], words, {"MDADM_NO_UDEV": "1"}, good=None)
    if bool(code) != refused:
        raise BoxError(f"{words} ended with {code}")
    return took


@contextmanager
def _done(bed, refused):
    """A disk without anything on it before, and out of the array afterwards."""
    n1 = bed.cluster.nodes[0]
    disk = n1.disk(SPARE)
    n1.run(f"wipefs -aq {disk}")
    yield
    if not refused:
        _seen(bed, True)
        n1.run(f"mdadm --manage {DEVICE} --remove {disk}", timeout=60)
        _seen(bed, False)


@contextmanager
def _writer(node):
    """Writes to the array on NODE all the while; "ms" of what it yields is then how long its
    slowest write has taken."""
    slowest = {}
    with beside() as begin:
        writing = begin(node.run, f"{WRITERS} {DEVICE} 1 {WRITING_S} {PAUSE_MS}",
                        timeout=WRITING_S + 60)
        try:
            node.wait_for("pgrep -x writers", 30, "its writer runs")
            yield slowest
        finally:
            # It may not have begun, or have failed: then its own result says so.
            node.run("pkill -TERM -x writers", check=False)
        result = json.loads(writing.result().out)
    if result["writes"] < 10:
        raise BoxError(f"{node.name}: only {result['writes']} writes: none beside the add")
    slowest["ms"] = result["us"]["max"] / 1000


def _seen(bed, there):
    for node in bed.cluster.nodes:
        want = "" if there else "! "
        name = node.disk(SPARE).rsplit("/", 1)[1]
        node.wait_for(f"{want}test -e /sys/block/$(basename $(readlink -f {DEVICE}))/md/dev-{name}",
                      30, f"{SPARE} is {'there' if there else 'gone'}")


@contextmanager
def _answers(bed, side):
    """What answers for the disks of a stock node."""
    if side == "ours":
        yield
        return
    bed.cluster.each(lambda node: node.run(
        "mkdir -p /run/udev; /lib/systemd/systemd-udevd --daemon; "
        f"udevadm trigger --subsystem-match=block; udevadm settle --timeout={SETTLE_S}",
        timeout=SETTLE_S + 60))
    try:
        yield
    finally:
        bed.cluster.each(_end_udevd)


def _end_udevd(node):
    # Asked to end it waits for its workers, for as long as they like.
    node.run("pkill -KILL udevd; rm -rf /run/udev", check=False)
    node.wait_for("! pgrep udevd", 30, "udevd to be gone")
