# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk is added on one node and every other node answers, whatever is wrong with it."""
import time
from contextlib import ExitStack

import pytest

from arrays import array, Array, status, wait_connected  # noqa: F401
from box import slower
from box.base import debugging
from byhand import parameter

# On 6.12 a peer that stays silent costs the array its communication 30 s later; a refusal
# must come long before (the bound), and mdadm itself needs about a second here.
REFUSED_WITHIN = slower(10)


@pytest.fixture
def spare(array):
    """The serial of a disk that is not in the array; taken out of it again afterwards."""
    serial, n1 = "d3", array.cluster.nodes[0]
    n1.run(f"wipefs -aq {n1.disk(serial)}")
    yield serial
    for node in array.cluster.nodes:
        if node.disk(serial) is None:
            node.attach(serial)
    if serial in array.members(n1):
        n1.run(f"mdadm --manage {array.device} --fail {n1.disk(serial)}", check=False)
        remove(array, n1, serial)
    wait_gone(array, serial)
    n1.run(f"wipefs -aq {n1.disk(serial)}")


NONSENSE = """
import socket
for text in (b"\\n", b"hello\\n", b"track\\n", b"track uuid=1 device=x\\n", b"\\0\\xff\\n",
             b"ping uuid=../../etc\\n", b"x" * 10000):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect("/run/mdcluster/socket")
        try:
            s.sendall(text)
            answer = s.recv(4096)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        print("refused" if not answer or answer.startswith(b"error ") else answer)
"""


# Other block devices change meanwhile: where nothing stirs, there is no need to wait for a path.
LATE = """until mdclusterctl status --json {ident} | grep -qE '"(looking|searching)"'; do
    echo change > /sys/class/block/{other}/uevent; sleep 0.1
done
echo {address} > /sys/bus/pci/drivers/virtio-pci/bind
"""


def add(array, node, serial, check=True):
    return node.run(f"mdadm --manage {array.device} --add {node.disk(serial)}", timeout=90,
                    check=check)


def remove(array, node, serial):
    # A member that was just failed is busy until the last request on it has ended.
    node.wait_for(f"mdadm --manage {array.device} --remove {node.disk(serial)}", 30,
                  f"{serial} can be removed")


def wait_member(array, serial, nodes=None):
    for node in nodes or array.cluster.nodes:
        node.wait_for(lambda n=node: serial in array.members(n), 20,
                      f"{serial} is a member here too: METADATA_UPDATED is one round trip")


def wait_gone(array, serial):
    for node in array.cluster.nodes:
        node.wait_for(lambda n=node: serial not in array.members(n), 20,
                      f"{serial} is gone here too")


def wait_answer(array, node, word):
    """The peer's answer as its attribute says it; attrd takes some seconds in a guest."""
    node.wait_for(lambda: (node.attribute(f"mdcluster-{array.ident}-add") or "").startswith(word),
                  60, f"{node.name} has published that the disk is {word}")


def no_udevd(node):
    assert node.run("pgrep -x systemd-udevd", check=False).rc != 0


def test_add_without_udevd(array, spare):
    n1, n2, n3 = array.cluster.nodes
    for node in array.cluster.nodes:
        no_udevd(node)
    add(array, n1, spare)
    wait_member(array, spare)
    for peer in (n2, n3):
        wait_answer(array, peer, "found:")
        assert status(peer, array.ident)["add"]["phase"] == "found"


def test_add_from_another_node(array, spare):
    n3 = array.cluster.nodes[2]
    add(array, n3, spare)
    wait_member(array, spare)


def test_add_with_udev_rule_as_well(array, spare):
    """mdadm's own rule answers too; whichever comes second does no harm."""
    n1, n2, n3 = array.cluster.nodes
    for node in (n2, n3):
        node.run("/lib/systemd/systemd-udevd --daemon && udevadm settle", timeout=90)
        assert node.run("ls /usr/lib/udev/rules.d/*md-clustered-confirm-device.rules")
    try:
        add(array, n1, spare)
        wait_member(array, spare)
        for peer in (n2, n3):
            wait_answer(array, peer, "found:")
    finally:
        for node in (n2, n3):
            node.run("udevadm control --exit; udevadm settle", check=False, timeout=60)
            node.run("pkill -x systemd-udevd; rm -rf /run/udev", check=False)


def test_missing_on_one_peer_is_refused(array, spare):
    """Refused in time, mdadm told, nothing left behind, and the next add works."""
    n1, n2, n3 = array.cluster.nodes
    n2.detach(spare)
    begin = time.monotonic()
    result = add(array, n1, spare, check=False)
    assert result.rc != 0
    assert time.monotonic() - begin < REFUSED_WITHIN
    assert "No such file or directory" in result.err
    wait_answer(array, n2, "missing:")
    for node in array.cluster.nodes:
        node.wait_for(lambda n=node: spare not in array.members(n), 20, "no candidate stays")
    n2.attach(spare)
    n2.wait_for(lambda: n2.disk(spare), 20, f"{spare} is back")
    add(array, n1, spare)
    wait_member(array, spare)


