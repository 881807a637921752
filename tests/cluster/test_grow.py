# SPDX-License-Identifier: GPL-2.0-or-later
"""An array that grows, in size and in members, is reshaped, has a member replaced, or stops being
clustered and becomes it again, while all nodes have it: they agree on it, and on its data."""
import struct
from contextlib import contextmanager

import pytest

from arrays import HEARD, agent
from byhand import QUICK, SLOW, ByHand, create, read_end, the_array, wait_log, write_end
from mirror import legs_equal, sync_speed, wait_clean

pytestmark = pytest.mark.full

MIB = 1 << 20
# A reshape or a resync of 100 MiB, in emulated guests.
RESHAPED = 240
# All of the array, written before a reshape.
DATA_MB = 100


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


class Fine(ByHand):
    """The sector of a bitmap has room for 2048 chunks, which are 128 MiB."""

    def create(self, node, extra="--assume-clean --bitmap-chunk=64K"):
        super().create(node, extra)


@pytest.fixture
def fine(cluster3):
    with own(cluster3, Fine) as array:
        yield array


def bitmaps(array, serial):
    """(bytes of a chunk, sectors of the array) of each slot's bitmap on the disk itself."""
    found = []
    with open(array.cluster.disk_file(serial), "rb") as disk:
        # Superblock 1.2, in which the bitmaps' offset is that many bytes behind its begin.
        disk.seek(4096 + 96)
        begin = 4096 + int.from_bytes(disk.read(4), "little") * 512
        for slot in range(array.slots):
            disk.seek(begin + slot * 4096)
            magic, sectors, chunk = struct.unpack("<4s36xQ4xI", disk.read(56))
            assert magic == b"bitm", f"slot {slot} has no bitmap"
            found.append((chunk, sectors))
    return found


def test_size_that_doubles_chunks(fine):
    """There is no room for more bits, so each stands for more; in the bitmaps of slots without a
    node as well, which each node reads as it starts and recovers."""
    n1, n2, n3 = fine.cluster.nodes
    assert fine.bitmap_chunk() == {"64"}
    fine.stop(n3)
    n1.wait_for(lambda: not fine.module(n1)["to_recover"], HEARD, "n3's bitmap is looked at")
    result = grow(fine, n1, "--size=130M")
    assert result.rc == 0, result
    for serial in fine.legs:
        assert bitmaps(fine, serial) == [(128 << 10, 130 << 11)] * fine.slots
    fine.start(n3)
    for again in False, True:
        if again:
            fine.stop()
            fine.start()
        assert fine.bitmap_chunk() == {"128"}
        leg = fine.legs[1]
        fine.manage(n1, "fail", leg)
        fine.same(**{leg: "faulty"})
        written = write_end(fine, n2, 130)
        fine.fresh(n1)
        fine.remove(n2, leg)
        fine.manage(n1, "re-add", leg)
        fine.wait_in_sync(leg)
        fine.healthy()
        assert read_end(fine, 130, *fine.running_nodes) == {written}
    for serial in fine.legs:
        assert bitmaps(fine, serial) == [(128 << 10, 130 << 11)] * fine.slots


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


def read_start(ten, node):
    return node.out(f"dd if={ten.device} bs=1M count={DATA_MB} iflag=direct 2> /dev/null | md5sum")


def begin_reshape(ten):
    """n1, alone, makes four disks of two, and has data to move; the data's checksum."""
    n1, n2, n3 = ten.cluster.nodes
    n1.run(f"dd if=/dev/urandom of={ten.device} bs=1M count={DATA_MB} oflag=direct", timeout=120)
    pattern = read_start(ten, n1)
    for serial in ten.POOL[2:]:
        ten.add(n1, serial)
    ten.same(**{serial: "none" for serial in ten.POOL[2:]})
    ten.stop(n2, n3)
    result = grow(ten, n1, "--raid-devices=4")
    assert result.rc == 0, result
    return pattern


def end_reshape(ten, pattern, writer):
    """It is twice as large on all nodes, with the same data, and WRITER writes to what is new."""
    nodes = ten.running_nodes
    for node in nodes:
        node.wait_for(lambda n=node: size(ten, n) == 200 * MIB, RESHAPED, "it is twice as large")
    wait_clean(ten.device, nodes)
    assert {read_start(ten, node) for node in nodes} == {pattern}
    written = write_end(ten, writer, 200)
    assert read_end(ten, 200, *nodes) == {written}
    ten.same(**{serial: True for serial in ten.POOL})


def test_reshape(ten):
    """A RAID10 of two disks becomes one of four, and twice as large: refused as long as others have
    it, and no other node joins before it is over."""
    n1, n2, n3 = ten.cluster.nodes
    for serial in ten.POOL[2:]:
        ten.add(n1, serial)
    refused = grow(ten, n1, "--raid-devices=4", check=False)
    assert refused.rc != 0, refused
    wait_log(n1, "an array that other nodes have is not reshaped")
    wait_size(ten, 100)
    ten.fresh(n2)
    for serial in ten.POOL[2:]:
        ten.remove(n1, serial)
    sync_speed(n1, SLOW)
    pattern = begin_reshape(ten)
    refused = agent(n2, "start", uuid=ten.uuid, device=ten.device, timeout=150)
    assert refused.rc != 0, refused
    wait_log(n2, "the array is being reshaped: start it on the other nodes when that is over")
    assert ten.sysfs(n1, "sync_action") == "reshape"
    sync_speed(n1, QUICK)
    n1.wait_for(lambda: size(ten, n1) == 200 * MIB, RESHAPED, "it is twice as large")
    ten.start(n2, n3)
    end_reshape(ten, pattern, n3)


def test_reshape_goes_on_elsewhere(ten):
    """The node that reshapes, alone, dies in the middle of it: the next one ends it."""
    n1, n2, n3 = ten.cluster.nodes
    sync_speed(n1, SLOW)
    pattern = begin_reshape(ten)
    n1.wait_for(lambda: ten.sysfs(n1, "reshape_position").strip("0").isdigit(), RESHAPED,
                "the reshape to have moved something")
    assert ten.sysfs(n1, "sync_action") == "reshape"
    n1.power_cut()
    ten.cluster.wait_fenced(n1)
    ten.start(n2)
    n2.wait_for(lambda: size(ten, n2) == 200 * MIB, RESHAPED, "it is twice as large")
    ten.start(n3)
    end_reshape(ten, pattern, n3)
    ten.back(n1)
    end_reshape(ten, pattern, n1)
