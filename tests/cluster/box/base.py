# SPDX-License-Identifier: GPL-2.0-or-later
"""What every part of the box uses: its errors, its voice, its places and its patience."""
import fcntl
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
RUN_DIR = Path(os.environ.get("MDCLUSTER_RUN", "/run/mdcluster-box"))
# KASAN and lockdep cost the guests about that much.
DEBUG_SLOWER = 3
_start = time.monotonic()


class BoxError(Exception):
    """The test bed itself could not do its work; says what to do."""


class TimeOut(BoxError):
    """Something did not happen in its time."""


class Hopeless(BoxError):
    """Ends a wait early: what is waited for can no longer happen."""


def cache_dir():
    path = Path(os.environ.get("MDCLUSTER_CACHE", "/var/cache/mdcluster"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def results_dir():
    """Where a failing test leaves what is needed to understand it."""
    path = Path(os.environ.get("MDCLUSTER_RESULTS", cache_dir() / "results"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def say(text):
    """A line of progress, with the time since this program began."""
    print(f"[{time.monotonic() - _start:6.1f}s] {text}", file=sys.stderr, flush=True)


def debugging():
    """Whether the guests run the debug kernel: MDCLUSTER_KERNEL says so."""
    name = os.environ.get("MDCLUSTER_KERNEL", "debian")
    if name not in ("debian", "debug"):
        raise BoxError(f"MDCLUSTER_KERNEL is {name}: must be debian or debug")
    return name == "debug"


def _factor():
    text = os.environ.get("MDCLUSTER_SLOWER", str(DEBUG_SLOWER if debugging() else 1))
    if not re.fullmatch(r"\d{1,2}(\.\d+)?", text) or float(text) < 1:
        raise BoxError(f"MDCLUSTER_SLOWER is {text}: must be a number from 1 to 99")
    return float(text)


def slower(seconds):
    """SECONDS on guests of the usual speed are how many here? Every wait for a guest asks."""
    seconds *= _factor()
    return int(seconds) if seconds == int(seconds) else seconds


def slower_text(text):
    """The same for each timeout=NUMBERs in a configuration for crmsh."""
    return re.sub(r"\btimeout=(\d+)s", lambda found: f"timeout={int(slower(int(found[1])))}s", text)


def wait_until(predicate, timeout, reason, interval=0.5):
    """Call PREDICATE until it returns something true, which is returned.

    REASON ends the sentence "waited N s in vain for ...". An AssertionError or a command's
    failure in PREDICATE counts as "not yet", and the last one is told in the end.
    """
    timeout = slower(timeout)
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = predicate()
            if value:
                return value
        except Hopeless:
            raise
        except (AssertionError, BoxError) as error:
            last = error
        if time.monotonic() >= end:
            why = f" (last: {last})" if last else ""
            raise TimeOut(f"waited {timeout} s in vain for {reason}{why}")
        time.sleep(interval)


@contextmanager
def locked(path, what):
    """Hold PATH's lock; say so if another run has it."""
    with open(path, "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another run is at work on {what}: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
