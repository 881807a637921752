# SPDX-License-Identifier: GPL-2.0-or-later
"""An array that grows, in size and in members, is reshaped, has a member replaced, or stops being
clustered and becomes it again, while all nodes have it: they agree on it, and on its data."""
from contextlib import contextmanager

import pytest

from arrays import HEARD, agent
from byhand import ByHand, create, the_array
from mirror import legs_equal, wait_clean

pytestmark = pytest.mark.full

MIB = 1 << 20
# A reshape or a resync of 100 MiB, in emulated guests.
RESHAPED = 240


@contextmanager
def own(cluster, kind=ByHand):
    """An array of a test's own on all nodes, as no other test is to get what becomes of it."""
    if hasattr(cluster, "by_hand"):
        cluster.by_hand[1].stop()
        del cluster.by_hand
    array = the_array(cluster, (None, None, None), lambda: create(cluster, kind))
    yield array
    array.stop(*array.running_nodes)
    del cluster.by_hand


@pytest.fixture
def mine(cluster3):
    with own(cluster3) as array:
        yield array


def grow(array, node, words, check=True):
    return node.run(f"mdadm --grow {array.device} {words}", timeout=120, check=check)


def size(array, node):
    return int(node.out(f"blockdev --getsize64 {array.device}"))


def wait_size(array, mib):
    for node in array.cluster.nodes:
        node.wait_for(lambda n=node: size(array, n) == mib * MIB, HEARD, f"it has {mib} MiB")


def write_end(array, node, mib):
    """Random data into the last 8 of MIB, by NODE; its checksum."""
    node.run(f"dd if=/dev/urandom of=/run/end bs=1M count=8 2> /dev/null; dd if=/run/end"
             f" of={array.device} bs=1M seek={mib - 8} oflag=direct conv=notrunc", timeout=120)
    return node.out("md5sum < /run/end")


def read_end(array, mib, *nodes):
    """The checksums of what NODES read there."""
    return {node.out(f"dd if={array.device} bs=1M skip={mib - 8} count=8 iflag=direct"
                     " 2> /dev/null | md5sum") for node in nodes}


def test_size(mine):
    """By one node and then by another; each can write where there was nothing before."""
    n1, n2, n3 = mine.cluster.nodes
    wait_size(mine, 100)
    for node, writer, mib in (n1, n3, 130), (n2, n1, 160):
        result = grow(mine, node, f"--size={mib}M")
        assert result.rc == 0, result
        wait_size(mine, mib)
        written = write_end(mine, writer, mib)
        assert read_end(mine, mib, n1, n2, n3) == {written}
        wait_clean(mine.device, mine.cluster.nodes)
        assert legs_equal(mine.cluster, *mine.legs) == mib * MIB
    # And it is like that for who joins.
    mine.stop(n3)
    mine.start(n3)
    assert size(mine, n3) == 160 * MIB
    mine.fresh(n3)


def test_size_that_does_not_fit(mine):
    n1, n2, n3 = mine.cluster.nodes
    assert grow(mine, n1, "--size=10G", check=False).rc != 0
    wait_size(mine, 100)
    mine.fresh(n2)
    mine.healthy()


def test_members(mine):
    """A spare becomes a third leg, and a leg is given up again; each by another node."""
    n1, n2, n3 = mine.cluster.nodes
    spare = mine.spare
    mine.add(n1, spare)
    mine.same(**{spare: "none"})
    result = grow(mine, n2, "--raid-devices=3")
    assert result.rc == 0, result
    for node in mine.cluster.nodes:
        node.wait_for(lambda n=node: mine.sysfs(n, "raid_disks") == "3", HEARD, "it has three legs")
    mine.wait_in_sync(spare)
    wait_clean(mine.device, mine.cluster.nodes)
    mine.same(**{spare: True})
    mine.fresh(n3)
    legs_equal(mine.cluster, *mine.POOL)
    mine.take_out(n3, spare)
    result = grow(mine, n3, "--raid-devices=2")
    assert result.rc == 0, result
    for node in mine.cluster.nodes:
        node.wait_for(lambda n=node: mine.sysfs(n, "raid_disks") == "2", HEARD, "it has two legs")
    mine.healthy()
    mine.fresh(n1)


def test_replace(mine):
    """A leg is copied to a spare while it still serves, and then is out."""
    n1, n2, n3 = mine.cluster.nodes
    spare, old = mine.spare, mine.legs[0]
    mine.add(n1, spare)
    mine.same(**{spare: "none"})
    n2.run(f"mdadm --manage {mine.device} --replace {n2.disk(old)} --with {n2.disk(spare)}",
           timeout=90)
    mine.wait_in_sync(spare)
    for node in mine.cluster.nodes:
        node.wait_for(lambda n=node: mine.members(n).get(old, ("", ""))[1].startswith("faulty"),
                      RESHAPED, f"{old} is replaced")
    mine.remove(n3, old)
    mine.same(**{spare: True, old: None})
    mine.fresh(n2)
    mine.healthy()


def test_bitmap_none_and_back(mine):
    """Refused as long as others have the array; then it is one node's, and all nodes' again."""
    n1, n2, n3 = mine.cluster.nodes
    refused = grow(mine, n1, "--bitmap=none", check=False)
    assert refused.rc != 0, refused
    mine.fresh(n2)
    mine.stop(n2, n3)
    result = grow(mine, n1, "--bitmap=none")
    assert result.rc == 0, result
    assert not mine.joined(n1)
    written = write_end(mine, n1, 100)
    result = agent(n2, "start", uuid=mine.uuid, device=mine.device, timeout=150)
    assert result.rc != 0 and "cluster" in result.err, result
    result = grow(mine, n1, f"--bitmap=clustered --nodes={mine.slots}")
    assert result.rc == 0, result
    n1.wait_for(lambda: mine.joined(n1), HEARD, "it has joined")
    mine.start(n2, n3)
    assert read_end(mine, 100, n1, n2, n3) == {written}
    mine.fresh(n3)
    mine.healthy()


class Ten(ByHand):
    """A RAID10 of two disks of four, with two copies."""

    POOL = ("d3", "d4", "d5", "d6")

    def __init__(self, cluster):
        super().__init__(cluster, serials=self.POOL[:2], level="10 --layout=n2 --chunk=64")


@pytest.fixture
def ten(cluster3):
    with own(cluster3, Ten) as array:
        yield array


def test_reshape(ten):
    """A RAID10 of two disks becomes one of four, and twice as large, for all nodes."""
    n1, n2, n3 = ten.cluster.nodes
    read = f"dd if={ten.device} bs=1M count=64 iflag=direct 2> /dev/null | md5sum"
    n1.run(f"dd if=/dev/urandom of={ten.device} bs=1M count=64 oflag=direct", timeout=120)
    pattern = n1.out(read)
    for serial in ten.POOL[2:]:
        ten.add(n1, serial)
    ten.same(**{serial: "none" for serial in ten.POOL[2:]})
    result = grow(ten, n1, "--raid-devices=4")
    assert result.rc == 0, result
    for node in ten.cluster.nodes:
        node.wait_for(lambda n=node: size(ten, n) == 200 * MIB, RESHAPED, "it is twice as large")
    wait_clean(ten.device, ten.cluster.nodes)
    assert {node.out(read) for node in ten.cluster.nodes} == {pattern}
    written = write_end(ten, n2, 200)
    assert read_end(ten, 200, *ten.cluster.nodes) == {written}
    ten.same(**{serial: True for serial in ten.POOL})
