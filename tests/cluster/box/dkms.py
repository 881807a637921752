# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine as DKMS meets it: the tree of a Debian suite in which dkms, the kernel, its headers
and its source are installed as packages, and the module's sources lie where DKMS looks for them.
"""
import shutil
import subprocess
import time
from contextlib import contextmanager

from . import debian, image, store
from .base import HERE, BoxError, locked, say
from .kernel import kernel_root
from .product import CONFIGURE, copy_source
from .root import in_root, last_words

# openssl makes the key with which DKMS signs.
PACKAGES = ["dkms", "dwarves", "openssl"]
# What a run that was killed may have left.
CLEAN = r"""rm -rf /etc/dkms/mdcluster.conf
for place in /var/lib/dkms/mdcluster/[0-9]*; do
    [ ! -e "$place/source" ] || dkms remove "mdcluster/${place##*/}" --all
done
rm -rf /usr/src/mdcluster-*"""


class DkmsMachine:
    """root: the tree; kernel: the KernelRoot of the kernel in it; version: the module's."""

    def __init__(self, root, kernel, log):
        self.root = root
        self.kernel = kernel
        self.log = log
        self.version = None

    def ask(self, command, env=None):
        """Run COMMAND (shell text) in the tree; its status and output. Both are also logged."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        status = in_root(self.root, "/", ["sh", "-c", command], self.log, env)
        said = self.log.read_bytes()[begin:].decode(errors="replace")
        return status, said.split("\n", 2)[2]

    def make_disk(self, path):
        """A disk image of the tree, with room to build in."""
        with open(path, "wb") as handle:
            handle.truncate(2500 << 20)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", self.root, path], check=True)


def dkms_root(suite):
    """The directory in the cache with SUITE's tree; made if it is not there."""
    kernel = kernel_root(suite)
    packages = [*PACKAGES, f"linux-image-{kernel.version}", f"linux-headers-{kernel.version}",
                f"linux-source-{kernel.series}"]
    name = store.digest(suite, " ".join(packages), kernel.package, HERE / "debian.py",
                        HERE / "dkms.py")

    def make(work):
        begin = time.monotonic()
        say(f"making the DKMS root of {suite} (once; about two minutes)")
        try:
            debian.bootstrap(suite, work / "root", packages, [image.TRIM_HOOK],
                             work / f"dkms-{suite}.log")
        except BoxError as error:
            raise BoxError(f"{error}\nIf the archive no longer has Linux {kernel.version}: remove "
                           f"{kernel.entry} and try again.") from None
        _check_versions(work / "root", kernel, packages[len(PACKAGES):])
        say(f"DKMS root of {suite} made in {time.monotonic() - begin:.0f} s")

    return store.entry(f"dkms-{suite}", name, 3500, make)


def _check_versions(root, kernel, packages):
    """All of the kernel that the other roots have, though the archive may have moved on."""
    out = subprocess.run(["chroot", root, "dpkg-query", "-W", "-f", "${Version}\n", *packages],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    if set(out.split()) != {kernel.package}:
        raise BoxError(f"{', '.join(packages)} are of version {', '.join(out.split())}, and not "
                       f"all of {kernel.package}: remove {kernel.entry} and try again")


@contextmanager
def dkms_machine(suite, log):
    """The DkmsMachine of SUITE with the module's sources in it and nothing built, for one run at
    a time."""
    entry = dkms_root(suite)
    log.unlink(missing_ok=True)
    with locked(entry / ".lock", f"DKMS on {suite}"):
        machine = DkmsMachine(entry / "root", kernel_root(suite), log)
        try:
            machine.ask(CLEAN)
            machine.version = _install_sources(machine)
            yield machine
        finally:
            machine.ask(CLEAN)


def _install_sources(machine):
    """What `make install-dkms` installs, in the tree; its version."""
    # They are the same for every suite.
    root = image.build_root(image.SUITES[0])
    work = root / "root/product-dkms"
    with locked(root / "root/.lock-dkms", "the sources for DKMS"):
        copy_source(work)
        for command in (["autoreconf", "-fi"], ["./configure", *CONFIGURE],
                        ["make", "install-dkms", "DESTDIR=/root/product-dkms/dest"]):
            if in_root(root, "/root/product-dkms", command, machine.log) != 0:
                raise BoxError(f"{' '.join(command)} failed; all of it is in {machine.log}, these "
                               f"are its last words:\n{last_words(machine.log)}")
        (sources,) = (work / "dest/usr/src").iterdir()
        shutil.copytree(sources, machine.root / "usr/src" / sources.name)
        shutil.rmtree(work)
    return sources.name.removeprefix("mdcluster-")
