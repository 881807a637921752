# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel module where the kernel's own fails: silent peers, bad messages, deaf nodes, nodes
that die in the middle of something, joins and leaves that cannot be. All nodes have ours.
"""
import re
from contextlib import contextmanager

import pytest

import wire
from arrays import Array, agent, reason
from box import BoxError, slower, wait_until
from byhand import hand  # noqa: F401
from byhand import (FENCED, HEARD, JOINS, LEAVE_TIMEOUT, LEVELS, NEWDISK_TIMEOUT, QUICK,
                    beside, create_unsynced, keep, kernel_log, parameter, silent, timed, traced,
                    unasked, votes, wait_asked, wait_log)
from mirror import (legs_equal, start_writer, stop_writer, sync_speed, wait_clean, wait_recovery,
                    written)

PARAMETERS = {"newdisk_timeout": 5000, "verdict_timeout": 4000, "join_timeout": 60000,
              "leave_timeout": 10000, "stuck_after": 60000}
# In sectors: 4800 chunks of 64 MiB, where there is room for the bits of 2048.
LARGER = 300 << 21
NO_NODE = 3             # slot of a fourth node: the array has room for it, and it is not there


@pytest.mark.full
def test_ours_is_loaded(hand):
    for node in hand.cluster.nodes:
        assert "/updates/" in node.out("modinfo -n md-cluster")
        assert "O" in node.out("cat /sys/module/md_cluster/taint"), "not the kernel's own"
        assert hand.module(node)["name"] == "mdcluster" and hand.module(node)["attached"]
    n1 = hand.cluster.nodes[0]
    told = dict(re.findall(r"^parm: +(\w+):(.+)$", n1.out("modinfo md-cluster"), re.M))
    assert set(told) == set(PARAMETERS) and all(text.startswith("ms ") for text in told.values())
    for name, value in PARAMETERS.items():
        path = f"/sys/module/md_cluster/parameters/{name}"
        assert n1.out(f"cat {path}") == str(value)
        for bad in ("0", "99", "600001", "-1", "soon"):
            assert n1.run(f"echo {bad} > {path}", check=False).rc, f"{name} took {bad}"
        assert n1.out(f"cat {path}") == str(value)


@pytest.mark.full
def test_trace_points(hand):
    """An add and a remove, as the node that does it and one of its peers show it."""
    n1, n2, n3 = hand.cluster.nodes
    with traced(n1, n2) as lines:
        hand.add(n1, hand.spare)
        hand.remove(n1, next(serial for serial in hand.POOL if serial not in hand.legs))
        ours, theirs = lines(n1), lines(n2)
    md, slot = hand.md(n1), hand.slot(n1) - 1
    steps = [re.match(rf"{md} step=(\d+) device=\d+ result=(\d+)$", text).groups()
             for name, text in ours if name == "mdc_add"]
    assert steps == [("2", "0"), ("5", "1"), ("10", "0")]
    steps = [re.match(r"md\d+ step=(\d+) device=\d+ result=(\d+)$", text).groups()
             for name, text in theirs if name == "mdc_add"]
    # The last one is its settling.
    assert steps == [("7", "0"), ("9", "0"), ("11", "0")]
    for what in "NEWDISK", "REMOVE":
        sent = [text for name, text in ours if name == "mdc_sent" and f" {what} " in text]
        received = [text for name, text in theirs
                    if name == "mdc_received" and f" {what} " in text]
        assert len(sent) == len(received) == 1
        assert f" from={slot} " in sent[0] and f" from={slot} " in received[0]
        assert sent[0].endswith(" result=0") and received[0].endswith(" result=0")
    assert any(re.match(r"token 0->5 ms=\d+ result=0$", text)
               for name, text in ours if name == "mdc_lock_wait")


# Adding a disk


def test_silent_peer(hand):
    """What splits the mirror on the kernel's own module: BASELINE's sequence, step by step."""
    n1, n2, n3 = hand.cluster.nodes
    spare, (first, second) = hand.spare, hand.legs
    # What mdadm does by itself, and what a command costs in an emulated guest.
    own = hand.add(n1, spare).seconds
    hand.take_out(n1, spare)
    with silent(n2):
        # With its mdclusterd n1 would not even ask n2's kernel.
        with unasked(n1):
            result = hand.add(n1, spare, check=False)
        assert result.rc != 0
        assert result.seconds < own + NEWDISK_TIMEOUT + slower(1), \
            "the module's promise, beside mdadm's"
        hand.same(**{spare: None, first: True, second: True})
        hand.manage(n1, "fail", first)
        hand.same(**{first: "faulty"})
        hand.remove(n1, first)
    hand.add(n1, spare)
    hand.same(**{spare: True})
    hand.fresh(n1)
    hand.wait_in_sync(spare)
    hand.healthy()
    hand.stop()
    hand.start()
    hand.same(**{first: None, second: True, spare: True})
    hand.healthy()


@pytest.mark.full
@pytest.mark.parametrize("why", ["missing", "late"])
def test_refused_add_leaves_nothing(hand, why):
    """When the kernels are asked; test_decide.py has what the nodes refuse before."""
    n1, n2, n3 = hand.cluster.nodes
    spare = hand.spare
    refused = hand.counters(n1)["adds_refused", ""]
    if why == "missing":
        n2.detach(spare)
        with unasked(n1):
            result = hand.add(n1, spare, check=False)
        n2.attach(spare)
        assert "No such file" in result.err
    else:
        with silent(n2):
            with unasked(n1):
                assert hand.add(n1, spare, check=False).rc != 0
            # md core tells nobody what the module thinks of a "missing".
            n2.run(f"mdadm --manage {hand.device} --cluster-confirm 2:missing")
            wait_log(n2, "an answer for a new disk comes when nobody waits for it")
    hand.same(**{spare: None})
    assert hand.counters(n1)["adds_refused", ""] == refused + 1
    # The very next commands, each from another node.
    hand.add(n2, spare)
    hand.same(**{spare: True})
    hand.manage(n3, "fail", spare)
    hand.remove(n1, spare)


@pytest.mark.full
def test_initiator_dies_when_all_have_confirmed(hand):
    n1, n2, n3 = hand.cluster.nodes
    spare = hand.spare

    def settling(node):
        return (hand.module(node)["add"] or {}).get("step") == "settling"

    # A deaf ear on n3 keeps n1 waiting when both peers have answered; long enough to be seen.
    with parameter(n1, "newdisk_timeout", 300000), beside() as begin:
        with wire.held(hand, n3, "ack", wire.CR):
            adding = begin(hand.add, n1, spare)
            for peer in (n2, n3):
                peer.wait_for(lambda n=peer: settling(n) and spare in hand.members(n), HEARD,
                              "it has said found, and has the candidate")
            n1.power_cut()
        with pytest.raises(BoxError):
            adding.result()
    hand.cluster.wait_fenced(n1)
    hand.same(n2, n3, **{spare: None})
    for peer in (n2, n3):
        assert hand.counters(peer)["candidates_dropped", ""] >= 1
    hand.add(n2, spare)
    hand.same(n2, n3, **{spare: True})
    hand.back(n1)
    hand.same(**{spare: True})
    hand.take_out(n1, spare)
    hand.healthy()


# Messages


BAD = {
    "type": [wire.message(9, NO_NODE), wire.message(2**32 - 1, NO_NODE)],
    "slot": [wire.message(wire.CHANGE_CAPACITY, 4), wire.message(wire.RESYNCING, 2**32 - 1)],
    "device": [wire.message(wire.METADATA_UPDATED, NO_NODE, device=2**32 - 1),
               wire.message(wire.REMOVE, NO_NODE, device=2**31)],
    "range": [wire.message(wire.RESYNCING, NO_NODE, low=8, high=4),
              wire.message(wire.RESYNCING, NO_NODE, low=2**63, high=2**64 - 1),
              wire.message(wire.RESYNCING, NO_NODE, low=8, high=0),
              wire.message(wire.BITMAP_RESIZE, NO_NODE, high=0)],
    "uuid": [wire.message(wire.NEWDISK, NO_NODE, device=2)] * 2,
}


def test_bad_messages(hand):
    """Acknowledged, counted each, logged once a kind; and the array goes on."""
    n1, n2, n3 = hand.cluster.nodes
    spare = hand.spare
    before = {node: hand.counters(node) for node in hand.cluster.nodes}
    for messages in BAD.values():
        for data in messages:
            wire.send(hand, n1, data)
    # From one's own slot: for the others it is one that says nothing new.
    wire.send(hand, n1, wire.message(wire.CHANGE_CAPACITY, hand.slot(n2) - 1))
    for node in hand.cluster.nodes:
        after = hand.counters(node)
        expected = {**{kind: len(messages) for kind, messages in BAD.items()},
                    "own": int(node is n2)}
        assert expected == {kind: after["dropped", kind] - before[node]["dropped", kind]
                            for kind in expected}
        assert kernel_log(node).count("a message is dropped") == len(BAD) + (node is n2)
    hand.add(n3, spare)
    hand.take_out(n2, spare)
    hand.healthy()


def resize_bitmaps(array, sectors, chunk):
    """All have bitmaps for SECTORS when the message is acknowledged. There is no more room for them
    than before, so that a chunk is CHUNK KiB by then; it does not become less again."""
    before = {node: array.counters(node) for node in array.cluster.nodes}
    wire.send(array, array.cluster.nodes[0],
              wire.message(wire.BITMAP_RESIZE, NO_NODE, high=sectors))
    for node in array.cluster.nodes:
        assert array.counters(node)["received", "BITMAP_RESIZE"] \
            == before[node]["received", "BITMAP_RESIZE"] + 1
        log = kernel_log(node)
        assert "the bitmap cannot be resized" not in log and "a message is dropped" not in log
    assert array.bitmap_chunk() == {str(chunk)}


@pytest.fixture
def resized(hand):
    """What the bitmaps have become for a larger array is gone when that is started anew."""
    assert hand.bitmap_chunk() == {"65536"}
    yield hand
    if len(hand.running_nodes) == len(hand.cluster.nodes):
        hand.stop()
        hand.start()


@pytest.mark.full
def test_bitmaps_are_resized(resized):
    """As a node with the kernel's module has it before a reshape, and where one of the bitmaps could
    not follow, back to the array's own size; the array is as it was."""
    n1, n2, n3 = resized.cluster.nodes
    resize_bitmaps(resized, LARGER, 262144)
    resized.fresh(n2)
    spare = resized.spare
    resized.add(n3, spare)
    resized.take_out(n1, spare)
    resize_bitmaps(resized, int(n1.out(f"blockdev --getsz {resized.device}")), 262144)
    resized.fresh(n2)
    resized.healthy()


