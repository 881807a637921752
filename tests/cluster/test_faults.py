# SPDX-License-Identifier: GPL-2.0-or-later
"""A walk over the module's fault points: a node dies, is late, or keeps its answer to itself, at
each step of a message, an add, a resync, its hand-over and a leave. After each the same must hold.

Which points there are is read from the module's sources, and each must stand in WALK.
"""
import re
from contextlib import contextmanager

import pytest

import wire
from arrays import SETTLED, Array, status, wait_connected
from box import BoxError, wait_until
from box.base import SOURCE
from box.product import product_tarball
from byhand import (FENCED, HEARD, IDENT, QUICK, SLOW, beside, create, kernel_log, parameter,
                    the_array, votes, wait_asked, wait_log)
from mirror import data_offset, legs_equal, sync_speed, wait_clean

INITIATOR, PEER = "initiator", "peer"

# At which side of a deed a point lies, and the deeds by which it is reached here.
WALK = {
    "send.3": (INITIATOR, "add", "fail"),
    "send.4": (INITIATOR, "add", "fail", "remove"),
    "send.7": (INITIATOR, "add", "fail", "remove"),
    "receive.5": (PEER, "add", "fail"),
    "receive.6": (PEER, "add", "fail"),
    "add.2": (INITIATOR, "add"),
    "add.6": (INITIATOR, "add"),
    "add.7": (PEER, "add"),
    "add.9": (PEER, "add"),
    "add.10": (INITIATOR, "add"),
    "add.11": (INITIATOR, "add"),
    "add.11.peer": (PEER, "add", "refused"),
    "resync.1": (INITIATOR, "begin"),
    "resync.2": (INITIATOR, "begin", "recover"),
    "resync.2.peer": (PEER, "begin", "recover"),
    "resync.3": (INITIATOR, "resync"),
    "resync.3.peer": (PEER, "resync"),
    "resync.4": (INITIATOR, "resync"),
    "leave.1": (INITIATOR, "leave"),
    "leave.1.peer": (PEER, "leave"),
    "recover.2": (PEER, "leave"),
}

FAULT = "/sys/module/md_cluster/parameters/fault"
# Longer than a new disk's 5 s, so that an add is refused by who is late.
LATE_MS = 8000
# For some commands in emulated guests, in which the next point is armed.
HELD_MS = 30000
# A message, the delay, and what the command before it costs in an emulated guest.
REACHED = 60
# Where in a leg the two are made to differ; each window of a resync (32 MiB) has one.
DIFFER_MB = (1, 40, 70, 99)

# Writes go to each block of the array: who waits for a range waits here.
WHOLE = """head -c 1M /dev/urandom > /run/mib
for i in $(seq {count}); do cat /run/mib; done |
dd of={device} bs=1M count={count} iflag=fullblock oflag=direct conv=notrunc"""
ARRAY_MB = 100
# It takes some seconds when nothing holds it.
WRITTEN = 90


def points():
    """{name of a point: whether something can be dropped there}, as the sources have it."""
    found = {}
    for path in sorted((SOURCE / "module").glob("*.c")):
        for line in path.read_text().splitlines():
            for name in re.findall(r'mdc_fault\("([^"]+)"\)', line):
                assert name not in found, f"two fault points are called {name}"
                found[name] = not re.match(r'\s*mdc_fault\("', line)
    return found


def walk():
    cases = []
    for point, droppable in points().items():
        side, *deeds = WALK.get(point, (None,))
        for deed in deeds:
            for action in ("crash", "delay", "drop")[:3 if droppable else 2]:
                case = (point, action, deed)
                cases.append(pytest.param(*case, side, id="-".join(case)))
    return cases


@contextmanager
def armed(node, point, action):
    """Meanwhile POINT does ACTION on NODE, once; at the end NODE has come to it, or comes yet."""
    node.run(f"echo {point} {action} {LATE_MS} > {FAULT}")
    yield
    if action == "crash":
        wait_until(lambda: not node.running, REACHED, f"{node.name} to die at {point}")
    else:
        node.wait_for(f"! grep -q . {FAULT}", REACHED, f"it comes to {point}")


# Deeds: what is done before a point is armed, and what then brings nodes to it.


def nothing(array, node):
    """What needs no preparation, or comes by itself after it."""


def add(array, node):
    return array.add(node, array.spare, check=False)


def have_refuser(array, node):
    """A third node keeps its answer to the next add to itself: another has the disk in vain."""
    array.cluster.nodes[0].run(f"echo add.9 drop > {FAULT}")


def fail(array, node):
    return array.manage(node, "fail", array.legs[0], check=False)


def have_spare(array, node):
    """A third disk, on all nodes."""
    spare = array.spare
    array.add(node, spare)
    array.same(**{spare: "none"})