# Partition 1 of a disk, all but its first MiB, is added (1) or goes (2): BLKPG of linux/blkpg.h.
PARTITION = """
import ctypes, fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
first, end = 1 << 20, os.lseek(fd, 0, os.SEEK_END)
part = ctypes.create_string_buffer(struct.pack("qqi64s64s4x", first, end - first, 1, b"", b""))
fcntl.ioctl(fd, 0x1269, struct.pack("iiiP", int(sys.argv[2]), 0, len(part), ctypes.addressof(part)))
"""
# What is made of a disk on each node, its name, and how it goes again. Of a multipath map the disk
# is a path, on which the same superblock is to be read.
SECTORS = "$(blockdev --getsz {disk})"
MADE = {
    "partition": ("python3 /run/partition {disk} 1", "{disk}1", "python3 /run/partition {disk} 2"),
    "linear": (f'modprobe dm-mod; dmsetup create leg --table "0 $(({SECTORS} - 2048)) linear'
               ' {disk} 2048" && dmsetup mknodes leg', "/dev/mapper/leg", "dmsetup remove --retry leg"),
    "multipath": (f'modprobe dm-multipath; dmsetup create leg --uuid mpath-leg --table "0 {SECTORS}'
                  ' multipath 0 0 1 1 round-robin 0 1 1 {disk} 1" && dmsetup mknodes leg',
                  "/dev/mapper/leg", "dmsetup remove --retry leg"),
}


@pytest.mark.full
@pytest.mark.parametrize("kind", MADE)
def test_what_is_made_of_a_disk(array, spare, kind):
    """It is as good as a disk; and of a map and its path, the map is taken."""
    make, name, unmake = MADE[kind]
    n1, *peers = array.cluster.nodes

    def on(node, text):
        return text.format(disk=node.disk(spare))

    def members(node):
        return node.out(f"ls -d /sys/block/{array.md(node)}/md/dev-*").split()

    before = {node.name: members(node) for node in array.cluster.nodes}
    for node in array.cluster.nodes:
        node.put("/run/partition", PARTITION)
        node.run(on(node, make), timeout=30)
    knames = {node.name: node.out("basename $(readlink -f /sys/dev/block/"
                                  f"$(stat -L -c %Hr:%Lr {on(node, name)}))")
              for node in array.cluster.nodes}
    try:
        n1.run(f"mdadm --manage {array.device} --add {on(n1, name)}", timeout=90)
        for node in array.cluster.nodes:
            node.wait_for(lambda n=node: any(m.endswith(f"/dev-{knames[n.name]}")
                                             for m in members(n)), 20, "it is a member here")
        for peer in peers:
            wait_answer(array, peer, f"found:{knames[peer.name]}:")
        n1.run(f"mdadm --manage {array.device} --fail {on(n1, name)}")
        n1.wait_for(f"mdadm --manage {array.device} --remove {on(n1, name)}", 30,
                    "it can be removed")
        for node in array.cluster.nodes:
            node.wait_for(lambda n=node: members(n) == before[n.name], 20, "it is gone here too")
        n1.run(f"wipefs -aq {on(n1, name)}")
    finally:
        for node in array.cluster.nodes:
            node.run(on(node, unmake), timeout=60)


def test_refused_add_leaves_the_cluster_talking(array, spare):
    """The sequence that splits the mirror on the stock stack: fail a disk after a bad add."""
    n1, n2, n3 = array.cluster.nodes
    n2.detach(spare)
    assert add(array, n1, spare, check=False).rc != 0
    n2.attach(spare)
    n1.run(f"mdadm --manage {array.device} --fail {n1.disk('d1')}")
    for node in (n2, n3):
        node.wait_for(lambda n=node: "faulty" in array.members(n)["d1"][1], 20,
                      "it hears that d1 failed")
    remove(array, n1, "d1")
    wait_gone(array, "d1")
    n1.run(f"mdadm --manage {array.device} --re-add {n1.disk('d1')}", timeout=60)
    array.wait_in_sync("d1")


def configure(node, words):
    node.run(f"crm_resource {words}", timeout=60)
    node.run("crm_resource --wait", timeout=120)


def test_late_disk_is_accepted(array, spare, request):
    """The path appears on a peer while it searches. verdict_wait of 4 s leaves the time."""
    n1, n2, n3 = array.cluster.nodes
    configure(n1, f"--resource {array.ident} --set-parameter verdict_wait "
                  f"--parameter-value {slower(4)}")
    request.addfinalizer(lambda: configure(
        n1, f"--resource {array.ident} --delete-parameter verdict_wait"))
    n2.detach(spare)
    # The disk comes back when it is looked for: as proposed, or (of the kernel's own module, which
    # proposes nothing) as the kernel asks.
    n2.put("/run/late", LATE.format(ident=array.ident, other=n2.disk("d6").rpartition("/")[2],
                                    address=array.cluster.disk_address(spare)))
    with ExitStack() as patience:
        # The debug kernel's nodes take longer to find it than the module waits for a verdict. Who
        # asks and who searches goes by its own module's each; late's `status` reads it anew.
        for node in (n1, n2) if debugging() else ():
            patience.enter_context(parameter(node, "verdict_timeout", slower(4000)))
        n2.run("(timeout 60 sh /run/late > /run/late.log 2>&1 &)")
        add(array, n1, spare)
    wait_member(array, spare)
    wait_answer(array, n2, "found:")


