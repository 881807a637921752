# SPDX-License-Identifier: GPL-2.0-or-later
"""A clustered array as the tests make it: created by mdadm on one node, run by Pacemaker.

Disks are named by their serial ("d1"); a node's path for one is asked from that node, as
the kernel may name it differently after it went away and came back.
"""
import json
import re
from contextlib import contextmanager

import pytest

from box.base import slower_text, wait_until

# One crmsh call parses metadata and the CIB in Python: 5 to 15 s in an emulated guest.
CRM_TIMEOUT = 120
# Start on all nodes: check, assemble and daemon, each some seconds in an emulated guest.
START_TIMEOUT = 150
# One message, and a look at sysfs on each node, which takes half a second in an emulated guest.
HEARD = 30
# After a fencing: a bitmap read, 100 MiB resynced by another node, its end told to all.
SETTLED = 120

AGENT = "/usr/lib/ocf/resource.d/mdcluster/mdcluster"
# Of no array at all.
UUID = "01234567:89abcdef:01234567:89abcdef"


def agent(node, action, timeout=90, env="", **params):
    """Runs an action by hand, as the executor would."""
    words = " ".join(f"OCF_RESKEY_{k}={v!r}" for k, v in params.items())
    return node.run(f"env OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=try {env} {words}"
                    f" {AGENT} {action}", timeout=timeout, check=False)


def reason(result):
    """The one sentence that an action gave for its code."""
    lines = [line for line in result.err.splitlines() if line.startswith("ocf-exit-reason:")]
    assert len(lines) == 1, f"exactly one reason: {result}"
    return lines[0]


def status(node, name):
    """What mdclusterctl says of one array on a node (None: it says nothing)."""
    result = node.run(f"mdclusterctl status --json {name}", check=False)
    if result.rc > 2:
        return None
    arrays = json.loads(result.out)["arrays"]
    return arrays[0] if arrays else None


def wait_connected(node):
    """Wait until NODE's mdclusterd can be asked by others: one that has just begun signs on to the
    CIB in some seconds, and who is silent until then refuses a disk."""
    node.wait_for("mdclusterctl status --json | grep -qE '\"pacemaker\" *: *\"connected\"'", HEARD,
                  "mdclusterd is connected to Pacemaker")