def remove(array, node):
    (spare,) = set(array.POOL) - set(array.legs)
    return array.manage(node, "remove", spare, check=False)


def make_differ(array, serial):
    """Behind the back of all nodes: to be made good by a resync of it all."""
    offset = data_offset(array.running_nodes[0], serial)
    with open(array.cluster.disk_file(serial), "r+b") as leg:
        for at in DIFFER_MB:
            leg.seek(offset + (at << 20))
            leg.write(b"not what the other leg has" * 100)


def differ(array, node):
    make_differ(array, array.legs[1])


def begin_resync(array, node):
    """NODE is to resync all of it."""
    # Two chunks of the bitmap cover the array.
    return node.run(f"cd /sys/block/{array.md(node)}/md &&"
                    " echo 0-1 > bitmap_set_bits && echo resync > sync_action")


def resync(array, node):
    """NODE resyncs all of it, slowly, and the others know."""
    sync_speed(node, SLOW)
    differ(array, node)
    begin_resync(array, node)
    node.wait_for(lambda: array.sysfs(node, "sync_action") == "resync", HEARD, "it resyncs")
    for other in array.running_nodes:
        if other is not node:
            other.wait_for(lambda n=other: array.module(n)["suspended"], HEARD,
                           "it has heard of the resync")


def hurry(array, node):
    sync_speed(node, QUICK)


def recover(array, node):
    """A leg fails, and the third disk is to take its place. All nodes try to recover it; the one
    that may is returned, and is held up before it tells of it."""
    have_spare(array, node)
    nodes = array.running_nodes
    for one in nodes:
        one.run(f"echo resync.1 delay {HELD_MS} > {FAULT}")
    array.manage(node, "fail", array.legs[0])
    first = wait_until(lambda: next((one for one in nodes if not one.out(f"cat {FAULT}")), None),
                       HEARD, "a node to begin the recovery")
    for one in nodes:
        if one is not first:
            one.run(f"echo > {FAULT}")
    return first


def leave(array, node):
    """In the middle of its resync, which another one ends."""
    array.stop(node)
    sync_speed(node, QUICK)


def come_back(array, node):
    """When the others are done with what it left: a busy disk may look like one that hangs."""
    for other in array.running_nodes:
        if other is not node:
            other.wait_for(lambda n=other: not array.module(n)["to_recover"]
                           and not array.module(n)["suspended"]
                           and array.sysfs(n, "sync_action") == "idle", SETTLED,
                           "what it left to be taken over")
    array.start(node)


# A preparation may return who plays the initiator's part from then on.
DEEDS = {"add": (nothing, add), "refused": (have_refuser, add), "fail": (nothing, fail),
         "remove": (have_spare, remove), "begin": (differ, begin_resync),
         "recover": (recover, nothing), "resync": (resync, hurry), "leave": (resync, leave)}


# The verdict.


def agree(array):
    """All have the same members, and these the same data."""
    array.wait_settled()
    array.same()
    if len(array.legs) == 2:
        wait_clean(array.device, array.running_nodes)
        # A resync that is due may just be about to begin.
        wait_until(lambda: legs_equal(array.cluster, *array.legs), HEARD, "the legs to be equal")


def outside(array):
    """The disks of its pool that are not in it."""
    return sorted(set(array.POOL) - set(array.members(array.running_nodes[0])))


def mend(array, node):
    """NODE makes a whole mirror of what is left: two legs, perhaps a spare."""
    for serial, role in array.same().items():
        if role == "faulty":
            array.remove(node, serial)
    if len(outside(array)) > 1:
        array.add(node, outside(array)[0])
    array.healthy()


def turn(array, adder, failer, remover, leg=False):
    """Each command by another node; the third disk is out afterwards, or a leg that it replaces."""
    (third,) = set(array.POOL) - set(array.legs)
    if third in outside(array):
        array.add(adder, third)
    array.same(**{third: "none"})
    out = array.legs[0] if leg else third
    array.manage(failer, "fail", out)
    array.same(**{out: "faulty"})
    array.remove(remover, out)
    if leg:
        array.healthy()
        array.same(**{third: True})


def write_all(array, *nodes):
    """One after the other: what two write at once may end up as either's, on each leg."""
    for node in nodes:
        node.run(WHOLE.format(count=ARRAY_MB, device=array.device), timeout=WRITTEN)


def verdict(array, first=None, turns=1):
    """All who are on agree, and do what there is to do, FIRST before others; with three turns
    each of three has added, failed and removed a disk."""
    live = array.running_nodes
    live.sort(key=lambda node: node is not first)
    agree(array)
    mend(array, live[-1])
    for number in range(turns):
        adder, failer, remover = (live[(number + k) % len(live)] for k in range(3))
        turn(array, adder, failer, remover, leg=number == 0)
    write_all(array, *live)
    array.fresh(live[0])
    agree(array)


