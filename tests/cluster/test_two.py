# SPDX-License-Identifier: GPL-2.0-or-later
"""Two nodes: create, join, add, leave, join again. Short, so on every suite by default."""
import pytest

from arrays import START_TIMEOUT, Array, status
from byhand import create_unsynced

pytestmark = pytest.mark.short


def test_life_on_two_nodes(cluster2):
    n1, n2 = cluster2.nodes
    if cluster2.module == "ours":
        for node in cluster2.nodes:
            assert "/updates/" in node.out("modinfo -n md-cluster")
    array = Array(cluster2, slots=2)
    array.create(n1)
    array.configure(n1)
    array.wait_running()
    n2.run(f"mdadm --manage {array.device} --add {n2.disk('d3')}", timeout=60)
    n1.wait_for(lambda: "d3" in array.members(n1), 20, "the spare is a member here too")

    n1.run("crm_standby -N n2 -v on")
    n2.wait_for(lambda: not array.joined(n2), START_TIMEOUT, "it leaves the array")
    assert array.running(n1)
    n1.run("crm_standby -N n2 -D")
    array.wait_running()
    for node in cluster2.nodes:
        node.wait_for(lambda n=node: status(n, array.ident)["slot"], 30, "its slot is known")
    assert {status(n, array.ident)["slot"] for n in cluster2.nodes} == {1, 2}
    assert set(array.members(n2)) == {"d1", "d2", "d3"}
    assert cluster2.fenced == []

    array.remove()
    for node in cluster2.nodes:
        # Clearing the attributes costs attrd_updater calls of about a second each.
        node.wait_for("! pgrep -x mdclusterd", 40, "mdclusterd ends after the last stop")
        assert node.attribute(f"mdcluster-{array.ident}-slot") is None


def test_members_of_two_nodes(cluster2):
    """A resync that is handed over, an add that is refused, one that is not, a recovery."""
    n1, n2 = cluster2.nodes
    array = create_unsynced(cluster2, n1)
    try:
        array.hand_over(n1)
        array.start(n1)
        array.healthy()
        spare, (first, _) = array.spare, array.legs
        n2.detach(spare)
        assert array.add(n1, spare, check=False).rc != 0
        n2.attach(spare)
        array.same(**{spare: None})
        array.add(n2, spare)
        array.same(**{spare: "none"})
        array.manage(n1, "fail", first)
        array.same(**{first: "faulty"})
        array.wait_in_sync(spare)
        array.fresh(n2)
        array.remove(n2, first)
        array.healthy()
    finally:
        array.stop()
