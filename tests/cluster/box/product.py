# SPDX-License-Identifier: GPL-2.0-or-later
"""Building the product from the working tree, in the build root of a suite."""
import os
import shutil
import subprocess
import tarfile
import time

from . import image, store
from .base import SOURCE, BoxError, cache_dir, locked, say
from .debugkernel import guest_kernel, kind_for
from .kernel import MD_HEADERS, MD_MODULE, VMLINUX
from .root import in_root, last_words

CONFIGURE = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
             "--libexecdir=/usr/libexec"]
# What is no part of the build, so that an edit there builds nothing again.
NOT_BUILT = ("tests/bench/", "tests/cluster/", "tests/kernel/", "tests/run", "tests/demo", ".ci/", "shared/")
KEEP_S = 24 * 3600
# Of the module's sources the rest of the product needs only these.
SHARED_WITH_MODULE = ("module/uapi/", "module/core/", "module/module.am")
# Whose md-cluster a node loads; "faults" is ours, with fault points compiled in.
MODULES = ("ours", "stock", "faults")


def source_files():
    """The files of the tree as git sees it, edits and new files included."""
    command = ["git", "-c", f"safe.directory={SOURCE}", "-C", SOURCE, "ls-files", "-z", "--cached",
               "--others", "--exclude-standard"]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if process.returncode == 0:
        names = {name for name in process.stdout.decode().split("\0") if name}
    else:
        # Unpacked from a release, not cloned.
        names = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")}
    return sorted(SOURCE / name for name in names
                  if (SOURCE / name).is_file() and not name.startswith(".git/"))


def _name(path):
    return str(path.relative_to(SOURCE))


def copy_source(target):
    """A clean copy of the tree in TARGET, which is removed first."""
    shutil.rmtree(target, ignore_errors=True)
    for path in source_files():
        place = target / _name(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)


def copy_module(target):
    """A clean copy of the module's sources in TARGET, which is removed first."""
    shutil.rmtree(target, ignore_errors=True)
    for path in _module_files():
        place = target / path.relative_to(SOURCE / "module")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)


def _module_files():
    return [path for path in source_files() if _name(path).startswith("module/")]


def module_command(kernel, *words):
    """The command that builds the module for KERNEL in a copy of its sources."""
    return ["make", f"-j{os.cpu_count() or 1}", f"KVER={kernel.version}",
            f"KDIR={kernel.headers}", f"MD_HDRS=/{MD_HEADERS}", f"MD_MOD=/{MD_MODULE}",
            f"BTF_BASE=/{VMLINUX}", *words]


def default_module():
    """Whose md-cluster the nodes run unless something else is said."""
    name = os.environ.get("MDCLUSTER_MODULE", "ours")
    if name not in MODULES:
        raise BoxError(f"MDCLUSTER_MODULE is {name}: must be one of {', '.join(MODULES)}")
    return name


def product_tarball(suite, module=None):
    """The tarball of the product for SUITE, to be unpacked in a guest; built if need be.

    MODULE (by default what default_module() says): unless it is "stock", our kernel module is in
    it, with and without fault points.
    """
    if (module or default_module()) != "stock":
        return _with_module(suite)
    files = [path for path in source_files() if not _name(path).startswith(NOT_BUILT)
             and (not _name(path).startswith("module/")
                  or _name(path).startswith(SHARED_WITH_MODULE))]
    root = image.build_root(suite)
    return _tarball(f"product-{suite}", suite,
                    store.digest(suite, root.parent.name, *_named(files)),
                    lambda tarball: _build(suite, root, tarball))


def _with_module(suite):
    plain = product_tarball(suite, "stock")
    kernel = guest_kernel(suite)
    return _tarball(kind_for(f"product+module-{suite}"), suite,
                    store.digest(plain.name, kernel.entry.name, *_named(_module_files())),
                    lambda tarball: _build_module(suite, kernel, plain, tarball))


def _named(files):
    return [part for path in files for part in (_name(path), path)]


def _tarball(kind, suite, name, build):
    tarball = cache_dir() / f"{kind}-{name}.tar"
    if tarball.exists():
        return tarball
    with locked(cache_dir() / f".lock-{kind}", f"the product for {suite}"):
        if not tarball.exists():
            build(tarball)
    # Another checkout may be at work with a tarball of its own.
    for old in cache_dir().glob(f"{kind}-*.tar"):
        if old != tarball and time.time() - old.stat().st_mtime > KEEP_S:
            old.unlink(missing_ok=True)
    return tarball


def _build(suite, root, tarball):
    begin = time.monotonic()
    say(f"building the product for {suite}")
    log = cache_dir() / f"product-{suite}.log"
    log.unlink(missing_ok=True)
    copy_source(root / "root/product")
    shutil.rmtree(root / "root/product.dest", ignore_errors=True)
    jobs = f"-j{os.cpu_count() or 1}"
    for command in (["autoreconf", "-fi"], ["./configure", *CONFIGURE],
                    ["make", jobs, "CFLAGS=-g -O2 -Werror"],
                    ["make", "install", "DESTDIR=/root/product.dest"]):
        if in_root(root, "/root/product", command, log) != 0:
            raise BoxError(f"the product does not build for {suite}: {' '.join(command)} failed; "
                           f"all of it is in {log}, these are its last words:\n{last_words(log)}")
    work = tarball.with_suffix(".new")
    with tarfile.open(work, "w") as archive:
        archive.add(root / "root/product.dest", arcname=".")
    os.rename(work, tarball)
    say(f"product for {suite} built in {time.monotonic() - begin:.0f} s")


def _build_module(suite, kernel, plain, tarball):
    begin = time.monotonic()
    say(f"building the module for {suite}, Linux {kernel.version}")
    log = cache_dir() / f"{kind_for(f'module-{suite}')}.log"
    log.unlink(missing_ok=True)
    target = kernel.root / "root/product-module.dest"
    copy_module(kernel.root / "root/product-module")
    shutil.rmtree(target, ignore_errors=True)

    def install(place):
        return ("install", "DESTDIR=/root/product-module.dest", f"MODDIR={place}")

    for words in ((), install(f"/usr/lib/modules/{kernel.version}/updates"),
                  ("FAULTS=y",), install("/usr/lib/box/modules/faults")):
        if in_root(kernel.root, "/root/product-module", module_command(kernel, *words), log) != 0:
            raise BoxError(f"the module does not build for {suite}; all of it is in {log}, these "
                           f"are its last words:\n{last_words(log)}")
    work = tarball.with_suffix(".new")
    shutil.copy(plain, work)
    with tarfile.open(work, "a") as archive:
        archive.add(target, arcname=".")
    os.rename(work, tarball)
    say(f"module for {suite} built in {time.monotonic() - begin:.0f} s")
