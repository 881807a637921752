# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel of a Debian suite: the root in which modules are built for it, md's private headers
of the very same version, and the packages from which a guest gets that kernel.
"""
import lzma
import re
import shutil
import subprocess
import time
import zlib
from pathlib import Path

from . import debian, store
from .base import HERE, BoxError, say

KERNEL_SUITES = ("bookworm", "trixie", "sid")

KERNEL_PACKAGES = ["gcc", "make", "dwarves", "sparse", "xz-utils", "kmod", "perl", "binutils"]
# In the root: the packages of the kernel, md's headers, scripts of the kernel's source.
DEBS, MD_HEADERS, SCRIPTS, MD_MODULE, VMLINUX = (
    "root/kernel-debs", "root/md-headers", "root/scripts", "root/md/md-mod.ko", "root/vmlinux")
FROM_SOURCE = {
    "drivers/md/md.h": MD_HEADERS, "drivers/md/md-bitmap.h": MD_HEADERS,
    "drivers/md/md-cluster.h": MD_HEADERS, "drivers/md/raid1.h": MD_HEADERS,
    "scripts/checkpatch.pl": SCRIPTS,
    "scripts/spelling.txt": SCRIPTS, "scripts/const_structs.checkpatch": SCRIPTS,
}

# The headers package comes without what it depends on: on some suites that is the kernel itself,
# and tools that make an initramfs.
KERNEL_HOOK = r"""chroot "$1" sh -ec '
    needs() { apt-cache depends "$1" | sed -n "s/^[ |]*Depends: //p"; }
    headers=$(needs linux-headers-amd64 | grep -m 1 "^linux-headers-[0-9]")
    version=${headers#linux-headers-}
    package=$(apt-cache show --no-all-versions "$headers" | sed -n "s/^Version: //p")
    series=$(echo "$version" | cut -d. -f1,2)
    apt-get -q -y --no-install-recommends install $(needs "$headers" |
        grep -E "^(linux-headers-.*-common|linux-kbuild-|linux-compiler-|gcc-)")
    mkdir -p /root/kernel-debs
    cd /root/kernel-debs
    if apt-cache show "linux-modules-$version" > /dev/null 2>&1; then
        kernel="linux-modules-$version linux-binary-$version linux-base-$version"
    else
        kernel=linux-image-$version
    fi
    for name in "$headers" $kernel "linux-source-$series"; do
        apt-get -q download "$name=$package"
    done
    dpkg --force-depends --unpack linux-headers-*.deb
    rm linux-headers-*.deb
    mv linux-source-*.deb /root/linux-source.deb
    echo "$version $package $series" > /root/kernel-version
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin'"""


class KernelRoot:
    """Where a suite's modules are built, and what is known of its kernel."""

    def __init__(self, entry):
        self.entry = entry
        self.root = entry / "root"
        self.version, self.package, self.series = (
            (self.root / "root/kernel-version").read_text().split())

    @property
    def headers(self):
        """The build directory of the kernel, as the root itself sees it."""
        return f"/usr/src/linux-headers-{self.version}"

    @property
    def packages(self):
        return sorted((self.root / DEBS).glob("*.deb"))

    def unpack(self, target):
        """The kernel's files, as its packages have them, in the directory TARGET."""
        for package in self.packages:
            subprocess.run(["dpkg-deb", "-x", package, target], check=True)


def kernel_root(suite):
    """The KernelRoot of SUITE; made if it is not there."""
    name = store.digest(suite, " ".join(KERNEL_PACKAGES), HERE / "debian.py", HERE / "kernel.py")

    def make(work):
        begin = time.monotonic()
        say(f"making the kernel build root of {suite} (once; about two minutes)")
        debian.bootstrap(suite, work / "root", KERNEL_PACKAGES, [KERNEL_HOOK],
                         work / f"kernel-{suite}.log")
        kernel = KernelRoot(work)
        _check_versions(kernel)
        _take_from_source(kernel)
        _take_from_kernel(kernel, work / "kernel")
        say(f"kernel build root of {suite} made in {time.monotonic() - begin:.0f} s: "
            f"{kernel.version} ({kernel.package})")

    return KernelRoot(store.entry(f"kernel-{suite}", name, 3000, make))


def _check_versions(kernel):
    """The headers say themselves of which package version they are."""
    found = set()
    for path in (kernel.root / "usr/src").glob("linux-headers-*/include/generated/**/*.h"):
        if path.name in ("compile.h", "package.h", "utsversion.h"):
            found |= set(re.findall(r'LINUX_PACKAGE_ID\s+"\s*Debian (\S+)"',
                                    path.read_text(errors="replace")))
    if found != {kernel.package}:
        raise BoxError(f"the kernel headers of {kernel.version} are of package version "
                       f"{', '.join(sorted(found)) or 'unknown'}, and the packages of the "
                       f"archive of {kernel.package}: try again when the archive has settled")


def _take_from_source(kernel):
    """md's headers and a few scripts, out of the source package, which is large and not kept."""
    package = kernel.root / "root/linux-source.deb"
    top = f"linux-source-{kernel.series}"
    tree = kernel.root / "root" / top
    subprocess.run(["sh", "-ec", 'dpkg-deb --fsys-tarfile "$0" | tar -xO "./usr/src/$1.tar.xz" | '
                    '(cd "$2"; shift 2; tar -xJ "$@")', package, top,
                    kernel.root / "root", *[f"{top}/{name}" for name in FROM_SOURCE]], check=True)
    for name, place in FROM_SOURCE.items():
        (kernel.root / place).mkdir(exist_ok=True)
        (tree / name).rename(kernel.root / place / Path(name).name)
    shutil.rmtree(tree)
    package.unlink()


def _take_from_kernel(kernel, work):
    """md-mod.ko and raid1.ko, and the kernel's own BTF, to which their BTF refers."""
    kernel.unpack(work)
    place = (kernel.root / MD_MODULE).parent
    place.mkdir()
    for name in ("md-mod", "raid1"):
        (module,) = work.glob(f"**/drivers/md/{name}.ko*")
        data = module.read_bytes()
        (place / f"{name}.ko").write_bytes(lzma.decompress(data) if module.suffix == ".xz"
                                           else data)
    image = next(path for path in work.glob("**/vmlinuz*") if path.is_file())
    (kernel.root / VMLINUX).write_bytes(_kernel_of(image.read_bytes()))
    shutil.rmtree(work)


def _kernel_of(image):
    """The ELF file in a compressed kernel image."""
    for magic, unpack in ((b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor().decompress(data)),
                          (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
                          (b"\x28\xb5\x2f\xfd", _unzstd)):
        place = image.find(magic)
        while place >= 0:
            try:
                data = unpack(image[place:])
                if data.startswith(b"\x7fELF"):
                    return data
            except (lzma.LZMAError, zlib.error, OSError):
                pass
            place = image.find(magic, place + 1)
    raise BoxError("no kernel was found in vmlinuz: how it is compressed is not known here")


def _unzstd(data):
    process = subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False)
    return process.stdout
