# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether KVM on this machine runs an ordinary kernel; that /dev/kvm exists does not say so."""
import functools
import os
import subprocess
import tempfile
from pathlib import Path

from . import image
from .base import BoxError, say, wait_until
from .qemu import end, spawn

PATIENCE = 15
MARK = "box: probe reached user space"


@functools.lru_cache(maxsize=1)
def kvm_works():
    """Boot the guests' own kernel under KVM; true if it gets to user space in PATIENCE s."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        say("no usable /dev/kvm: guests are emulated")
        return False
    base = image.guest_image(image.SUITES[0])
    with tempfile.TemporaryDirectory() as directory:
        console = Path(directory) / "console"
        process = spawn(
            ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults",
             "-display", "none", "-no-reboot", "-kernel", base / "vmlinuz",
             "-initrd", base / "initrd", "-append", "console=ttyS0 quiet panic=-1 box.probe",
             "-serial", f"file:{console}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: console.exists() and MARK in console.read_text(errors="replace"),
                       PATIENCE, "a kernel under KVM to reach user space", 0.2)
            works = True
        except BoxError:
            works = False
        finally:
            end(process)
    say("KVM works here" if works else "KVM does not run a kernel here: guests are emulated")
    return works
