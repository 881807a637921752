# SPDX-License-Identifier: GPL-2.0-or-later
"""Nodes with our module and nodes with the kernel's own share an array: same kernel, same wire.

Each test runs twice: n1 and n3 have the one module and n2 the other, then the other way round.
"""
import time
from contextlib import nullcontext

import pytest

from arrays import status
from box import wait_until
from box.product import product_tarball
from byhand import (FENCED, HEARD, IDENT, QUICK, create_unsynced, silent, the_array, unasked, use,
                    wait_log)
from mirror import start_writer, stop_writer, wait_clean, wait_recovery, written

OTHER = {"ours": "stock", "stock": "ours"}
# How long the kernel's own module waits for an answer: 5000 jiffies, at Debian's HZ=250.
STOCK_NEWDISK = 20
# Between two messages of one node that has several to send there is less.
QUIET = 3


def events(array):
    """How often the superblock was written, as each node has it."""
    return array.cluster.each(
        lambda node: node.out(f"mdadm --detail {array.device} | sed -n 's/.*Events : //p'"))


def loaded(array, node):
    return "ours" if status(node, IDENT)["module"] else "stock"


@pytest.fixture(scope="module", params=["stock", pytest.param("ours", marks=pytest.mark.full)])
def first(request):
    """n1's and n3's module."""
    return request.param


@pytest.fixture
def mixed(request, cluster3, suite, first):
    """The array of two kinds of nodes; made by n1, and left whole by each test."""
    cluster3.product = product_tarball(suite, "ours")

    def make():
        array = create_unsynced(cluster3, cluster3.nodes[0])
        if request.function is not test_created_by_one_joined_by_the_other:
            # The kernel's own module waits for another node's resync in a way that counts as hung.
            array.resync_speed(QUICK)
            wait_clean(array.device, cluster3.nodes)
        return array
    return the_array(cluster3, (first, OTHER[first], first), make)


@pytest.mark.full
def test_created_by_one_joined_by_the_other(mixed, first):
    """And a resync goes from n1, which leaves, to another node."""
    n1, n2, n3 = mixed.cluster.nodes
    assert [loaded(mixed, node) for node in (n1, n2, n3)] == [first, OTHER[first], first]
    mixed.hand_over(n1)
    mixed.start(n1)
    mixed.fresh(n2)
    mixed.healthy()


@pytest.mark.parametrize("who", [0, 1], ids=["n1", "n2"])
def test_add_and_refusal(mixed, who):
    adder, peers = mixed.cluster.nodes[who], [mixed.cluster.nodes[i] for i in (1 - who, 2)]
    spare = mixed.spare
    # From all: the kernel's own module keeps the candidate of an add that another node refused.
    for peer in peers:
        peer.detach(spare)
    assert "No such file" in mixed.add(adder, spare, check=False).err
    for peer in peers:
        peer.attach(spare)
    mixed.same(**{spare: None})
    mixed.add(adder, spare)
    mixed.same(**{spare: True})
    mixed.take_out(peers[0], spare)


@pytest.mark.full
@pytest.mark.parametrize("who", [0, 1], ids=["n1", "n2"])
def test_fail_and_readd(mixed, who):
    node, other = mixed.cluster.nodes[who], mixed.cluster.nodes[1 - who]
    leg = mixed.legs[who]
    mixed.manage(node, "fail", leg)
    mixed.same(**{leg: "faulty"})
    mixed.fresh(other)
    mixed.remove(node, leg)
    if loaded(mixed, node) == "stock":
        # It would recover by its own bitmap alone: what OTHER has written would be lost.
        assert mixed.manage(node, "re-add", leg, check=False).rc != 0
        wait_log(other, "would not copy what was written here")
        # The kernel's own module keeps a candidate that another node refused.
        mixed.stop(mixed.cluster.nodes[2])
        mixed.start(mixed.cluster.nodes[2])
        # Nor takes md core a new leg into an array that was not written to (start_ro=1 of Debian).
        mixed.fresh(mixed.cluster.nodes[2])
        node = other
    mixed.manage(node, "re-add", leg)
    mixed.wait_in_sync(leg)
    mixed.healthy()


@pytest.mark.full
def test_power_cut(mixed, first):
    """n3 dies while all write: its bitmap is taken over by a node with either module."""
    n1, n2, n3 = mixed.cluster.nodes
    for node in mixed.cluster.nodes:
        start_writer(mixed.device, node)
    n3.power_cut()
    n1.wait_for(lambda: mixed.cluster.fenced, FENCED, "n3 is fenced")
    counts = written(n1), written(n2)
    for node, count in zip((n1, n2), counts):
        node.wait_for(lambda n=node, c=count: written(n) > c + 3, 60, "its writes go on")
    for node in (n1, n2):
        wait_recovery(node, n3)
        stop_writer(node)
    wait_clean(mixed.device, (n1, n2))
    mixed.healthy()
    mixed.back(n3)
    assert loaded(mixed, n3) == first
    mixed.healthy()


@pytest.mark.kernel_complains
@pytest.mark.full
def test_silent_peer(mixed, first):
    """n2 says nothing to n1's add. If n2 has ours, it acknowledges; if it has the kernel's, it
    is deaf until it says something itself (PROTOCOL.md): n1 fails its add clearly, and then."""
    n1, n2, n3 = mixed.cluster.nodes
    spare, (leg, _) = mixed.spare, mixed.legs
    if first == "stock":
        n3.detach(spare)    # see above
    # One that has something to say just then, as the end of a resync, waits for n2 for good, with
    # the token that n2 would need to say something (PROTOCOL.md).
    def no_news():
        before = events(mixed)
        time.sleep(QUIET)
        assert events(mixed) == before and len(set(before)) == 1, before
        return True

    wait_until(no_news, HEARD, "no node to have news")
    # With its mdclusterd our n1 would not even ask n2's kernel.
    with silent(n2), unasked(n1) if first == "ours" else nullcontext():
        assert mixed.add(n1, spare, check=False).rc != 0
        if first == "ours":
            wait_log(n1, "gave no answer")
            wait_log(n2, "timeout on a new disk adding", STOCK_NEWDISK + HEARD)
    if first == "stock":
        n3.attach(spare)
    mixed.same(**{spare: None})
    mixed.manage(n2, "fail", leg)
    mixed.same(**{leg: "faulty"})
    # And n2 is heard, and hears, again.
    mixed.remove(n1, leg)
    mixed.add(n3, spare)
    mixed.wait_in_sync(spare)
    mixed.healthy()


@pytest.mark.full
def test_conversion(mixed, first):
    """One node after the other changes its module, while another one writes."""
    nodes = mixed.cluster.nodes
    mixed.fresh(nodes[0])
    for number, node in enumerate(nodes):
        writer = nodes[number - 1]
        start_writer(mixed.device, writer)
        mixed.stop(node)
        use(node, OTHER[first])
        mixed.start(node)
        stop_writer(writer)
        assert loaded(mixed, node) == OTHER[first]
        mixed.fresh(node)
        mixed.same()
    mixed.healthy()
    # Its nodes are not what its name says any more: the next test is to have a new one.
    mixed.cluster.by_hand = None, mixed