@pytest.mark.full
def test_messages_meet_a_node_that_comes_and_goes(hand):
    """Messages for an array that is starting, that is stopping, and that has no such member."""
    n1, _, n3 = hand.cluster.nodes
    messages = [wire.message(kind, NO_NODE, device=device) for kind, device in
                ((wire.METADATA_UPDATED, 0), (wire.REMOVE, 7), (wire.RE_ADD, 7),
                 (wire.BITMAP_NEEDS_SYNC, 0), (wire.RESYNCING_START, 0))]
    hand.stop(n3)
    with beside() as begin:
        coming = begin(n3.run, JOINS.format(count=5, **hand.words(n3)), timeout=120)
        while not coming.done():
            for data in messages:
                wire.send(hand, n1, data)
    coming.result()
    hand.start(n3)
    hand.healthy()


@pytest.mark.full
def test_stuck_receiver_fails_its_monitor(hand):
    """Every node receives, and none can end: each monitor that is due says so."""
    n1, n2, _ = hand.cluster.nodes
    params = dict(uuid=hand.uuid, device=hand.device)
    harmless = wire.message(wire.CHANGE_CAPACITY, NO_NODE)
    with parameter(n2, "stuck_after", 1000), beside() as begin:
        # As long as its monitor may take to see it: some calls of a second or two each.
        stalling = begin(wire.stall, hand, n1, harmless, 20)
        n2.wait_for(lambda: hand.module(n2)["stuck"], 15, "its module is seen to be stuck")
        result = agent(n2, "monitor", **params)
        assert result.rc == 1 and "module" in reason(result)
        stalling.result()
        n2.wait_for(lambda: agent(n2, "monitor", **params).rc == 0, HEARD, "it goes on")
    hand.healthy()


