# SPDX-License-Identifier: GPL-2.0-or-later
"""The module's netlink family: what it shows, whom it lets in, and that an agent which dies,
sleeps or sends rubbish costs nobody anything. For mdcluster's own module only."""
import json
import time

import pytest

from arrays import agent, array, reason, status, wait_connected  # noqa: F401
from box.base import HERE, SOURCE, slower
from byhand import parameter, wait_log
from test_add import add, spare, wait_answer, wait_member  # noqa: F401

GENL = "/usr/bin/python3 /run/genl.py /run/mdcluster.h"


@pytest.fixture
def ours(array):
    """The array, on nodes that can speak to the family."""
    if array.cluster.module != "ours":
        pytest.skip("the nodes run the kernel's own md-cluster, which has no netlink family")
    for node in array.cluster.nodes:
        node.put("/run/genl.py", (HERE.parent / "genl.py").read_text())
        node.put("/run/mdcluster.h", (SOURCE / "module/uapi/mdcluster.h").read_text())
    yield array
    for node in array.cluster.nodes:
        node.run("pkill -9 -f '[g]enl.py'", check=False)
        node.wait_for(lambda n=node: attached(n, array), 60, "mdclusterd is the agent again")
        wait_connected(node)


def attached(node, made):
    found = status(node, made.ident)
    return bool(found and found["module"] and found["module"]["attached"])


def dump(node, made):
    (found,) = [a for a in json.loads(node.out(f"{GENL} dump"))
                if a["uuid"] == made.uuid.replace(":", "")]
    return found


def kill_daemon(node):
    """At once; its socket is closed when it is gone."""
    node.run("while pkill -9 -x mdclusterd; do sleep 0.1; done", timeout=30)


def hold_agent(node, program=GENL, what="attach"):
    """Attaches an agent that does WHAT (reads nothing), in place of mdclusterd; what the kernel
    said. The next monitor may be quicker, and start mdclusterd again: then once more."""
    for _ in range(5):
        kill_daemon(node)
        node.run(f"rm -f /run/held; setsid {program} {what} < /dev/null > /run/held 2>&1 &")
        node.wait_for("grep -q error /run/held", 20, "the kernel answers to ATTACH")
        held = json.loads(node.out("head -n 1 /run/held"))
        if held["error"] == "ok":
            return held
    raise AssertionError(f"no agent could be attached: {held}")


def held_said(node):
    """The lines of an agent that comes to an end, between what the kernel said and that."""
    node.wait_for("grep -qx end /run/held", 120, "the agent has sent its verdicts")
    return node.out("cat /run/held").splitlines()[1:-1]


def test_dump_shows_what_the_cluster_is(ours):
    nodes = ours.cluster.nodes
    slots = {}
    for node in nodes:
        node.wait_for(lambda n=node: attached(n, ours), 30, "mdclusterd is attached")
        found = dump(node, ours)
        assert found["name"] == ours.md(node)
        assert found["cluster"] == "box"
        assert found["slots"] == ours.slots
        assert found["in_cluster"] == 0 and found["stopped"] is None
        assert sorted(map(int, found["members"])) == [n.id for n in nodes]
        assert found["slot"] == found["members"][str(node.id)]
        assert found["agent"]
        assert found["own_add"] is None
        slots[node.id] = found["slot"]
        shown = status(node, ours.ident)
        assert shown["slot"] == found["slot"] + 1 and shown["slots"] == ours.slots
        assert sorted(m["id"] for m in shown["module"]["members"]) == [n.id for n in nodes]
        assert shown["module"]["counters"]["sent"].keys() >= {"METADATA_UPDATED", "NEWDISK"}
        assert not shown["module"]["stuck"] and shown["module"]["own_add"] is None
    assert len(set(slots.values())) == len(nodes)


