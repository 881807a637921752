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


def fail(array, node, leg):
    """NODE fails LEG; returns when md core has let go of it on all nodes."""
    array.manage(node, "fail", leg)
    array.same(**{leg: "faulty"})
    for other in array.running_nodes:
        other.wait_for(lambda n=other: array.members(n)[leg][0] == "none", HEARD,
                       f"the last request on {leg} to end")


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
    before = {node: hand.counters(node) for node in nodes}
    hand.set_state(adder, leg, "re-add")
    hand.wait_in_sync(leg)
    hand.healthy()
    for mib, data in written.items():
        assert read_end(hand, mib, *nodes) == {data}
    for node in nodes:
        after = hand.counters(node)
        counted = {what: after[what, "RE_ADD"] - before[node][what, "RE_ADD"]
                   for what in ("sent", "received")}
        assert counted == {"sent": int(node is adder), "received": int(node is not adder)}, node
    for node in peers:
        assert "which is no faulty member here" not in kernel_log(node)
