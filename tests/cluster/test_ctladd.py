# SPDX-License-Identifier: GPL-2.0-or-later
"""mdclusterctl add: the cluster is asked before mdadm is run, and the disk is as it was found
unless it was added, byte for byte."""
import hashlib
import json

import pytest

from arrays import array, status  # noqa: F401
from test_add import configure, spare, wait_member  # noqa: F401

# disk_wait of 10 s and 3 s for the CIB's way, after which the nodes' words are all there; what
# the command itself does takes seconds in an emulated guest.
ADD = 90
# Long enough to do something on another node by two commands there, each of some seconds.
LONG_WAIT = 60
# Of the monitor, every 10 s, that starts an mdclusterd again; plus what one takes in a guest.
MONITOR = 60


def digest(array, serial):
    """Of the disk as the host has it: what the guests have written through."""
    with open(array.cluster.disk_file(serial), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@pytest.fixture
def disk(array, spare):
    """The spare, with random bytes where a superblock and a nonce would stand."""
    n1 = array.cluster.nodes[0]
    n1.run(f"dd if=/dev/urandom of={n1.disk(spare)} bs=1M count=4 oflag=direct", timeout=120)
    return spare


def ask(array, node, serial, *words):
    return node.run(f"mdclusterctl add {' '.join(words)} {array.ident} {node.disk(serial)}",
                    timeout=ADD, check=False)


def rows(result):
    return [json.loads(line) for line in result.out.splitlines()]


def verdicts(result):
    """The last word of each node."""
    return {row["node"]: row for row in rows(result) if row["event"] == "verdict"}


def announced(array, node):
    node.wait_for(lambda: (node.attribute(f"mdcluster-{array.ident}-add") or "")
                  .startswith("announced:"), 30, "the nodes are being asked")


class Begun:
    """The command in the background on a node, until it is asked for its end."""

    def __init__(self, array, node, serial, *words):
        self.node = node
        node.run("rm -f /run/ctladd.*")
        node.run(f"(mdclusterctl add {' '.join(words)} {array.ident} {node.disk(serial)}"
                 " > /run/ctladd.out 2>&1 & echo $! > /run/ctladd.pid; wait $!;"
                 " echo $? > /run/ctladd.rc) > /dev/null 2>&1 &")
        announced(array, node)

    def kill(self, signal):
        self.node.run(f"kill -{signal} $(cat /run/ctladd.pid)")

    def end(self, timeout=ADD):
        self.node.wait_for("test -s /run/ctladd.rc", timeout, "mdclusterctl has ended")
        return int(self.node.out("cat /run/ctladd.rc")), self.node.out("cat /run/ctladd.out")


@pytest.fixture
def patient(array):
    n1 = array.cluster.nodes[0]
    configure(n1, f"--resource {array.ident} --set-parameter disk_wait"
              f" --parameter-value {LONG_WAIT}")
    yield
    configure(n1, f"--resource {array.ident} --delete-parameter disk_wait")


def no_trace(array, node, serial, before):
    """Nothing of the question is left, on the disk or elsewhere."""
    name = f"mdcluster-{array.ident}-add"
    node.wait_for(lambda: not (node.attribute(name) or "").startswith("announced:"), 30,
                  "the question is taken back")
    node.wait_for("! pgrep -x mdclusterctl", 30, "no process of it is left")
    assert node.run("ls /var/lib/mdcluster/put-back-*", check=False).rc != 0
    assert digest(array, serial) == before
    for other in array.cluster.nodes:
        assert serial not in array.members(other)


def test_added_with_all_verdicts(array, disk):
    n1, n2, n3 = array.cluster.nodes
    result = ask(array, n1, disk, "--yes", "--json")
    assert result.rc == 0, result
    said = verdicts(result)
    assert set(said) == {"n2", "n3"}, result
    for peer in (n2, n3):
        assert said[peer.name]["verdict"] == "found"
        assert f"/dev/{said[peer.name]['device']}" == peer.disk(disk)
    first, last = rows(result)[0], rows(result)[-1]
    assert (first["event"], first["disk_id"]) == ("asking", disk)
    assert (last["event"], last["result"], last["as_found"]) == ("result", "added", False)
    wait_member(array, disk)


@pytest.mark.full
def test_added_from_a_node_that_is_not_the_first(array, disk):
    n3 = array.cluster.nodes[2]
    result = ask(array, n3, disk, "--yes")
    assert result.rc == 0 and "n1: sees it as" in result.out, result
    wait_member(array, disk)


@pytest.mark.full
def test_dry_run(array, disk):
    n1 = array.cluster.nodes[0]
    before = digest(array, disk)
    result = ask(array, n1, disk, "--dry-run")
    assert result.rc == 0, result
    for name in ("n2", "n3"):
        assert f"{name}: sees it as" in result.out, result
    assert "Would run mdadm --manage" in result.out and "is as it was found" in result.out
    assert status(n1, array.ident)["add"]["phase"] == "agreed"
    no_trace(array, n1, disk, before)


def test_refused_with_each_nodes_reason(array, disk):
    """n2 does not have it; on n3 something else is built on a part of it."""
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    n3.run(f"modprobe dm-mod; dmsetup create other --table '0 8192 linear {n3.disk(disk)} 131072'",
           timeout=30)
    n2.detach(disk)
    try:
        result = ask(array, n1, disk, "--yes", "--json")
    finally:
        n3.run("dmsetup remove --retry other", timeout=60)
        n2.attach(disk)
    assert result.rc == 1, result
    said = verdicts(result)
    assert said["n2"]["why"] == "unseen", said
    assert said["n3"]["why"].startswith("inuse=dm-"), said
    reason = rows(result)[-1]["reason"]
    assert "n2: does not see it" in reason and "n3: sees it, but dm-" in reason
    assert rows(result)[-1]["as_found"]
    n1.wait_for(lambda: (n1.attribute(f"mdcluster-{array.ident}-add") or "")
                .startswith("refused:-:"), 30, "the refusal is told")
    no_trace(array, n1, disk, before)
    n2.wait_for(lambda: n2.disk(disk), 20, f"{disk} is back")
    assert ask(array, n1, disk, "--yes").rc == 0
    wait_member(array, disk)


def test_late_disk_is_found(array, disk, patient):
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    n2.detach(disk)
    begun = Begun(array, n1, disk, "--dry-run")
    n2.attach(disk)
    code, out = begun.end()
    assert code == 0 and "n2: sees it as" in out, (code, out)
    no_trace(array, n1, disk, before)


@pytest.mark.parametrize("signal, code", [
    ("INT", 130), pytest.param("TERM", 143, marks=pytest.mark.full),
    pytest.param("KILL", 137, marks=pytest.mark.full)])
def test_ended_while_it_asks(array, disk, patient, signal, code):
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    n2.detach(disk)
    try:
        begun = Begun(array, n1, disk, "--yes")
        assert digest(array, disk) != before, "the nonce stands there"
        begun.kill(signal)
        assert begun.end()[0] == code
        no_trace(array, n1, disk, before)
    finally:
        n2.attach(disk)
    n2.wait_for(lambda: n2.disk(disk), 20, f"{disk} is back")
    # And the next one is served.
    assert ask(array, n1, disk, "--dry-run").rc == 0


@pytest.mark.full
def test_mdclusterd_dies_while_it_asks(array, disk, patient):
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    n2.detach(disk)
    try:
        begun = Begun(array, n1, disk, "--yes")
        n1.run("kill -9 $(pidof mdclusterd)")
        code, out = begun.end()
        assert code == 3 and "mdclusterd has ended" in out, (code, out)
    finally:
        n2.attach(disk)
    n1.wait_for(lambda: status(n1, array.ident), MONITOR, "a monitor has started another one")
    no_trace(array, n1, disk, before)


def test_silent_peer(array, disk):
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    n3.run("pkill -STOP -x mdclusterd")
    try:
        result = ask(array, n1, disk, "--yes")
    finally:
        n3.run("pkill -CONT -x mdclusterd")
    assert result.rc == 1 and "n3: no answer" in result.err, result
    assert "n2: sees it as" in result.out
    no_trace(array, n1, disk, before)


@pytest.mark.full
def test_peer_without_mdclusterd(array, disk):
    """It is not asked, and that is said; then its kernel is, where nobody answers either."""
    n1, n2, n3 = array.cluster.nodes
    before = digest(array, disk)
    state = f"mdcluster-{array.ident}-state"
    with array.maintenance():
        n3.run("pkill -x mdclusterd")
        n3.wait_for("! pgrep -x mdclusterd", 30, "mdclusterd has ended")
        n3.run(f"attrd_updater --name {state} --delete", timeout=60)
        n1.wait_for(lambda: n1.attribute(state, n3) is None, 60, "n3 says nothing of the array")
        result = ask(array, n1, disk, "--dry-run")
        assert result.rc == 0 and "n3: not asked" in result.out, result
        no_trace(array, n1, disk, before)
        # With the kernel's own module an add that a peer is silent to costs the communication.
        if status(n1, array.ident)["module"]:
            result = ask(array, n1, disk, "--yes")
            assert result.rc in (1, 4) and "mdadm could not add it" in result.err, result
            no_trace(array, n1, disk, before)
    # Pacemaker 3.0.0 does not begin a monitor again after maintenance that once said "degraded".
    n1.run(f"crm_resource --cleanup --resource {array.ident}", timeout=120)
    n3.wait_for(lambda: status(n3, array.ident), MONITOR, "a monitor has started mdclusterd again")
    n1.wait_for(lambda: n1.attribute(state, n3) == "clean", 60, "n3 says how the array is")
    assert ask(array, n1, disk, "--yes").rc == 0
    wait_member(array, disk)


def test_members_are_no_disks_to_add(array):
    n1 = array.cluster.nodes[0]
    result = ask(array, n1, "d1", "--yes")
    assert result.rc == 2 and "is a member of /dev/md/raid already" in result.err, result
    result = n1.run("mdclusterctl add --yes nonesuch /dev/null", check=False)
    assert result.rc == 3 and "no array 'nonesuch'" in result.err, result
