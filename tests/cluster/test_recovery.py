# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that comes into a mirror gets all that it lacks: what other nodes wrote while it was away,
and what nobody has written for long, also if another node ends its recovery."""
import pytest

from box import wait_until
from byhand import FENCED, HEARD, LEVELS, QUICK, SLOW, ByHand, create, keep
from byhand import hand, leveled  # noqa: F401
from mirror import data_offset, legs_equal, start_writer, stop_writer, wait_clean, written

ARRAY_MB = 100
# KiB/s, so that 200 MiB take 40 s; and what at least lies between the looks, of which each takes one.
PACE = 5000
MOVED_KIB = 100 * 1024


def create_full(cluster, level):
    """A new array on all nodes: no block of it is as on a new disk, and no bitmap asks for one."""
    n1 = cluster.nodes[0]
    cluster.blank_disks(*ByHand.POOL)
    array = ByHand(cluster, level=level)
    array.create(n1, extra="--assume-clean --bitmap-chunk=1M")
    for serial in array.serials:
        offset = data_offset(n1, serial)
        with open(cluster.disk_file(serial), "r+b") as leg:
            leg.seek(offset)
            for mib in range(ARRAY_MB):
                leg.write(bytes([1 + mib]) * (1 << 20))
    array.start()
    return array


def at_work(hand, *nodes):
    """The one of NODES that recovers, when it has done some of it; the others wait for their turn."""
    return next((node for node in nodes or hand.running_nodes if recovered_kib(hand, node)), None)


def recovered_kib(hand, node):
    """Of each disk; 0: it does not recover one, or has only begun."""
    done = hand.sysfs(node, "sync_completed").split()[0]
    return int(done) // 2 if done.isdigit() else 0


@LEVELS
def test_readd_of_a_removed_member(leveled):
    """What n2 wrote meanwhile stands in n2's bitmap alone, and n1 adds the member again."""
    n1, n2, n3 = leveled.cluster.nodes
    leg = leveled.legs[0]
    leveled.manage(n3, "fail", leg)
    leveled.same(**{leg: "faulty"})
    leveled.fresh(n2)
    leveled.remove(n1, leg)
    leveled.manage(n1, "re-add", leg)
    leveled.wait_in_sync(leg)
    leveled.healthy()


@LEVELS
@pytest.mark.parametrize("how", ["power cut", pytest.param("stop", marks=pytest.mark.full)])
def test_recovery_of_a_new_disk_is_taken_over(hand, how, level):
    """The node at it goes in the middle; the disk was never part of the mirror."""
    n1 = hand.cluster.nodes[0]
    hand.stop()
    hand = create_full(hand.cluster, level)
    keep(hand)
    (leg, kept), spare = hand.legs, hand.spare
    hand.take_out(n1, leg)
    hand.resync_speed(SLOW)
    hand.add(n1, spare)
    worker = wait_until(lambda: at_work(hand), HEARD, "a node to recover the new disk")
    if how == "stop":
        hand.stop(worker)
    else:
        worker.power_cut()
        next(iter(hand.running_nodes)).wait_for(lambda: hand.cluster.fenced, FENCED,
                                                f"{worker.name} is fenced")
    others = [node for node in hand.running_nodes if node is not worker]
    hand.resync_speed(QUICK)
    wait_clean(hand.device, others)
    assert hand.view(others[0])[spare].isdigit()
    legs_equal(hand.cluster, spare, kept)
    if how == "stop":
        hand.start(worker)
    else:
        hand.back(worker)
    hand.healthy()


@pytest.mark.full
@pytest.mark.parametrize("level", ["1", "10"])
def test_what_is_recovered_is_suspended(hand, level):
    """Elsewhere, up to the end: md core alone says one and the same range of a RAID10 for good."""
    n1, n2, _ = hand.cluster.nodes
    hand.stop()
    hand.cluster.blank_disks(*ByHand.POOL)
    array = ByHand(hand.cluster, level=level, size="200M")
    keep(array)
    array.create(n1)
    array.start()
    array.fresh(n2)
    leg, spare = array.legs[0], array.spare
    array.take_out(n1, leg)
    array.resync_speed(SLOW)
    array.add(n1, spare)
    worker = wait_until(lambda: at_work(array), HEARD, "a node to recover the new disk")
    others = [node for node in hand.cluster.nodes if node is not worker]
    array.resync_speed(PACE)
    seen = set()
    while at_work(array) is worker:
        # Its range only moves on, and this one is asked first.
        done = recovered_kib(array, worker)
        for node in others:
            suspended = array.module(node)["suspended"]
            if not done or not suspended:
                continue
            assert suspended["to_kib"] > done, f"{node.name}: {suspended}, recovered up to {done}"
            seen.add(done)
    assert max(seen) - min(seen) > MOVED_KIB, f"too little of the recovery was seen: {seen}"
    array.resync_speed(QUICK)
    wait_clean(array.device, hand.cluster.nodes)
    legs_equal(hand.cluster, *array.legs)
    # The next test is to have one of the usual size.
    hand.cluster.by_hand = None, array