def test_only_the_administrator_gets_in(ours):
    n1 = ours.cluster.nodes[0]
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all"
    assert n1.out(f"{nobody} {GENL} dump") == "EPERM"
    assert json.loads(n1.out(f"{nobody} {GENL} attach"))["error"] == "EPERM"
    assert n1.out(f"{nobody} {GENL} join") == "EPERM"
    assert n1.out(f"{GENL} join") == "ok"
    assert n1.out(f"unshare --net {GENL} dump") in ("no family", "ENOENT")


def test_requests_are_strict(ours):
    n1 = ours.cluster.nodes[0]
    assert n1.out(f"{GENL} strict other") == ""
    kill_daemon(n1)
    said = n1.out(f"{GENL} strict agent")
    if "another agent" in said:     # the next monitor was quicker
        kill_daemon(n1)
        said = n1.out(f"{GENL} strict agent")
    assert said == ""


def test_rubbish_does_no_harm(ours):
    n1 = ours.cluster.nodes[0]
    for seed in range(3):
        n1.run(f"{GENL} fuzz {seed} 400", timeout=120)
    assert sorted(dump(n1, ours)["members"]) == ["1", "2", "3"]


def test_verdicts_on_nothing_do_no_harm(ours):
    """From the attached agent, so that they are looked at: good and bad ones, on no proposal."""
    n1 = ours.cluster.nodes[0]
    for seed in range(2):
        hold_agent(n1, what=f"verdicts {seed} 400")
        assert held_said(n1) == []
    assert sorted(dump(n1, ours)["members"]) == ["1", "2", "3"]


def test_proposal_is_shown_until_its_verdict(ours, spare):
    """The agent hesitates: a dump shows the disk, and the proposal. No verdict on another one is
    taken for its own, which refuses it."""
    n1 = ours.cluster.nodes[0]
    with parameter(n1, "verdict_timeout", 60000):
        hold_agent(n1, what="verdicts 2 100 propose")
        assert add(ours, n1, spare, check=False).rc != 0
        first, *wrong = held_said(n1)
    assert wrong == []
    said = json.loads(first)
    (shown,) = [a for a in said["arrays"] if a["uuid"] == said["proposed"]["uuid"]]
    for what in "device", "device_uuid", "proposal":
        assert shown["own_add"][what] == said["proposed"][what]
    assert shown["add"] is None and dump(n1, ours)["own_add"] is None
    wait_log(n1, "device 2 .new. is not added: said so by its agent")
    assert spare not in ours.members(n1)


def test_agents_come_and_go(ours):
    """One at a time; the second hears who is there; a dead one is gone at once."""
    n2 = ours.cluster.nodes[1]
    old = dump(n2, ours)["agent"]
    second = json.loads(n2.out(f"{GENL} attach"))
    assert second["error"] == "EBUSY" and str(old) in second["text"]
    n2.run("pkill -9 -x mdclusterd")
    # The next monitor's mdclusterd may be quicker than a look at the time between.
    n2.wait_for(lambda: dump(n2, ours)["agent"] != old, 10, "the dead agent is let go")
    n2.wait_for(lambda: dump(n2, ours)["agent"] not in (None, old), 60,
                "the next monitor's mdclusterd is the agent")


def test_add_goes_through_netlink_alone(ours, spare):
    """With agents attached the kernel emits no uevent, and the add works."""
    n1, n2, n3 = ours.cluster.nodes
    before = dump(n2, ours)["counters"]["received:NEWDISK"]
    for node in (n2, n3):
        node.run("(timeout 60 udevadm monitor --kernel --property > /run/uevents 2>&1 &)")
        node.run(f"(timeout 60 {GENL} watch 60 > /run/watched 2>&1 &)")
        node.wait_for("grep -q KERNEL /run/uevents && grep -q watching /run/watched", 20,
                      "the watchers watch")
    add(ours, n1, spare)
    wait_member(ours, spare)
    for node in (n2, n3):
        wait_answer(ours, node, "found:")
        assert node.run("grep -q ADD_DEVICE /run/uevents", check=False).rc == 1
        watched = [json.loads(x) for x in node.out("grep -h { /run/watched").splitlines()]
        asked = [x for x in watched if x["cmd"] == 4]
        assert [(x["name"], x["device"], x["timeout"]) for x in asked] == [(ours.md(node), 2, 5000)]
        # 9: another node's metadata update.
        assert any(x.get("event") == 9 for x in watched)
    assert dump(n2, ours)["counters"]["received:NEWDISK"] == before + 1


