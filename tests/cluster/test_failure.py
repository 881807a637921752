# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodes that lose their power or their network while the array is written."""
import pytest

from arrays import array, status  # noqa: F401
from mirror import legs_equal, start_writer, stop_writer, wait_clean, wait_recovery, written

# Corosync's token of 5 s and consensus, then the fence request: 20 to 30 s in guests.
FENCED = 120
# Boot, corosync, Pacemaker, DLM and array of one node that joins two busy ones.
REJOINED = 300


def seen(array, by, node):
    """What the status on BY says of NODE."""
    return next(n for n in status(by, array.ident)["nodes"] if n["name"] == node.name)


def gone(array, by, node):
    told = seen(array, by, node)
    module = status(by, array.ident)["module"]
    return ([told[key] for key in ("online", "joined", "slot", "state", "add")]
            == [False, False, None, None, None]
            and node.id not in [member["id"] for member in (module or {}).get("members", [])]
            and by.attribute(f"mdcluster-{array.ident}-slot", node) is None)


def test_power_cut_while_writing(array):
    n1, n2, n3 = array.cluster.nodes
    for node in array.cluster.nodes:
        start_writer(array.device, node)
    n3.power_cut()
    n1.wait_for(lambda: array.cluster.fenced, FENCED, "n3 is fenced")
    assert set(array.cluster.fenced) == {"n3"}
    before = written(n1), written(n2)
    for node, count in zip((n1, n2), before):
        node.wait_for(lambda n=node, c=count: written(n) > c + 3, 60,
                      "its writes go on after the fencing")
    wait_recovery(n1, n3)
    for node in (n1, n2):
        stop_writer(node)
    wait_clean(array.device, (n1, n2))
    legs_equal(array.cluster, *array.serials)

    array.cluster.wait_fenced(n3)
    for node in (n1, n2):
        # The DLM has let go of it, and Pacemaker has wiped what it had said.
        node.wait_for(lambda n=node: gone(array, n, n3), 60, "n3 is gone from its picture")
        node.wait_for("mdclusterctl events --once | grep -q 'node n3 has left'", 60,
                      "and that is told")
    n3.boot()
    n3.wait_for(lambda: array.running(n3), REJOINED, "it runs the array again")
    n3.wait_for(lambda: (status(n3, array.ident) or {}).get("slot"), 60, "it has a slot")
    n1.wait_for(lambda: seen(array, n1, n3)["joined"], 60, "n1 sees it join")
    slots = [status(n, array.ident)["slot"] for n in array.cluster.nodes]
    assert len(set(slots)) == 3, f"each node has a slot of its own: {slots}"


@pytest.mark.full
def test_network_cut_fences_that_node_alone(array):
    n1, n2, n3 = array.cluster.nodes
    start_writer(array.device, n1)
    n2.net_down()
    n1.wait_for(lambda: array.cluster.fenced, FENCED, "n2 is fenced")
    count = written(n1)
    n1.wait_for(lambda: written(n1) > count + 3, 60, "n1's writes go on")
    stop_writer(n1)
    assert set(array.cluster.fenced) == {"n2"}
    wait_recovery(n1, n2)
    wait_clean(array.device, (n1, n3))
    legs_equal(array.cluster, *array.serials)
    array.cluster.wait_fenced(n2)
    n2.boot()
    n2.wait_for(lambda: array.running(n2), REJOINED, "it runs the array again")


def test_path_that_comes_back_is_taken_in_again(array):
    """One node loses its path to a disk, which fails it for all; the disk is back with the path."""
    n1, n2, n3 = array.cluster.nodes
    n2.detach("d2")
    # A read may be served by the other leg; a write goes to both.
    n2.run(f"dd if=/dev/urandom of={array.device} bs=64k count=4 oflag=direct", timeout=60)
    for node in (n1, n3):
        node.wait_for(lambda n=node: "faulty" in array.members(n)["d2"][1], 30, "d2 has failed")
    n2.attach("d2")
    array.wait_in_sync("d2")
    legs_equal(array.cluster, *array.serials)