@pytest.fixture
def faulty(cluster3, suite):
    """An array by hand, on nodes whose module has fault points; left whole, on two disks."""
    cluster3.product = product_tarball(suite, "ours")
    array = the_array(cluster3, ("faults",) * 3, lambda: create(cluster3))
    yield array
    for node in array.running_nodes:
        node.run(f"echo > {FAULT}")


def test_every_point_is_walked():
    assert set(points()) == set(WALK), "module/ and WALK have different fault points"


def check_end(result, point, action, deed, side):
    """Of the deed's command, when everybody lives. Who is late makes an add fail, but when the
    disk is in already, and so does who keeps its answer to itself; all else waits for them."""
    in_doubt = action == "drop" or point == "send.3" or side == PEER and point != "add.11.peer"
    refused = deed == "refused" or deed == "add" and in_doubt
    assert result is None or bool(result.rc) == refused, result


def run_into(array, point, action, deed, initiator, side):
    """The deed, with the node at SIDE of it at POINT doing ACTION: that node, and the deed's
    result, None if its own node has died."""
    before, act = DEEDS[deed]
    initiator = before(array, initiator) or initiator
    peer = next(node for node in reversed(array.running_nodes) if node is not initiator)
    victim = initiator if side == INITIATOR else peer
    with beside() as begin:
        with armed(victim, point, action):
            doing = begin(act, array, initiator)
    died = action == "crash" and victim is initiator
    try:
        result = doing.result()
    except BoxError:
        assert died
        result = None
    if action == "crash":
        wait_until(lambda: victim.name in array.cluster.fenced, FENCED, f"{victim.name} is fenced")
    return victim, result


def tells_of_begin(node):
    """Since Linux 6.11 a resync is told of before its first range."""
    version = re.match(r"(\d+)\.(\d+)", node.out("uname -r"))
    return tuple(map(int, version.groups())) >= (6, 11)


@pytest.mark.full
@pytest.mark.parametrize("point, action, deed, side", walk())
def test_walk(faulty, point, action, deed, side):
    initiator = faulty.cluster.nodes[1]
    if point == "resync.2.peer" and not tells_of_begin(initiator):
        pytest.skip("this kernel has no RESYNCING_START")
    victim, result = run_into(faulty, point, action, deed, initiator, side)
    if action != "crash":
        check_end(result, point, action, deed, side)
    if deed == "leave" and initiator.running:
        come_back(faulty, initiator)
    if action == "crash":
        verdict(faulty)
        if (point, deed) == ("send.7", "remove"):
            # All have read it, but none of them can know that.
            assert any("its REMOVE may not have reached all" in kernel_log(node)
                       for node in faulty.running_nodes)
        faulty.back(victim)
    verdict(faulty, victim, 3 if action == "crash" else 1)
    assert set(faulty.cluster.fenced) == ({victim.name} if action == "crash" else set())


# The cluster has said yes, and something else goes wrong before the disk is in.


def begin_add(array, node):
    # As from a terminal, whatever the guest's agent does with signals.
    serial = array.spare
    node.run(f"wipefs -aq {node.disk(serial)}")
    return node.run(f"env --default-signal=INT mdadm --manage {array.device} --add"
                    f" {node.disk(serial)}", timeout=90, check=False)


def no_daemon(node):
    node.run("while pkill -9 -x mdclusterd; do sleep 0.1; done", timeout=30)


def killed(program, signal="KILL"):
    return lambda node: node.run(f"pkill -{signal} -x {program}")


# Who it happens to, what, and whether the disk is in then: at add.6, when no peer's kernel has been
# asked, and at add.10, when all have answered. None: either; and all nodes say the same.
MISHAPS = {
    "initiator's mdclusterd": (INITIATOR, no_daemon, True, True),
    "peer's mdclusterd": (PEER, no_daemon, False, True),
    "initiator's attrd": (INITIATOR, killed("pacemaker-attrd"), True, True),
    "peer's attrd": (PEER, killed("pacemaker-attrd"), True, True),
    "initiator's CIB": (INITIATOR, killed("pacemaker-based"), None, None),
    "peer's CIB": (PEER, killed("pacemaker-based"), None, None),
    "initiator's cable": (INITIATOR, lambda node: node.net_down(), None, None),
    "peer's cable": (PEER, lambda node: node.net_down(), None, None),
    "Ctrl-C": (INITIATOR, killed("mdadm", "INT"), None, None),
}


