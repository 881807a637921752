# SPDX-License-Identifier: GPL-2.0-or-later
"""Adding a disk on three nodes: all peers have it; none of them has it; one of them is silent.
And for how long a writer on the node that adds stands still meanwhile.

On the stock side the peers run systemd-udevd with mdadm's own rule, on ours mdclusterd. How long it
takes is mdadm's time on both, with nothing else going on; only the add with a silent peer, after
which the nodes of the stock side do not hear each other, is timed beside the writer. Who minds the
writers has mdclusterctl add on ours, which asks the cluster before it calls mdadm.

What of that time is the cluster's, and the writers', is the call that adds. Before it mdadm starts,
reads superblocks and writes one; that it does in the same way on both sides.
"""
import json
import re
import statistics
import time
from contextlib import contextmanager, nullcontext

from bed import DEVICE, WRITERS, timed
from box import BoxError, say
from byhand import beside, silent

SPARE = "d3"
# Of Debian's udevd and rules in an emulated guest: seconds for each disk.
SETTLE_S = 60
# Longer than timed() gives mdadm, so that the writer never ends before it.
WRITING_S = 150
# Between its writes, which are to be there, not to be mdadm's rival for the one processor.
PAUSE_MS = 5
# How often the stock side may fail at an add that nothing speaks against: at up to every third its
# rule's mdadm finds the disk busy, and then the nodes no longer hear each other, so it goes on with a
# new array.
STOCK_TRIES = 10
# How often each add is done in a round, for the median: mdadm's own part of it comes and goes by a
# half, and so does the slowest of a writer's writes.
TIMES = 3
TRACING = "/sys/kernel/tracing"
ADD_NEW_DISK = 0x40140921
# An mdclusterd that has seen no block device come or go for 10 s does not wait for late ones.
QUIET_S = 11


def measure(bed, side):
    tries = STOCK_TRIES if side == "stock" else 1
    taken = {}
    for left in reversed(range(tries)):
        try:
            measured = _measured(bed, side, taken)
            break
        except Unexpected as error:
            if not left:
                raise
            say(f"bench: {side}: {error}: on with a new array")
    for row, value in measured.items():
        bed.note(row, side, value)


def _measured(bed, side, taken):
    """The rows; TAKEN: what each add that is done has taken, {(row, kind, which): it}."""
    n1, n2, n3 = bed.cluster.nodes
    with _answers(bed, side), bed.joined(side, agents=side == "ours"):
        bed.cluster.blank_disks(SPARE)
        rows = _add(bed, side, taken, "add")
        # On all peers: one that has it keeps it as a candidate, with the kernel's own module.
        for node in (n2, n3):
            node.detach(SPARE)
        try:
            # On both sides, so that they stay alike.
            time.sleep(QUIET_S)
            rows |= _add(bed, side, taken, "refused add", refused=True)
        finally:
            for node in (n2, n3):
                node.attach(SPARE)
        if side == "ours":
            with silent(n2):
                rows |= _add(bed, side, taken, "silent peer", refused=True, once=True)
        else:
            # Last: the nodes of the stock side do not hear each other after it.
            _end_udevd(n2)
            rows |= _add(bed, side, taken, "silent peer", refused=True, once=True)
    return rows


def _add(bed, side, taken, row, refused=False, once=False):
    """ONCE: the add can be done but once, so it is timed while the writer runs."""
    def median(kind, words, writes=False):
        for which in range(1 if once else TIMES):
            if (row, kind, which) not in taken:
                taken[row, kind, which] = _one(bed, words, refused, writes)
        return _median([one for key, one in taken.items() if key[:2] == (row, kind)])

    mdadm = ["mdadm", "--manage", DEVICE, "--add", bed.cluster.nodes[0].disk(SPARE)]
    alone = None if once else median("alone", mdadm)
    beside_writer = median("writer", mdadm, writes=True)
    timed_one = alone or beside_writer
    minding = beside_writer
    if side == "ours":
        command = ["mdclusterctl", "add", "--yes", DEVICE, mdadm[-1]]
        minding = median("mdclusterctl", command, writes=True)
    return {f"{row} ms": timed_one["ms"], f"{row}: the call ms": timed_one["call"],
            f"{row}: writer's stall ms": minding["stall"],
            f"{row}, mdadm alone: writer's stall ms": beside_writer["stall"]}


def _median(taken):
    return {what: statistics.median(one[what] for one in taken) for what in taken[0]}


class Unexpected(BoxError):
    """An add that has ended in the other way."""


def _one(bed, words, refused, writes=False):
    """What it has taken: the whole, the call, and the slowest write beside it."""
    n1 = bed.cluster.nodes[0]
    took = {}
    with _done(bed, refused), _writer(n1, took) if writes else nullcontext(), _call(n1, took):
        took["ms"], code = timed(n1, words, {"MDADM_NO_UDEV": "1"}, good=None)
        if bool(code) != refused:
            raise Unexpected(f"{' '.join(words)} ended with {code}")
    return took


@contextmanager
def _call(node, took):
    """For how long mdadm is in the call that adds: "call" of TOOK; 0 where it was not called."""
    node.run(f"mountpoint -q {TRACING} || mount -t tracefs none {TRACING}; cd {TRACING} && "
             "grep -q box/md_in kprobe_events || { echo 'p:box/md_in md_ioctl cmd=%dx:x32'; "
             "echo 'r:box/md_out md_ioctl'; } > kprobe_events; echo mono > trace_clock; "
             "echo > trace; echo 1 > events/box/enable; echo 1 > tracing_on")
    yield
    out = node.out(f"cd {TRACING} && echo 0 > tracing_on && cat trace && "
                   "echo 0 > events/box/enable && echo > kprobe_events")
    took["call"], begun = 0, {}
    for task, at, what, cmd in re.findall(
            r"^\s*(mdadm-\d+)\s.*?\s([\d.]+): (md_in|md_out):.*?(?: cmd=(0x\w+))?$", out,
            re.MULTILINE):
        if what == "md_in":
            begun[task] = float(at) if int(cmd, 16) == ADD_NEW_DISK else None
        elif begun.get(task):
            took["call"] += (float(at) - begun.pop(task)) * 1000


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
def _writer(node, took):
    """Writes to the array on NODE all the while; "stall" of TOOK is then how long its slowest write
    has taken."""
    with beside() as begin:
        writing = begin(node.run, f"{WRITERS} {DEVICE} 1 {WRITING_S} {PAUSE_MS}",
                        timeout=WRITING_S + 60)
        try:
            node.wait_for("pgrep -x writers", 30, "its writer runs")
            yield
        finally:
            # It may not have begun, or have failed: then its own result says so.
            node.run("pkill -TERM -x writers", check=False)
        result = json.loads(writing.result().out)
    if result["writes"] < 10:
        raise BoxError(f"{node.name}: only {result['writes']} writes: none beside the add")
    took["stall"] = result["us"]["max"] / 1000


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
