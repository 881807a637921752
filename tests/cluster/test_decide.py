# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever dies, stands still or comes in between while the cluster decides about a disk: what the
design's chapter on the add says at its end must hold, and is looked at by one function, holds().

The disk is added with mdadm alone. Its proposal stands for as long as a test needs, since one
peer's mdclusterd is stopped meanwhile and the node that adds is patient.
"""
import json
import re
from contextlib import contextmanager, suppress

import pytest

from arrays import HEARD, START_TIMEOUT, array, status, wait_connected  # noqa: F401
from box import BoxError, slower
from byhand import FENCED, QUICK, SLOW, beside, kernel_log, parameter, silent, votes
from mirror import sync_speed, wait_clean
from test_add import (REFUSED_WITHIN, add, no_udevd, remove, spare,  # noqa: F401
                      wait_answer, wait_gone, wait_member)
from test_admin import log, seen  # noqa: F401
from test_failure import REJOINED
from test_netlink import attached

# Seconds, the longest verdict_wait that there is. Less counts where the module of the node that
# adds is less patient, as it is by itself: 4 s of verdict_timeout, 500 ms of them for the way.
VERDICT_WAIT = 30
# To see that a proposal stands, and then to do something: commands of a second or two in a guest.
# Two fifths of it pass until those that say nothing are refused.
HOLD = 28
# The monitor that starts mdclusterd again runs every 10 s, and each takes its time in a guest.
BACK = 60
# A second disk, in no array of the tests that Pacemaker runs.
OTHER = "d4"
# In the guest, as a peer looks for less than three seconds.
WHEN_LOOKING = """timeout 60 sh -c 'until mdclusterctl status --json {ident} |
    grep -q "\\"looking\\""; do sleep 0.1; done' && {{ {then}; }}"""
# Of the two children that talk to corosync's process groups, the one that does nothing else.
KILL_WORDS = ("for pid in $(pgrep -x mdclusterd); do"
              " grep -q request-cpg /proc/$pid/maps && ! grep -q request-quorum /proc/$pid/maps &&"
              " kill -9 $pid; done")
KILL_DAEMON = "while pkill -9 -x mdclusterd; do sleep 0.1; done"


# An array whose nodes may wait


def set_wait(array, words, seconds):
    """By the parameter verdict_wait. A `crm_resource --wait` may wait for ever for a monitor to be
    cancelled, after one that was degraded: as where an mdclusterd stood still."""
    array.cluster.nodes[0].run(f"crm_resource --resource {array.ident} {words}", timeout=60)
    for node in array.cluster.nodes:
        node.wait_for(f"grep -q 'verdict_wait={seconds} ' /run/mdcluster/arrays/{array.lockspace}",
                      BACK, "it is reloaded")


@pytest.fixture(scope="module")
def patient_ones():
    """The arrays that were given a longer verdict_wait: it is taken back after the last test."""
    made = []
    yield made
    for one in made:
        if one.cluster.nodes:
            # A cluster that a test has spoilt may not do it any more, and is not used again.
            with suppress(BoxError):
                set_wait(one, "--delete-parameter verdict_wait", 2)


@pytest.fixture
def decided(array, patient_ones):
    """The array, where adds are proposed."""
    if array.cluster.module != "ours":
        pytest.skip("the nodes run the kernel's own md-cluster, which proposes nothing")
    if array not in patient_ones:
        set_wait(array, f"--set-parameter verdict_wait --parameter-value {VERDICT_WAIT}",
                 VERDICT_WAIT)
        patient_ones.append(array)
    return array


# A proposal that stands


def said(array, node):
    """What NODE's attribute says of an add."""
    return node.attribute(f"mdcluster-{array.ident}-add") or ""


def wait_proposed(array, node):
    node.wait_for(lambda: said(array, node).startswith("proposed:"), HEARD, "its proposal stands")


def begin_add(array, node, serial, words="--add"):
    # As from a terminal, whatever the guest's agent does with signals.
    return node.run(f"env --default-signal=INT mdadm --manage {array.device} {words}"
                    f" {node.disk(serial)}", timeout=90, check=False)


