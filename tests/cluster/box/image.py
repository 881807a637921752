# SPDX-License-Identifier: GPL-2.0-or-later
"""The two things made from a Debian suite: the build root, in which the product is compiled
against that suite's libraries, and the guest image with its kernel and initramfs.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

from . import debian, store
from .base import HERE, say
from .kernel import kernel_root

# What the product is built and tested for by default, and what nodes may be of.
SUITES = ("trixie", "bookworm")
GUEST_SUITES = (*SUITES, "sid")

BUILD_PACKAGES = """
    gcc make autoconf automake pkg-config libc6-dev linux-libc-dev libglib2.0-dev libjson-glib-dev
    libblkid-dev libmnl-dev libcmap-dev libquorum-dev libcpg-dev libxml2-dev pacemaker-dev
    libcmocka-dev
    libxml2-utils xz-utils pacemaker-cli-utils
    """.split()
# The fuzzers are built on one suite only.
FUZZ_SUITE = "trixie"
FUZZ_PACKAGES = ["clang", "libclang-rt-dev", "llvm"]

# libxml2-utils: the controld agent of Pacemaker 3.0.3 calls xmllint, and does not depend on it.
GUEST_PACKAGES = """
    pacemaker pacemaker-cli-utils corosync dlm-controld mdadm crmsh pcs resource-agents dmsetup
    udev procps psmisc iproute2 iputils-ping kmod python3 strace util-linux e2fsprogs
    busybox-static libjson-glib-1.0-0 libmnl0 libxml2-utils
    """.split()

TRIM_HOOK = 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin'

# Of the kernel's drivers and protocols a guest needs few; the rest would only fill the image.
KEEP_MODULES = ("drivers/block", "drivers/md", "drivers/virtio", "drivers/char/virtio_console",
                "drivers/char/hw_random", "drivers/net/virtio_net", "drivers/net/net_failover",
                "drivers/net/dummy", "drivers/watchdog/softdog", "drivers/watchdog/i6300esb",
                "drivers/scsi/scsi_", "drivers/scsi/sd_mod", "drivers/scsi/virtio_scsi",
                "drivers/dax", "drivers/nvdimm", "net/core", "net/sctp", "net/ipv4", "net/ipv6",
                "net/netfilter", "fs/ext4", "fs/jbd2", "fs/mbcache", "fs/dlm", "fs/gfs2",
                "fs/configfs", "fs/xfs", "fs/fuse")
THIN_TREES = ("drivers", "net", "fs", "sound")
BOOT_MODULES = ("virtio_pci", "crc32c_generic", "virtio_blk", "ext4")
DISK_MB = 1800


def build_root(suite):
    """The tree in which the product is built for SUITE; made if it is not there."""
    packages = BUILD_PACKAGES + (FUZZ_PACKAGES if suite == FUZZ_SUITE else [])
    name = store.digest(suite, " ".join(packages), HERE / "debian.py")

    def make(work):
        begin = time.monotonic()
        say(f"making the build root of {suite} (once; about two minutes)")
        debian.bootstrap(suite, work / "root", packages, [TRIM_HOOK], work / f"build-{suite}.log")
        say(f"build root of {suite} made in {time.monotonic() - begin:.0f} s")

    return store.entry(f"build-{suite}", name, 2500, make) / "root"


def guest_image(suite):
    """The directory with SUITE's base.img, vmlinuz and initrd; made if it is not there."""
    guest_files = sorted((HERE / "guest").iterdir())
    kernel = kernel_root(suite)
    name = store.digest(suite, " ".join(GUEST_PACKAGES), kernel.entry.name, HERE / "debian.py",
                        HERE / "image.py", *[path for path in guest_files if path.is_file()])

    def make(work):
        begin = time.monotonic()
        say(f"making the guest image of {suite} (once; about two minutes)")
        _make_guest(suite, kernel, work)
        say(f"guest image of {suite} made in {time.monotonic() - begin:.0f} s")

    return store.entry(f"guest-{suite}", name, 2500, make)


