# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache: things named by the content of their recipe, each made at once or not at all."""
import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager

from .base import BoxError, cache_dir, locked, say


def digest(*parts):
    """A short name for PARTS: text, bytes, or files, which count with name and content."""
    total = hashlib.sha256()
    for part in parts:
        if hasattr(part, "read_bytes"):
            part = part.name.encode() + b"\0" + part.read_bytes()
        elif isinstance(part, str):
            part = part.encode()
        total.update(b"%d:" % len(part) + part)
    return total.hexdigest()[:16]


def _need_space(what, megabytes):
    free = shutil.disk_usage(cache_dir()).free >> 20
    if free < megabytes:
        raise BoxError(f"{what} needs {megabytes} MB in {cache_dir()}, and {free} MB are free "
                       "there. Make room, or set MDCLUSTER_CACHE to a roomier directory.")


def _remove_old(kind, keep):
    for path in cache_dir().glob(f"{kind}-*"):
        if path == keep:
            continue
        try:
            with open(path / ".lock", "a") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            say(f"{path} is out of date, and still in use by another run")
        except (FileNotFoundError, NotADirectoryError):
            shutil.rmtree(path, ignore_errors=True)


def entry(kind, name, megabytes, make):
    """The directory KIND-NAME of the cache; if it is not there, MAKE(directory) fills it."""
    path = cache_dir() / f"{kind}-{name}"
    if path.is_dir():
        return path
    with locked(cache_dir() / f".lock-{kind}", kind):
        if path.is_dir():
            return path
        _need_space(kind, megabytes)
        work = cache_dir() / f".new-{kind}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            make(work)
            (work / ".lock").touch()
            os.rename(work, path)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
        _remove_old(kind, path)
    return path


@contextmanager
def in_use(path):
    """Keep the entry PATH from being removed by a run that has a newer one."""
    with open(path / ".lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield path