@pytest.mark.full
def test_no_message_is_given_up(hand):
    """A member of the lockspace that never acknowledges: all wait for it, as long as it takes.
    The kernel's own module gives up after 30 s, and goes on as if it had been heard."""
    n1, n2, n3 = hand.cluster.nodes
    spare, (first, _) = hand.spare, hand.legs
    with wire.held(hand, n3, "ack", wire.CR):
        hand.manage(n1, "fail", first)
        # Logged after 5, 10, 20 and 40 s, or a second later each.
        wait_log(n1, "lock ack: waiting for CR -> EX for [4-9]. s", 90)
        hand.same(**{first: "faulty"})
        wait_asked(hand, n1, "ack", wire.EX)
    hand.remove(n2, first)
    hand.add(n3, spare)
    hand.wait_in_sync(spare)
    hand.healthy()


@pytest.mark.full
def test_frozen_node(hand):
    """A message waits for a node that stands still, till it goes on or is fenced."""
    n1, n2, n3 = hand.cluster.nodes
    spare, (first, _) = hand.spare, hand.legs

    def fail(node, serial):
        # mdadm would wait for the frozen node itself, for its own lock.
        hand.set_state(node, serial, "faulty")

    # Thawed again within corosync's token of 5 s.
    hand.add(n2, spare)
    n3.freeze()
    fail(n1, spare)
    wait_asked(hand, n1, "ack", wire.EX)
    n3.thaw()
    hand.same(**{spare: "faulty"})
    hand.remove(n3, spare)
    assert not hand.cluster.fenced
    # For good.
    n3.freeze()
    fail(n1, first)
    n1.wait_for(lambda: hand.cluster.fenced, FENCED, "n3 is fenced")
    assert set(hand.cluster.fenced) == {"n3"}
    hand.same(n1, n2, **{first: "faulty"})
    hand.remove(n2, first)
    hand.add(n2, spare)
    hand.back(n3)
    hand.wait_in_sync(spare)
    hand.healthy()


