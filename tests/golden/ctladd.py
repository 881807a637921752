# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs mdclusterctl add against a loop device, a made-up mdclusterd and a made-up mdadm. What is
looked at is the disk: byte for byte as before, however the command ends; and the exit status."""
import errno
import fcntl
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

CTL = os.path.abspath("mdclusterctl")
UUID = "0a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9"
MIB = 1 << 20
SIZE = 16 * MIB
DATA = 1 * MIB            # where a member's data begins
MAGIC = b"mdcluster nonce\0"
LOOP_SET_FD, LOOP_CLR_FD, LOOP_CTL_GET_FREE = 0x4C00, 0x4C01, 0x4C82
# For what takes milliseconds; a machine that tests kernels in emulators is slow, though.
SOON = 60


def superblock(size_kib):
    """An md superblock 1.2 of an array whose members hold SIZE_KIB."""
    buf = bytearray(4096)
    struct.pack_into("<IIII", buf, 0, 0xa92b4efc, 1, 0x101, 0)
    buf[16:32] = bytes.fromhex(UUID.replace(":", ""))
    struct.pack_into("<QiiQIIQQQQ", buf, 64, 0, 1, 0, size_kib * 2, 0, 2, 0,
                     0, 0, 0)
    struct.pack_into("<I", buf, 92, 2)
    struct.pack_into("<I", buf, 96, 8)
    struct.pack_into("<QQQ", buf, 128, DATA // 512, size_kib * 2, 8)
    struct.pack_into("<I", buf, 220, 2)
    struct.pack_into("<HH", buf, 256, 0, 1)
    struct.pack_into("<I", buf, 216, 0)
    total = sum(struct.unpack("<65I", bytes(buf[:260])))
    struct.pack_into("<I", buf, 216, ((total & 0xffffffff) + (total >> 32)) & 0xffffffff)
    return bytes(buf)


def free_loop():
    control = os.open("/dev/loop-control", os.O_RDWR)
    number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
    os.close(control)
    return f"/dev/loop{number}"


def can_run():
    """Root, loop devices, and a sysfs that shows them."""
    try:
        return os.geteuid() == 0 and os.path.exists(free_loop()) and \
            os.path.isdir("/sys/class/block")
    except OSError:
        return False


class Disk:
    """A loop device and its file."""

    def __init__(self, folder, name, content):
        self.file = os.path.join(folder, name)
        with open(self.file, "wb") as f:
            f.write(content)
        file = os.open(self.file, os.O_RDWR)
        while True:
            self.path = free_loop()
            self.loop = os.open(self.path, os.O_RDWR)
            try:
                fcntl.ioctl(self.loop, LOOP_SET_FD, file)
                break
            except OSError as error:
                os.close(self.loop)
                # Somebody else was quicker to take the free one.
                if error.errno != errno.EBUSY:
                    raise
        os.close(file)
        self.kname = os.path.basename(self.path)

    def read(self):
        # The device's own cache is dropped by BLKFLSBUF, as another node's reads would be direct.
        subprocess.run(["blockdev", "--flushbufs", self.path], check=True)
        with open(self.file, "rb") as f:
            return f.read()

    def write(self, content):
        fd = os.open(self.path, os.O_WRONLY | os.O_SYNC)
        os.write(fd, content)
        os.close(fd)
        subprocess.run(["blockdev", "--flushbufs", self.path], check=True)

    def free(self):
        fcntl.ioctl(self.loop, LOOP_CLR_FD)
        os.close(self.loop)


class Daemon(threading.Thread):
    """Answers status, and announce with the lines of a script; callables in it are called."""

    def __init__(self, path, member):
        super().__init__(daemon=True)
        self.member, self.script, self.running = member, [], True
        self.refusal = None
        self.announced = None
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(8)
        self.start()

    def status(self):
        add = {"phase": "refused", "device_uuid": UUID, "reason": self.refusal}
        return {"version": 1, "node": {"name": "n1", "id": 1}, "arrays": [{
            "uuid": UUID, "device": "/dev/md/shared", "md": "md_nowhere", "id": "raid",
            "running": self.running, "degraded": 0, "add": add if self.refusal else None,
            "members": [{"device": self.member, "role": 0, "state": "in_sync"}]}]}

    def run(self):
        while True:
            conn = self.socket.accept()[0]
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn:
            line = conn.makefile().readline().rstrip("\n")
            if line == "status":
                conn.sendall(f"ok {json.dumps(self.status())}\n".encode())
                return
            self.announced = line
            for step in self.script:
                if callable(step):
                    step()
                else:
                    conn.sendall(step.encode() + b"\n")


class Bed:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ctladd-")
        # Nothing is zero, so that every byte that is not put back shows.
        self.content = bytes(range(1, 252)) * (SIZE // 251 + 1)
        self.content = self.content[:SIZE]
        member = bytearray(SIZE)
        member[4096:8192] = superblock(8 * 1024)
        self.member = Disk(self.folder, "member", member)
        self.disk = Disk(self.folder, "disk", self.content)
        self.sock = os.path.join(self.folder, "socket")
        # Not there yet, as after an installation.
        self.keep = os.path.join(self.folder, "var", "keep")
        self.daemon = Daemon(self.sock, self.member.kname)
        self.tools = os.path.join(self.folder, "bin")
        os.mkdir(self.tools)
        self.mdadm("exit 99")
        self.seen = []

    def close(self):
        self.disk.free()
        self.member.free()
        shutil.rmtree(self.folder)

    def mdadm(self, body):
        path = os.path.join(self.tools, "mdadm")
        with open(path, "w", encoding="ascii") as f:
            f.write(f'#!/bin/sh\necho "$@" > {self.folder}/argv\n{body}\n')
        os.chmod(path, 0o755)

    def argv(self):
        try:
            with open(f"{self.folder}/argv", encoding="ascii") as f:
                return f.read().split()
        except FileNotFoundError:
            return None

    def look(self):
        """What a peer sees of the disk while it is announced."""
        self.seen.append(self.disk.read())

    def start(self, *words, disk=None, **more):
        more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE, **more}
        env = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "LC_ALL": "C",
               "TERM": "xterm"}
        return subprocess.Popen([CTL, f"--socket={self.sock}", "add", f"--keep={self.keep}",
                                 *words, "raid", disk or self.disk.path],
                                text=True, env=env, **more)

    def run(self, *words, disk=None):
        child = self.start(*words, disk=disk)
        out, err = child.communicate(timeout=SOON)
        return child.returncode, out, err

    def leftovers(self):
        return glob.glob(f"{self.keep}/*")

    def same(self, content=None):
        assert self.disk.read() == (content or self.content), "the disk is as it was"
        assert self.leftovers() == [], self.leftovers()


AGREED = ["ok", "wait 13000", "node 2 n2 waiting", "node 3 n3 waiting", "node 2 n2 found vdd",
          "node 3 n3 found vde", "end agreed"]
REFUSED = ["ok", "wait 13000", "node 2 n2 waiting", "node 2 n2 missing inuse=dm-3",
           "node 3 - unasked", "end refused n2: sees it, but dm-3 uses it"]


def test_dry_run(bed):
    bed.daemon.script = AGREED[:1] + [bed.look] + AGREED[1:]
    rc, out, err = bed.run("--dry-run")
    assert (rc, err) == (0, ""), (rc, err)
    assert "n2: sees it as vdd" in out and "n3: sees it as vde" in out, out
    assert "is as it was found" in out, out
    assert bed.argv() is None
    # The nonce, where the superblock will be, and nothing else.
    seen = bed.seen[0]
    assert seen[4096:4112] == MAGIC
    assert seen[:4096] == bed.content[:4096] and seen[8192:] == bed.content[8192:]
    words = dict(word.split("=", 1) for word in bed.daemon.announced.split()[1:])
    assert words == {"uuid": UUID, "device": bed.disk.kname, "sectors": str(SIZE // 512),
                     "nonce": seen[4096 + 24:4096 + 40].hex(), "disk": "-"}
    bed.same()


def test_refused(bed):
    bed.daemon.script = REFUSED
    rc, out, err = bed.run("--yes")
    assert rc == 1, rc
    assert "n2: sees it, but dm-3 uses it" in err and "node 3: not asked" in out, (out, err)
    assert bed.argv() is None
    bed.same()


def test_added(bed):
    bed.daemon.script = AGREED
    bed.mdadm(f"dd if=/dev/zero of={bed.disk.path} bs=4096 count=4 conv=notrunc,fsync"
              " 2>/dev/null")
    rc, out, err = bed.run("--yes")
    assert (rc, err) == (0, ""), (rc, err)
    assert bed.argv() == ["--manage", "/dev/md/shared", "--add", bed.disk.path], bed.argv()
    assert "Added" in out and "as it was found" not in out, out
    bed.same(bytes(16384) + bed.content[16384:])


def test_mdadm_fails(bed):
    """What it has written before the kernel refused is undone, up to where the data begins."""
    bed.daemon.script = AGREED
    bed.mdadm(f"dd if=/dev/zero of={bed.disk.path} bs=4096 count=2 seek=1 conv=notrunc,fsync"
              f" 2>/dev/null; dd if=/dev/zero of={bed.disk.path} bs=4096 count=1"
              f" seek={DATA // 4096 - 1} conv=notrunc,fsync 2>/dev/null\n"
              "echo 'mdadm: add new device failed: No such file or directory' >&2; exit 1")
    rc, out, err = bed.run("--yes")
    assert rc == 4 and "add new device failed" in err, (rc, err)
    assert "is as it was found" in out, out
    bed.same()
    bed.daemon.refusal = "n2: does not see it"
    rc, out, err = bed.run("--yes")
    assert rc == 1 and "what the nodes say: n2: does not see it" in err, (rc, err)
    bed.same()


def test_mdadm_keeps_it(bed):
    """mdadm fails and the disk is in use all the same: it is nobody's to write to."""
    bed.daemon.script = AGREED
    bed.mdadm(f"dd if=/dev/zero of={bed.disk.path} bs=4096 count=2 conv=notrunc,fsync"
              " 2>/dev/null; exit 1")
    holder = []

    def hold():
        holder.append(os.open(bed.disk.path, os.O_RDONLY | os.O_EXCL))

    child = bed.start("--yes")
    deadline = time.monotonic() + SOON
    while not holder and time.monotonic() < deadline:
        try:
            if bed.argv():
                hold()
        except OSError:
            pass
    out, err = child.communicate(timeout=SOON)
    assert child.returncode == 5 and "is in use now" in err and "NOT as it was" in err, err
    os.close(holder[0])
    assert bed.disk.read()[:8192] == bytes(8192), out
    assert len(bed.leftovers()) == 1 and bed.leftovers()[0] in err, (bed.leftovers(), err)
    with open(bed.leftovers()[0], "rb") as f:
        assert f.read() == bed.content[:DATA]


