# SPDX-License-Identifier: GPL-2.0-or-later
"""The bed itself: what every other cluster test takes for granted, without the product."""
import pytest

from box import CLUSTER_NAME, TimeOut, wait_until

CREATE = ("mdadm --create {device} --run --name=bed --bitmap=clustered --nodes=4 --metadata=1.2 "
          "--level=1 --raid-devices=2 --assume-clean {first} {second}")


@pytest.fixture
def array(cluster3):
    """A clustered mirror of d5 and d6, made on n1 and assembled on the others."""
    cluster3.blank_disks("d5", "d6")
    first = cluster3.nodes[0]
    for node in cluster3.nodes:
        disks = node.disk("d5"), node.disk("d6")
        command = CREATE.format(device="/dev/md0", first=disks[0], second=disks[1]) \
            if node is first else f"mdadm --assemble /dev/md0 {disks[0]} {disks[1]}"
        node.run(command, timeout=90)
    yield cluster3
    for node in cluster3.nodes:
        if node.running:
            node.run("test ! -e /sys/block/md0/md || mdadm --stop /dev/md0", timeout=60)


def test_no_init_and_no_udev(cluster3):
    for node in cluster3.nodes:
        names = node.out("ps -eo comm").split()
        assert "systemd" not in names and "systemd-udevd" not in names
        assert node.out("hostname") == node.name


def test_command_channel(cluster3):
    node = cluster3.nodes[0]
    result = node.run("cat; echo seen >&2; exit 3", stdin=b"x" * 300000, check=False)
    assert (result.rc, len(result.out), result.err) == (3, 300000, "seen\n")
    with pytest.raises(TimeOut):
        node.run("sleep 30", timeout=1)
    node.run("sleep 300 &", timeout=10)
    node.put("/tmp/box test", b"\0\1\2", mode=0o600)
    assert node.get("/tmp/box test") == b"\0\1\2"


def test_three_nodes_quorate_with_dlm(cluster3):
    names = [node.name for node in cluster3.nodes]
    for node in cluster3.nodes:
        assert node.quorate()
        assert cluster3.online(node) == names
        assert cluster3.dlm_members(node) == [1, 2, 3]
    assert "-enabled=true" in cluster3.nodes[0].out("crm configure show", timeout=120)


def test_shared_disks_are_shared(cluster3):
    n1, n2, _ = cluster3.nodes
    n1.run(f"echo from n1 | dd of={n1.disk('d6')} bs=4096 conv=sync oflag=direct")
    assert "from n1" in n2.out(f"dd if={n2.disk('d6')} bs=4096 count=1 iflag=direct | head -n 1")
    before = n2.disk("d6")
    n2.detach("d6")
    assert n2.disk("d6") is None and n1.disk("d6") is not None
    n2.attach("d6")
    n2.wait_for(lambda: n2.disk("d6") == before, 10, "d6 to be back")


def test_clustered_array_on_all_nodes(array):
    for node in array.nodes:
        detail = node.out("mdadm --detail /dev/md0")
        assert f"Cluster Name : {CLUSTER_NAME}" in detail
        assert "[2/2] [UU]" in node.mdstat()
    n1, _, n3 = array.nodes
    n1.run("mdadm /dev/md0 --fail " + n1.disk("d6"), timeout=60)
    n3.wait_for(lambda: "[2/1] [U_]" in n3.mdstat(), 30, "n3 to see n1's failed disk")


@pytest.mark.full
def test_power_cut_is_fenced_and_the_node_comes_back(array):
    n1, n2, n3 = array.nodes
    n1.run("dd if=/dev/urandom of=/dev/md0 bs=64k count=64 oflag=direct", timeout=60)
    n3.run("echo kept > /root/kept; sync")
    n3.power_cut()
    array.wait_fenced(n3)
    assert set(array.fenced) == {"n3"}
    wait_until(lambda: array.dlm_members(n1) == [1, 2], 60, "the DLM to go on without n3")
    n1.run("dd if=/dev/urandom of=/dev/md0 bs=64k count=64 oflag=direct", timeout=60)
    n3.boot()
    array.wait_online()
    array.wait_dlm()
    assert n3.out("cat /root/kept") == "kept"
    n3.run(f"mdadm --assemble /dev/md0 {n3.disk('d5')} {n3.disk('d6')}", timeout=60)
    assert "md0" in n3.mdstat()
    for node in (n1, n2):
        assert node.machine.boots == 1