# Joining and leaving


def traces(node):
    """What a join that failed must not leave."""
    return (node.out("ls /sys/kernel/dlm"), node.out("cat /sys/module/md_cluster/refcnt"),
            node.out("ps -eo comm | grep _mdc_ | sort"))


def refused(array, node, words, command=None):
    """A join that fails says WORDS, in time, and leaves nothing."""
    before = traces(node)
    command = command or array.assemble(node)
    # What waits in it is limited to 60 s (join_timeout), and none of these should wait.
    seconds, result = timed(node.run, command, timeout=90, check=False)
    assert result.rc != 0 and seconds < slower(30), result
    wait_log(node, words)
    node.run(f"! test -e {array.device} || mdadm --stop {array.device}", check=False)
    wait_until(lambda: traces(node) == before, HEARD, f"{node.name} to be as before")


class Plain(Array):
    """An array for one test, on the nodes that it says; without mdclusterd."""

    def assemble(self, node, more=""):
        disks = " ".join(node.disk(serial) for serial in self.serials)
        return f"mdadm --assemble {self.device} {more} {disks}"


@pytest.fixture
def plain(hand):
    array = Plain(hand.cluster, ident="plain", serials=("d1", "d2"), slots=2)
    array.cluster.blank_disks(*array.serials)
    yield array
    for node in array.cluster.nodes:
        if node.running:
            node.run(f"! test -e {array.device} || mdadm --stop {array.device}", timeout=60)


@pytest.mark.full
def test_joins_that_are_refused(hand, plain):
    n1, n2, n3 = hand.cluster.nodes
    disks = " ".join(n1.disk(serial) for serial in plain.serials)
    refused(plain, n1, "a cluster of another name",
            f"mdadm --create {plain.device} --run --level=1 --metadata=1.2 --assume-clean"
            f" --raid-devices=2 --bitmap=clustered --nodes=2 --home-cluster=elsewhere {disks}")
    n1.run(plain.assemble(n1, "--update=home-cluster --home-cluster=box"), timeout=60)
    n2.run(plain.assemble(n2), timeout=60)
    refused(plain, n3, "the array has bitmaps for 2 nodes")
    n1.run(f"mdadm --stop {plain.device}", timeout=60)
    n3.run(plain.assemble(n3), timeout=60)


