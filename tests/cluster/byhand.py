# SPDX-License-Identifier: GPL-2.0-or-later
"""An array that tests join and leave by hand: the agent's start and stop without Pacemaker, which
runs nothing but fencing and the DLM meanwhile. So each node has its mdclusterd, a stop takes
seconds, and nothing is started again behind a test's back.
"""
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from arrays import HEARD, Array, agent, status, wait_connected
from box import BoxError, slower, wait_until
from box.complaints import KERNEL_MARK
from mirror import legs_equal, sync_speed, wait_clean

# The name that arrays.agent() gives every array.
IDENT = "try"
# Corosync's token of 5 s and consensus, then the fence request: 20 to 30 s in guests.
FENCED = 120
# Of the module's parameters, in seconds.
NEWDISK_TIMEOUT, LEAVE_TIMEOUT = 5, 10
TRACING = "/sys/kernel/tracing"
# KiB/s of a resync: slow takes 100 s for the 100 MiB of a test's array; and the kernel's default.
SLOW, QUICK = int(1000 / slower(1)), 200000
# A node that joins and leaves by mdadm alone; its words are ByHand.words().
JOINS = """for i in $(seq {count}); do
    mdadm --assemble {device} {disks} && mdadm --stop {device} || exit 1
done"""


class ByHand(Array):
    """A mirror on two of three disks."""

    POOL = ("d4", "d5", "d6")

    def __init__(self, cluster, serials=POOL[1:], **more):
        super().__init__(cluster, ident=IDENT, serials=serials, **more)

    # Life

    def start(self, *nodes):
        def one(node):
            result = agent(node, "start", uuid=self.uuid, device=self.device, readd="false",
                           timeout=150)
            assert result.rc == 0, result

        self.cluster.each(one, nodes or None)

    def stop(self, *nodes):
        def one(node):
            result = agent(node, "stop", uuid=self.uuid, device=self.device, timeout=90)
            assert result.rc == 0, result

        self.cluster.each(one, nodes or None)

    def back(self, *nodes):
        """Power on NODES that were fenced, and have them join."""
        for node in nodes:
            self.cluster.wait_fenced(node)
        self.cluster.each(lambda node: node.boot(), nodes)
        self.cluster.wait_online()
        self.cluster.wait_dlm()
        self.start(*nodes)

    # Members

    @property
    def legs(self):
        return sorted(serial for serial, role in self.view(self.running_nodes[0]).items()
                      if role.isdigit())

    @property
    def spare(self):
        """The disk of the pool that is not in the array."""
        (serial,) = set(self.POOL) - set(self.members(self.running_nodes[0]))
        return serial

    def manage(self, node, action, serial, check=True):
        return node.run(f"mdadm --manage {self.device} --{action} {node.disk(serial)}",
                        timeout=90, check=check)

    def add(self, node, serial, check=True):
        node.run(f"wipefs -aq {node.disk(serial)}")
        return self.manage(node, "add", serial, check)

    def remove(self, node, serial):
        """From NODE; a member that has just failed is busy till its last request has ended."""
        node.wait_for(lambda: self.manage(node, "remove", serial), HEARD,
                      f"{serial} can be removed")
        self.same(**{serial: None})

    def set_state(self, node, serial, word):
        """For md core alone: mdadm does more around it, and some of it not at all."""
        node.run(f"echo {word} > /sys/block/{self.md(node)}/md/"
                 f"dev-$(basename {node.disk(serial)})/state", timeout=90)

    def take_out(self, node, serial):
        self.manage(node, "fail", serial)
        self.remove(node, serial)

    def words(self, node):
        """What mdadm --assemble is to be told on NODE."""
        return {"device": self.device, "disks": " ".join(node.disk(leg) for leg in self.legs)}

    # Data

    def fresh(self, writer):
        """What WRITER writes is what each node reads, from whichever leg."""
        written = writer.out(
            "dd if=/dev/urandom of=/run/pattern bs=64k count=8 2> /dev/null &&"
            f" dd if=/run/pattern of={self.device} bs=64k oflag=direct conv=notrunc"
            " 2> /dev/null && md5sum < /run/pattern")
        # Read balancing chooses a leg for each request: so several times.
        read = (f"for i in 1 2 3 4 5 6; do dd if={self.device} bs=64k count=8 iflag=direct"
                " 2> /dev/null | md5sum; done | sort -u")
        for node in self.running_nodes:
            assert node.out(read) == written, f"{node.name} reads something stale"

    def healthy(self):
        """Wait until the mirror is whole; then all agree on it, and its legs are equal."""
        wait_clean(self.device, self.running_nodes)
        self.same()
        for node in self.running_nodes:
            node.wait_for("! grep PENDING /proc/mdstat", HEARD, "it heard that all is in sync")
        legs_equal(self.cluster, *self.legs)

    def hand_over(self, leaver, leave=None):
        """LEAVER resyncs, and leaves in the middle (stops, or LEAVE does it): another node ends
        it."""
        others = [node for node in self.running_nodes if node is not leaver]
        legs = self.legs
        leaver.wait_for(lambda: self.sysfs(leaver, "sync_action") == "resync", HEARD,
                        "it resyncs")
        (leave or self.stop)(leaver)
        wait_until(lambda: any(self.sysfs(node, "sync_action") == "resync" for node in others),
                   60, "another node to go on with the resync")
        self.resync_speed(QUICK)
        wait_clean(self.device, others)
        legs_equal(self.cluster, *legs)

    def resync_speed(self, limit):
        self.cluster.each(lambda node: sync_speed(node, limit))

    # What is under way

    def bitmap_chunk(self):
        """How much of it a chunk of their bitmap stands for on the nodes that have it, in KiB."""
        look = "sed -n 's|.*bitmap: .* \\([0-9]*\\)KB chunk.*|\\1|p' /proc/mdstat"
        return set(self.cluster.each(lambda node: node.out(look))) - {""}

    def module(self, node):
        """What mdclusterctl says of the module's side."""
        return status(node, IDENT)["module"]

    def slot(self, node):
        """Its slot, from 1."""
        return next(member["slot"] for member in self.module(node)["members"]
                    if member["id"] == node.id)

    def counters(self, node):
        """{(name, kind): value}"""
        found = {}
        for name, value in self.module(node)["counters"].items():
            for kind, number in (value.items() if isinstance(value, dict) else [("", value)]):
                found[name, kind] = number
        return found


