# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent by hand on a node of a running cluster: its refusals, its codes, its texts."""
import pytest

from arrays import UUID, Array, agent, reason, status


@pytest.fixture
def node(cluster3):
    return cluster3.nodes[2]


@pytest.mark.parametrize("params, code, words", [
    (dict(device="/dev/md/x"), 6, "uuid"),
    (dict(uuid=UUID), 6, "device"),
    (dict(uuid="nonsense", device="/dev/md/x"), 6, "uuid"),
    (dict(uuid=UUID, device="/dev/sda"), 6, "device"),
    (dict(uuid=UUID, device="/dev/md/x", verdict_wait="soon"), 6, "verdict_wait"),
    (dict(uuid=UUID, device="/dev/md/" + "x" * 400), 6, "device"),
    (dict(uuid=UUID, device="/dev/md/x", members="/dev/nothing-here*"), 2, "nothing-here"),
    (dict(uuid=UUID, device="/dev/md/x"), 1, "no member"),
])
def test_start_refuses(node, params, code, words):
    before = node.run("pidof mdclusterd", check=False).out
    result = agent(node, "start", **params)
    assert (result.rc, result.out) == (code, "")
    assert words in reason(result)
    assert node.run("pidof mdclusterd", check=False).out == before, "nothing was started"


def test_start_without_mdadm(node):
    node.run("mv $(command -v mdadm) /root/mdadm")
    try:
        result = agent(node, "start", uuid=UUID, device="/dev/md/x")
        assert result.rc == 5 and "mdadm" in reason(result)
    finally:
        node.run("mv /root/mdadm /usr/sbin/mdadm")


def test_unknown_action(node):
    result = agent(node, "jump", uuid=UUID, device="/dev/md/x")
    assert result.rc == 3 and result.out == ""


def test_metadata(node):
    result = agent(node, "meta-data")
    assert result.rc == 0 and "<resource-agent" in result.out
    result = node.run("crm_resource --show-metadata ocf:mdcluster:mdcluster")
    assert "unique-group" in result.out


def test_validate_all_levels(node):
    params = dict(uuid=UUID, device="/dev/md/x", members="/dev/nothing-here*")
    assert agent(node, "validate-all", **params).rc == 0
    assert agent(node, "validate-all", env="OCF_CHECK_LEVEL=10", **params).rc == 2


def test_trace(node):
    node.run("rm -rf /tmp/trace")
    agent(node, "monitor", env="OCF_TRACE_RA=1", trace_ra="1", trace_dir="/tmp/trace",
          uuid=UUID, device="/dev/md/x")
    assert node.out("find /tmp/trace -type f | head -1")


def test_an_array_that_is_not_clustered(node):
    disk = node.disk("d4")
    node.run(f"mdadm --create /dev/md/plain --run --level=1 --metadata=1.2 --raid-devices=2"
             f" --size=64M {disk} missing", timeout=60)
    detail = node.out("mdadm --detail /dev/md/plain")
    uuid = detail.split("UUID : ")[1].split()[0]
    try:
        node.run("mdadm --stop /dev/md/plain")
        result = agent(node, "start", uuid=uuid, device="/dev/md/plain")
        assert result.rc == 6 and "not clustered" in reason(result)
    finally:
        node.run(f"mdadm --zero-superblock {disk}")


class TestRunning:
    """One array that runs on this node alone, joined and left by hand."""

    @pytest.fixture
    def array(self, cluster3, node):
        """Made by the first test, wiped by the last; joined and left in between."""
        if not hasattr(cluster3, "lone"):
            cluster3.lone = Array(cluster3, ident="hand", serials=("d3", "d4"))
            cluster3.lone.create(node)
        return cluster3.lone

    def params(self, array):
        return dict(uuid=array.uuid, device=array.device)

    def test_life(self, node, array):
        params = self.params(array)
        assert agent(node, "monitor", **params).rc == 7
        assert agent(node, "start", **params).rc == 0
        assert agent(node, "start", **params).rc == 0, "a second start is a success"
        assert agent(node, "monitor", **params).rc == 0
        assert agent(node, "notify", **params).rc == 0
        assert agent(node, "reload-agent", disk_wait="20", **params).rc == 0

    def test_device_taken_by_another_array(self, node, array):
        result = agent(node, "start", uuid=UUID, device=array.device)
        assert result.rc == 2 and "another array" in reason(result)

    def test_degraded_is_190(self, node, array):
        params = self.params(array)
        node.run(f"mdadm --manage {array.device} --fail {node.disk('d4')}")
        assert agent(node, "monitor", **params).rc == 190
        node.wait_for(f"mdadm --manage {array.device} --remove {node.disk('d4')}", 30, "removed")
        node.run(f"mdadm --manage {array.device} --re-add {node.disk('d4')}", timeout=60)
        node.wait_for(lambda: agent(node, "monitor", **params).rc == 0, 60, "in sync again")

    def test_read_only_is_an_error(self, node, array):
        params = self.params(array)
        node.run(f"mdadm --readonly {array.device}")
        result = agent(node, "monitor", **params)
        node.run(f"mdadm --readwrite {array.device}")
        assert result.rc == 1 and "readonly" in reason(result)
        assert agent(node, "monitor", **params).rc == 0

    def test_busy_stop_names_the_holder(self, node, array):
        params = self.params(array)
        node.run(f"mkfs.ext4 -q {array.device} && mkdir -p /tmp/mnt &&"
                 f" mount {array.device} /tmp/mnt", timeout=90)
        result = agent(node, "stop", **params)
        node.run("umount /tmp/mnt")
        assert result.rc == 1 and "/tmp/mnt" in reason(result)
        assert agent(node, "monitor", **params).rc == 0

    def test_busy_stop_names_a_process(self, node, array):
        params = self.params(array)
        node.run(f"(exec 7<{array.device}; exec sleep 120) > /dev/null 2>&1 &")
        result = agent(node, "stop", **params)
        node.run("pkill -f '[s]leep 120'")
        assert result.rc == 1 and "sleep" in reason(result)

    def test_stop(self, node, array):
        params = self.params(array)
        assert agent(node, "stop", **params).rc == 0
        assert agent(node, "monitor", **params).rc == 7
        assert agent(node, "stop", **params).rc == 0
        assert status(node, array.ident) is None, "mdclusterd has let go of it"
        for serial in array.serials:
            node.run(f"mdadm --zero-superblock {node.disk(serial)}")