@pytest.mark.full
def test_join_without_dlm_controld(hand, plain):
    n3 = hand.cluster.nodes[2]
    plain.create(n3)
    hand.stop(n3)
    command = n3.out("tr '\\0' ' ' < /proc/$(pgrep -o -x dlm_controld)/cmdline")
    # It has no lockspace left and ends in good order; Pacemaker looks after it once a minute.
    n3.run("pkill -x dlm_controld")
    n3.wait_for("! pgrep -x dlm_controld", HEARD, "dlm_controld ends")
    try:
        refused(plain, n3, "is dlm_controld running?")
    finally:
        n3.run("pgrep -x dlm_controld || " + command)
    hand.cluster.wait_dlm()
    n3.run(plain.assemble(n3), timeout=60)
    hand.start(n3)
    hand.same()


@pytest.mark.full
def test_lockspace_that_another_program_has(hand, plain):
    """Where it was first, the array is not joined, as the DLM would tell it of the members. Where
    it came later, the array is left, but not joined again before it is gone."""
    n3 = hand.cluster.nodes[2]
    plain.create(n3)
    n3.run(f"dlm_tool join {plain.lockspace}", timeout=60)
    try:
        refused(plain, n3, r"cannot join the DLM lockspace .* \(-17\)")
    finally:
        n3.run(f"dlm_tool leave {plain.lockspace}", timeout=60)
    n3.wait_for(lambda: not plain.joined(n3), HEARD, "the lockspace is gone")
    n3.run(plain.assemble(n3), timeout=60)
    with wire.held(plain, n3, "another", wire.CR):
        n3.run(f"mdadm --stop {plain.device}", timeout=90)
        wait_log(n3, "left, but another program on this node has it open")
        refused(plain, n3, "an earlier join or leave of this array on this node has not ended")
    # The DLM is asked again every few seconds.
    n3.wait_for(lambda: not plain.joined(n3), HEARD, "the lockspace is gone")
    n3.run(plain.assemble(n3), timeout=60)


@pytest.mark.full
def test_killed_join(hand, plain):
    n1, _, n3 = hand.cluster.nodes
    plain.create(n1)
    n1.run(plain.assemble(n1), timeout=60)
    before = traces(n3)
    with wire.held(plain, n1, "token", wire.EX):
        with beside() as begin:
            joining = begin(n3.run, plain.assemble(n3), timeout=90, check=False)
            wait_asked(plain, n3, "token", wire.EX)
            n3.run("pkill -9 -x mdadm")
            assert joining.result().rc != 0
        n3.run(f"mdadm --stop {plain.device}", check=False)
        wait_until(lambda: traces(n3) == before, HEARD, "n3 to be as before")
    n3.run(plain.assemble(n3), timeout=60)


# mdadm without libdlm, which the packages of it do not ask for: else it would wait for a lock of
# its own in the DLM first, for as long as that stands still.
NO_LIBDLM = """unshare --mount sh -c '
    for lib in /usr/lib/*/libdlm_lt.so.3; do mount --bind /dev/null $lib || exit 1; done
    exec {command}'"""
# Of the module, in seconds, where it has to be seen to end; and what mdadm may take on its way out.
JOIN_TIMEOUT, UNDONE = 5, 5


