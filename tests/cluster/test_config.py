# SPDX-License-Identifier: GPL-2.0-or-later
"""The configurations an administrator types, in crmsh and in pcs, and what Pacemaker does
with them: standby, maintenance, rolling stop, several arrays, too few slots."""
import pytest

from arrays import CRM_TIMEOUT, START_TIMEOUT, UUID, Array, agent, array, reason  # noqa: F401
from box import slower


def clean(text):
    """No complaint of the shell's but the one about the cluster's own quorum policy, which
    crmsh makes whatever that is set to."""
    return not any(word in line.lower() for line in text.splitlines()
                   if "DLM cluster best practice" not in line for word in ("warning", "error"))


def crm(node, text, timeout=CRM_TIMEOUT):
    return node.run("crm configure", stdin=text + "\n", timeout=timeout)


def test_crmsh_accepts_it_without_a_warning(array):
    n1 = array.cluster.nodes[0]
    # The short name, which crmsh resolves through the providers that are installed.
    result = crm(n1, f'primitive second ocf:mdcluster params uuid="{"0" * 8}:{"1" * 8}:'
                 f'{"2" * 8}:{"3" * 8}" device=/dev/md/second meta target-role=Stopped\n'
                 "verify\nshow second\ncommit")
    try:
        assert clean(result.out + result.err), str(result)
        assert "ocf:mdcluster:mdcluster" in n1.out("cibadmin -Q -o resources").replace(
            'class="ocf" provider="mdcluster" type="mdcluster"', "ocf:mdcluster:mdcluster")
        result = n1.run("crm configure verify", timeout=CRM_TIMEOUT)
        assert clean(result.out + result.err), str(result)
        assert "uuid" in n1.run("crm ra info ocf:mdcluster:mdcluster", timeout=CRM_TIMEOUT).out
    finally:
        n1.run("crm configure delete second", timeout=CRM_TIMEOUT)


def test_standby_and_unstandby(array):
    n1, n2, n3 = array.cluster.nodes
    n1.run("crm_standby -N n3 -v on")
    n3.wait_for(lambda: not array.joined(n3), START_TIMEOUT, "it leaves the array")
    n3.wait_for(lambda: n3.attribute(f"mdcluster-{array.ident}-slot") is None, 60,
                "its attributes are cleared")
    assert array.running(n1) and array.running(n2)
    without_the_module(n3)
    n1.run("crm_standby -N n3 -D")
    array.wait_running([n3])


def without_the_module(node):
    """Where even the module is absent: 7, and stop has nothing to do."""
    where = f"/lib/modules/{node.out('uname -r')}"
    params = {"uuid": UUID, "device": "/dev/md/none"}
    node.run("modprobe -r md_cluster; mkdir /root/hidden")
    node.run(f"cd {where}; for f in kernel/drivers/md/md-cluster.ko* updates/md-cluster.ko*; do "
             "[ ! -e $f ] || { cp --parents $f /root/hidden && rm $f; }; done; depmod",
             timeout=120)
    try:
        assert agent(node, "monitor", **params).rc == 7
        assert agent(node, "stop", **params).rc == 0
        start = agent(node, "start", **params)
        assert start.rc == 5 and "md-cluster" in reason(start)
    finally:
        node.run(f"cp -r /root/hidden/. {where} && rm -r /root/hidden; depmod", timeout=120)


def test_maintenance_mode_leaves_it_alone(array):
    n1 = array.cluster.nodes[0]
    with array.maintenance():
        assert 'managed="false"' in n1.out("crm_mon -1 --output-as=xml |"
                                           f" grep 'resource id=\"{array.ident}\"'")
        assert all(array.running(n) for n in array.cluster.nodes)
    assert all(array.running(n) for n in array.cluster.nodes)


@pytest.mark.full
def test_more_nodes_than_slots(array):
    n1 = array.cluster.nodes[0]
    small = Array(array.cluster, ident="small", serials=("d3", "d4"), slots=2)
    small.create(n1)
    try:
        small.configure(n1)
        small.cluster.nodes[0].wait_for(
            lambda: sum(small.running(n) for n in small.cluster.nodes) == 2, START_TIMEOUT,
            "two nodes have joined")
        n1.wait_for("crm_mon -1 | grep -q 'bitmap slots'", START_TIMEOUT,
                    "crm_mon says why the third one does not")
        assert sum(small.running(n) for n in small.cluster.nodes) == 2
    finally:
        small.remove()


def test_pcs(cluster3, array):
    """The recipe as it is installed, for a second array, a RAID10, beside crmsh's."""
    n1 = cluster3.nodes[0]
    other = Array(cluster3, ident="pcsraid", serials=("d3", "d4"), level="10 --layout=n2")
    other.create(n1)
    recipe = n1.out("cat /usr/share/doc/mdcluster/mdcluster.pcs")
    # The DLM runs already: its two lines are left out, as the recipe says.
    text = "\n".join(line for line in recipe.splitlines()
                     if "controld" not in line and "meta dlm-clone" not in line)
    n1.put("/run/recipe", text + "\n")
    # pcs finds the short name through crm_resource --list-standards, which since Pacemaker 3.0.3
    # aborts where no D-Bus answers: every machine has one, but not the guests.
    n1.run("mkdir -p /run/dbus && dbus-daemon --system --fork --print-pid=3 3> /run/dbus/test.pid")
    result = n1.run(f"UUID={other.uuid} DEVICE={other.device} ID=pcsraid sh -eu /run/recipe",
                    timeout=240)
    try:
        assert clean(result.out + result.err), str(result)
        other.wait_running()
        assert all(array.running(n) for n in cluster3.nodes)
    finally:
        n1.run(f"pcs resource disable pcsraid --wait={int(slower(200))}", timeout=240)
        n1.run("pcs resource delete pcsraid", timeout=120)
        n1.run("kill $(cat /run/dbus/test.pid)")
        for serial in other.serials:
            n1.run(f"mdadm --zero-superblock {n1.disk(serial)}")


def test_crmsh_template(array):
    """The template makes a configuration that crmsh verifies."""
    n1 = array.cluster.nodes[0]
    n1.run("crm configure template new mdc mdcluster params id=tmplraid"
           f" uuid={array.uuid} device=/dev/md/tmplraid dlm=dlm-clone", timeout=CRM_TIMEOUT)
    text = n1.run("crm configure template show mdc", timeout=CRM_TIMEOUT).out
    assert "primitive tmplraid ocf:mdcluster:mdcluster" in text and "c-tmplraid" in text, text
    assert "%" not in text, text


def test_rolling_stop_of_all_nodes(array):
    """One after the other leaves; those that are left go on; then all join again."""
    n1, n2, n3 = array.cluster.nodes
    for node in (n3, n2, n1):
        n1.run(f"crm_standby -N {node.name} -v on")
        node.wait_for(lambda n=node: not array.joined(n), START_TIMEOUT, "it leaves the array")
        for rest in array.cluster.nodes[:node.id - 1]:
            assert array.running(rest)
    for node in (n1, n2, n3):
        n1.run(f"crm_standby -N {node.name} -D")
    array.wait_running()
