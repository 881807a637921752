# SPDX-License-Identifier: GPL-2.0-or-later
"""Writers that run in the nodes, and the comparison of a mirror's two disks on the host."""
import re

from box import BoxError

# 256 KiB at a time, direct, each node in a region of its own of the first 75 MiB.
REGION = 100
WRITER = """i=0
while dd if=/dev/urandom of={device} bs=64k count=4 seek=$(({base} + i % {region} * 4)) \\
         oflag=direct conv=notrunc 2>/dev/null; do
    i=$((i + 1)); echo $i > /run/written
done
"""


def start_writer(device, node):
    node.run("rm -f /run/written")
    node.put("/run/writer", WRITER.format(device=device, base=REGION * 4 * (node.id - 1),
                                          region=REGION))
    node.run("(exec sh /run/writer) > /dev/null 2>&1 &")
    node.wait_for("test -s /run/written", 30, "its writer has written once")


def stop_writer(node):
    # The brackets keep the pattern from matching the shell that runs this very command.
    node.run("pkill -f [/]run/writer; while pgrep -f [/]run/writer; do sleep 0.2; done", timeout=60)


def written(node):
    """How many writes the node's writer has done."""
    return int(node.out("cat /run/written") or 0)


def sync_speed(node, limit):
    """No resync is faster than LIMIT (KiB/s) on NODE, which may have had no array yet."""
    # The kernel slows nothing down to less than speed_limit_min, which is 1000.
    node.run(f"modprobe md-mod && cd /proc/sys/dev/raid && echo {min(limit, 1000)} > "
             f"speed_limit_min && echo {limit} > speed_limit_max")


def wait_clean(device, nodes):
    """Wait until no resync goes on and nothing is missing. A resync of 100 MiB in emulated
    guests takes some seconds; one that another node does is waited for in turn."""
    for node in nodes:
        node.wait_for(f"cd /sys/block/$(basename $(readlink -f {device}))/md &&"
                      " grep -qx idle sync_action && grep -qx 0 degraded", 180,
                      "the array to be in sync")


def wait_recovery(node, dead):
    """Wait until NODE's md-cluster has begun to recover the bitmap of the node that died: till
    then no resync is in sight. The DLM waits for the fencing first, and up to 30 s for more
    nodes after one has joined."""
    # The kernel's own module says the one, ours the other.
    said = f"Node {dead.id}/.* down|node {dead.id} in slot .* is gone"
    node.wait_for(f"dmesg | grep -qE 'md-cluster: .*({said})'", 90,
                  f"the recovery of {dead.name}'s bitmap to begin")


def data_offset(node, serial):
    """Where the data of a member begins in its file, in bytes."""
    examine = node.out(f"mdadm --examine {node.disk(serial)}")
    return int(re.search(r"Data Offset : (\d+)", examine).group(1)) * 512


def legs_equal(cluster, *serials):
    """Compare the data of a mirror's disks, all of them, in their files on the host; their size in
    bytes.

    Nothing may write meanwhile."""
    node = next(node for node in cluster.nodes if node.running)
    examine = node.out(f"mdadm --examine {node.disk(serials[0])}")
    offset = data_offset(node, serials[0])
    size = int(re.search(r"Array Size : (\d+)", examine).group(1)) * 1024
    legs = []
    for serial in serials:
        with open(cluster.disk_file(serial), "rb") as image:
            image.seek(offset)
            legs.append(image.read(size))
    if not any(legs[0]):
        raise BoxError("the mirror holds nothing but zeroes: there is nothing to compare")
    for serial, leg in zip(serials[1:], legs[1:]):
        for at in range(0, size, 4096):
            if legs[0][at:at + 4096] != leg[at:at + 4096]:
                raise BoxError(f"{serials[0]} and {serial} differ at byte {at} of their data")
    return size