# What the join has left to a worker waits in the DLM, which can be woken by dlm_controld only.
@pytest.mark.kernel_complains
@pytest.mark.full
def test_join_without_quorum(hand, plain):
    """It is given up in time. What it has begun ends when the quorum is back, another join is told
    so till then, and nothing is left of it; then the array can be joined."""
    n1, n2, n3 = hand.cluster.nodes
    plain.create(n2)
    before = traces(n2)
    own, _ = timed(n2.run, plain.assemble(n2), timeout=60)
    n2.run(f"mdadm --stop {plain.device}", timeout=60)

    def fails(words):
        seconds, result = timed(n2.run, NO_LIBDLM.format(command=plain.assemble(n2)), timeout=90,
                                check=False)
        assert result.rc != 0
        wait_log(n2, words)
        n2.run(f"! test -e {plain.device} || mdadm --stop {plain.device}", check=False)
        assert n2.out("grep -c ^md /proc/mdstat") == "1", "the array is left half assembled"
        return seconds

    with votes(n3, 3), parameter(n2, "join_timeout", JOIN_TIMEOUT * 1000):
        n3.power_cut()
        for node in (n1, n2):
            node.wait_for(lambda n=node: hand.module(n)["stopped"] and not n.quorate(), FENCED,
                          "its locks stand still")
        assert fails("it did not form in time; is the cluster quorate?") \
            < own + JOIN_TIMEOUT + slower(UNDONE)
        assert fails("an earlier join or leave of this array on this node has not ended") \
            < own + slower(UNDONE)
        # Two of two votes: n3 is fenced, and all goes on.
        n1.run("corosync-quorumtool -e 2")
        hand.cluster.wait_fenced(n3)
    wait_until(lambda: traces(n2) == before, FENCED, "n2 to be as before")
    n2.run(plain.assemble(n2), timeout=60)
    hand.back(n3)
    hand.healthy()


@contextmanager
def another_lockspace(*nodes):
    """NODES have one, as in practice. With its last one a node closes the DLM's connections; the
    others, without quorum, cannot see to that, and where it joins again soon after, the DLM (6.12)
    passes over a message (seq mismatch), and the recovery never ends."""
    for node in nodes:
        node.run("dlm_tool join other", timeout=60)
    try:
        yield
    finally:
        for node in nodes:
            if node.running:
                node.run("dlm_tool leave other", timeout=60)


# The stop is over; a worker of the module (lockspace.c, the keeper) then waits in the DLM, which can be
# woken by dlm_controld only.
@pytest.mark.kernel_complains
@pytest.mark.full
def test_leave_without_quorum(hand):
    """The locks stand still and nobody may be fenced: the array is left all the same."""
    n1, n2, n3 = hand.cluster.nodes
    own, _ = timed(hand.stop, n1)
    hand.start(n1)
    with another_lockspace(n1, n2), votes(n3, 3):
        n3.power_cut()
        for node in (n1, n2):
            node.wait_for(lambda n=node: hand.module(n)["stopped"] and not n.quorate(), FENCED,
                          "its locks stand still")
        seconds, result = timed(n1.run, f"mdadm --stop {hand.device}", timeout=90)
        assert result.rc == 0 and seconds < own + LEAVE_TIMEOUT + slower(1)
        assert "has not let go" not in kernel_log(n1)
        result = agent(n1, "start", uuid=hand.uuid, device=hand.device)
        assert result.rc == 1 and "quor" in reason(result)
        # Two of two votes: n3 is fenced, and all goes on.
        n1.run("corosync-quorumtool -e 2")
        hand.cluster.wait_fenced(n3)
        hand.start(n1)
    hand.back(n3)
    hand.healthy()


@pytest.mark.full
@pytest.mark.kernel_complains
def test_stop_of_a_resync_without_quorum(hand):
    """n1 resyncs when the locks stop for good: its array can be stopped all the same. When they go
    on, another node ends the resync."""
    n1, n2, n3 = hand.cluster.nodes
    own, _ = timed(hand.stop, n1)
    hand.stop(n2, n3)
    array = create_unsynced(hand.cluster, n1)
    keep(array)
    n1.wait_for(lambda: array.sysfs(n1, "sync_action") == "resync", HEARD, "it resyncs")
    legs = array.legs
    with another_lockspace(n1, n2), votes(n3, 3):
        n3.power_cut()
        for node in (n1, n2):
            node.wait_for(lambda n=node: array.module(n)["stopped"] and not n.quorate(), FENCED,
                          "its locks stand still")
        assert array.sysfs(n1, "sync_action") == "resync"
        seconds, result = timed(n1.run, f"mdadm --stop {array.device}", timeout=120)
        # Once for what it would say, and once for the lockspace.
        assert result.rc == 0 and seconds < own + 2 * LEAVE_TIMEOUT + slower(2), seconds
        # Two of two votes: n3 is fenced, and all goes on.
        n1.run("corosync-quorumtool -e 2")
        hand.cluster.wait_fenced(n3)
        n2.wait_for(lambda: array.sysfs(n2, "sync_action") == "resync", FENCED,
                    "it resyncs instead")
        sync_speed(n2, QUICK)
        wait_clean(array.device, [n2])
        legs_equal(hand.cluster, *legs)
        array.start(n1)
    array.back(n3)
    array.resync_speed(QUICK)
    array.healthy()


