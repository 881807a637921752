# SPDX-License-Identifier: GPL-2.0-or-later
"""Building the product from the working tree, in the build root of a suite."""
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from . import image, store
from .base import SOURCE, BoxError, cache_dir, locked, say

CONFIGURE = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
             "--libexecdir=/usr/libexec"]
# What is no part of the build, so that an edit there builds nothing again.
NOT_BUILT = ("tests/cluster/", "tests/run", "tests/demo", ".ci/", "shared/")


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


def in_root(root, directory, command, log, env=None):
    """Run COMMAND (a list) in DIRECTORY of the build root ROOT; output is appended to LOG."""
    words = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
             *(env or []), "sh", "-ec", 'cd "$0"; exec "$@"', directory, *command]
    # Private /proc: the sanitizers read their own maps there.
    wrap = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec",
            'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"; exec chroot "$0" "$@"',
            str(root)]
    with open(log, "ab") as out:
        out.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        out.flush()
        return subprocess.run([*wrap, *map(str, words)], stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False).returncode


def last_words(log, lines=25):
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])


def product_tarball(suite):
    """The tarball of the product for SUITE, to be unpacked in a guest; built if need be."""
    files = [path for path in source_files() if not _name(path).startswith(NOT_BUILT)]
    root = image.build_root(suite)
    name = store.digest(suite, root.parent.name, *[part for path in files
                                                   for part in (_name(path), path)])
    tarball = cache_dir() / f"product-{suite}-{name}.tar"
    if tarball.exists():
        return tarball
    with locked(cache_dir() / f".lock-product-{suite}", f"the product for {suite}"):
        if not tarball.exists():
            _build(suite, root, tarball)
    for old in cache_dir().glob(f"product-{suite}-*.tar"):
        if old != tarball:
            old.unlink()
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