class Array:
    def __init__(self, cluster, ident="raid", serials=("d1", "d2"), slots=4, level="1",
                 size="100M"):
        self.cluster, self.ident, self.serials = cluster, ident, serials
        self.slots, self.level, self.size = slots, level, size
        self.device = f"/dev/md/{ident}"
        self.uuid = None

    def create(self, node, extra="--assume-clean"):
        """mdadm --create on one node, as README has it, then --stop."""
        disks = " ".join(node.disk(s) for s in self.serials)
        node.run(f"mdadm --create {self.device} --run --level={self.level} --metadata=1.2 {extra}"
                 f" --raid-devices={len(self.serials)} --bitmap=clustered --nodes={self.slots}"
                 f" --size={self.size} {disks}", timeout=90)
        detail = node.run(f"mdadm --detail {self.device}").out
        self.uuid = re.search(r"UUID : ([0-9a-f:]{35})", detail).group(1)
        node.run(f"mdadm --stop {self.device}", timeout=60)

    def crm_text(self):
        return "\n".join([
            f'primitive {self.ident} ocf:mdcluster:mdcluster'
            f' params uuid="{self.uuid}" device="{self.device}"'
            ' op start timeout=240s interval=0 op stop timeout=240s interval=0'
            ' op monitor interval=10s timeout=60s',
            f"clone c-{self.ident} {self.ident} meta interleave=true notify=true",
            f"order order-{self.ident} Mandatory: dlm-clone c-{self.ident}",
            f"colocation colo-{self.ident} inf: c-{self.ident} dlm-clone",
        ])

    def configure(self, node):
        node.run("crm configure", stdin=slower_text(self.crm_text()) + "\nverify\ncommit\n",
                 timeout=CRM_TIMEOUT)

    def md(self, node):
        return node.run(f"basename $(readlink -f {self.device})").out.strip()

    def sysfs(self, node, name):
        return node.run(f"cat /sys/block/{self.md(node)}/md/{name}").out.strip()

    def members(self, node):
        """{serial: words of its sysfs state} as this node's kernel has it."""
        out = node.run(f"cd /sys/block/{self.md(node)}/md && for d in dev-*; do"
                       " echo $(cat $d/slot) $(cat $d/state) $(cat $d/block/serial); done",
                       check=False).out
        # A disk whose path is gone has no serial here.
        words = [line.split() for line in out.splitlines()]
        return {w[2]: (w[0], w[1]) for w in words if len(w) == 3}

    @property
    def running_nodes(self):
        return [node for node in self.cluster.nodes if node.running]

    def view(self, node):
        """{serial: its number in the mirror, "none" (a spare or a candidate) or "faulty"}"""
        return {serial: "faulty" if "faulty" in state else slot
                for serial, (slot, state) in self.members(node).items()}

    def same(self, *nodes, **expected):
        """Wait until all (or NODES) show the same members, EXPECTED (d4="faulty", d5=None: away,
        d6=True: there) among them; return them."""
        def one_view():
            views = self.cluster.each(self.view, nodes or None)
            assert all(view == views[0] for view in views), f"nodes disagree: {views}"
            for serial, role in expected.items():
                found = views[0].get(serial)
                assert found == role or (role is True and found is not None), \
                    f"{serial} is {found}, not {role}: {views[0]}"
            return views[0] or None

        return wait_until(one_view, HEARD, "all nodes to show the same members")

    def wait_settled(self):
        """Wait until nothing is open any more in the module on any node that is on."""
        live = self.running_nodes

        def settled(node):
            module = (status(node, self.ident) or {}).get("module")
            assert module, "mdclusterd says nothing of the module"
            still = {name: module[name] for name in ("stopped", "to_recover", "add", "suspended")
                     if module[name]}
            assert not still and len(module["members"]) == len(live), (still, module["members"])
            return True

        self.cluster.each(lambda node: node.wait_for(lambda: settled(node), SETTLED,
                                                     "all to be settled"), live)

    def running(self, node):
        return node.run(f"grep -qE '^md.* : active' /proc/mdstat && test -e {self.device}"
                        f" && test -d /sys/kernel/dlm/{self.lockspace}", check=False).rc == 0

    def joined(self, node):
        """Is this node in the array's DLM lockspace?"""
        return node.run(f"test -d /sys/kernel/dlm/{self.lockspace}", check=False).ok

    @property
    def lockspace(self):
        h = self.uuid.replace(":", "")
        return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))

    def wait_running(self, nodes=None):
        for node in nodes or self.cluster.nodes:
            node.wait_for(lambda n=node: self.running(n), START_TIMEOUT,
                          f"{self.device} runs here")

    def wait_in_sync(self, serial, nodes=None):
        """Wait until a member is in sync on all nodes: a recovery of 100 MiB in emulated guests
        takes some seconds, and mdclusterd waits up to 20 s before it takes a disk in again."""
        for node in nodes or self.cluster.nodes:
            node.wait_for(lambda n=node: self.members(n).get(serial, ("", ""))[1] == "in_sync",
                          120, f"{serial} is in sync again")

    @contextmanager
    def maintenance(self):
        """Pacemaker leaves all alone meanwhile, and no monitor of it runs any more.

        What tells is the history, not `crm_resource --wait`: where a monitor has once said that
        it is degraded, that waits for ever for its cancellation (Pacemaker 2.1.5 and 3.0.0).
        """
        n1 = self.cluster.nodes[0]
        monitors = f"//lrm_rsc_op[starts-with(@id, '{self.ident}_monitor_')]"
        # Where a node has started the array and not begun its monitor again, none is cancelled, and
        # the history has the one from before for ever.
        n1.wait_for('crmadmin --status "$(crmadmin --quiet --dc_lookup)" | grep -q S_IDLE', 120,
                    "the DC has nothing left to do")
        n1.run("crm_attribute --name maintenance-mode --update true", timeout=60)
        try:
            # Three cancellations, after what a transition under way still does.
            n1.wait_for(f'! cibadmin --query --xpath "{monitors}"', 120,
                        f"no monitor of {self.ident} runs any more")
            yield
        finally:
            n1.run("crm_attribute --name maintenance-mode --delete", timeout=60)
            # As README says: else Pacemaker 3.0.0 may not begin a monitor again.
            n1.run(f"crm_resource --cleanup --resource {self.ident}", timeout=120)
            self.cluster.wait_idle()

    def remove(self):
        """Stops and forgets the resource, and wipes the disks."""
        n = self.cluster.nodes[0]
        n.run(f"crm --wait resource stop c-{self.ident}", timeout=CRM_TIMEOUT + START_TIMEOUT)
        n.run(f"crm configure delete --force c-{self.ident} {self.ident}"
              f" order-{self.ident} colo-{self.ident}", timeout=CRM_TIMEOUT)
        for s in self.serials:
            n.run(f"mdadm --zero-superblock {n.disk(s)}")


def _own_module(cluster):
    """Have all nodes load the cluster's module again, if a test by hand gave them another."""
    if not any(node.module for node in cluster.nodes):
        return
    if hasattr(cluster, "by_hand"):
        cluster.by_hand[1].stop()
        del cluster.by_hand
    for node in cluster.nodes:
        node.module = None
        cluster.install_product(node)


@pytest.fixture
def array(cluster3):
    """The array "raid" on d1 and d2, run by Pacemaker on all three nodes; made for the first
    test that asks for it on this cluster, and left to the next ones in the same state."""
    if not hasattr(cluster3, "raid"):
        _own_module(cluster3)
        made = Array(cluster3)
        made.create(cluster3.nodes[0])
        made.configure(cluster3.nodes[0])
        made.wait_running()
        cluster3.raid = made
    return cluster3.raid
