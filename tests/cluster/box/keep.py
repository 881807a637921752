# SPDX-License-Identifier: GPL-2.0-or-later
"""Leaving a cluster up after the command that made it has ended.

The machines die with the process that started them, and fencing is served by it. So that
process lives on in the background, and the command that a person called is its parent, which
ends when the work is done.
"""
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from .base import RUN_DIR, BoxError, say, wait_until


def in_background(work):
    """Run WORK(release) in a child; return the status that it hands to release(status), or its
    exit status if it ends without. After release it may go on for as long as it likes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()

        def release(status):
            os.write(writing, bytes([status]))
            os.close(writing)

        try:
            status = work(release)
        except KeyboardInterrupt:
            status = 130
        sys.stdout.flush()
        os._exit(status)
    os.close(writing)

    def pass_on(number, _frame):
        os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGINT, pass_on)
    signal.signal(signal.SIGTERM, pass_on)
    status = os.read(reading, 1)
    if status:
        return status[0]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


ACTIONS = {"cut": "power_cut", "boot": "boot", "net-down": "net_down", "net-up": "net_up",
           "freeze": "freeze", "thaw": "thaw", "detach": "detach", "attach": "attach"}


def _carry_out(cluster, words):
    action, name, *disk = words
    getattr(cluster.node(name), ACTIONS[action])(*disk)
    return "ok"


def _serve(cluster, listener):
    """Carry out what `python3 -m box do` asks of the process that owns the machines."""
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as stream:
            try:
                answer = _carry_out(cluster, stream.readline().split())
            except (BoxError, OSError, KeyError, TypeError, ValueError) as error:
                answer = f"error {error}".replace("\n", " ")
            try:
                stream.write(answer + "\n")
                stream.flush()
            except OSError:
                continue


def stay(cluster):
    """Serve a kept cluster until SIGTERM or Ctrl-C, then end it."""
    mark = Path(cluster.sockets) / "keeper"
    mark.write_text(f"{os.getpid()}\n")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(cluster.sockets / "control"))
    listener.listen()
    threading.Thread(target=_serve, args=(cluster, listener), daemon=True).start()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("ending the cluster")
    finally:
        cluster.stop()


def ask(directory, words):
    """Have the owner of the cluster whose sockets are in DIRECTORY do WORDS; its answer."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(300)
        sock.connect(str(directory / "control"))
        with sock.makefile("rw") as stream:
            stream.write(" ".join(words) + "\n")
            stream.flush()
            return stream.readline().strip() or "error no answer"


def end_all():
    """End every kept cluster; return how many there were."""
    count = 0
    for mark in RUN_DIR.glob("*/keeper"):
        try:
            os.kill(int(mark.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            # It was killed, and its machines with it; the next cluster sweeps up.
            mark.unlink()
            continue
        wait_until(lambda mark=mark: not mark.exists(), 60, f"the keeper of {mark} to end", 0.1)
        count += 1
    return count