# In bytes: where a clustered array's bitmaps begin on a disk, and how much each slot has of them.
BITMAP_AT, SLOT_BYTES = 8192, 4096


@pytest.mark.full
def test_start_with_a_bad_bitmap(hand):
    """n3 has joined when it finds that the bitmap of its slot is none: it leaves again, the others
    go on, and nothing is left of it."""
    # The bitmap of the first slot is read before the join.
    n3 = next(node for node in reversed(hand.cluster.nodes) if hand.slot(node) != 1)
    n1, n2 = (node for node in hand.cluster.nodes if node is not n3)
    place = BITMAP_AT + (hand.slot(n3) - 1) * SLOT_BYTES
    hand.stop(n3)
    legs, spare = hand.legs, hand.spare

    def put(bytes_before, bytes_after):
        for serial in legs:
            with open(hand.cluster.disk_file(serial), "r+b") as disk:
                disk.seek(place)
                assert disk.read(4) == bytes_before
                disk.seek(place)
                disk.write(bytes_after)

    put(b"bitm", b"none")
    try:
        result = n3.run("mdadm --assemble {device} {disks}".format(**hand.words(n1)), timeout=90,
                        check=False)
        assert result.rc != 0
        wait_log(n3, "joined cluster")
        wait_log(n3, "bad magic")
        n3.run(f"! test -e {hand.device} || mdadm --stop {hand.device}", check=False)
        n1.wait_for(lambda: len(hand.module(n1)["members"]) == 2, HEARD, "n3 has left")
        for action in "add", "remove":
            n1.run(f"mdadm --manage {hand.device} --{action} {n1.disk(spare)}", timeout=60)
        n3.run("modprobe -r md-cluster")
    finally:
        put(b"none", b"bitm")
    hand.start(n3)
    hand.healthy()


@pytest.mark.full
def test_bad_bitmap_of_another_array(hand):
    """md core leaves a cluster that it never joined, where the first bitmap of any array cannot
    be read: the module is not given away with it."""
    n3 = hand.cluster.nodes[2]
    disk, other = n3.disk(hand.spare), "/dev/md/other"
    used = n3.out("cat /sys/module/md_cluster/refcnt")
    n3.run(f"mdadm --create {other} --run --level=1 --raid-devices=2 --bitmap=internal "
           f"{disk} missing && mdadm --stop {other}", timeout=60)
    try:
        n3.run(f"printf none | dd of={disk} bs=1 seek={BITMAP_AT} conv=notrunc,fsync")
        for _ in range(2):
            result = n3.run(f"mdadm --assemble --run {other} {disk}", timeout=60, check=False)
            assert result.rc != 0
            n3.run(f"! test -e {other} || mdadm --stop {other}", timeout=60, check=False)
        assert kernel_log(n3).count("bad magic") >= 2
        assert n3.out("cat /sys/module/md_cluster/refcnt") == used
    finally:
        n3.run(f"mdadm --zero-superblock {disk}", timeout=60)
    hand.healthy()


@pytest.mark.full
def test_node_that_has_not_written(hand):
    """Its kernel leaves the array auto-read-only (md_mod start_ro=1 of Debian) until the first
    write; it shows all the same what the others did, without an mdclusterd, which ends that."""
    n1, n2, n3 = hand.cluster.nodes
    hand.stop()
    array = create_unsynced(hand.cluster, n1)
    keep(array)
    leg, spare = array.legs[0], array.spare
    array.stop(n3)
    n3.run("pkill -KILL -x mdclusterd")

    def join():
        disks = " ".join(n3.disk(serial) for serial in array.members(n1))
        n3.run(f"mdadm --assemble {array.device} {disks}", timeout=60)
        assert array.sysfs(n3, "array_state") == "read-auto"

    def leave():
        n3.run(f"mdadm --stop {array.device}", timeout=60)

    join()
    assert "resync" in n3.out("cat /proc/mdstat")
    array.resync_speed(QUICK)
    array.healthy()
    leave()

    join()
    array.manage(n2, "fail", leg)
    array.same(**{leg: "faulty"})
    assert array.sysfs(n3, "array_state") == "read-auto"
    array.remove(n1, leg)
    leave()

    # Not with n3: nobody would answer for it.
    array.add(n1, spare)
    array.wait_in_sync(spare, (n1, n2))
    array.add(n1, leg)
    join()
    failed = array.legs[0]
    array.manage(n2, "fail", failed)
    array.wait_in_sync(leg)
    array.healthy()
    array.fresh(n2)
    array.remove(n1, failed)
    leave()
    array.start(n3)
    array.healthy()