@pytest.mark.full
def test_added_while_another_node_resyncs_and_writes(hand):
    """n2 cannot take the disk in before its resync ends. Then n1 recovers it at once, and n2 writes
    nothing until it has it too; md core waits with that for all writes that have begun."""
    n1, n2, n3 = hand.cluster.nodes
    hand.stop()
    hand.cluster.blank_disks(*ByHand.POOL)
    array = ByHand(hand.cluster, serials=ByHand.POOL)
    hand.cluster.by_hand = None, array
    array.create(n1)
    array.start()
    array.fresh(n2)
    disk = array.legs[2]
    array.take_out(n1, disk)
    array.resync_speed(SLOW)
    # Two chunks of the bitmap cover the array.
    n2.run(f"cd /sys/block/{array.md(n2)}/md &&"
           " echo 0-1 > bitmap_set_bits && echo resync > sync_action")
    for other in (n1, n3):
        other.wait_for(lambda n=other: array.module(n)["suspended"], HEARD,
                       "it has heard of the resync")
    start_writer(array.device, n2)
    array.add(n1, disk)
    assert array.sysfs(n2, "sync_action") == "resync"
    array.resync_speed(QUICK)
    n1.wait_for(lambda: array.sysfs(n1, "degraded") == "0", HEARD * 2, "the disk to be recovered")
    count = written(n2)
    n2.wait_for(lambda: written(n2) > count + 3, HEARD, "its writes to go on")
    stop_writer(n2)
    wait_clean(array.device, hand.cluster.nodes)
    array.same()
    legs_equal(hand.cluster, *array.legs)


def content(hand, serial):
    """Which MiB of a disk are not as create_full() made them, but for the first, which was
    written since."""
    offset = data_offset(hand.running_nodes[0], serial)
    with open(hand.cluster.disk_file(serial), "rb") as leg:
        leg.seek(offset + (1 << 20))
        return [mib for mib in range(1, ARRAY_MB)
                if leg.read(1 << 20) != bytes([1 + mib]) * (1 << 20)]


@pytest.mark.full
@LEVELS
def test_recovery_goes_on_where_a_node_has_joined(hand, level):
    """n3 joins in the middle of the recovery of the first leg, and thinks that all may differ. When
    it is the only one left it goes on with that; nothing of the new disk comes onto the good leg."""
    n1, n2, n3 = hand.cluster.nodes
    hand.stop()
    hand = create_full(hand.cluster, level)
    keep(hand)
    (leg, kept), spare = hand.legs, hand.spare
    hand.fresh(n1)
    hand.stop(n3)
    hand.manage(n1, "fail", leg)
    n1.wait_for(lambda: hand.manage(n1, "remove", leg), HEARD, f"{leg} can be removed")
    hand.resync_speed(SLOW)
    hand.add(n1, spare)
    worker = wait_until(lambda: at_work(hand, n1, n2), HEARD, "a node to recover the new disk")
    hand.start(n3)
    # As its first write would: it may resync from now on.
    n3.run(f"dd if=/dev/zero of={hand.device} bs=4k count=1 oflag=direct conv=notrunc", timeout=60)
    hand.stop(n2 if worker is n1 else n1)
    hand.stop(worker)
    hand.resync_speed(QUICK)
    wait_clean(hand.device, [n3])
    assert hand.view(n3)[spare].isdigit()
    assert not content(hand, kept)
    wait_until(lambda: legs_equal(hand.cluster, spare, kept), HEARD, "the legs to be equal")
    hand.start(n1, n2)
    hand.healthy()


@pytest.mark.full
@LEVELS
def test_all_lose_power(hand, level):
    """What n2 was writing may differ on the legs, though the superblock says that all is in sync.
    It is resynced when the nodes are back, whoever has n2's slot."""
    cluster = hand.cluster
    n2 = cluster.nodes[1]
    hand.stop()
    array = create(cluster, level=level)
    keep(array)
    start_writer(array.device, n2)
    n2.wait_for(lambda: written(n2) > 20, HEARD, "it has written some more")
    offset = data_offset(n2, array.serials[1])
    for node in cluster.nodes:
        node.power_cut()
    # As one of its last writes may have come onto one leg alone.
    with open(cluster.disk_file(array.serials[1]), "r+b") as leg:
        leg.seek(offset + (30 << 20))
        leg.write(b"half a write" * 1000)
    cluster.each(lambda node: node.boot(), cluster.nodes)
    cluster.wait_online()
    cluster.wait_dlm()
    array.start()
    wait_until(lambda: legs_equal(cluster, *array.serials), HEARD, "the legs to be equal")
    array.healthy()