REPLACE = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.ioctl(fd, 0x4C01)
os.close(fd)
fd, other = os.open(sys.argv[1], os.O_RDWR), os.open(sys.argv[2], os.O_RDWR)
fcntl.ioctl(fd, 0x4C00, other)
"""


def test_another_disk_in_its_place(bed):
    """Under the same device number, once mdadm has failed: it is not to be written to."""
    bed.daemon.script = AGREED
    other = os.path.join(bed.folder, "other")
    with open(other, "wb") as f:
        f.write(bytes(SIZE))
    with open(f"{bed.folder}/replace", "w", encoding="ascii") as f:
        f.write(REPLACE)
    bed.mdadm(f"'{sys.executable}' {bed.folder}/replace {bed.disk.path} {other} || exit 99\nexit 1")
    # Held open, it would not give up its file.
    os.close(bed.disk.loop)
    rc, out, err = bed.run("--yes")
    bed.disk.loop = os.open(bed.disk.path, os.O_RDWR)
    assert rc == 5 and "is another disk by now" in err, (rc, out, err)
    with open(other, "rb") as f:
        assert f.read() == bytes(SIZE)


def test_ctrl_c(bed):
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asked = threading.Event()
        bed.daemon.script = AGREED[:3] + [asked.set, lambda: time.sleep(SOON)]
        child = bed.start("--yes")
        assert asked.wait(SOON)
        assert bed.disk.read() != bed.content
        child.send_signal(sig)
        out, err = child.communicate(timeout=SOON)
        assert child.returncode == -sig, child.returncode
        assert "is as it was found" in out, (out, err)
        bed.same()


def test_kill_9(bed):
    """The keeper outlives the command, and does what is left to do."""
    asked = threading.Event()
    bed.daemon.script = AGREED[:3] + [asked.set, lambda: time.sleep(SOON)]
    child = bed.start("--yes")
    assert asked.wait(SOON)
    child.kill()
    # The end of its output is the end of the keeper.
    child.communicate(timeout=SOON)
    bed.same()


def test_kill_9_in_mdadm(bed):
    bed.daemon.script = AGREED
    bed.mdadm(f"dd if=/dev/zero of={bed.disk.path} bs=4096 count=2 conv=notrunc,fsync"
              f" 2>/dev/null; touch {bed.folder}/wrote; exec sleep {SOON}")
    child = bed.start("--yes")
    deadline = time.monotonic() + SOON
    while not os.path.exists(f"{bed.folder}/wrote") and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.communicate(timeout=SOON)
    bed.same()


def test_ctrl_c_in_mdadm(bed):
    bed.daemon.script = AGREED
    bed.mdadm(f"dd if=/dev/zero of={bed.disk.path} bs=4096 count=2 conv=notrunc,fsync"
              f" 2>/dev/null; touch {bed.folder}/wrote; exec sleep {SOON}")
    child = bed.start("--yes")
    deadline = time.monotonic() + SOON
    while not os.path.exists(f"{bed.folder}/wrote") and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=SOON)
    assert child.returncode == -signal.SIGINT and "mdadm was ended" in err, (out, err)
    bed.same()


def test_mdclusterd_gone(bed):
    bed.daemon.script = AGREED[:3]
    rc, out, err = bed.run("--yes")
    assert rc == 3 and "mdclusterd has ended" in err, (rc, err)
    assert "is as it was found" in out, out
    bed.same()
    bed.daemon.script = ["ok", "wait 0"]
    rc, out, err = bed.run("--yes")
    assert rc == 3 and "not of the form" in err, (rc, err)
    bed.same()
    bed.daemon.script = ["ok", "wait 1000", "end lost no connection to Pacemaker"]
    rc, out, err = bed.run("--yes")
    assert rc == 3 and "no connection to Pacemaker" in err, (rc, err)
    bed.same()
    bed.daemon.script = ["ok", "end unusable x leaves it out"]
    assert bed.run("--yes")[0] == 2
    bed.same()


def test_somebody_else_writes(bed):
    """The nonce is gone from the medium: whoever wrote there is not written over."""
    bed.daemon.script = AGREED[:1] + [lambda: bed.disk.write(bytes(8192))] + AGREED[1:]
    rc, out, err = bed.run("--dry-run")
    assert rc == 5 and "somebody else has written" in err and "NOT as it was" in err, (rc, err)
    assert bed.disk.read() == bytes(8192) + bed.content[8192:], out
    assert len(bed.leftovers()) == 1, "what stood there is kept"
    assert bed.leftovers()[0].startswith(f"{bed.keep}/put-back-{bed.disk.kname}-")
    with open(bed.leftovers()[0], "rb") as f:
        assert f.read() == bed.content[4096:8192]


def test_left_by_an_add_that_was_cut_off(bed):
    bed.daemon.script = AGREED[:1] + [bed.look] + AGREED[1:]
    bed.disk.write(bytes(16384))
    assert bed.run("--dry-run")[0] == 0
    blank = bed.seen[-1][:16384]
    bed.disk.write(blank)
    rc, out, err = bed.run("--dry-run")
    assert rc == 0 and "cut off" in out, (rc, out, err)
    bed.same(bytes(16384) + bed.content[16384:])
    # Not over zeros: what stood there is not known here.
    bed.disk.write(bytes(4096) + b"x" + bytes(12287))
    assert bed.run("--dry-run")[0] == 0
    mark = bed.seen[-1][:16384]
    bed.disk.write(mark)
    rc, out, err = bed.run("--dry-run")
    assert rc == 2 and "bears the mark of an add on n1" in err, (rc, err)
    # Where it survives a boot of that node.
    assert "may be in /var/lib/mdcluster on that node" in err, err
    bed.same(mark + bed.content[16384:])


def test_unusable(bed):
    bed.daemon.script = [lambda: bed.seen.append("asked")]
    small = Disk(bed.folder, "small", bytes(4 * MIB))
    empty = Disk(bed.folder, "swap", bytes(SIZE))
    try:
        for disk, why in ((bed.folder, "not a block device"), ("/dev/nonesuch", "No such file"),
                          (small.path, "too small: it has 4096 KiB, and a member of this array "
                                       "takes 9216 KiB"),
                          ("/dev/loop-control", "not a block device")):
            rc, out, err = bed.run("--yes", disk=disk)
            assert rc == 2 and why in err, (rc, out, err)
        subprocess.run(["mkswap", "-L", "data", empty.path], check=True, capture_output=True)
        before = empty.read()
        rc, out, err = bed.run("--yes", disk=empty.path)
        assert rc == 2 and "bears swap (label data)" in err and "wipefs" in err, (rc, err)
        assert empty.read() == before
        subprocess.run(["blockdev", "--setro", bed.disk.path], check=True)
        rc, out, err = bed.run("--yes")
        subprocess.run(["blockdev", "--setrw", bed.disk.path], check=True)
        assert rc == 2 and "read-only" in err, (rc, err)
        held = os.open(bed.disk.path, os.O_RDONLY | os.O_EXCL)
        rc, out, err = bed.run("--yes")
        os.close(held)
        assert rc == 2 and "in use by another program" in err, (rc, err)
    finally:
        small.free()
        empty.free()
    assert bed.seen == []
    bed.same()


def test_former_member(bed):
    """A superblock of this very array is no reason against it, and is there again for mdadm."""
    bed.daemon.script = AGREED
    content = bytearray(bed.content)
    content[:16384] = bytes(16384)
    content[4096:8192] = superblock(8 * 1024)
    bed.disk.write(bytes(content))
    bed.mdadm(f"dd if={bed.disk.path} of={bed.folder}/super bs=4096 skip=1 count=1 2>/dev/null")
    rc, out, err = bed.run("--yes")
    assert rc == 0 and "was a member before" in out, (rc, out, err)
    with open(f"{bed.folder}/super", "rb") as f:
        assert f.read() == superblock(8 * 1024)


def test_asked_back(bed):
    bed.mdadm("exit 0")
    # Long enough for the rows to be drawn twice, which is done five times a second.
    bed.daemon.script = AGREED[:4] + [lambda: time.sleep(1)] + AGREED[4:]
    for answer, want in (("n\n", 6), ("\n", 6), ("maybe\n", 6), ("y\n", 0), ("YES\n", 0)):
        master, slave = pty.openpty()
        child = bed.start(stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        text = b""
        deadline = time.monotonic() + SOON
        while b"[y/N]" not in text and time.monotonic() < deadline:
            if select.select([master], [], [], 1)[0]:
                text += os.read(master, 4096)
        os.write(master, answer.encode())
        assert child.wait(SOON) == want, (answer, text)
        os.close(master)
        # One row a node, rewritten in place.
        assert re.search(rb"\x1b\[\d+A", text) and b"n3: sees it as vde" in text, text
        bed.same()


def test_json(bed):
    bed.daemon.script = REFUSED
    rc, out, err = bed.run("--json", "--yes")
    rows = [json.loads(line) for line in out.splitlines()]
    assert rc == 1 and [row["event"] for row in rows] == \
        ["asking", "verdict", "verdict", "verdict", "result"], (rc, out, err)
    assert rows[2] == {"event": "verdict", "node": "n2", "id": 2, "verdict": "missing",
                       "device": None, "why": "inuse=dm-3",
                       "reason": "sees it, but dm-3 uses it"}, rows[2]
    assert rows[4]["result"] == "refused" and rows[4]["as_found"], rows[4]
    assert "dm-3" in rows[4]["reason"] and rows[4]["disk"] == bed.disk.path
    bed.daemon.script = AGREED
    rc, out, err = bed.run("--json", "--dry-run")
    assert rc == 0 and json.loads(out.splitlines()[-1])["result"] == "agreed", out
    bed.same()


def test_usage(bed):
    for words in (["--json"], [], ["--yes", "one", "too", "many"], ["--nonsense"]):
        rc, out, err = bed.run(*words)
        assert rc == 64 and err, (words, rc, out, err)
    os.makedirs(os.path.dirname(bed.keep))
    with open(bed.keep, "wb"):
        pass
    rc, out, err = bed.run("--yes")
    assert rc == 2 and "no place to keep what stands on the disk" in err, (rc, err)
    os.unlink(bed.keep)
    bed.daemon.running = False
    rc, out, err = bed.run("--yes")
    assert rc == 3 and "does not run on this node" in err, (rc, err)
    assert bed.daemon.announced is None
    bed.same()


def main():
    if not can_run():
        print("SKIP: needs root, loop devices, and a sysfs that shows them")
        return 77
    bad = 0
    for name, test in [pair for pair in globals().items() if pair[0].startswith("test_")]:
        if len(sys.argv) > 1 and sys.argv[1] not in name:
            continue
        bed = Bed()
        try:
            test(bed)
            print(f"ok {name}")
        except (AssertionError, subprocess.SubprocessError, OSError, ValueError) as error:
            bad += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
        finally:
            bed.close()
    return 1 if bad else 0


sys.exit(main())