def get_over(array, victim, what):
    """VICTIM has its daemons again, or is fenced and back; all but it agree before."""
    witness = next(node for node in array.cluster.nodes if node is not victim and node.running)
    if "cable" in what:
        witness.wait_for(lambda: not victim.running, FENCED, f"{victim.name} is fenced")
    elif "mdclusterd" in what:
        victim.run("mdclusterd", timeout=60)
    elif "CIB" in what:
        witness.wait_for(lambda: not victim.running or
                         victim.run("cibadmin -Q > /dev/null", check=False).ok, FENCED,
                         f"{victim.name} has its daemon again, or is fenced")
        array.cluster.wait_idle()
    if not victim.running:
        verdict(array)
        array.back(victim)
    for node in array.cluster.nodes:
        node.wait_for(lambda n=node: status(n, IDENT), HEARD, "its mdclusterd has the array")
        wait_connected(node)


@pytest.mark.full
@pytest.mark.parametrize("what", MISHAPS)
@pytest.mark.parametrize("point", ["add.6", "add.10"])
def test_mishap_after_the_verdict(faulty, point, what):
    _, initiator, peer = faulty.cluster.nodes
    side, happens, at_6, at_10 = MISHAPS[what]
    victim = initiator if side == INITIATOR else peer
    with beside() as begin:
        with armed(initiator, point, "delay"):
            adding = begin(begin_add, faulty, initiator)
        happens(victim)
        try:
            result = adding.result()
        except BoxError:
            # Its node was fenced, and took mdadm along.
            assert victim is initiator
            wait_until(lambda: not victim.running, FENCED, f"{victim.name} is fenced")
            result = None
    added = at_6 if point == "add.6" else at_10
    assert added is None or (result is not None and (result.rc == 0) == added), result
    get_over(faulty, victim, what)
    verdict(faulty, victim)
    assert set(faulty.cluster.fenced) <= {victim.name}


@pytest.mark.full
def test_two_deaths(faulty):
    """One node dies as it adds a disk that all have found, then one as it resyncs; the third goes
    on alone, and ends the resync."""
    n1, n2, n3 = faulty.cluster.nodes
    with votes(n1, 3):
        run_into(faulty, "add.10", "crash", "add", n2, INITIATOR)
        verdict(faulty)
        run_into(faulty, "resync.3", "crash", "resync", n3, INITIATOR)
        verdict(faulty)
        faulty.back(n2, n3)
    verdict(faulty, n2, 3)


class Short(Array):
    """With a stop that is given up soon, as nothing in it takes long; and nothing is added again
    by itself."""

    def crm_text(self):
        device = f'device="{self.device}"'
        return super().crm_text().replace("stop timeout=240s", "stop timeout=40s").replace(
            device, f"{device} readd=false")


@pytest.mark.full
def test_held_receiver_is_fenced(faulty):
    """A node that never ends a message fails its own monitor; Pacemaker cannot stop the array
    there and fences it, and then the others, who have waited, go on."""
    cluster = faulty.cluster
    n1, n2, n3 = cluster.nodes
    faulty.stop()
    del cluster.by_hand
    array = Short(cluster, ident="held", serials=("d1", "d2"))
    cluster.blank_disks(*array.serials)
    array.create(n1)
    array.configure(n1)
    array.wait_running()
    write = f"dd if=/dev/urandom of={array.device} bs=64k count=16 oflag=direct conv=notrunc"
    n1.run(write)
    with parameter(n3, "stuck_after", 5000):
        # Longer than all that follows.
        n3.run(f"echo receive.5 delay 600000 > {FAULT}")
        n1.run(f"mdadm {array.device} --fail {n1.disk('d2')}", timeout=60)
        wait_log(n3, "fault point receive.5")
        # Due after 5 s, and there is a monitor every 10 s.
        n1.wait_for(lambda: re.search(r"held \S+ monitor on n3 returned 'Error", n1.crm_mon()),
                    90, "its monitor fails")
        wait_asked(array, n1, "ack", wire.EX)
        assert not cluster.fenced
        n1.wait_for(lambda: cluster.fenced, FENCED + 60, "n3 is fenced")
    assert set(cluster.fenced) == {"n3"}
    for node in (n1, n2):
        node.wait_for(lambda n=node: "faulty" in array.members(n)["d2"][1], HEARD,
                      "it knows that d2 has failed")
    # Which takes the channel, as soon as the DLM has seen to n3's end.
    n2.wait_for(lambda: n2.run(f"mdadm --manage {array.device} --remove {n2.disk('d2')}",
                               timeout=FENCED), FENCED, "d2 goes")
    n1.run(write)
    n2.run("wipefs -aq {0} && mdadm --manage {1} --add {0}".format(n2.disk("d2"), array.device),
           timeout=90)
    cluster.wait_fenced(n3)
    n3.boot()
    # Boot, corosync, Pacemaker, DLM and array of one node that joins two busy ones.
    n3.wait_for(lambda: array.running(n3), 300, "it runs the array again")
    array.wait_in_sync("d2")
    legs_equal(cluster, *array.serials)
    array.remove()