def test_agent_that_does_not_read_costs_nothing(ours, spare):
    """Its queue is full: the kernel falls back to the uevent, which mdclusterd hears as well."""
    n1, n2, _ = ours.cluster.nodes
    held = hold_agent(n2)
    n2.wait_for("mdclusterctl status", 60, "the next monitor has started mdclusterd")
    wait_connected(n2)
    n2.wait_for(f"mdclusterctl events --once | grep -q 'netlink port {held['port']}'", 20,
                "mdclusterd says who is the agent")
    assert not attached(n2, ours)
    lost = dump(n2, ours)["lost"]
    begin = time.monotonic()
    add(ours, n1, spare)
    assert time.monotonic() - begin < slower(10)
    wait_member(ours, spare)
    wait_answer(ours, n2, "found:")
    assert dump(n2, ours)["lost"] > lost


def test_dropped_candidate_is_told(ours, spare):
    """Refused by n3: n2, which has said yes, lets go of the disk by itself and publishes it. That
    far comes only an add whose agent is not heard before; else nothing is said to the kernels."""
    n1, n2, n3 = ours.cluster.nodes
    hold_agent(n1)
    n3.detach(spare)
    try:
        assert add(ours, n1, spare, check=False).rc != 0
        wait_answer(ours, n3, "missing:")
        wait_answer(ours, n2, "dropped:")
    finally:
        n3.attach(spare)
    assert spare not in ours.members(n2)
    assert dump(n2, ours)["counters"]["candidates_dropped"] > 0
    n3.wait_for(lambda: n3.disk(spare), 20, f"{spare} is back")
    add(ours, n1, spare)
    wait_member(ours, spare)


def test_stuck_module_fails_the_monitor(ours, spare):
    """Nobody on n2 answers for the disk, and newdisk_timeout is far beyond stuck_after."""
    n1, n2, _ = ours.cluster.nodes
    with (ours.maintenance(), parameter(n1, "newdisk_timeout", 40000),
          parameter(n2, "newdisk_timeout", 40000), parameter(n2, "stuck_after", 1000)):
        # An agent that has room to read, and does not: so there is no uevent either.
        n2.run("sed 's/SO_RCVBUF, 1)/SO_RCVBUF, 1 << 20)/' /run/genl.py > /run/genl.py.2")
        hold_agent(n2, GENL.replace("genl.py", "genl.py.2"))
        n2.run("mdclusterd", timeout=60)
        n2.wait_for(lambda: status(n2, ours.ident), 30, "mdclusterd has adopted the array")
        wait_connected(n2)
        n1.run(f"(mdadm --manage {ours.device} --add {n1.disk(spare)} > /run/add 2>&1 &)")
        try:
            n2.wait_for(lambda: (status(n2, ours.ident)["module"]["receiving_ms"] or 0) > 2000, 30,
                        "the module waits for an answer")
            shown = status(n2, ours.ident)["module"]
            assert shown["stuck"] and shown["add"]["step"] == "waiting"
            own = dump(n1, ours)["own_add"]
            assert own["device"] == shown["add"]["raid_disk"] and "proposal" not in own
            assert n2.run(f"mdclusterctl status {ours.ident}", check=False).rc == 2
            assert "stuck in one message" in n2.run("mdclusterctl status", check=False).out
            result = agent(n2, "monitor", uuid=ours.uuid, device=ours.device)
            assert result.rc == 1 and "kernel module has been at one message" in reason(result)
        finally:
            n2.run("pkill -9 -f '[g]enl.py.2'", check=False)
            n1.wait_for("! pgrep -x mdadm", 60, "the add has ended")
    assert agent(n2, "monitor", uuid=ours.uuid, device=ours.device).rc in (0, 190)