@contextmanager
def held(array, node, serial, by, seconds=HOLD, words="--add"):
    """NODE's add of a disk is being decided, as long as the block runs: BY says nothing meanwhile,
    and NODE waits for SECONDS. Yields the future of mdadm's result."""
    with parameter(node, "verdict_timeout", seconds * 1000 + 500), beside() as begin:
        with silent(by):
            adding = begin(begin_add, array, node, serial, words)
            wait_proposed(array, node)
            yield adding


def ended(adding, timeout=60):
    """mdadm's result; None if its node has died. That it has one at all is part of each test."""
    try:
        return adding.result(timeout=slower(timeout))
    except BoxError as error:
        assert "went away" in str(error) or "is not running" in str(error), error
        return None


@contextmanager
def stirred(node):
    """Block devices change on NODE meanwhile. Where nothing stirs, it need not wait for a path to a
    disk that it does not see."""
    name = node.disk("d6").rpartition("/")[2]
    node.run(f"timeout 60 sh -c 'while echo change > /sys/class/block/{name}/uevent; do sleep 1;"
             " done' > /dev/null 2>&1 & echo $! > /run/stir")
    try:
        yield
    finally:
        node.run("kill $(cat /run/stir)", check=False)


def give_back(node, serial):
    node.attach(serial)
    node.wait_for(lambda: node.disk(serial), 20, f"{serial} is back")


@contextmanager
def looked_for(array, node, serial, by):
    """The same for VERDICT_WAIT, as long as the block runs: BY does not see the disk, and looks for
    it. It is there at the end, and the add has not ended before."""
    patience = VERDICT_WAIT * 1000 + 500
    # Each looks for as long as its own module would wait.
    with (parameter(node, "verdict_timeout", patience), parameter(by, "verdict_timeout", patience),
          beside() as begin):
        # Which reads what the module's parameters are now.
        assert status(by, array.ident)["module"]
        by.detach(serial)
        try:
            with stirred(by):
                adding = begin(begin_add, array, node, serial)
                wait_proposed(array, node)
                yield adding
                assert not adding.done(), adding.result()
        finally:
            give_back(by, serial)


# What must hold


def take_out(array, node, serial):
    node.run(f"mdadm --manage {array.device} --fail {node.disk(serial)}", check=False)
    remove(array, node, serial)
    array.same(**{serial: None})


def newly_added(array, node, before):
    now = said(array, node)
    return now != before and now.startswith("added:")


def no_proposal_stands(array, node):
    out = node.run(["cibadmin", "-Q", "--xpath", "//transient_attributes//nvpair"
                    f"[@name='mdcluster-{array.ident}-add']"], check=False).out
    return not re.search('value="(proposed|announced):', out)


def told(array, log, node, words):
    """Can the operator read WORDS on NODE, in the attribute, the events or the kernel's log?"""
    return re.search(words, "\n".join((said(array, node), log.new(node), kernel_log(node))))


def holds(array, log, serial, added, by, why):
    """DESIGN.md: no survivor hangs; no candidate is left behind; the disk is in on all members or
    on none (ADDED, if not None: which of it); the operator can read why (WHY: {node: words}); and
    the array takes the next command: BY adds the disk, and all see it."""
    live = array.running_nodes

    def quiet(node):
        node.wait_for("! pgrep -x mdadm", HEARD, "no mdadm hangs")
        node.wait_for(lambda: attached(node, array), BACK, "its mdclusterd is there")
        wait_connected(node)

    def explained(node):
        node.wait_for(lambda: told(array, log, node, why[node]), BACK,
                      f"one can read there: {why[node]}")

    array.cluster.each(quiet, live)
    # A candidate is a member in sysfs, while an add is open: of neither may there be one.
    array.wait_settled()
    members = array.same(**({} if added is None else {serial: True if added else None}))
    array.cluster.each(explained, list(why))
    live[0].wait_for(lambda: no_proposal_stands(array, live[0]), BACK, "no proposal is left over")
    if serial in members:
        take_out(array, by, serial)
    before = said(array, by)
    by.run(f"wipefs -aq {by.disk(serial)}")
    add(array, by, serial)
    array.wait_settled()
    array.same(**{serial: True})
    # Each disk's superblock has a UUID of its own, and so each value is a new one.
    by.wait_for(lambda: newly_added(array, by, before), HEARD,
                "its add is told")


# A refusal