def write_end(array, node, mib):
    """Random data into the last 8 of MIB, by NODE; its checksum."""
    node.run(f"dd if=/dev/urandom of=/run/end bs=1M count=8 2> /dev/null; dd if=/run/end"
             f" of={array.device} bs=1M seek={mib - 8} oflag=direct conv=notrunc", timeout=120)
    return node.out("md5sum < /run/end")


def read_end(array, mib, *nodes):
    """The checksums of what NODES read there."""
    return {node.out(f"dd if={array.device} bs=1M skip={mib - 8} count=8 iflag=direct"
                     " 2> /dev/null | md5sum") for node in nodes}


def wait_asked(array, node, lock, mode):
    """Wait until somebody asks for LOCK of ARRAY in MODE, and waits, as NODE's DLM knows it."""
    # Columns of the DLM's table: state (2: granted), mode, wanted mode; the name is last.
    node.wait_for("awk '$8 != 2 && $10 == %d && $NF == \"\\\"%s\\\"\"'"
                  " /sys/kernel/debug/dlm/%s_locks | grep -q ." % (mode, lock, array.lockspace),
                  HEARD, f"{lock} is asked for", interval=0.1)


def create_unsynced(cluster, first, level="1"):
    """A new array whose legs differ: FIRST has created it and resyncs, slowly; all have joined."""
    cluster.blank_disks(*ByHand.POOL)
    array = ByHand(cluster, level=level)
    for serial in array.serials:
        first.run(f"dd if=/dev/urandom of={first.disk(serial)} bs=1M seek=8 count=8 oflag=direct")
    array.resync_speed(SLOW)
    array.create(first, extra="")
    for nodes in [first], [node for node in cluster.nodes if node is not first]:
        array.start(*nodes)
        for node in nodes:
            # An array that was not written yet does not resync (md_mod start_ro=1 of Debian).
            node.run(f"dd if=/dev/urandom of={array.device} bs=4k count=1 seek={node.id}"
                     " oflag=direct conv=notrunc", timeout=60)
    return array


def kernel_log(node):
    """Its kernel's log since the test began."""
    return node.run("dmesg", timeout=30).out.rpartition(KERNEL_MARK)[2]


def wait_log(node, pattern, timeout=HEARD):
    node.wait_for(lambda: re.search(pattern, kernel_log(node)), timeout,
                  f"its kernel to log '{pattern}'")


