# SPDX-License-Identifier: GPL-2.0-or-later
"""Running a command in a build root, and what it said last."""
import subprocess
from pathlib import Path


def in_root(root, directory, command, log, env=None):
    """Run COMMAND (a list) in DIRECTORY of the build root ROOT; output is appended to LOG."""
    words = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
             *(env or []), "sh", "-ec", 'cd "$0"; exec "$@"', directory, *command]
    # Private /proc: the sanitizers read their own maps there. /sys: loop devices are tried. /dev/pts:
    # a question is asked on a terminal.
    wrap = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec",
            'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev";'
            ' mount --bind /dev/pts "$0/dev/pts";'
            ' mount --bind /sys "$0/sys"; exec chroot "$0" "$@"',
            str(root)]
    with open(log, "ab") as out:
        out.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        out.flush()
        return subprocess.run([*wrap, *map(str, words)], stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False).returncode


def last_words(log, lines=25):
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])