def wire_counters(array, node):
    """What tells that a kernel has asked another one, or was asked."""
    found = status(node, array.ident)["module"]["counters"]
    return {(way, kind): found[way].get(kind, 0) for way in ("sent", "received")
            for kind in ("NEWDISK", "METADATA_UPDATED")} | {
                "candidates": found["candidates_dropped"]}


@pytest.mark.parametrize("why, words", [
    ("unseen", "--add"),
    pytest.param("inuse=dm-\\d+", "--add", marks=pytest.mark.full),
    pytest.param("unseen", "--add-spare", marks=pytest.mark.full)],
    ids=["unseen", "in use", "add-spare"])
def test_refusal_touches_nothing(decided, spare, log, why, words):
    """No message, no candidate, no superblock read again; and each way to ask says who and why."""
    n1, n2, n3 = decided.cluster.nodes
    decided.wait_settled()
    before = decided.cluster.each(lambda node: wire_counters(decided, node))
    if why == "unseen":
        n2.detach(spare)
    else:
        n2.run("modprobe dm-mod; dmsetup create other --table"
               f" '0 8192 linear {n2.disk(spare)} 131072'", timeout=30)
    try:
        # n2 has just seen a disk go, and may look until shortly before n1's patience is over.
        with parameter(n1, "verdict_timeout", HOLD * 1000 + 500):
            result = begin_add(decided, n1, spare, words)
        # Before anything else can write superblocks.
        after = decided.cluster.each(lambda node: wire_counters(decided, node))
    finally:
        if why == "unseen":
            give_back(n2, spare)
        else:
            n2.run("dmsetup remove --retry other", timeout=60)
    assert result.rc != 0 and result.seconds < REFUSED_WITHIN, result
    assert "No such file or directory" in result.err, result
    assert after == before
    n1.wait_for(lambda: re.fullmatch(rf"refused:2:[0-9a-f]{{8}}:n2={why}", said(decided, n1)),
                HEARD, "its attribute names who refused and why")
    assert said(decided, n1) in n1.crm_mon()
    text = n1.run(f"mdclusterctl status {decided.ident}", check=False).out
    assert re.search("n2: missing, (does not see it|sees it, but dm-)", text), text
    holds(decided, log, spare, False, n3,
          {n1: "is refused: n2: (does not see it|sees it, but dm-)",
           n2: "refused here after .* as this node (does not see it|sees it, but dm-)"})


# A process that dies or stands still


@pytest.mark.parametrize("found", [True, pytest.param(False, marks=pytest.mark.full)],
                         ids=["found", "missing"])
def test_initiators_mdclusterd_dies(decided, spare, log, found):
    """While it waits for a verdict: the kernel goes on at once, and asks each node by itself."""
    n1, n2, n3 = decided.cluster.nodes
    if not found:
        n3.detach(spare)
    # Without a disk n3 is to look for longer than it takes to kill n1's.
    with (stirred(n3), parameter(n3, "verdict_timeout", HOLD * 1000 + 500),
          held(decided, n1, spare, n2) as adding):
        n1.run(KILL_DAEMON)
    result = ended(adding)
    if not found:
        give_back(n3, spare)
    assert bool(result.rc) != found, result
    assert result.seconds < slower(HOLD), "it did not wait for who had died"
    why = {n1: "no verdict of the cluster's"}
    if not found:
        why |= {n3: "refused raid disk 2"}
    holds(decided, log, spare, found, n3, why)


@pytest.mark.full
def test_peers_mdclusterd_dies(decided, spare, log):
    """While it looks for the disk: who is silent has refused, in time."""
    n1, n2, n3 = decided.cluster.nodes
    n2.detach(spare)
    with stirred(n2), beside() as begin:
        killing = begin(n2.run, WHEN_LOOKING.format(ident=decided.ident, then=KILL_DAEMON),
                        timeout=90)
        result = add(decided, n1, spare, check=False)
        killing.result()
    give_back(n2, spare)
    assert result.rc != 0 and result.seconds < REFUSED_WITHIN, result
    # The next one may have been there in time to say that it sees nothing.
    holds(decided, log, spare, False, n3, {n1: "is refused: n2: (no answer|does not see it)"})