def _make_guest(suite, kernel, work):
    tree = work / "tree"
    debian.bootstrap(suite, tree, GUEST_PACKAGES, [TRIM_HOOK], work / f"guest-{suite}.log")
    _unpack_kernel(kernel, tree, work)
    modules = tree / "usr/lib/modules" / kernel.version
    _thin_modules(modules)
    _install_guest_files(suite, tree)
    _index_modules(tree, modules)
    _make_initrd(tree, modules, work)
    for path in ("var/cache/apt", "var/lib/apt", "usr/share/bash-completion"):
        shutil.rmtree(tree / path, ignore_errors=True)
    image = work / "base.img"
    with open(image, "wb") as handle:
        handle.truncate(DISK_MB << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-J", "size=16", "-d", tree, image],
                   check=True)
    shutil.rmtree(tree)


def _unpack_kernel(kernel, tree, work):
    """Unpacked, not installed: no bootloader or initramfs tools come with it."""
    kernel.unpack(work / "kernel")
    image = next(path for path in (work / "kernel").rglob("vmlinuz*") if path.is_file())
    shutil.move(image, work / "vmlinuz")
    modules = next(path for path in (work / "kernel/usr/lib/modules", work / "kernel/lib/modules")
                   if path.is_dir())
    (tree / "usr/lib/modules").mkdir(parents=True, exist_ok=True)
    shutil.move(modules / kernel.version, tree / "usr/lib/modules" / kernel.version)
    shutil.rmtree(work / "kernel")
    (work / "version").write_text(kernel.version + "\n")


def _index_modules(tree, modules):
    """depmod's work, for a node with the kernel's own md-cluster and for one with ours: it would
    take seconds in a guest. The kernel's stands in for ours, which needs the same modules."""
    updates = modules / "updates"
    for name in ("ours", "stock"):
        if name == "ours":
            updates.mkdir()
            shutil.copy(modules / "kernel/drivers/md/md-cluster.ko", updates)
        else:
            shutil.rmtree(updates)
        subprocess.run(["chroot", tree, "depmod", modules.name], check=True)
        index = tree / "usr/lib/box/modules" / name
        index.mkdir(parents=True)
        for file in ("modules.dep", "modules.dep.bin"):
            shutil.copy(modules / file, index)


def _thin_modules(modules):
    kernel = modules / "kernel"
    for path in sorted(kernel.rglob("*.ko*")):
        name = str(path.relative_to(kernel))
        if name.startswith(THIN_TREES) and not name.startswith(KEEP_MODULES):
            path.unlink()
    # Unpacked here once, and not by a slow guest each time.
    packed = [str(path) for path in kernel.rglob("*.ko.xz")]
    if packed:
        subprocess.run(["xz", "-d", "-T0", *packed], check=True)


def _install_guest_files(suite, tree):
    target = tree / "usr/lib/box"
    target.mkdir()
    shutil.copy(HERE / "guest/init", target / "init")
    agent = build_root(suite) / "root/box-agent"
    shutil.copy(HERE / "guest/agent.c", agent.with_suffix(".c"))
    subprocess.run(["chroot", build_root(suite), "gcc", "-static", "-O2", "-Wall", "-Wextra",
                    "-o", "/root/box-agent", "/root/box-agent.c"], check=True)
    shutil.move(agent, target / "agent")
    for path in ("etc/resolv.conf", "etc/hostname"):
        (tree / path).unlink(missing_ok=True)
    # corosync wants it where no systemd makes it.
    (tree / "var/lib/corosync").mkdir(parents=True, exist_ok=True)


def _load_order(modules):
    """BOOT_MODULES and all that they need, in the order in which they load."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        needs[Path(path).name.split(".")[0].replace("-", "_")] = (path, rest.split())
    order = []
    for name in BOOT_MODULES:
        if name not in needs:
            continue
        path, rest = needs[name]
        order += [item for item in [*reversed(rest), path] if item not in order]
    return order


def _make_initrd(guest, modules, work):
    tree = work / "initramfs"
    for path in ("bin", "dev", "proc", "root", "modules"):
        (tree / path).mkdir(parents=True)
    shutil.copy(guest / "usr/bin/busybox", tree / "bin/busybox")
    shutil.copy(HERE / "guest/initramfs-init", tree / "init")
    order = _load_order(modules)
    for path in order:
        shutil.copy(modules / path, tree / "modules")
    (tree / "modules/order").write_text("".join(f"{Path(path).name}\n" for path in order))
    pack_initrd(tree, work)


def pack_initrd(tree, work):
    """TREE becomes WORK/initrd."""
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, check=True,
                             input=names.encode(), stdout=subprocess.PIPE).stdout
    (work / "initrd").write_bytes(archive)
    os.sync()
    shutil.rmtree(tree)
