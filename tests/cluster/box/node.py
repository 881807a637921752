# SPDX-License-Identifier: GPL-2.0-or-later
"""A node as a test sees it: run commands, move files, cut its power, its cable or a disk."""
import queue
import shlex
import socket
import time
from dataclasses import dataclass

from .base import BoxError, TimeOut, say, slower, wait_until


class CommandError(BoxError):
    """A command in a guest failed, and the test had not said check=False."""


@dataclass
class Result:
    """What a command in a guest did. rc is negative for a signal."""

    node: str
    command: str
    rc: int
    out: str
    err: str
    seconds: float

    @property
    def ok(self):
        return self.rc == 0

    def __str__(self):
        text = (self.out.strip() + "\n" + self.err.strip()).strip()
        return f"{self.node}: {self.command}\n  status {self.rc} after {self.seconds:.1f} s: {text}"


class Port:
    """The host's end of one command port of a guest's agent."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.number = 0

    def close(self):
        self.socket.close()

    def _read(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the machine is gone")
            data += part
        return data

    def _read_line(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self._read(1)
        return line.decode()

    def run(self, command, data, timeout):
        """Return (kind, code, out, err) as the agent has it."""
        self.number += 1
        text = command.encode()
        head = f"run {self.number} {int(timeout * 1000)} {len(text)} {len(data)}\n".encode()
        # The agent ends a command in time by itself; beyond that the guest is stuck.
        self.socket.settimeout(timeout + 30)
        self.socket.sendall(head + text + data)
        while True:
            word, number, kind, code, out_len, err_len = self._read_line().split()
            out, err = self._read(int(out_len)), self._read(int(err_len))
            if word == "done" and int(number) == self.number:
                return kind, int(code), out, err


class Node:
    """One node of a cluster. Made by Cluster; `name` is n1, n2, ... and `id` its node id.

    module: whose md-cluster it loads, as in Cluster; None: the cluster's.
    """

    def __init__(self, cluster, number, machine):
        self.cluster = cluster
        self.id = number
        self.name = f"n{number}"
        self.machine = machine
        self.module = None
        # How much of the console complaints.py has read.
        self.console_seen = 0
        self._ports = None

    def __repr__(self):
        return self.name

    # Commands

    def _connect(self):
        ports = queue.Queue()
        # The last port is left to people (python3 -m box run).
        for number in range(self.machine.COMMAND_PORTS - 1):
            ports.put(Port(self.machine.sockets / f"box.cmd{number}"))
        self._ports = ports

    def _disconnect(self):
        while self._ports is not None and not self._ports.empty():
            self._ports.get().close()
        self._ports = None

    def _exchange(self, command, data, timeout):
        timeout = slower(timeout)
        ports = self._ports
        if ports is None or not self.machine.running:
            raise BoxError(f"{self.name} is not running, so it cannot run: {command}")
        try:
            port = ports.get(timeout=slower(60))
        except queue.Empty:
            raise TimeOut(f"all command ports of {self.name} have "
                          f"been busy for {slower(60)} s, so it cannot run: {command}") from None
        try:
            answer = port.run(command, data, timeout)
        except TimeoutError:
            # Not given back: an answer may still come, and would be taken for the next one's.
            raise TimeOut(f"{self.name} does not answer, 30 s after the {timeout} s that it had "
                          f"for: {command}") from None
        except OSError as error:
            raise BoxError(f"{self.name} went away ({error}) while it ran: {command}") from None
        ports.put(port)
        return answer

    def run(self, command, timeout=60, check=True, stdin=b""):
        """Run COMMAND (shell text, or a list of words) in the guest; return a Result.

        A status other than 0 raises CommandError unless CHECK is false; running out of time
        raises TimeOut in either case.
        """
        if not isinstance(command, str):
            command = shlex.join(str(word) for word in command)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        begin = time.monotonic()
        kind, code, out, err = self._exchange(command, data, timeout)
        result = Result(self.name, command, -code if kind == "signal" else code,
                        out.decode(errors="replace"), err.decode(errors="replace"),
                        time.monotonic() - begin)
        if kind == "timeout":
            stuck = ", and could not be killed (uninterruptible)" if code else ""
            raise TimeOut(f"{self.name}: not done after {slower(timeout)} s{stuck}: {command}\n"
                          f"{result.out}{result.err}")
        if kind == "error":
            raise BoxError(f"{self.name}: the guest's agent could not run it: {command}")
        if check and result.rc != 0:
            raise CommandError(str(result))
        return result

    def out(self, command, timeout=60):
        """The output of COMMAND without the blanks around it."""
        return self.run(command, timeout).out.strip()

    def put(self, path, content, mode=None):
        """Write CONTENT (text or bytes) to PATH in the guest."""
        quoted = shlex.quote(str(path))
        change = f" && chmod {mode:o} {quoted}" if mode is not None else ""
        self.run(f'mkdir -p "$(dirname {quoted})" && cat > {quoted}{change}', stdin=content,
                 timeout=120)

    def get(self, path, timeout=60):
        """The bytes of the guest's file PATH."""
        command = f"cat {shlex.quote(str(path))}"
        kind, code, out, err = self._exchange(command, b"", timeout)
        if kind != "exit" or code != 0:
            raise CommandError(f"{self.name}: {command}: {err.decode(errors='replace').strip()}")
        return out

    def wait_for(self, what, timeout, reason, interval=0.5):
        """Wait until WHAT is so, and return what it gave.

        WHAT is a function without arguments that gives something true, or a command that ends
        with status 0 (then its Result is returned).
        """
        if isinstance(what, str):
            def predicate():
                result = self.run(what, check=False)
                return result if result.ok else None
        else:
            predicate = what
        return wait_until(predicate, timeout, f"{self.name}: {reason}", interval)

    # Power

    @property
    def running(self):
        return self.machine.running

    def boot(self, cluster=True, wait=True):
        """Power on, and unless CLUSTER is false start the cluster's daemons in it.

        With WAIT false it returns as soon as QEMU runs; call `finish_boot` then.
        """
        self._disconnect()
        self.machine.start(self.cluster.sockets)
        if wait:
            self.finish_boot(cluster)

    def finish_boot(self, cluster=True, timeout=120):
        """Wait for the guest's agent, give the node its files, start the daemons."""
        self._connect()
        begin = time.monotonic()
        try:
            self._exchange("true", b"", timeout)
        except BoxError as error:
            tail = self.machine.console.read_text(errors="replace")[-1500:]
            raise BoxError(f"{self.name} did not come up in {slower(timeout)} s: {error}\n"
                           f"{tail}") from None
        say(f"{self.name} is up after {time.monotonic() - begin:.0f} s")
        self.cluster.equip(self)
        if cluster:
            self.start_cluster()

    def start_cluster(self):
        """Start corosync and Pacemaker; they still have to find the others then."""
        self.run("/usr/lib/box/start-cluster", timeout=120)

    def power_cut(self):
        """As if its plug was pulled: at once, and for certain when this returns."""
        self.machine.kill()
        self._disconnect()

    def shut_down(self, timeout=180):
        """Stop the cluster's daemons in good order, then power off."""
        self.run("/usr/lib/box/stop-cluster", timeout=timeout)
        self.run("sync; (sleep 0.2; busybox poweroff -f) > /dev/null 2>&1 &", check=False)
        self.machine.wait_off(30)
        self._disconnect()

    def freeze(self):
        """Stop the whole virtual machine; it notices nothing."""
        self.machine.qmp.command("stop")

    def thaw(self):
        self.machine.qmp.command("cont")

    # Cable and disks

    def net_down(self):
        """Pull the network cable."""
        self.machine.qmp.command("set_link", name="net0", up=False)

    def net_up(self):
        self.machine.qmp.command("set_link", name="net0", up=True)

    def disk(self, serial):
        """The device that has the shared disk SERIAL here, as /dev/vdX; None if it is away."""
        return self.disks().get(serial)

    def disks(self):
        """The shared disks this node sees: {serial: /dev/vdX}."""
        out = self.out('for d in /sys/block/vd*; do echo "${d##*/} $(cat $d/serial)"; done')
        pairs = [line.split() for line in out.splitlines()]
        return {words[1]: f"/dev/{words[0]}" for words in pairs if len(words) == 2}

    def detach(self, serial):
        """Take the shared disk away from this node alone."""
        self.run(f"echo {self.cluster.disk_address(serial)} > "
                 "/sys/bus/pci/drivers/virtio-pci/unbind", timeout=60)

    def attach(self, serial):
        """Give back a disk taken by `detach`."""
        self.run(f"echo {self.cluster.disk_address(serial)} > "
                 "/sys/bus/pci/drivers/virtio-pci/bind", timeout=60)

    # Short words for what tests often ask

    def quorate(self):
        return "Quorate: Yes" in " ".join(self.run("corosync-quorumtool -s",
                                                   check=False).out.split())

    def crm_mon(self, options="-A1"):
        return self.run(f"crm_mon {options}", timeout=60, check=False).out

    def attribute(self, name, node=None):
        """The value of NODE's (this node's) transient attribute NAME; None if it is not set."""
        owner = (node or self).id
        xpath = (f"//node_state[@id='{owner}']//transient_attributes//nvpair[@name='{name}']")
        out = self.run(["cibadmin", "-Q", "--xpath", xpath], check=False).out
        return out.split('value="', 1)[1].split('"', 1)[0] if 'value="' in out else None

    def mdstat(self):
        return self.out("cat /proc/mdstat")
