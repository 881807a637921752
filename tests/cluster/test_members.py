# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that fail, go and come back, in quick succession or while other nodes come and go: what
the messages of that (METADATA_UPDATED, REMOVE, RE_ADD) find on the nodes that hear them.
"""
import pytest

from byhand import HEARD, LEVELS, beside, kernel_log, read_end, traced, wait_log, write_end
from byhand import hand, leveled  # noqa: F401
from mirror import wait_clean

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


# A node that joins and leaves by mdadm. What has changed meanwhile it may be told by EAGAIN.
COMES_AND_GOES = """for i in $(seq {count}); do
    until said=$(mdadm --assemble {device} --run {disks} 2>&1); do
        case $said in
        *'temporarily unavailable'*) ;;
        *) echo "$said" >&2; exit 1 ;;
        esac
    done
    mdadm --stop {device} || exit 1
done"""
# Twice in each of three steps of a round; and as many rounds as it may take until it hears of all.
TIMES, LEAST, MOST = 2, 3, 10
# Some seconds each in an emulated guest; but mdadm waits 10 s for another one's lock, and a disk
# that is refused takes 10.
PATIENCE = 180


def fail(array, node, leg, *nodes):
    """NODE fails LEG; returns when md core has let go of it on all nodes (or NODES)."""
    array.manage(node, "fail", leg)
    array.same(**{leg: "faulty"})
    for other in nodes or array.running_nodes:
        other.wait_for(lambda n=other: array.members(n).get(leg, ("",))[0] == "none", HEARD,
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


@LEVELS
@pytest.mark.parametrize("who", [
    pytest.param(0, id="n1"), pytest.param(1, id="n2", marks=pytest.mark.full)])
def test_failed_member_is_taken_again(leveled, who):
    """By the word that only sysfs knows, on the node that failed it or on another one: RE_ADD. What
    others wrote meanwhile stands in their bitmaps alone."""
    n1, n2, n3 = nodes = leveled.cluster.nodes
    adder, peers = nodes[who], [node for node in nodes if node is not nodes[who]]
    leg = leveled.legs[0]
    fail(leveled, n1, leg)
    written = {FIRST: write_end(leveled, n2, FIRST), LAST: write_end(leveled, n3, LAST)}
    before = counters(leveled)
    leveled.set_state(adder, leg, "re-add")
    leveled.wait_in_sync(leg)
    leveled.healthy()
    for mib, data in written.items():
        assert read_end(leveled, mib, *nodes) == {data}
    counted(leveled, "RE_ADD", before, [adder])
    for node in peers:
        assert "which is no faulty member here" not in kernel_log(node)


@pytest.mark.full
def test_taken_again_where_it_is_still_in_its_place(hand):
    """A path of n2 hangs as the leg fails there, so that md core does not let go of it, and n2 begins
    a resync. RE_ADD comes in the middle: it is not to be taken for a good leg by that."""
    n1, n2, n3 = hand.cluster.nodes
    leg = hand.legs[1]
    disk = n2.disk(leg)
    hand.stop(n2)
    n2.run(f"modprobe dm-mod; dmsetup create path --table \"0 $(blockdev --getsz {disk}) linear"
           f" {disk} 0\"", timeout=30)
    hand.start(n2)
    # What hangs is to be a write of data alone: the bitmap and the superblock have its mark already.
    n2.run(f"echo 600 > /sys/block/{hand.md(n2)}/md/bitmap/time_base")
    hand.fresh(n2)
    try:
        n2.run("dmsetup suspend --noflush --nolockfs path")
        n2.run(f"(dd if=/dev/urandom of={hand.device} bs=4k count=1 oflag=direct conv=notrunc)"
               " > /dev/null 2>&1 &")
        n2.wait_for("grep -q '^State:.D' /proc/$(pgrep -x dd)/status", HEARD, "its write hangs")
        hand.manage(n1, "fail", leg)
        for node in n1, n3:
            node.wait_for(lambda n=node: hand.members(n).get(leg, ("",))[0] == "none", HEARD,
                          f"the last request on {leg} to end")
        n2.wait_for(f"grep -q faulty /sys/block/{hand.md(n2)}/md/dev-dm-*/state", HEARD,
                    "it has failed there")
        n2.run(f"cd /sys/block/{hand.md(n2)}/md && echo 0-1 > bitmap_set_bits &&"
               " echo resync > sync_action")
        n2.wait_for(lambda: hand.sysfs(n2, "sync_action") == "resync", HEARD, "it resyncs")
        hand.set_state(n1, leg, "re-add")
        wait_log(n2, "is still in its place: the resync here is broken off first")
    finally:
        n2.run("dmsetup resume path")
    for node in n1, n3:
        node.wait_for(lambda n=node: hand.members(n).get(leg, ("", ""))[1] == "in_sync", HEARD * 3,
                      f"{leg} is whole")
    wait_clean(hand.device, hand.cluster.nodes)
    hand.fresh(n2)
    hand.stop(n2)
    n2.run("dmsetup remove --retry path", timeout=60)
    hand.start(n2)
    hand.healthy()


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


@pytest.mark.full
def test_members_change_as_a_node_comes_and_goes(hand):
    """n1 fails a leg, removes it and adds it again, while n3 starts and stops, by mdadm on both. n3
    has no mdclusterd to find a disk, so that it may have an add refused; all else it hears of, or
    finds in the superblocks."""
    n1, n2, n3 = nodes = hand.cluster.nodes
    leg = hand.legs[0]
    comes = COMES_AND_GOES.format(count=TIMES, **hand.words(n3))

    def meanwhile(action, late):
        """ACTION's result, as n3 comes and goes; LATE: it has the array when that begins."""
        with beside() as begin:
            coming = begin(n3.run, comes, timeout=PATIENCE)
            if late:
                n3.wait_for(lambda: coming.done() or hand.joined(n3), HEARD, "it joins", 0.1)
            result = action()
        coming.result()
        return result

    def remove():
        return n1.wait_for(lambda: hand.manage(n1, "remove", leg), HEARD,
                           f"the last request on {leg} to end")

    def heard():
        return {kind for name, text in lines(n3) if name == "mdc_received"
                for kind in ("METADATA_UPDATED", "REMOVE") if f" {kind} " in text}

    hand.stop(n3)
    with traced(n3) as lines:
        for number in range(MOST):
            late = bool(number % 2)
            meanwhile(lambda: hand.manage(n1, "fail", leg), late)
            hand.same(n1, n2, **{leg: "faulty"})
            meanwhile(remove, late)
            hand.same(n1, n2, **{leg: None})
            written = write_end(hand, n2, LAST)
            if meanwhile(lambda: hand.manage(n1, "re-add", leg, check=False), late).rc:
                hand.same(n1, n2, **{leg: None})
                hand.manage(n1, "re-add", leg)
            hand.wait_in_sync(leg, (n1, n2))
            if number + 1 >= LEAST and len(heard()) == 2:
                break
        else:
            pytest.fail(f"in {MOST} rounds n3 has heard of nothing but {heard()}")
    assert kernel_log(n3).count("joined cluster") >= 3 * TIMES * (number + 1)
    hand.start(n3)
    hand.wait_in_sync(leg)
    hand.healthy()
    assert read_end(hand, LAST, *nodes) == {written}


@pytest.mark.full
def test_taken_again_as_a_node_leaves(hand):
    """RE_ADD meets n3's stop: n3 has it or not, and the leg is whole on those that stay."""
    n1, n2, n3 = nodes = hand.cluster.nodes
    leg = hand.legs[0]
    words = hand.words(n3)
    hand.stop(n3)
    for number in range(4):
        n3.run("mdadm --assemble {device} {disks}".format(**words), timeout=60)
        fail(hand, n1, leg, n1, n2)
        written = write_end(hand, n2, LAST)
        with beside() as begin:
            leaving = begin(n3.run, f"mdadm --stop {hand.device}", timeout=90)
            if number % 2:
                # The begin of a program takes longer than a word for sysfs.
                n1.run(f"mdadm --detail {hand.device}")
            hand.set_state(n1, leg, "re-add")
        leaving.result()
        hand.wait_in_sync(leg, (n1, n2))
    hand.start(n3)
    hand.healthy()
    assert read_end(hand, LAST, *nodes) == {written}
