# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster of virtual nodes: their shared disks, network, fencing, and what to wait for.

    with Cluster(nodes=3, disks=4) as cluster:
        n1, n2, n3 = cluster.nodes
        n1.run("mdadm --create ...")
"""
import fcntl
import io
import os
import shutil
import tarfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from . import collect, complaints, image, store
from .base import (HERE, RUN_DIR, BoxError, cache_dir, debugging, say, slower, slower_text,
                   wait_until)
from .debugimage import guest_image
from .fencing import FenceServer
from .node import Node
from .product import default_module
from .qemu import Machine, Switch

CLUSTER_NAME = "box"
FIRST_DISK_SLOT = 0x10
MAX_DISKS = 15
# In megabytes. KASAN keeps a map of an eighth, and freed memory for a while.
MEMORY, DEBUG_MEMORY = 1024, 1536
# Warnings on the console too: it outlives a node whose power is cut. Interpreting the tables of ACPI
# takes half a minute for each device where KASAN minds every step, and fills the room for stacks.
DEBUG_CMDLINE = " loglevel=5 acpi=off"
# Seconds after which the kernel logs a task that does not get on, as guest/init sets it.
HUNG_TASK = 30

COROSYNC_CONF = """totem {{
    version: 2
    cluster_name: {name}
    transport: knet
    crypto_cipher: none
    crypto_hash: none
    token: {token}
}}
logging {{
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/cluster/corosync.log
    timestamp: hires
}}
quorum {{
    provider: corosync_votequorum
    two_node: {two_node}
}}
nodelist {{
{nodes}}}
"""
COROSYNC_NODE = """    node {{
        name: {name}
        nodeid: {id}
        ring0_addr: {address}
    }}
"""

# What every clustered array needs before it: fencing and the DLM. Read by crmsh in one go,
# since each of its calls takes seconds in a guest.
FENCING = """property {word}-enabled=true {word}-action=off no-quorum-policy=freeze
primitive fence stonith:fence_box params pcmk_host_list="{names}" \\
    op monitor interval=600s timeout=60s
"""
DLM = """primitive dlm ocf:pacemaker:controld op monitor interval=60s timeout=60s \\
    op start timeout=120s interval=0s op stop timeout=120s interval=0s
