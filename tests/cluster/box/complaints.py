# SPDX-License-Identifier: GPL-2.0-or-later
"""What the nodes' kernels complain of in their logs."""
import re

KERNEL_MARK = "box: begin of"
# Linux 6.1's DLM warns of its own message lengths when a lockspace is left: not ours.
BUG = (r"BUG:|\bBUG at |Oops|WARNING: (?!CPU.* at fs/dlm/)|general protection|possible recursive|"
       r"KASAN:|UBSAN:|ODEBUG:|DEBUG_LOCKS_WARN_ON|list_(?:add|del)(?:_valid)? corruption|"
       r"INFO: trying to register|detected buffer overflow")
COMPLAINT = re.compile(BUG + "|blocked for more than")
# A node that waits for its fencing is blocked rightly, and its console is all that stays of it.
CONSOLE_COMPLAINT = re.compile(BUG)
STAMP = re.compile(r"^\[ *\d+\.\d+\]")


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
