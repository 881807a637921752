# SPDX-License-Identifier: GPL-2.0-or-later
"""The debug kernel sees faults, and the bed hears of them, or nothing that the other tests find
there is worth anything. Only for the debug kernel."""
from pathlib import Path

import pytest

from box import BoxError, Cluster
from box.base import debugging
from box.ownmodule import own_module

pytestmark = pytest.mark.skipif(not debugging(), reason="for the debug kernel: tests/run "
                                "debug-kernel")
HERE = Path(__file__).resolve().parent / "faulty"
PLACE = "/run/faulty.ko"
# In this order: KASAN's report switches lockdep off.
SAYS = {"order": "WARNING: possible circular locking dependency detected",
        "atomic": "BUG: sleeping function called", "freed": "BUG: KASAN: slab-use-after-free"}


@pytest.fixture
def spoilable(suite, alone):
    """A cluster of one node whose kernel may be spoilt."""
    cluster = Cluster(nodes=1, suite=suite, disks=1)
    cluster.start(cluster=False)
    yield cluster
    cluster.stop()


def do(node, fault):
    node.put(PLACE, own_module(node.cluster.suite, HERE, "faulty").read_bytes())
    node.run(f"insmod {PLACE} fault={fault} && rmmod faulty", timeout=60)


def test_each_fault_is_heard(spoilable):
    (node,) = spoilable.nodes
    assert spoilable.kernel_complaints() == []
    assert spoilable.last_look() == []
    do(node, "leak")
    leaks = spoilable.last_look()
    assert leaks and all("a leak" in leak and "insmod" in leak for leak in leaks), leaks
    assert spoilable.kernel_complaints() == []
    for fault, says in SAYS.items():
        do(node, fault)
        assert any(says in line for line in spoilable.kernel_complaints()), fault
    assert any("lockdep has switched itself off" in line for line in spoilable.last_look())
    # It stops for that: only the console tells.
    with pytest.raises(BoxError):
        do(node, "list")
    node.machine.wait_off(30)
    assert any("list_del corruption" in line for line in spoilable.kernel_complaints())
