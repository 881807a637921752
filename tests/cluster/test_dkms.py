# SPDX-License-Identifier: GPL-2.0-or-later
"""DKMS in a running machine: what it builds there is loaded there, by modprobe, in the place of
the kernel's own, and goes again. No cluster: the module joins nothing.
"""
import pytest

from box import Cluster
from box.base import SOURCE, debugging, results_dir
from box.dkms import dkms_machine

pytestmark = [pytest.mark.full, pytest.mark.skipif(
    debugging(), reason="DKMS builds for the kernel of a package")]

HERE = SOURCE / "tests/cluster"
MACHINE = "/run/dkms"
# The machine's tree, with the running kernel seen in it.
MOUNT = f"""mkdir -p {MACHINE} && mount {{disk}} {MACHINE} &&
for part in dev proc sys; do mount --bind /$part {MACHINE}/$part || exit 1; done"""
# Compiling takes half a minute on a machine that is 10 to 20 times quicker, and the packages of
# the kernel's source and modules have to be unpacked as well.
BUILD_S = 1800
# All of the kernel's modules are unpacked for their index: ten seconds there.
REMOVE_S = 600


@pytest.fixture
def machine(suite, alone):
    """A node whose kernel's build tree, and dkms with our sources, are on a disk of its own."""
    cluster = Cluster(nodes=1, suite=suite, disks=0)
    try:
        cluster.prepare()
        (node,) = cluster.nodes
        node.machine.disks.append(("dkms", cluster.directory / "dkms.img"))
        with dkms_machine(suite, results_dir() / f"dkms-guest-{suite}.log") as tree:
            tree.make_disk(cluster.directory / "dkms.img")
            version = tree.version
        node.boot(cluster=False)
        cluster.mark_kernel_logs("dkms")
        node.run(MOUNT.format(disk=node.disk("dkms")))
        node.put("/run/genl.py", (HERE / "genl.py").read_text())
        node.put("/run/mdcluster.h", (SOURCE / "module/uapi/mdcluster.h").read_text())
        yield node, f"mdcluster/{version}"
        assert not cluster.kernel_complaints()
    finally:
        cluster.stop()


def inside(node, command, timeout=60):
    return node.out(["chroot", MACHINE, "sh", "-ec", command], timeout=timeout)


def load(node):
    """Whether the module that modprobe loads is the kernel's own, and what netlink has of it."""
    try:
        inside(node, "modprobe md-cluster")
        return ("O" not in node.out("cat /sys/module/md_cluster/taint"),
                node.out("/usr/bin/python3 /run/genl.py /run/mdcluster.h dump"))
    finally:
        inside(node, "modprobe -r md-cluster")


def test_dkms_in_a_running_machine(machine):
    node, name = machine
    kernel = node.out("uname -r")
    assert load(node) == (True, "no family")
    said = inside(node, f"dkms install {name} 2>&1 || {{ cat /var/lib/dkms/{name}/build/make.log; "
                        "exit 1; }", timeout=BUILD_S)
    assert "/updates/dkms/" in inside(node, "modinfo -n md-cluster"), said
    assert "LAYOUT" in inside(node, f"cat /var/lib/dkms/{name}/{kernel}/x86_64/log/make.log")
    # No array, but an answer.
    assert load(node) == (False, "[]")
    inside(node, f"dkms remove {name} --all", timeout=REMOVE_S)
    assert "/kernel/drivers/md/" in inside(node, "modinfo -n md-cluster")
    assert load(node) == (True, "no family")
