# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that fail, go and come back, in quick succession or while other nodes come and go: what
the messages of that (METADATA_UPDATED, REMOVE, RE_ADD) find on the nodes that hear them.
"""
import pytest

from byhand import HEARD, kernel_log, read_end, write_end
from byhand import hand  # noqa: F401

# Where in the array, in MiB, what one node writes ends, and what another one does: each has one of
# the two chunks of the bitmap to itself.
FIRST, LAST = 24, 100
# Each of three nodes adds for each of them, and one more.
ROUNDS = 10

# A leg is busy until its last request has ended.
FAIL_AND_REMOVE = """mdadm --manage {device} --fail {disk} --remove {disk} && exit
tries=0
until mdadm --manage {device} --remove {disk}; do
    tries=$((tries + 1)); [ $tries -lt 50 ] || exit 1; sleep 0.2
done"""


def fail(array, node, leg):
    """NODE fails LEG; returns when md core has let go of it on all nodes."""
    array.manage(node, "fail", leg)
    array.same(**{leg: "faulty"})
    for other in array.running_nodes:
        other.wait_for(lambda n=other: array.members(n)[leg][0] == "none", HEARD,
                       f"the last request on {leg} to end")


def counters(array):
    return {node: array.counters(node) for node in array.cluster.nodes}


def counted(array, kind, before, senders):
    """Since BEFORE each of SENDERS, in which a node may be more than once, has sent a message of
    KIND, and all others have received it."""
    for node, after in counters(array).items():
        grown = {what: after[what, kind] - before[node][what, kind]
                 for what in ("sent", "received")}
        own = senders.count(node)
        assert grown == {"sent": own, "received": len(senders) - own}, f"{node.name}: {grown}"


@pytest.mark.parametrize("who", [
    pytest.param(0, id="n1"), pytest.param(1, id="n2", marks=pytest.mark.full)])
def test_failed_member_is_taken_again(hand, who):
    """By the word that only sysfs knows, on the node that failed it or on another one: RE_ADD. What
    others wrote meanwhile stands in their bitmaps alone."""
    nodes = hand.cluster.nodes
    n1, n2, n3 = nodes
    adder, peers = nodes[who], [node for node in nodes if node is not nodes[who]]
    leg = hand.legs[0]
    fail(hand, n1, leg)
    written = {FIRST: write_end(hand, n2, FIRST), LAST: write_end(hand, n3, LAST)}
    before = counters(hand)
    hand.set_state(adder, leg, "re-add")
    hand.wait_in_sync(leg)
    hand.healthy()
    for mib, data in written.items():
        assert read_end(hand, mib, *nodes) == {data}
    counted(hand, "RE_ADD", before, [adder])
    for node in peers:
        assert "which is no faulty member here" not in kernel_log(node)


@pytest.mark.full
@pytest.mark.parametrize("what", ["spare", "leg"])
def test_removed_as_soon_as_it_failed(hand, what):
    """By one command, so that REMOVE finds the others at work on the failure, or where it was a leg
    on the disk in its place. No node keeps it, whoever has added it and whoever removes it."""
    nodes = hand.cluster.nodes
    before = counters(hand)
    removers = []
    for number in range(ROUNDS):
        adder, remover = nodes[number % 3], nodes[number // 3 % 3]
        third = hand.spare
        target = third if what == "spare" else hand.legs[number % 2]
        hand.add(adder, third)
        hand.same(**{third: "none"})
        remover.run(FAIL_AND_REMOVE.format(device=hand.device, disk=remover.disk(target)),
                    timeout=90)
        removers.append(remover)
        hand.same(**{target: None})
        if what == "leg":
            hand.wait_in_sync(third)
            hand.same(**{third: True})
    counted(hand, "REMOVE", before, removers)
    hand.fresh(nodes[0])
    hand.healthy()
