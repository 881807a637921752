# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel modules of the tests' own, built for the guests' kernel."""
import shutil

from . import store
from .base import BoxError, cache_dir
from .debugkernel import guest_kernel, kind_for
from .root import in_root, last_words


def own_module(suite, directory, name):
    """NAME.ko from NAME.c and Kbuild in DIRECTORY, for the kernel of SUITE; built if need be."""
    kernel = guest_kernel(suite)
    sources = [directory / f"{name}.c", directory / "Kbuild"]
    kind = f"{directory.name}-{suite}"

    def make(work):
        inside = f"/root/{directory.name}"
        outside = kernel.root / inside[1:]
        shutil.rmtree(outside, ignore_errors=True)
        outside.mkdir()
        for path in sources:
            shutil.copy(path, outside)
        log = cache_dir() / f"{kind_for(kind)}.log"
        log.unlink(missing_ok=True)
        if in_root(kernel.root, inside, ["make", "-C", kernel.headers, f"M={inside}",
                                         "KBUILD_EXTRA_WARN=1", "modules"], log):
            raise BoxError(f"{name}.ko does not build for {suite}; all of it is in {log}, its "
                           f"last words:\n{last_words(log)}")
        shutil.copy(outside / f"{name}.ko", work)

    return store.entry(kind_for(kind), store.digest(suite, kernel.entry.name, *sources), 50,
                       make) / f"{name}.ko"
