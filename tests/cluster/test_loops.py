# SPDX-License-Identifier: GPL-2.0-or-later
"""Joins, leaves, adds and removes, over and over: nothing is lost, nothing grows, and what one
node has sent the others have received."""
import pytest

from arrays import agent
from box import say, wait_until
from byhand import HEARD, JOINS
from byhand import hand  # noqa: F401

pytestmark = pytest.mark.full

ADDS = """for i in $(seq {count}); do
    wipefs -aq {disk} && mdadm --manage {device} --add {disk} &&
    mdadm --manage {device} --fail {disk} || exit 1
    tries=0
    until mdadm --manage {device} --remove {disk}; do
        tries=$((tries + 1)); [ $tries -lt 50 ] || exit 1; sleep 0.2
    done
done"""
# Two seconds each in an emulated guest, an add with its removal eight; for a busy machine.
PATIENCE_S = 20

# What may be more after the second half of the rounds than after the first, in kB. A whole join
# that is not given back is 6 kB or more in each of 50; what else a node does (Pacemaker's
# monitors, the DLM's own cluster traffic) has been seen to move the kernel's memory by 140.
SLAB_KB = 300
# glibc takes memory from the kernel in steps of 132 kB: two of them. mdclusterd also fills its
# history of 200 lines.
ANON_KB = 264
ALLOWED = {"slab_kb": SLAB_KB, "daemon_kb": ANON_KB, "helpers_kb": ANON_KB}

# The kernel's own memory without what it could give back; the array's locks here, its threads, the
# module's users; memory and open files of mdclusterd and its helpers: their own memory, as what they
# have of libqb's rings, which corosync and Pacemaker share with them, grows until the ring is full.
FIGURES = """sync; echo 3 > /proc/sys/vm/drop_caches
echo slab_kb $(awk '/^SUnreclaim/ {{ print $2 }}' /proc/meminfo)
echo lockspaces $(ls /sys/kernel/dlm | wc -l)
echo locks $(cat /sys/kernel/debug/dlm/{lockspace}_locks 2> /dev/null | wc -l)
echo threads $(ps -eo comm | grep -c _mdc_)
echo users $(cat /sys/module/md_cluster/refcnt)
main=$(pgrep -o -x mdclusterd)
pids=$(pgrep -x 'mdclusterd|mdcluster-cib')
anon() {{
    for pid; do cat /proc/$pid/status; done | awk '/^RssAnon/ {{ n += $2 }} END {{ print n + 0 }}'
}}
echo daemon_kb $(anon $main)
echo helpers_kb $(($(anon $pids) - $(anon $main)))
echo files $(for pid in $pids; do ls /proc/$pid/fd; done | wc -l)
echo processes $(echo $pids | wc -w)"""


def figures(array, node):
    lines = node.out(FIGURES.format(lockspace=array.lockspace)).splitlines()
    return {name: int(value) for name, value in map(str.split, lines)}


def all_figures(array):
    return array.cluster.each(lambda node: figures(array, node))


def no_growth(array, before):
    """Compared with what all_figures() gave BEFORE."""
    def look():
        for node, old, new in zip(array.cluster.nodes, before, all_figures(array)):
            grown = {name: new[name] - old[name] for name in old}
            bad = [name for name, by in grown.items()
                   if (by > ALLOWED[name] if name in ALLOWED else by)]
            assert not bad, f"{node.name}: {', '.join(bad)}: {old}, now {new}"
            told[node.name] = grown
        return True

    told = {}
    # What the kernel frees after a while (RCU, workqueues, a monitor that is at work) is free.
    wait_until(look, HEARD, "all to be as before", interval=3)
    say(f"grown by {told}")


def sent_and_received(array, nodes):
    return [array.counters(node) for node in nodes]


def add_up(before, after, others=False):
    """Each message that one node has sent was received by all others. If OTHERS have sent as
    well, who are not among them, all have received as much from those."""
    def by(number, name, kind):
        return after[number][name, kind] - before[number][name, kind]

    for name, kind in after[0]:
        if name != "sent":
            continue
        sent = [by(number, "sent", kind) for number in range(len(after))]
        rest = [by(number, "received", kind) - (sum(sent) - sent[number])
                for number in range(len(after))]
        assert len(set(rest)) == 1, f"{kind}: {sent} sent, {rest} more received than sent"
        assert rest[0] >= 0 if others else rest[0] == 0, f"{kind}: {sent} sent, {rest} more came"
    for name in ("dropped", "lost"):
        for key in after[0]:
            if key[0] == name:
                assert all(new[key] == old[key] for old, new in zip(before, after)), key


def test_a_hundred_joins(hand):
    """Of n3, by mdadm; n1 and n2 stay."""
    n1, n2, n3 = hand.cluster.nodes
    hand.stop(n3)
    words = hand.words(n3)

    def joins(count):
        n3.run(JOINS.format(count=count, **words), timeout=PATIENCE_S * count)

    joins(50)
    before, counters = all_figures(hand), sent_and_received(hand, (n1, n2))
    joins(50)
    no_growth(hand, before)
    add_up(counters, sent_and_received(hand, (n1, n2)), others=True)
    hand.start(n3)
    hand.healthy()


def test_joins_by_the_agent(hand):
    """mdclusterd and the array come and go with it."""
    n3 = hand.cluster.nodes[2]

    def joins(count):
        for _ in range(count):
            hand.stop(n3)
            hand.start(n3)

    joins(3)
    before = all_figures(hand)[:2]
    joins(7)
    no_growth(hand, before)
    hand.healthy()


def test_fifty_adds(hand):
    n1 = hand.cluster.nodes[0]

    def adds(count):
        n1.run(ADDS.format(count=count, device=hand.device, disk=n1.disk(hand.spare)),
               timeout=PATIENCE_S * count)
        hand.same()

    # To ask for the whole CIB a second time can cost mdcluster-cib 1.5 MB of heap, once.
    n1.run("crm_attribute --type crm_config --name mdcluster-test --update 1 &&"
           " crm_attribute --type crm_config --name mdcluster-test --delete")
    adds(25)
    before, counters = all_figures(hand), sent_and_received(hand, hand.cluster.nodes)
    adds(25)
    no_growth(hand, before)
    after = sent_and_received(hand, hand.cluster.nodes)
    add_up(counters, after)
    assert after[0]["sent", "NEWDISK"] - counters[0]["sent", "NEWDISK"] == 25
    hand.healthy()


def test_nothing_is_left_at_the_end(hand):
    """After the last leave nobody uses the module, and it goes; the next start loads it."""
    def gone(node):
        assert not hand.joined(node)
        assert node.out("cat /sys/module/md_cluster/refcnt") == "0"
        assert node.out("ps -eo comm | grep -c _mdc_; true") == "0"
        assert node.out(f"ls /sys/kernel/debug/dlm | grep -c {hand.lockspace}; true") == "0"
        return True

    hand.stop()
    for node in hand.cluster.nodes:
        node.wait_for(lambda n=node: gone(n), HEARD, "nothing is left")
        node.run("rmmod md_cluster && ! grep -q ^md_cluster /proc/modules")
        assert agent(node, "monitor", uuid=hand.uuid, device=hand.device).rc == 7
    hand.start()
    hand.fresh(hand.cluster.nodes[2])
    hand.healthy()
