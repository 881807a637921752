# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of fencing: what the guests' fence agent asks for is done here.

Each guest has a virtio-serial port for it. A request is one line, `TAG ACTION NODE`; the reply is
`TAG` and `ok`, `on`, `off`, a list of names, or `error SENTENCE`. Power counts as cut when the QEMU
process is gone, and only then is the request answered.
"""
import socket
import threading
import time
from dataclasses import dataclass, field

from .base import BoxError, say


@dataclass
class Fencing:
    """One request that was carried out. Times are time.monotonic()."""

    victim: str
    by: str
    action: str
    asked: float
    done: float = field(default=0.0)


class FenceServer:
    def __init__(self, cluster):
        self.cluster = cluster
        self.log = []
        self._lock = threading.Lock()

    def serve(self, node):
        """Answer NODE's requests until its machine is gone; called once a boot."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(node.machine.sockets / "box.fence"))
        threading.Thread(target=self._loop, args=(node, sock), daemon=True).start()

    def _loop(self, node, sock):
        with sock, sock.makefile("rwb", buffering=0) as stream:
            while True:
                try:
                    line = stream.readline()
                    if not line:
                        return
                    tag, *words = line.decode().split() or [""]
                    stream.write(f"{tag} {self._answer(node, words)}\n".encode())
                except OSError:
                    return

    def _answer(self, node, words):
        if words == ["list"]:
            return " ".join(other.name for other in self.cluster.nodes)
        if len(words) != 2:
            return "error bad request"
        action, name = words
        victim = next((other for other in self.cluster.nodes if other.name == name), None)
        if victim is None:
            return f"error there is no node {name}"
        if action == "status":
            return "on" if victim.running else "off"
        if action not in ("off", "reboot", "on"):
            return f"error unknown action {action}"
        with self._lock:
            return self._power(node, victim, action)

    def _power(self, node, victim, action):
        request = Fencing(victim.name, node.name, action, time.monotonic())
        try:
            if action in ("off", "reboot"):
                say(f"fencing: {node.name} has the power of {victim.name} cut ({action})")
                victim.power_cut()
                self.log.append(request)
            if action in ("on", "reboot") and self.cluster.fencing_restarts:
                self.cluster.boot_later(victim)
        except BoxError as error:
            return f"error {error}".replace("\n", " ")
        request.done = time.monotonic()
        return "ok"
