# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in a guest: the exit status of one command, and the milliseconds that it took.

posix_spawn, since a fork of this process would cost more than much of what is measured.
"""
import json
import os
import sys
import time

words, environment = json.loads(sys.argv[1])
out = os.open("/tmp/bench.out", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
null = os.open("/dev/null", os.O_RDONLY)
begin = time.monotonic()
child = os.posix_spawnp(words[0], words, {**os.environ, **environment}, file_actions=[
    (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)])
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(code, (time.monotonic() - begin) * 1000)
os.lseek(out, 0, os.SEEK_SET)
sys.stderr.write(os.read(out, 4096).decode(errors="replace"))
