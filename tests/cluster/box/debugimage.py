# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest image with the debug kernel: a copy of the suite's ordinary one, with that kernel's
modules in place of the other's, its index of modules, and an initramfs that loads none.
"""
import shutil
import subprocess
import time

from . import image, store
from .base import HERE, BoxError, cache_dir, debugging, say
from .debugkernel import STAGE, guest_kernel
from .root import in_root, last_words


def guest_image(suite):
    """As image.guest_image(), for the kernel that the guests are to run."""
    base = image.guest_image(suite)
    if not debugging():
        return base
    kernel = guest_kernel(suite)
    name = store.digest(base.name, kernel.entry.name, HERE / "debugimage.py")

    def make(work):
        begin = time.monotonic()
        _make(base, kernel, work)
        say(f"guest image of {suite} with the debug kernel made in "
            f"{time.monotonic() - begin:.0f} s")

    return store.entry(f"debug-guest-{suite}", name, 2000, make)


def _make(base, kernel, work):
    tree = work / "tree"
    shutil.copytree(kernel.root / STAGE[1:], tree, symlinks=True)
    shutil.move(next((tree / "boot").glob("vmlinuz-*")), work / "vmlinuz")
    (tree / "boot").rmdir()
    _index_modules(kernel, tree)
    subprocess.run(["cp", "--sparse=always", base / "base.img", work / "base.img"], check=True)
    _put(tree, work / "base.img")
    shutil.rmtree(tree)
    _make_initrd(base / "initrd", work)
    (work / "version").write_text(kernel.version + "\n")


def _index_modules(kernel, tree):
    """As image.py does it: for a node with this kernel's md-cluster and for one with ours."""
    modules = f"usr/lib/modules/{kernel.version}"
    inside = "/root/linux-index"
    outside = kernel.root / inside[1:]
    shutil.rmtree(outside, ignore_errors=True)
    shutil.copytree(tree, outside, symlinks=True)
    log = cache_dir() / "debug-guest.log"
    log.unlink(missing_ok=True)
    updates = outside / modules / "updates"
    for name in ("ours", "stock"):
        if name == "ours":
            updates.mkdir()
            shutil.copy(outside / modules / "kernel/drivers/md/md-cluster.ko", updates)
        else:
            shutil.rmtree(updates)
        if in_root(kernel.root, inside, ["depmod", "-b", f"{inside}/usr", kernel.version], log):
            raise BoxError(f"depmod of the debug kernel failed: {last_words(log)}")
        index = tree / "usr/lib/box/modules" / name
        index.mkdir(parents=True)
        for file in ("modules.dep", "modules.dep.bin"):
            shutil.copy(outside / modules / file, index)
    shutil.rmtree(outside)


def _put(tree, disk):
    """Write the files of TREE to the ext4 file system DISK, over those that are there."""
    commands = []
    for path in sorted(tree.rglob("*")):
        place = f"/{path.relative_to(tree)}"
        commands += [f"mkdir {place}"] if path.is_dir() else [f"rm {place}",
                                                              f"write {path} {place}"]
    said = _debugfs(disk, commands)
    # Some directories and files were there and some were not, which it complains of: what counts
    # is what is there in the end.
    check = tree.with_name("check")
    commands = []
    for path in (path for path in tree.rglob("*") if path.is_file()):
        copy = check / path.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        commands.append(f"dump /{path.relative_to(tree)} {copy}")
    _debugfs(disk, commands)
    if subprocess.run(["diff", "-r", tree, check], check=False).returncode:
        raise BoxError(f"debugfs has not written the files into the image: {said}")
    shutil.rmtree(check)
    subprocess.run(["e2fsck", "-fn", disk], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)


def _debugfs(disk, commands):
    """Run COMMANDS of debugfs on DISK; what it complained of."""
    return subprocess.run(["debugfs", "-w", "-f", "-", disk], text=True, check=True,
                          input="\n".join(commands) + "\n", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE).stderr


def _make_initrd(base, work):
    """BASE without its modules: what the root disk needs is built in."""
    tree = work / "initramfs"
    tree.mkdir()
    with open(base, "rb") as archive:
        subprocess.run(["cpio", "-i", "-d", "--quiet"], cwd=tree, stdin=archive, check=True)
    for path in (tree / "modules").iterdir():
        path.unlink()
    (tree / "modules/order").touch()
    image.pack_initrd(tree, work)
