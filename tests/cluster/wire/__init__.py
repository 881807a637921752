# SPDX-License-Identifier: GPL-2.0-or-later
"""A voice of the tests' own in an array's lockspace: mdc_wire.ko, built for the guests' kernel.

    send(array, node, message(RESYNCING, slot=3, low=8, high=4))
    with held(array, node, "ack", CR):
        ...
"""
import struct
from contextlib import contextmanager
from pathlib import Path

import pytest

from box import CommandError
from box.ownmodule import own_module

HERE = Path(__file__).resolve().parent
PLACE = "/usr/lib/box/mdc_wire.ko"

# As PROTOCOL.md numbers them.
(METADATA_UPDATED, RESYNCING, NEWDISK, REMOVE, RE_ADD, BITMAP_NEEDS_SYNC, CHANGE_CAPACITY,
 BITMAP_RESIZE, RESYNCING_START) = range(9)
NL, CR, CW, PR, PW, EX = range(6)


def message(kind, slot, low=0, high=0, uuid=bytes(16), device=0):
    """The bytes of a message, which need not be a good one."""
    return struct.pack("<IIQQ16sII", kind, slot, low, high, uuid, device, 0)


def _insmod(array, node, timeout, **params):
    assert array.joined(node), f"{node.name} is not in the lockspace"
    if node.run(f"test -e {PLACE}", check=False).rc:
        node.put(PLACE, own_module(array.cluster.suite, HERE, "mdc_wire").read_bytes())
    words = " ".join(f"{name}={value}" for name, value in params.items())
    node.run(f"insmod {PLACE} lockspace={array.lockspace} {words}", timeout=timeout)


def _rmmod(node):
    node.run("rmmod mdc_wire", timeout=60)


def _numbers(data):
    return ",".join(str(byte) for byte in data)


def send(array, node, data):
    """Send DATA from NODE; returns when all nodes, NODE too, have acknowledged it."""
    # The module itself gives each of its locks 20 s, far beyond the time of a message.
    _insmod(array, node, 90, message=_numbers(data))
    _rmmod(node)


def stall(array, node, data, seconds):
    """Send DATA, but keep all nodes from reading it for SECONDS: till then they receive."""
    with pytest.raises(CommandError, match="timed out"):
        _insmod(array, node, seconds + 60, message=_numbers(data), stall=1,
                patience=seconds * 1000)


@contextmanager
def held(array, node, lock, mode):
    """Hold LOCK in MODE beside NODE's own md-cluster, deaf to all who want it."""
    _insmod(array, node, 60, hold=lock, mode=mode)
    try:
        yield
    finally:
        if node.running:
            _rmmod(node)
