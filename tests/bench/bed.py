# SPDX-License-Identifier: GPL-2.0-or-later
"""Where both sides are measured: one cluster, whose nodes load the one module or the other, and
an array that is made for each measurement.
"""
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

from arrays import Array
from box import BoxError, image, store
from box.base import cache_dir
from box.product import in_root, last_words
from byhand import ByHand, use

HERE = Path(__file__).resolve().parent
SIDES = ("stock", "ours")
WRITERS = "/usr/lib/box/writers"
TIMER = "/usr/lib/box/timer"
DEVICE = "/dev/md/try"


class Bed:
    """A cluster of three, and what was measured: rows[name][side] is a list of numbers."""

    def __init__(self, cluster, rounds):
        self.cluster, self.rounds = cluster, rounds
        self.rows = {}
        self.array = None
        for node in cluster.nodes:
            node.put(TIMER, (HERE / "timer.py").read_bytes())
            node.put(WRITERS, _writers(cluster.suite).read_bytes(), mode=0o755)

    def note(self, row, side, value):
        self.rows.setdefault(row, {name: [] for name in SIDES})[side].append(value)

    @contextmanager
    def joined(self, side, serials=("d1", "d2"), size="100M", clean=True, agents=True):
        """An array on all nodes, which load SIDE's module. With AGENTS each has its mdclusterd,
        else plain mdadm has assembled it."""
        for node in self.cluster.nodes:
            use(node, side)
        self.cluster.blank_disks(*serials)
        array = (ByHand if agents else Plain)(self.cluster, serials=serials, size=size)
        self.array = array
        array.create(self.cluster.nodes[0], extra="--assume-clean" if clean else "")
        first, *others = self.cluster.nodes
        # The first is to be the one that resyncs, if there is something to resync.
        for nodes in [first], others:
            array.start(*nodes)
            for node in nodes:
                write(node)
        try:
            yield array
        finally:
            array.stop()
            self.array = None


class Plain(Array):
    """As ByHand, with the stock tools alone."""

    def __init__(self, cluster, serials, **more):
        super().__init__(cluster, ident="try", serials=serials, **more)

    def start(self, *nodes):
        self.cluster.each(lambda node: node.run(self.assemble(node), timeout=90), nodes or None)

    def stop(self, *nodes):
        """One after the other, and clean: who leaves before its resync has ended hands it to the
        others, and the kernel's own module panics on one that stops while it takes that over."""
        for node in reversed(nodes or self.cluster.nodes):
            write(node)
            node.wait_for(lambda n=node: self.sysfs(n, "resync_start") == "none", 180, "it is clean")
            node.run(f"mdadm --stop {self.device}", timeout=90)

    def assemble(self, node):
        disks = " ".join(node.disk(serial) for serial in self.serials)
        return f"mdadm --assemble {self.device} {disks}"


def write(node):
    """It is auto-read-only until it was written to (md_mod start_ro=1 of Debian)."""
    node.run(f"dd if=/dev/zero of={DEVICE} bs=4k count=1 oflag=direct conv=notrunc", timeout=60)


def timed(node, command, environment=None, good=(0,), timeout=120):
    """Milliseconds of wall time that COMMAND (a list) took in the guest NODE, and its status,
    which must be one of GOOD (None: any)."""
    result = node.run(["python3", TIMER, json.dumps([command, environment or {}])],
                      timeout=timeout)
    code, milliseconds = result.out.split()
    if good is not None and int(code) not in good:
        raise BoxError(f"{' '.join(command)} ended with {code} on {node.name}: "
                       f"{result.err.strip()}")
    return float(milliseconds), int(code)


def _writers(suite):
    """The program that writes, for SUITE's guests; built if need be."""
    root = image.build_root(suite)
    name = store.digest(suite, root.parent.name, HERE / "writers.c")

    def make(work):
        inside = root / "root/bench"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        shutil.copy(HERE / "writers.c", inside)
        log = cache_dir() / f"bench-{suite}.log"
        log.unlink(missing_ok=True)
        if in_root(root, "/root/bench", ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static",
                                         "-pthread", "-o", "writers", "writers.c"], log):
            raise BoxError(f"writers.c does not build for {suite}: {last_words(log)}")
        shutil.copy(inside / "writers", work)

    return store.entry(f"bench-{suite}", name, 5, make) / "writers"
