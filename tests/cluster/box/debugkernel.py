# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that looks for faults while it runs: built once from the suite's own linux-source with
the small configuration in tests/kernel/debug.config. It offers what kernel.KernelRoot does: a
root in which modules are built for it, md's private headers, and its files for a guest.
"""
import os
import shutil
import time

from . import debian, store
from .base import HERE, SOURCE, BoxError, cache_dir, debugging, say
from .kernel import MD_HEADERS, MD_MODULE, VMLINUX, KernelRoot, kernel_root
from .root import in_root, last_words

SUITE = "trixie"
CONFIG = SOURCE / "tests/kernel/debug.config"
PACKAGES = """
    gcc make dwarves xz-utils kmod perl binutils flex bison bc libc6-dev libelf-dev zlib1g-dev
    python3-minimal
    """.split()
# Where the root itself sees them.
TREE, BUILD, STAGE = "/root/linux", "/root/linux-build", "/root/linux-stage"
# Low enough for other work on the machine to go on meanwhile.
NICE = ["nice", "-n", "19"]
JOBS = min(2, os.cpu_count() or 1)

# The newest source of the suite; which it is, the package's own version says.
SOURCE_HOOK = r"""chroot "$1" sh -ec '
    package=$(apt-cache depends linux-source | sed -n "s/^[ |]*Depends: //p" |
        grep -m 1 "^linux-source-[0-9]")
    cd /root
    apt-get -q download "$package"
    series=${package#linux-source-}
    version=$(dpkg-deb -f linux-source-*.deb Version)
    dpkg-deb --fsys-tarfile linux-source-*.deb | tar -xO "./usr/src/$package.tar.xz" | tar -xJ
    rm linux-source-*.deb
    mv "$package" linux
    echo "$version $series" > /root/source-version
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin'"""


class DebugKernel(KernelRoot):
    """As a KernelRoot, but its files come from a build and not from packages."""

    @property
    def headers(self):
        return BUILD

    def unpack(self, target):
        shutil.copytree(self.root / STAGE[1:], target, symlinks=True)


def guest_kernel(suite):
    """The kernel that the guests of SUITE run."""
    return debug_kernel(suite) if debugging() else kernel_root(suite)


def kind_for(kind):
    """The name in the cache of what is made as KIND for the guests' kernel."""
    return f"debug-{kind}" if debugging() else kind


def debug_kernel(suite):
    """The DebugKernel of SUITE; built if it is not there."""
    if suite != SUITE:
        raise BoxError(f"there is a debug kernel for {SUITE} only, and none for {suite}")
    name = store.digest(suite, " ".join(PACKAGES), HERE / "debian.py", HERE / "debugkernel.py",
                        CONFIG)

    def make(work):
        begin = time.monotonic()
        say("making the root of the debug kernel (once; about three minutes)")
        debian.bootstrap(suite, work / "root", PACKAGES, [SOURCE_HOOK],
                         work / "debug-root.log")
        say("building the debug kernel (once; 15 to 40 minutes on two cores)")
        kernel = build(work)
        say(f"debug kernel {kernel.version} ({kernel.package}) made in "
            f"{time.monotonic() - begin:.0f} s")

    return DebugKernel(store.entry(f"debug-kernel-{suite}", name, 6000, make))


def build(work):
    """Build and install the kernel in the root in WORK; of its tree only what modules need is
    kept."""
    root = work / "root"
    log = cache_dir() / "debug-kernel.log"
    log.unlink(missing_ok=True)

    def do(*command):
        if in_root(root, TREE, [*NICE, *command], log) != 0:
            raise BoxError(f"the debug kernel does not build: {' '.join(command)} failed; all of "
                           f"it is in {log}, these are its last words:\n{last_words(log)}")

    def make(*words):
        do("make", f"O={BUILD}", f"-j{JOBS}", *words)

    shutil.copy(CONFIG, root / "root/debug.config")
    make("allnoconfig", "KCONFIG_ALLCONFIG=/root/debug.config")
    _check_config(root / BUILD[1:] / ".config")
    make("bzImage", "modules")
    make("modules_install", f"INSTALL_MOD_PATH={STAGE}/usr", "INSTALL_MOD_STRIP=1")
    make("run-command", "KBUILD_RUN_COMMAND=$(srctree)/scripts/package/install-extmod-build "
         f"{BUILD}-kept")
    # What BTF there is stays in it.
    do("strip", "--strip-debug", "-o", f"/{VMLINUX}", f"{BUILD}/vmlinux")
    _keep(root)
    return DebugKernel(work)


def _check_config(path):
    """Each line of the fragment is in the configuration: one that the kernel silently dropped
    would be a check that is not made."""
    have = path.read_text().splitlines()
    missing = []
    for line in CONFIG.read_text().splitlines():
        if not line.startswith("CONFIG_"):
            continue
        name, _, value = line.partition("=")
        if value == "n":
            good = not any(other.startswith(f"{name}=") for other in have)
        else:
            good = line in have
        if not good:
            missing.append(line)
    if missing:
        raise BoxError(f"the debug kernel's configuration does not take these lines of {CONFIG}: "
                       + ", ".join(missing))


def _keep(root):
    """What guests and the module's build need, at the places of a KernelRoot; the rest goes."""
    tree, build_dir, stage = (root / path[1:] for path in (TREE, BUILD, STAGE))
    version = (build_dir / "include/config/kernel.release").read_text().strip()
    package, series = (root / "root/source-version").read_text().split()
    (root / MD_HEADERS).mkdir()
    for name in ("md.h", "md-bitmap.h", "md-cluster.h", "raid1.h"):
        shutil.copy(tree / "drivers/md" / name, root / MD_HEADERS)
    modules = stage / "usr/lib/modules" / version
    for link in ("build", "source"):
        (modules / link).unlink(missing_ok=True)
    place = (root / MD_MODULE).parent
    place.mkdir()
    for name in ("md-mod.ko", "raid1.ko"):
        shutil.copy(modules / "kernel/drivers/md" / name, place)
    (stage / "boot").mkdir()
    shutil.copy(build_dir / "arch/x86/boot/bzImage", stage / f"boot/vmlinuz-{version}")
    shutil.rmtree(tree)
    shutil.rmtree(build_dir)
    build_dir.with_name(f"{build_dir.name}-kept").rename(build_dir)
    (root / "root/kernel-version").write_text(f"{version} {package} {series}\n")