@pytest.mark.full
def test_peers_next_mdclusterd_answers(decided, spare, log):
    """It finds the proposal as it stands, and the disk, which has come meanwhile."""
    n1, n2, n3 = decided.cluster.nodes
    n2.detach(spare)
    then = (f"{KILL_DAEMON}; echo {decided.cluster.disk_address(spare)} >"
            " /sys/bus/pci/drivers/virtio-pci/bind; mdclusterd")
    with (stirred(n2), parameter(n1, "verdict_timeout", HOLD * 1000 + 500),
          beside() as begin):
        killing = begin(n2.run, WHEN_LOOKING.format(ident=decided.ident, then=then), timeout=90)
        result = add(decided, n1, spare, check=False)
        killing.result()
    assert result.rc == 0, result
    holds(decided, log, spare, True, n3, {n1: "is seen by", n2: "proposes a disk"})


@contextmanager
def signalled(nodes, name, signal):
    """A daemon of Pacemaker is killed on NODES, or stopped as long as the block runs; at the end
    there is one again."""
    for node in nodes:
        node.run(f"pkill -{signal} -x {name}")
    try:
        yield
    finally:
        for node in nodes:
            if node.running:
                node.run(f"pkill -CONT -x {name}", check=False)
                # pacemakerd looks after its children within seconds.
                node.wait_for(f"pgrep -x {name}", BACK, f"{name} runs")


@pytest.mark.full
@pytest.mark.parametrize("signal", ["KILL", "STOP"])
def test_without_attrd(decided, spare, log, signal):
    """The question and its answers do not need it; where it begins anew it wipes what its node has
    said, and that is said again."""
    n1, n2, n3 = decided.cluster.nodes
    with held(decided, n1, spare, n3) as adding:
        n2.wait_for(lambda: said(decided, n2).startswith("found:"), HEARD, "n2 has answered")
        with signalled((n1, n2), "pacemaker-attrd", signal):
            # In the block, so that it is still the same question.
            n3.run("pkill -CONT -x mdclusterd")
            result = ended(adding)
    assert result.rc == 0, result
    for node in (n1, n2):
        # State and slot are pacemaker-attrd's; mdclusterd writes them again.
        for name in ("state", "slot"):
            node.wait_for(lambda n=node, a=name: n.attribute(f"mdcluster-{decided.ident}-{a}"),
                          BACK, f"its {name} is published again")
    holds(decided, log, spare, True, n3, {n1: "is seen by", n2: "found as"})


@pytest.mark.full
@pytest.mark.parametrize("who", ["initiator", "peer"])
def test_cib_stands_still(decided, spare, log, who):
    """The question and its answers go through corosync as well: the add goes on, in time."""
    n1, n2, n3 = decided.cluster.nodes
    with signalled([n1 if who == "initiator" else n2], "pacemaker-based", "STOP"):
        result = add(decided, n1, spare, check=False)
    assert result.rc == 0 and result.seconds < REFUSED_WITHIN, result
    # Its proposal may get into the CIB only now, when it is over.
    holds(decided, log, spare, True, n3, {n1: "is seen by", n2: "proposes a disk"})


def wait_joined(node, joined):
    def words():
        return json.loads(node.run("mdclusterctl status --json", check=False).out)["words"]

    node.wait_for(lambda: words()["joined"] == joined, BACK, f"in the process group: {joined}")


@pytest.mark.full
@pytest.mark.parametrize("who", ["initiator", "peer"])
def test_without_the_group(decided, spare, log, who):
    """The child that carries the words is ended again and again: the CIB has them all."""
    n1, n2, n3 = decided.cluster.nodes
    victim = n1 if who == "initiator" else n2
    # The next one comes 2 s later at the soonest.
    victim.run(f"timeout 120 sh -c 'while :; do {KILL_WORDS}; sleep 0.2; done' > /dev/null 2>&1 &"
               " echo $! > /run/killing")
    try:
        wait_joined(victim, False)
        result = add(decided, n1, spare, check=False)
    finally:
        victim.run("kill $(cat /run/killing)", check=False)
    assert result.rc == 0, result
    wait_joined(victim, True)
    holds(decided, log, spare, True, n3, {n1: "is seen by", n2: "proposes a disk"})


