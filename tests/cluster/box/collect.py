# SPDX-License-Identifier: GPL-2.0-or-later
"""What is taken from the nodes when a test fails, into one directory."""
import re
import shutil
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
            (place / "off").touch()
            return
        for title, command in COMMANDS.items():
            try:
                result = node.run(f"({command}) 2>&1", timeout=40, check=False)
                (place / title).write_text(result.out)
            except BoxError as error:
                (place / title).write_text(f"{error}\n")

    cluster.each(one_node, cluster.nodes)
    return target
