# SPDX-License-Identifier: GPL-2.0-or-later
"""Directory trees of a Debian suite, made with mmdebstrap from the machine's own archive.

Which archive that is, apt knows: nothing is written down here, and apt settings that say how
to reach it (proxies, certificates) are handed on.
"""
import re
import subprocess
from pathlib import Path

from .base import BoxError, say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Left out of every tree: nobody reads manuals there, and unpacking them takes time.
EXCLUDE = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*",
           "/usr/share/lintian/*")
HANDED_ON = re.compile(r"^Acquire::(\w+::Proxy|https::(CaInfo|Verify-\S+)|Retries|"
                       r"Check-Valid-Until|\w+::Timeout)\b")


def _index_targets():
    out = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)",
         "Created-By: Packages"], stdout=subprocess.PIPE, text=True, check=False).stdout
    for line in out.splitlines():
        origin, codename, component, uri = line.split("|")
        if origin == "Debian" and component == "main":
            yield codename, uri


def _archives():
    """The addresses of Debian's main and security archives, the latter None if unknown."""
    main = security = None
    for codename, uri in _index_targets():
        if codename.endswith("-security"):
            security = security or uri
        elif not re.search(r"-(updates|backports|proposed)", codename):
            main = main or uri
    if main is None:
        raise BoxError("apt knows no Debian archive here. Check /etc/apt/sources.list and "
                       "/etc/apt/sources.list.d, run 'apt-get update', then try again.")
    return main, security


def sources(suite):
    """sources.list text for SUITE, on the archives this machine uses."""
    main, security = _archives()
    line = f"deb [signed-by={KEYRING}] "
    text = f"{line}{main} {suite} main\n"
    if suite != "sid":
        text += f"{line}{main} {suite}-updates main\n"
        if security:
            text += f"{line}{security} {suite}-security main\n"
    return text


def _apt_options(suite):
    out = subprocess.run(["apt-config", "dump"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    options = [line for line in out.splitlines() if HANDED_ON.match(line)]
    if suite == "sid":
        # Its index may be a snapshot, which no longer claims to be valid.
        options.append('Acquire::Check-Valid-Until "false";')
    return options


def bootstrap(suite, target, packages, hooks=(), log=None):
    """Make the tree TARGET of SUITE with PACKAGES; HOOKS are shell commands, $1 the tree."""
    if not KEYRING.exists():
        raise BoxError(f"{KEYRING} is missing: install the package debian-archive-keyring.")
    command = ["mmdebstrap", "--variant=minbase", "--mode=root",
               "--include=" + ",".join(packages), "--dpkgopt=force-unsafe-io"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDE]
    command += [f"--aptopt={option}" for option in _apt_options(suite)]
    command += [f"--customize-hook={hook}" for hook in hooks]
    command += [suite, str(target), "-"]
    with open(log, "wb") as out:
        process = subprocess.run(command, input=sources(suite).encode(), stdout=out,
                                 stderr=subprocess.STDOUT, check=False)
    if process.returncode != 0:
        tail = "\n".join(Path(log).read_text(errors="replace").splitlines()[-15:])
        kept = Path("/var/tmp") / f"mdcluster-{Path(log).name}"
        kept.write_bytes(Path(log).read_bytes())
        say(tail)
        raise BoxError(f"mmdebstrap could not make a tree of {suite} (above: its last words; "
                       f"all of them: {kept}). Can this machine reach its Debian archive?")