def over_it(array, node, by):
    """Pacemaker has got over the loss of a daemon of NODE: as it sees fit, by having it fenced."""
    cluster = array.cluster
    by.wait_for(lambda: not node.running or node.run("cibadmin -Q > /dev/null", check=False).ok,
                BACK, f"{node.name} has its daemon again, or is fenced")
    cluster.wait_idle()
    if not node.running:
        cluster.wait_fenced(node)
        node.boot()
    cluster.wait_online()
    array.wait_running([node])
    for other in cluster.nodes:
        # An instance that was stopped and started again has another mdclusterd.
        other.wait_for(lambda n=other: attached(n, array), REJOINED, "its mdclusterd is there")


@pytest.mark.full
@pytest.mark.parametrize("who", ["initiator", "peer"])
def test_cib_dies(decided, spare, log, who):
    """The initiator has nobody to ask any more, and its kernel asks by itself; a peer is silent
    until it is connected again."""
    n1, n2, n3 = decided.cluster.nodes
    victim = n2 if who == "initiator" else n3
    with held(decided, n2, spare, n3) as adding:
        victim.run("pkill -KILL -x pacemaker-based")
    result = ended(adding)
    over_it(decided, victim, n1)
    added = None if result is None else result.rc == 0
    why = {n1: "n2 proposes a disk"}
    if result and who == "initiator" and victim.name not in decided.cluster.fenced:
        why |= {n2: "(the connection to Pacemaker was lost|no answer|is seen by)"}
    holds(decided, log, spare, added, n1, why)


# A node that dies, a cable, the quorum


def rejoin(array, node):
    array.cluster.wait_fenced(node)
    node.boot()
    node.wait_for(lambda: array.running(node), REJOINED, "it runs the array again")
    node.wait_for(lambda: attached(node, array), BACK, "its mdclusterd is there")


@pytest.mark.parametrize("who, how", [
    ("initiator", "power"),
    pytest.param("initiator", "cable", marks=pytest.mark.full),
    pytest.param("peer", "power", marks=pytest.mark.full),
    pytest.param("peer", "cable", marks=pytest.mark.full)])
def test_node_is_lost(decided, spare, log, who, how):
    """n3, which proposes or is asked, loses its power or its network."""
    n1, n2, n3 = decided.cluster.nodes
    initiator, mute = (n3, n2) if who == "initiator" else (n1, n3)
    with held(decided, initiator, spare, mute) as adding:
        if how == "power":
            n3.power_cut()
        else:
            n3.net_down()
        if mute is n3:
            # Its silence is its death now: it drops out, or the time is over first.
            n1.wait_for(lambda: decided.cluster.fenced, FENCED, "n3 is fenced")
    n1.wait_for(lambda: decided.cluster.fenced, FENCED, "n3 is fenced")
    result = ended(adding)
    assert set(decided.cluster.fenced) == {"n3"}
    why = {n1: "node n3 has left", n2: "node n3 has left"}
    if initiator is n3:
        assert how == "cable" or result is None, result
        # n2 was not to be heard, and then n3 was not any more.
        added = False
        why |= {n1: "n3 proposes a disk"}
    else:
        added = result.rc == 0
        why |= {n1: "is seen by n2" if added else
                "is refused: n3: no answer|locks stand still|is not added"}
    holds(decided, log, spare, added, n2, why)
    rejoin(decided, n3)
    decided.wait_settled()
    decided.same(**{spare: True})


@pytest.mark.full
def test_quorum_is_lost(decided, spare, log):
    """n3 has the votes and dies as it is asked; nobody may fence it. n1's add ends all the same,
    and with the quorum all goes on."""
    n1, n2, n3 = decided.cluster.nodes
    with votes(n3, 3):
        with held(decided, n1, spare, n3) as adding:
            n3.power_cut()
            for node in (n1, n2):
                node.wait_for(lambda n=node: not n.quorate(), FENCED, "the quorum is lost")
        result = ended(adding)
        assert result.rc != 0, result
        assert not decided.cluster.fenced
        n1.wait_for(lambda: told(decided, log, n1, "is refused: n3: no answer|is not added"), HEARD,
                    "why is told")
        # Two of two votes: n3 is fenced, and all goes on.
        n1.run("corosync-quorumtool -e 2")
        n1.wait_for(lambda: decided.cluster.fenced, FENCED, "n3 is fenced")
    holds(decided, log, spare, False, n2, {n1: "is refused: n3: no answer|is not added"})
    rejoin(decided, n3)
    decided.wait_settled()
    decided.same(**{spare: True})