# Nodes that fail


@pytest.mark.full
@pytest.mark.parametrize("when", ["recovery", "together"])
def test_two_nodes_fail(hand, when):
    """Both at once, or one in the other's recovery; n1 has the votes to go on alone."""
    n1, n2, n3 = hand.cluster.nodes
    with votes(n1, 3):
        for node in hand.cluster.nodes:
            start_writer(hand.device, node)
        n3.power_cut()
        if when == "recovery":
            wait_recovery(n1, n3)
        n2.power_cut()
        wait_until(lambda: {"n2", "n3"} <= set(hand.cluster.fenced), FENCED, "both are fenced")
        for dead in (n2, n3):
            wait_recovery(n1, dead)
        count = written(n1)
        n1.wait_for(lambda: written(n1) > count + 3, 60, "its writes go on")
        stop_writer(n1)
        n1.wait_for(lambda: not hand.module(n1)["to_recover"], HEARD, "both slots are taken over")
        hand.healthy()
        assert hand.counters(n1)["slots_recovered", ""] >= 1
        hand.back(n2, n3)
    hand.fresh(n2)
    hand.healthy()


@LEVELS
def test_resync_is_handed_over(hand, level):
    """
    The node that resyncs leaves in the middle: another one ends it. One that waits for its turn
    meanwhile can be frozen, as mdadm does when it changes an array, without waiting for that turn.
    """
    n1 = hand.cluster.nodes[0]
    hand.stop()
    array = create_unsynced(hand.cluster, n1, level)
    keep(array)
    slot, others = array.slot(n1) - 1, hand.cluster.nodes[1:]
    n1.wait_for(lambda: array.module(n1)["resyncing"], HEARD, "it shows the range that it is at")
    waiting = others[0]
    waiting.wait_for(lambda: array.sysfs(waiting, "sync_action") == "resync", HEARD,
                     "it waits to resync")
    for action in "frozen", "idle":
        waiting.run(f"echo {action} > /sys/block/{array.md(waiting)}/md/sync_action", timeout=HEARD)
    assert array.sysfs(n1, "sync_action") == "resync", "it has not ended meanwhile"
    with traced(*others) as lines:
        array.hand_over(n1)
        traces = [lines(node) for node in others]
    # One takes over what n1 has left, and says to the other where it is, in the end nowhere.
    assert any(name == "mdc_slot" and f" slot={slot} " in text and text.endswith(" result=0")
               for trace in traces for name, text in trace)
    ranges = max(([text.rpartition("range=")[2] for name, text in trace if name == "mdc_range"]
                  for trace in traces), key=len)
    assert len(ranges) > 1 and ranges[-1].endswith("..0"), ranges
    array.start(n1)
    array.healthy()


@pytest.mark.full
@LEVELS
def test_resync_of_a_dead_node_is_ended(hand, level):
    """Its power is cut in the middle: another one goes on with what its bitmap has left."""
    n1, n2, n3 = hand.cluster.nodes
    hand.stop()
    array = create_unsynced(hand.cluster, n1, level)
    keep(array)

    def die(node):
        node.power_cut()
        n2.wait_for(lambda: hand.cluster.fenced, FENCED, f"{node.name} is fenced")
        for other in (n2, n3):
            wait_recovery(other, node)

    array.hand_over(n1, die)
    array.healthy()
    array.back(n1)
    array.fresh(n1)
    array.healthy()
