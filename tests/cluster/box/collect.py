# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken from the nodes when a test fails, into one directory."""
import re
import shutil
import subprocess
import time

from .base import BoxError, results_dir

COMMANDS = {
    "dmesg": "dmesg",
    "mdstat": "cat /proc/mdstat; for m in /dev/md?*; do mdadm --detail $m; done",
    "cib.xml": "cibadmin -Q -l",
    "crm_mon": "crm_mon -A1rf",
    "dlm": "dlm_tool status; dlm_tool ls -n; dlm_tool dump",
    "processes": "ps -eo pid,ppid,stat,wchan:30,etimes,args",
    "blocked": "for p in /proc/[0-9]*; do case $(cut -d' ' -f3 $p/stat) in D) echo; cat $p/comm "
               "$p/stack; esac; done",
    "disks": "lsblk -o NAME,SIZE,SERIAL,FSTYPE,UUID,MOUNTPOINT; blkid",
    "quorum": "corosync-quorumtool -s; corosync-cfgtool -s",
    "pacemaker.log": "cat /var/log/pacemaker/pacemaker.log",
    "corosync.log": "cat /var/log/cluster/corosync.log",
    "messages": "cat /var/log/messages",
}


LOGS = ("/var/log/pacemaker/pacemaker.log", "/var/log/cluster/corosync.log", "/var/log/messages",
        "/var/lib/pacemaker/cib/cib.xml")


def _read_disk(overlay, place):
    """The logs of a node that is off, from its disk: all but about its last second."""
    (place / "off").touch()
    if not overlay.exists():
        return
    raw = overlay.with_suffix(".raw")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    subprocess.run(["qemu-img", "convert", "-O", "raw", overlay, raw], **quiet)
    subprocess.run(["e2fsck", "-fy", raw], **quiet)
    for path in LOGS:
        target = place / path.rsplit("/", 1)[1]
        subprocess.run(["debugfs", "-R", f"dump {path} {target}", raw], **quiet)
    raw.unlink(missing_ok=True)


def collect(cluster, name):
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_")
    target = results_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{safe}"
    target.mkdir(parents=True)
    lines = [f"{entry.victim} by {entry.by}: {entry.action}, {entry.done - entry.asked:.1f} s\n"
             for entry in cluster.fencing.log]
    (target / "fencing").write_text("".join(lines))

    def one_node(node):
        place = target / node.name
        place.mkdir()
        for log in (node.machine.console, node.machine.directory / "qemu.log"):
            if log.exists():
                shutil.copy(log, place)
        if not node.running:
            _read_disk(node.machine.directory / "root.qcow2", place)
            return
        for title, command in COMMANDS.items():
            try:
                result = node.run(f"({command}) 2>&1", timeout=40, check=False)
                (place / title).write_text(result.out)
            except BoxError as error:
                (place / title).write_text(f"{error}\n")

    cluster.each(one_node, cluster.nodes)
    return target