# Two at once; and the operator


@pytest.fixture
def other(decided):
    n1 = decided.cluster.nodes[0]
    assert OTHER not in decided.members(n1)
    n1.run(f"wipefs -aq {n1.disk(OTHER)}")
    yield OTHER
    if OTHER in decided.members(n1):
        take_out(decided, n1, OTHER)
    n1.run(f"wipefs -aq {n1.disk(OTHER)}")


def test_two_adds_at_once(decided, spare, other, log):
    """Different disks on different nodes: mdadm has one of them wait, by a lock of its own in the DLM
    (mdclusterctl add does without, and what is decided then is in tests/unit/test_addsim.c)."""
    n1, _, n3 = decided.cluster.nodes
    with beside() as begin:
        adding = {serial: begin(begin_add, decided, node, serial)
                  for node, serial in ((n1, spare), (n3, other))}
        done = {serial: ended(one) for serial, one in adding.items()}
    assert any(result.rc == 0 for result in done.values()), done
    for serial, result in done.items():
        if result.rc == 0:
            wait_member(decided, serial)
        else:
            assert serial not in decided.members(n1)
    if done[other].rc == 0:
        remove(decided, n3, other)
    holds(decided, log, spare, done[spare].rc == 0, n3, {})


def test_operator_breaks_off(decided, spare, log):
    """Ctrl-C while the verdict is awaited: mdadm ends at once, no node is said to refuse, and the
    resyncs that mdadm holds up on its node may run again: it takes over when another one fails."""
    n1, n2, n3 = decided.cluster.nodes
    with held(decided, n1, spare, n2) as adding:
        n1.run("pkill -INT -x mdadm")
        result = ended(adding, 10)
        assert result.rc != 0, result
        n1.wait_for(lambda: not said(decided, n1).startswith("proposed:"), HEARD,
                    "its proposal is taken back")
        n1.wait_for(f"grep -qx idle /sys/block/$(basename $(readlink -f {decided.device}))/md"
                    "/sync_action", HEARD, "its resyncs are let go")
    assert "they may run again" in log.new(n1)
    assert not re.search("refused: n[23]|another node does not see|a node refused", log.new(n1))
    assert not said(decided, n1).startswith("refused:")
    holds(decided, log, spare, False, n1, {n1: "mdadm was ended"})


# Other ways to say it, and who is asked in the old one


@pytest.mark.full
def test_add_spare(decided, spare, log):
    n1, n2, n3 = decided.cluster.nodes
    result = begin_add(decided, n2, spare, "--add-spare")
    assert result.rc == 0, result
    wait_answer(decided, n2, "added:")
    holds(decided, log, spare, True, n1,
          {n2: "is seen by n1, n3|is seen by n3, n1", n1: "n2 proposes a disk",
           n3: "n2 proposes a disk"})


@pytest.mark.full
def test_readd(decided, log):
    """A member is back: refused while one node does not see it, then taken in."""
    n1, n2, n3 = decided.cluster.nodes
    member = "d2"
    n2.run(f"mdadm --manage {decided.device} --fail {n2.disk(member)}")
    remove(decided, n2, member)
    wait_gone(decided, member)
    n3.detach(member)
    result = begin_add(decided, n2, member, "--re-add")
    give_back(n3, member)
    assert result.rc != 0, result
    n2.wait_for(lambda: re.fullmatch(r"refused:\d:[0-9a-f]{8}:n3=unseen", said(decided, n2)),
                HEARD, "its attribute says why")
    decided.wait_settled()
    decided.same(**{member: None})
    result = begin_add(decided, n1, member, "--re-add")
    assert result.rc == 0, result
    n1.wait_for(lambda: told(decided, log, n1, "is seen by n2, n3|is seen by n3, n2"), HEARD,
                "it is told to be seen")
    decided.wait_in_sync(member)
    decided.wait_settled()
    decided.same()