def test_device_that_hangs_delays_nobody(array, spare):
    """An unrelated device on one peer never answers a read: the search goes on beside it."""
    n1, n2, n3 = array.cluster.nodes
    n2.run(f"modprobe dm-mod; dmsetup create hang --table '0 131072 linear {n2.disk('d6')} 0' &&"
           " dmsetup suspend hang", timeout=30)
    try:
        begin = time.monotonic()
        add(array, n1, spare)
        assert time.monotonic() - begin < REFUSED_WITHIN
        wait_member(array, spare)
    finally:
        n2.run("dmsetup resume hang; dmsetup remove --retry hang", timeout=60)


def test_disk_that_hangs_on_one_peer_is_refused(array, spare):
    """The disk itself hangs behind a device-mapper path on n2."""
    n1, n2, n3 = array.cluster.nodes
    size = n2.out(f"blockdev --getsz {n2.disk(spare)}")
    n2.run(f"modprobe dm-mod; dmsetup create hang --table '0 {size} linear {n2.disk(spare)} 0' &&"
           " dmsetup suspend hang", timeout=30)
    try:
        begin = time.monotonic()
        result = add(array, n1, spare, check=False)
        assert result.rc != 0
        assert time.monotonic() - begin < REFUSED_WITHIN
    finally:
        n2.run("dmsetup resume hang; dmsetup remove --retry hang", timeout=60)
    add(array, n1, spare)
    wait_member(array, spare)


def test_killed_event_process_comes_back(array, spare):
    """kill -9, then an add: it works after one monitor at the latest, and that is logged."""
    n1, n2, n3 = array.cluster.nodes
    old = n2.out("pgrep -x mdclusterd")
    n2.run("pkill -9 -x mdclusterd")
    # The monitor runs every 10 s, plus what one takes in a guest.
    n2.wait_for(lambda: n2.run("pgrep -x mdclusterd", check=False).out.strip() not in ("", old),
                40, "the next monitor has started mdclusterd again")
    n2.wait_for("mdclusterctl status", 30, "it answers")
    wait_connected(n2)
    n2.run("grep -q 'mdclusterd' /var/log/pacemaker/pacemaker.log")
    add(array, n1, spare)
    wait_member(array, spare)
    wait_answer(array, n2, "found:")


def test_frozen_pacemaker_holds_up_no_answer(array, spare):
    """The CIB and the attribute daemon of a peer do not answer: the kernel gets its answer, and so
    does the node that proposes the disk, through corosync."""
    n1, n2, n3 = array.cluster.nodes
    n2.run("pkill -STOP -x pacemaker-based; pkill -STOP -x pacemaker-attrd")
    try:
        begin = time.monotonic()
        result = add(array, n1, spare, check=False)
        assert time.monotonic() - begin < REFUSED_WITHIN
        assert result.rc == 0, result
    finally:
        n2.run("pkill -CONT -x pacemaker-attrd; pkill -CONT -x pacemaker-based")
    wait_member(array, spare)
    wait_answer(array, n2, "found:")


def test_socket_takes_no_nonsense(array):
    """Whatever a client sends, mdclusterd answers with an error or hangs up, and lives on."""
    n1 = array.cluster.nodes[0]
    before = n1.out("pidof mdclusterd")
    n1.put("/run/nonsense", NONSENSE)
    assert n1.out("/usr/bin/python3 /run/nonsense").split() == ["refused"] * 7
    assert n1.out("pidof mdclusterd") == before
    assert n1.out("stat -c %a /run/mdcluster /run/mdcluster/socket").split() == ["700", "600"]
    assert n1.run("setpriv --reuid=65534 --clear-groups mdclusterctl status", check=False).rc > 2


def test_fail_remove_readd_are_seen_by_all(array):
    n1, n2, n3 = array.cluster.nodes
    n2.run(f"mdadm --manage {array.device} --fail {n2.disk('d2')}")
    for node in array.cluster.nodes:
        node.wait_for(lambda n=node: "faulty" in array.members(n)["d2"][1], 20, "d2 is failed")
        node.wait_for(lambda n=node: status(n, array.ident)["state"] == "degraded", 20,
                      "mdclusterd sees it")
    remove(array, n2, "d2")
    wait_gone(array, "d2")
    n2.run(f"mdadm --manage {array.device} --re-add {n2.disk('d2')}", timeout=60)
    if status(n2, array.ident)["module"]:
        wait_answer(array, n2, "added:")
    array.wait_in_sync("d2")