@contextmanager
def traced(*nodes):
    """Meanwhile the module's trace points are on; yields what gives a node's: [(name, text)]."""
    def lines(node):
        return re.findall(r": (mdc_\w+): (.*)$", node.out(f"cat {TRACING}/trace"), re.M)

    for node in nodes:
        node.run(f"mountpoint -q {TRACING} || mount -t tracefs none {TRACING}; cd {TRACING} &&"
                 " echo > trace && echo 1 > events/mdcluster/enable && echo 1 > tracing_on")
    try:
        yield lines
    finally:
        for node in nodes:
            node.run(f"echo 0 > {TRACING}/events/mdcluster/enable", check=False)


@contextmanager
def beside():
    """Yields what starts an action in the background, and gives its future; at the end it is
    waited for."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit


def _undo(node, command):
    """Unless NODE's power is cut, before or meanwhile: then there is nothing to undo."""
    try:
        if node.running:
            node.run(command)
    except BoxError:
        if node.running:
            raise


@contextmanager
def silent(node):
    """NODE's mdclusterd answers nobody. Its socket stays, and the kernel goes on asking it."""
    node.run("pkill -STOP -x mdclusterd")
    try:
        yield
    finally:
        _undo(node, "pkill -CONT -x mdclusterd")


@contextmanager
def unasked(node):
    """NODE has no mdclusterd, so that an add there asks the other nodes' kernels at once. For an
    array by hand: Pacemaker's next monitor would start another one."""
    node.run("while pkill -9 -x mdclusterd; do sleep 0.1; done", timeout=30)
    try:
        yield
    finally:
        if node.running:
            node.run("mdclusterd", timeout=60)
            node.wait_for(lambda: status(node, IDENT), HEARD, "mdclusterd has adopted the array")
            wait_connected(node)


@contextmanager
def parameter(node, name, value):
    """A parameter of NODE's module is VALUE meanwhile; lost with the node's power anyway."""
    path = f"/sys/module/md_cluster/parameters/{name}"
    before = node.out(f"cat {path}")
    node.run(f"echo {value} > {path}")
    try:
        yield
    finally:
        _undo(node, f"echo {before} > {path}")


@contextmanager
def votes(node, count):
    """NODE has COUNT votes in the quorum meanwhile."""
    node.run(f"corosync-quorumtool -n {node.id} -v {count}")
    try:
        yield
    finally:
        if node.running:
            node.run(f"corosync-quorumtool -n {node.id} -v 1")
            # What was expected in between stays the highest, which those that come back are told.
            node.run(f"corosync-quorumtool -e {len(node.cluster.nodes)}")


def use(node, module):
    """Have NODE, which is in no array, load MODULE from now on ("ours", "stock"; None: what the
    cluster has)."""
    node.module = module
    node.cluster.install_product(node)


def the_array(cluster, modules, make):
    """The one array by hand that runs on CLUSTER, its nodes having MODULES. If there is none for
    them, the others, also Pacemaker's, are taken away, and MAKE() gives it."""
    if getattr(cluster, "by_hand", (None, None))[0] == modules:
        return cluster.by_hand[1]
    if hasattr(cluster, "raid"):
        cluster.raid.remove()
        del cluster.raid
    if hasattr(cluster, "by_hand"):
        cluster.by_hand[1].stop()
        del cluster.by_hand
    for node, module in zip(cluster.nodes, modules):
        use(node, module)
    cluster.by_hand = modules, make()
    return cluster.by_hand[1]


def create(cluster, kind=ByHand, **more):
    """A new array on all nodes."""
    cluster.blank_disks(*kind.POOL)
    array = kind(cluster, **more)
    array.create(cluster.nodes[0])
    array.start()
    array.fresh(cluster.nodes[0])
    return array


@pytest.fixture
def hand(cluster3):
    """An array on all three nodes; each test leaves it whole, on two disks of its pool."""
    return the_array(cluster3, (None, None, None), lambda: create(cluster3))


# A RAID10 of two disks, each of which has a copy of all, is to the tests what a mirror is.
LEVELS = pytest.mark.parametrize("level", ["1", pytest.param("10", marks=pytest.mark.full)])


def keep(array):
    """As the array by hand; one of another level than 1 for this test alone."""
    array.cluster.by_hand = (None,) * 3 if array.level == "1" else None, array


@pytest.fixture
def leveled(cluster3, level):
    """The array by hand, or if LEVEL is not 1 a new one."""
    if level == "1":
        return the_array(cluster3, (None, None, None), lambda: create(cluster3))
    if hasattr(cluster3, "by_hand"):
        cluster3.by_hand = None, cluster3.by_hand[1]
    array = the_array(cluster3, (None, None, None), lambda: create(cluster3, level=level))
    keep(array)
    return array


def timed(action, *args, **more):
    begin = time.monotonic()
    result = action(*args, **more)
    return time.monotonic() - begin, result