@pytest.mark.full
@pytest.mark.parametrize("served", [True, False], ids=["udev", "nobody"])
def test_peer_without_mdclusterd(decided, spare, log, served):
    """It is not asked, and that is said; its kernel is, and udev's rule of mdadm answers, or nobody
    does. (A peer with the kernel's own module: test_mixed.py.)"""
    n1, n2, n3 = decided.cluster.nodes
    state = f"mdcluster-{decided.ident}-state"
    with decided.maintenance():
        n3.run("pkill -x mdclusterd")
        n3.wait_for("! pgrep -x mdclusterd", 30, "mdclusterd has ended")
        n3.run(f"attrd_updater --name {state} --delete", timeout=60)
        n1.wait_for(lambda: n1.attribute(state, n3) is None, 60, "n3 says nothing of the array")
        if served:
            n3.run("/lib/systemd/systemd-udevd --daemon && udevadm settle", timeout=90)
        else:
            no_udevd(n3)
        try:
            result = add(decided, n1, spare, check=False)
        finally:
            n3.run("udevadm control --exit; udevadm settle", check=False, timeout=60)
            n3.run("pkill -x systemd-udevd; rm -rf /run/udev", check=False)
    assert bool(result.rc) != served, result
    n3.wait_for(lambda: attached(n3, decided), BACK, "a monitor has started mdclusterd again")
    n1.wait_for(lambda: n1.attribute(state, n3) == "clean", BACK, "n3 says how the array is")
    why = {n1: "without mdclusterd, and so asked by the kernel alone: n3"}
    if not served:
        why |= {n3: "nobody here answered"}
    holds(decided, log, spare, served, n2, why)


# What else goes on


@pytest.mark.full
def test_add_during_a_resync(decided, spare, log):
    """Of another node, which goes on with it while the disk is asked about and added."""
    n1, n2, n3 = decided.cluster.nodes
    sync_speed(n2, SLOW)
    try:
        # Two chunks of the bitmap cover the array.
        n2.run(f"cd /sys/block/{decided.md(n2)}/md &&"
               " echo 0-1 > bitmap_set_bits && echo resync > sync_action")
        n1.wait_for(lambda: status(n1, decided.ident)["module"]["suspended"], HEARD,
                    "it has heard of the resync")
        with held(decided, n1, spare, n3) as adding:
            assert decided.sysfs(n2, "sync_action") == "resync"
        result = ended(adding)
        assert decided.sysfs(n2, "sync_action") == "resync", "it has not ended meanwhile"
    finally:
        sync_speed(n2, QUICK)
    assert result.rc == 0, result
    wait_clean(decided.device, decided.cluster.nodes)
    holds(decided, log, spare, True, n3, {n1: "is seen by"})


@pytest.mark.full
def test_add_during_a_leave(decided, spare, log):
    """n3 leaves while n2 looks for the disk: its stop does not wait for the add, nor the add for it,
    and it has the disk when it is back."""
    n1, n2, n3 = decided.cluster.nodes
    with looked_for(decided, n1, spare, n2) as adding:
        n1.run("crm_standby -N n3 -v on")
        n3.wait_for(lambda: not decided.joined(n3), VERDICT_WAIT, "it leaves")
    result = ended(adding)
    assert result.rc == 0, result
    n1.run("crm_standby -N n3 -D")
    decided.wait_running([n3])
    holds(decided, log, spare, True, n3, {n1: "is seen by n2"})


@pytest.mark.full
def test_add_during_a_join(decided, spare, log):
    """n3 joins while n2 looks for the disk: its start does not wait for the add, and it comes to know
    the disk in one way or the other."""
    n1, n2, n3 = decided.cluster.nodes
    n1.run("crm_standby -N n3 -v on")
    n3.wait_for(lambda: not decided.joined(n3), START_TIMEOUT, "it leaves the array")
    with looked_for(decided, n1, spare, n2) as adding:
        n1.run("crm_standby -N n3 -D")
        n3.wait_for(lambda: decided.joined(n3), VERDICT_WAIT, "it joins")
    result = ended(adding)
    decided.wait_running([n3])
    n1.wait_for(lambda: seen(decided, n1, n3)["joined"], BACK, "n1 sees it join")
    holds(decided, log, spare, result.rc == 0, n3,
          {n1: "is seen by" if result.rc == 0 else "is refused: "})
