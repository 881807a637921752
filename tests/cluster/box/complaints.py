# SPDX-License-Identifier: GPL-2.0-or-later
"""What the nodes' kernels complain of: in their logs after each test, and, on the debug kernel, at
the end of a cluster's life what it has found by then.
"""
import re

from .base import debugging, say

KERNEL_MARK = "box: begin of"
# Linux 6.1's DLM warns of its own message lengths when a lockspace is left: not ours.
BUG = (r"BUG:|\bBUG at |Oops|WARNING: (?!CPU.* at fs/dlm/)|general protection|possible recursive|"
       r"KASAN:|UBSAN:|ODEBUG:|DEBUG_LOCKS_WARN_ON|list_(?:add|del)(?:_valid)? corruption|"
       r"INFO: trying to register|detected buffer overflow")
COMPLAINT = re.compile(BUG + "|blocked for more than")
# A node that waits for its fencing is blocked rightly, and its console is all that stays of it.
CONSOLE_COMPLAINT = re.compile(BUG)
STAMP = re.compile(r"^\[ *\d+\.\d+\]")

# Twice: a first look may take for lost what was just on its way, and passes over what is younger
# than 5 s.
SCAN = ("cd /sys/kernel/debug && echo scan > kmemleak && sleep 6 && echo scan > kmemleak &&"
        " cat kmemleak")
OURS = "[md_cluster]"
# A caller that has no name any more was in a module that has been unloaded.
NAMELESS = re.compile(r"^ +(?:\[<[0-9a-f]+>\] )?0xffffffff[a-f][0-9a-f]{7}$", re.M)


def mark(cluster, title):
    """Begin anew what complaints() looks at in the kernels' logs."""
    cluster.each(lambda node: node.run("cat > /dev/kmsg", stdin=f"{KERNEL_MARK} {title}\n"))


def complaints(cluster):
    """Lines that tell of a bug: of the running nodes' kernel logs since the mark, and of all
    nodes' consoles since the last call, also of those that are off by now."""
    def read(node):
        log = node.run("dmesg", timeout=30).out.rpartition(KERNEL_MARK)[2]
        return [f"{node.name}: {line}" for line in log.splitlines() if COMPLAINT.search(line)]

    lines = [line for lines in cluster.each(read) for line in lines]
    for node in cluster.nodes:
        lines += [f"{node.name}: {line}" for line in _new_on_console(node)
                  if CONSOLE_COMPLAINT.search(line)]
    return list(dict.fromkeys(lines))


def _new_on_console(node):
    """The kernel's lines on NODE's console since the last look."""
    with open(node.machine.console, "rb") as console:
        console.seek(node.console_seen)
        data = console.read()
    node.console_seen += len(data)
    lines = [line.rstrip() for line in data.decode(errors="replace").splitlines()]
    return [line for line in lines if STAMP.match(line)]


def last_look(cluster):
    """What the debug kernels of CLUSTER's running nodes have found in its whole life."""
    if not debugging():
        return []
    return [line for lines in cluster.each(_last_look_at) for line in lines]


def _last_look_at(node):
    found = []
    if node.run("grep -q '^ *debug_locks: *1$' /proc/lockdep_stats", check=False).rc:
        found.append(f"{node.name}: lockdep has switched itself off: it reported something, or "
                     "ran out of room (dmesg says what)")
    leaks = re.split(r"^(?=unreferenced object)", node.run(SCAN, timeout=120).out, flags=re.M)
    leaks = [leak for leak in leaks if leak.startswith("unreferenced object")]
    ours = [leak for leak in leaks if OURS in leak or NAMELESS.search(leak)]
    say(f"{node.name}: kmemleak found {len(ours)} objects of ours, "
        f"{len(leaks) - len(ours)} of others")
    return found + [f"{node.name}: a leak: {leak}" for leak in ours]