clone dlm-clone dlm meta interleave=true
"""


def _clean_leftovers(runs):
    """Remove what runs that were killed have left; a living run holds its lock."""
    for path in runs.iterdir():
        try:
            with open(path / ".lock", "a") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                shutil.rmtree(RUN_DIR / path.name, ignore_errors=True)
        except (BlockingIOError, NotADirectoryError, FileNotFoundError):
            continue


class Cluster:
    """Nodes n1, n2, ... with shared disks d1, d2, ...; nothing runs before `start`.

    product: a tarball that is unpacked in each node (see product.py), or None.
    module: whose md-cluster the nodes load: "stock", or "ours" or "faults" (ours, with fault
    points), which the product must have; by default what the environment variable
    MDCLUSTER_MODULE says, else "ours". For a node whose `module` is set, that counts: when it
    boots, or at once with install_product().
    fencing_restarts: whether a fencing "reboot" or "on" boots the node; else it stays off.
    """

    _count = 0

    def __init__(self, nodes=3, suite="trixie", disks=4, disk_mb=256, memory=None, product=None,
                 module=None):
        if suite not in image.GUEST_SUITES:
            raise BoxError(f"suite {suite} is unknown: must be one of "
                           f"{', '.join(image.GUEST_SUITES)}")
        if disks > MAX_DISKS:
            raise BoxError(f"{disks} disks are too many: at most {MAX_DISKS}")
        Cluster._count += 1
        self.run_name = f"{os.getpid()}-{Cluster._count}"
        self.suite = suite
        self.product = product
        self.module = (module or default_module()) if product else "stock"
        self.disk_mb = disk_mb
        self.fencing_restarts = False
        self.directory = cache_dir() / "runs" / self.run_name
        self.sockets = RUN_DIR / self.run_name
        self.fencing = FenceServer(self)
        self.nodes = []
        self._serials = [f"d{number}" for number in range(1, disks + 1)]
        self._count_nodes = nodes
        self._memory = memory or (DEBUG_MEMORY if debugging() else MEMORY)
        self._lock = self._image = self._switch = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    # Life

    def start(self, cluster=True):
        """Boot all nodes. Unless CLUSTER is false, their daemons are started, and this returns
        when all are online in Pacemaker."""
        begin = time.monotonic()
        self.prepare()
        try:
            for node in self.nodes:
                node.boot(wait=False)
            self.each(lambda node: node.finish_boot(cluster=False))
            if cluster:
                # Together: a node that comes late may be fenced at the start.
                self.each(lambda node: node.start_cluster())
                self.wait_online()
        except BaseException:
            self.stop()
            raise
        say(f"{len(self.nodes)} nodes of {self.suite} "
            f"{'online' if cluster else 'up'} in {time.monotonic() - begin:.0f} s")

    def prepare(self):
        """Everything up to powering on: image, disks, switch, machines."""
        base = guest_image(self.suite)
        runs = self.directory.parent
        runs.mkdir(parents=True, exist_ok=True)
        _clean_leftovers(runs)
        self.directory.mkdir()
        self._lock = open(self.directory / ".lock", "a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._image = store.in_use(base)
        self._image.__enter__()
        self.sockets.mkdir(parents=True)
        for serial in self._serials:
            with open(self.disk_file(serial), "wb") as handle:
                handle.truncate(self.disk_mb << 20)
        self._switch = Switch(self.sockets)
        for number in range(1, self._count_nodes + 1):
            self._add_node(number, base)

    def _add_node(self, number, base):
        machine = Machine(f"n{number}", self.directory / f"n{number}", base, self._switch,
                          f"52:54:00:00:00:{number:02x}",
                          f"box.name=n{number} box.ip={self.address(number)}/24"
                          f"{DEBUG_CMDLINE if debugging() else ''}", self._memory)
        machine.disks = [(serial, self.disk_file(serial)) for serial in self._serials]
        self.nodes.append(Node(self, number, machine))

    def stop(self):
        """Cut every node's power and remove all that the cluster had on the host."""
        for node in self.nodes:
            node.power_cut()
        if self._switch:
            self._switch.stop()
        if self._image:
            self._image.__exit__(None, None, None)
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self._lock:
            shutil.rmtree(self.directory, ignore_errors=True)
            self._lock.close()
        self.nodes = []
        self._switch = self._image = self._lock = None

    def node(self, name):
        for node in self.nodes:
            if node.name == name:
                return node
        raise BoxError(f"there is no node {name}")

    def each(self, action, nodes=None):
        """ACTION(node) on all running nodes (or NODES) at the same time; the results in order."""
        nodes = [node for node in self.nodes if node.running] if nodes is None else nodes
        results, errors = {}, []

        def work(node):
            try:
                results[node] = action(node)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(node,), daemon=True) for node in nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        return [results[node] for node in nodes]

    def boot_later(self, node):
        """Boot NODE in the background: for a fencing request, which must not wait for it."""
        threading.Thread(target=node.boot, daemon=True).start()

    # What nodes are given

    def address(self, number):
        return f"10.77.0.{number}"

    def corosync_conf(self):
        nodes = "".join(COROSYNC_NODE.format(name=node.name, id=node.id,
                                             address=self.address(node.id))
                        for node in self.nodes)
        return COROSYNC_CONF.format(name=CLUSTER_NAME, nodes=nodes,
                                    two_node=int(len(self.nodes) == 2),
                                    token=int(slower(5000)))

    def equip(self, node):
        """Give a freshly booted NODE its configuration, the bed's tools and the product."""
        self.fencing.serve(node)
        hosts = "127.0.0.1 localhost\n" + "".join(
            f"{self.address(other.id)} {other.name}\n" for other in self.nodes)
        files = [("etc/corosync/corosync.conf", self.corosync_conf().encode(), 0o644),
                 ("etc/hosts", hosts.encode(), 0o644)]
        for name, place in (("fence_box", "usr/sbin"), ("start-cluster", "usr/lib/box"),
                            ("stop-cluster", "usr/lib/box"), ("use-module", "usr/lib/box"),
                            ("systemctl", "usr/bin")):
            files.append((f"{place}/{name}", (HERE / "payload" / name).read_bytes(), 0o755))
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            for name, content, mode in files:
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = len(content), mode, int(time.time())
                archive.addfile(info, io.BytesIO(content))
        node.run("tar -C / --no-same-owner -xf - && echo "
                 f"{int(slower(HUNG_TASK))} > /proc/sys/kernel/hung_task_timeout_secs",
                 stdin=data.getvalue())
        if self.product:
            self.install_product(node)

    def install_product(self, node):
        """Unpack the product's tarball, unless this node has this very one."""
        mark = "/usr/lib/box/product"
        module = node.module or self.module
        name = f"{Path(self.product).name} {module}"
        if node.run(["cat", mark], check=False).out == name:
            return
        node.run("tar -C / --no-same-owner --keep-directory-symlink -xf - && "
                 f"/usr/lib/box/use-module {module}", timeout=120,
                 stdin=Path(self.product).read_bytes())
        node.put(mark, name)

    # Disks

    def disk_file(self, serial):
        """The file on the host that is the shared disk SERIAL."""
        return self.directory / f"{serial}.img"

    def disk_address(self, serial):
        """Its PCI address in the guests."""
        if serial not in self._serials:
            raise BoxError(f"there is no shared disk {serial}: d1 to d{len(self._serials)} exist")
        return f"0000:00:{FIRST_DISK_SLOT + self._serials.index(serial):02x}.0"

    def blank_disks(self, *serials):
        """Make shared disks (all of them by default) empty. Nothing may be using them."""
        for serial in serials or self._serials:
            with open(self.disk_file(serial), "r+b") as handle:
                handle.truncate(0)
                handle.truncate(self.disk_mb << 20)
        self.each(lambda node: node.run("for d in /dev/vd?; do blockdev --flushbufs $d; done",
                                        check=False))

    # Cluster state

    @property
    def fenced(self):
        """Names of the nodes whose power the cluster had cut, in order."""
        return [entry.victim for entry in self.fencing.log]

    def _nodes_of(self, seen_by):
        """The node elements of crm_mon on SEEN_BY, by name; empty if it has no answer yet."""
        out = seen_by.run("crm_mon -1 --output-as=xml", check=False).out
        try:
            root = ElementTree.fromstring(out)
        except ElementTree.ParseError:
            return {}
        return {node.get("name"): node for node in root.findall("./nodes/node")}

    def online(self, seen_by):
        """Names of the nodes that Pacemaker on SEEN_BY calls online."""
        return sorted(name for name, node in self._nodes_of(seen_by).items()
                      if node.get("online") == "true" and node.get("pending") == "false")

    def wait_online(self, nodes=None, timeout=240):
        """Wait until Pacemaker on each of NODES (all running ones) calls all of them online."""
        nodes = [node for node in self.nodes if node.running] if nodes is None else nodes
        names = sorted(node.name for node in nodes)
        for node in nodes:
            node.wait_for(lambda node=node: set(names) <= set(self.online(node)), timeout,
                          f"{', '.join(names)} to be online in Pacemaker", interval=1)

    def configure(self, text, node=None, timeout=120):
        """Give crmsh a configuration, as `crm configure load update` reads it."""
        node = node or next(node for node in self.nodes if node.running)
        node.put("/tmp/box.crm", slower_text(text))
        return node.run("crm configure load update /tmp/box.crm", timeout=timeout)

    def configure_base(self):
        """Fencing and the DLM clone; returns when every node is in the DLM."""
        self.configure(self._fencing() + DLM)
        self.wait_dlm()

    def configure_fencing(self):
        """Fencing alone, for a test that sets up its own DLM."""
        self.configure(self._fencing())

    def _fencing(self):
        # Pacemaker 3.0.3 warns of the old names, older ones do not know the new.
        return FENCING.format(word="fencing" if self.suite == "sid" else "stonith",
                              names=" ".join(node.name for node in self.nodes))

    def dlm_members(self, node):
        """Node ids that dlm_controld on NODE has as members; empty if it does not run."""
        words = [line.split() for line in
                 node.run("dlm_tool status", check=False, timeout=20).out.splitlines()]
        return sorted(int(word[1]) for word in words if word[:1] == ["node"] and word[2] == "M")

    def wait_dlm(self, nodes=None, timeout=180):
        """Wait until the DLM of each of NODES (all running ones) has exactly them as members."""
        nodes = [node for node in self.nodes if node.running] if nodes is None else nodes
        ids = sorted(node.id for node in nodes)
        for node in nodes:
            node.wait_for(lambda node=node: self.dlm_members(node) == ids, timeout,
                          f"the DLM to have the members {ids}", interval=1)

    def wait_fenced(self, node, timeout=120):
        """Wait until the cluster has had NODE's power cut, and will not have it cut again.

        The DLM and Pacemaker fence each for itself, seconds apart: a node that is given its
        power back between the two loses it once more.
        """
        wait_until(lambda: node.name in self.fenced, timeout, f"{node.name} to be fenced", 0.2)
        survivors = [other for other in self.nodes if other.running]
        for other in survivors:
            other.wait_for(lambda other=other: self._counts_as_dead(node, other), timeout,
                           f"{node.name} to be clean and offline, and the DLM to go on")
        self.wait_idle()
        for other in survivors:
            other.wait_for("! pgrep -x dlm_stonith", timeout, "the DLM's own fencing to end")

    def _counts_as_dead(self, node, seen_by):
        """Whether neither Pacemaker nor the DLM on SEEN_BY waits for NODE's fencing any more."""
        if "wait fencing" in seen_by.run("dlm_tool ls", check=False, timeout=20).out:
            return False
        entry = self._nodes_of(seen_by).get(node.name)
        return entry is not None and entry.get("online") == entry.get("unclean") == "false"

    def wait_idle(self, timeout=180):
        """Wait until Pacemaker has nothing left to do."""
        node = next(node for node in self.nodes if node.running)
        node.run(f"crm_resource --wait --timeout={int(slower(timeout))}", timeout=timeout + 30)

    def mark_kernel_logs(self, title):
        """Begin anew what `kernel_complaints` looks at."""
        complaints.mark(self, title)

    def kernel_complaints(self):
        """Lines of the nodes' kernels, since the mark, that tell of a bug."""
        return complaints.complaints(self)

    def last_look(self):
        """What the debug kernel has found by the end of the cluster's life."""
        return complaints.last_look(self)

    def collect(self, name):
        """Leave all that explains a failure in one directory, and return it."""
        return collect.collect(self, name)
