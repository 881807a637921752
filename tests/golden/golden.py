# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the agent over made-up hosts (golden_main.c, fake-mdadm, fake-mdclusterd) and compares
exit code, text, and what it ran and asked with the file expected. `--accept` writes that
file anew, for a person to read with git diff."""
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SRC = os.path.join(os.environ.get("srcdir", "."), "tests/golden")
AGENT = os.path.abspath("tests/golden/mdcluster")
UUID = "0a1b2c3d:4e5f6071:8293a4b5:c6d7e8f9"
DASH = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
CHECK = [
    "corosync up", "quorate yes", "cluster c", "nodeid 1", "dlm up", "lockspace 2",
    "array raid_disks=2 level=1 layout=0 clustered=yes slots=2 cluster_name=c", "active 0 1",
    "member /dev/vdb vdb role=0 events=9 fresh=yes holder=-",
    "member /dev/vdc vdc role=1 events=9 fresh=yes holder=-", "end",
]
TRACK = f"uuid={UUID} device=/dev/md/shared md=md127 id=raid disk_wait=10 verdict_wait=2 readd=1 members="


class Host:
    """A folder that stands for a host: with tools and module, and nothing running."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="golden-")
        self.env = {
            "MDC_GOLDEN_ROOT": self.root, "PATH": os.environ["PATH"],
            "OCF_RESKEY_uuid": UUID, "OCF_RESKEY_device": "/dev/md/shared",
            "OCF_RESOURCE_INSTANCE": "raid:0", "OCF_RESOURCE_TYPE": "mdcluster",
            "HA_logfacility": "none", "HA_logfile": self.root + "/log",
        }
        self.put("log", "")
        self.put("sys/block/.keep", "")
        self.put("proc/self/mountinfo", "")
        self.put("proc/swaps", "")
        self.put("run/.keep", "")
        self.put("dev/.keep", "")
        self.put("check", "\n".join(CHECK) + "\n")
        self.put(f"lib/modules/{platform.release()}/modules.dep",
                 "kernel/fs/dlm/dlm.ko:\nkernel/drivers/md/md-cluster.ko.xz: kernel/fs/dlm/dlm.ko\n")
        self.tool("bin/mdadm", "fake-mdadm")
        self.tool("sbin/mdclusterd", "fake-mdclusterd")

    def put(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def tool(self, path, fake):
        self.put(path, "")
        with open(os.path.join(SRC, fake), encoding="utf-8") as f:
            self.put(path, f.read())
        os.chmod(os.path.join(self.root, path), 0o755)

    def drop(self, path):
        path = os.path.join(self.root, path)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def lockspace(self):
        self.put(f"sys/kernel/dlm/{DASH}/id", "1")

    def array(self, state="clean", degraded=0, action="idle", md="md127", uuid=DASH, link=True):
        for name, text in (("array_state", state), ("degraded", degraded), ("level", "raid1"),
                           ("raid_disks", 2), ("sync_action", action), ("uuid", uuid)):
            if text is not None:
                self.put(f"sys/block/{md}/md/{name}", f"{text}\n")
        self.put(f"sys/block/{md}/dev", "9:127\n")
        if link:
            os.makedirs(self.root + "/dev/md", exist_ok=True)
            os.symlink(f"../{md}", self.root + "/dev/md/shared")

    def running(self, **array):
        self.lockspace()
        self.array(**array)

    def daemon(self, mode="tracked"):
        self.put("daemon.mode", mode)
        subprocess.run([self.root + "/sbin/mdclusterd", "--there"], env=self.env, check=True,
                       stdin=subprocess.DEVNULL)

    def check(self, drop=(), add=()):
        lines = [x for x in CHECK if not x.startswith(tuple(drop))] if drop else list(CHECK)
        self.put("check", "\n".join(lines[:-1] + list(add) + lines[-1:]) + "\n")

    def check_later(self, line):
        """What the second look at the host sees beside the first."""
        with open(self.root + "/check", encoding="utf-8") as f:
            lines = [x for x in f.read().splitlines() if x.split(" ")[0] != "lockspace"
                     or not line.startswith("lockspace")]
        self.put("check.next", "\n".join(lines[:-1] + [line] + lines[-1:]) + "\n")

    def called(self, words):
        try:
            with open(self.root + "/calls", encoding="utf-8") as f:
                return words in f.read()
        except FileNotFoundError:
            return False

    def run(self, *args, stop_at=None):
        """STOP_AT: the agent is told to stop when it has called that."""
        if os.path.exists(self.root + "/calls"):
            self.drop("calls")
        p = subprocess.Popen([AGENT, *args], env=self.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if stop_at:
            while p.poll() is None and not self.called(stop_at):
                time.sleep(0.05)
            p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=60)
        text = f"$ mdcluster {' '.join(args)}\nexit {p.returncode}\n"
        for name, data in (("stdout", out), ("stderr", err)):
            text += "".join(f"{name}: {x}\n" for x in data.decode("utf-8", "replace").splitlines())
        for name in ("calls", "log"):
            path = os.path.join(self.root, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    for line in f:
                        # A log line without time, host and process.
                        line = line.split("] ", 1)[-1] if name == "log" else line
                        text += f"{name}: {line.rstrip()}\n"
        self.put("log", "")
        return text.replace(self.root, "ROOT").replace(platform.release(), "RELEASE")

    def close(self):
        try:
            with open(self.root + "/daemon.pid", encoding="utf-8") as f:
                os.kill(int(f.read()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
        shutil.rmtree(self.root)


CASES = []


def case(fn):
    CASES.append(fn)
    return fn


# Each case sets its host up and yields what the agent did.

@case
def arguments(h):
    yield h.run()
    yield h.run("no-such-action")
    yield h.run("help")
    yield h.run("notify", "ignored", "too")


@case
def bad_parameters(h):
    for name, value in (("uuid", ""), ("uuid", "nonsense"), ("device", "/dev/sda"),
                        ("members", "sda"), ("disk_wait", "-1"), ("verdict_wait", "0"),
                        ("readd", "maybe"), ("members", "/dev/" + 5000 * "x")):
        good = h.env.get("OCF_RESKEY_" + name)
        h.env["OCF_RESKEY_" + name] = value
        for action in ("validate-all", "start", "monitor", "stop", "reload-agent"):
            if action in ("validate-all", "stop") or name == "uuid":
                yield h.run(action)
        if good is None:
            del h.env["OCF_RESKEY_" + name]
        else:
            h.env["OCF_RESKEY_" + name] = good


@case
def bare_node(h):
    """Neither module nor mdadm: a probe and a stop still know."""
    h.drop("lib")
    h.drop("bin/mdadm")
    yield h.run("monitor")
    yield h.run("stop")
    yield h.run("start")
    h.tool("bin/mdadm", "fake-mdadm")
    yield h.run("start")


@case
def validate(h):
    yield h.run("validate-all")
    h.env["OCF_CHECK_LEVEL"] = "10"
    yield h.run("validate-all")
    h.check(add=["nomatch /dev/none*"])
    h.env["OCF_RESKEY_members"] = "/dev/none* /dev/vd*"
    yield h.run("validate-all")
    h.drop("bin/mdadm")
    yield h.run("validate-all")


@case
def start_monitor_stop(h):
    yield h.run("start")
    yield h.run("start")
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    yield h.run("monitor")
    h.env["OCF_RESKEY_disk_wait"] = "33"
    yield h.run("reload-agent")
    yield h.run("stop")
    assert not os.path.lexists(h.root + "/dev/md/shared")
    yield h.run("monitor")
    yield h.run("stop")
    yield h.run("reload-agent")


@case
def start_with_udev_and_members(h):
    h.put("run/udev-control", "")
    h.env["OCF_RESKEY_members"] = " /dev/vd?  /dev/mapper/*  /dev/vd?"
    yield h.run("start")


@case
def start_refused(h):
    for drop, add in ((("corosync",), ("corosync down",)), (("quorate",), ("quorate no",)),
                      (("dlm",), ("dlm down",)), (("array", "active", "member"), ()),
                      (("array",), ("array raid_disks=2 level=1 layout=0 clustered=no slots=0 "
                                    "cluster_name=",)),
                      (("array",), ("array raid_disks=2 level=1 layout=0 clustered=yes slots=2 "
                                    "cluster_name=other",)),
                      (("lockspace",), ("lockspace 2 3",)),
                      (("member /dev/vdb",), ()),
                      (("member /dev/vdb", "member /dev/vdc"),
                       ("member /dev/vdb vdb role=spare events=9 fresh=yes holder=-",)),
                      (("member /dev/vdb",),
                       ("member /dev/vdb vdb role=0 events=9 fresh=yes holder=dm-2",)),
                      ((), ("rubbish",))):
        h.check(drop, add)
        yield h.run("start")
    h.put("check", "corosync up\n")
    yield h.run("start")


@case
def start_degraded(h):
    h.check(("member /dev/vdb", "lockspace"), ("lockspace",))
    yield h.run("start")


@case
def start_degraded_not_alone(h):
    """While it waits another node joins, or the disk appears."""
    for late in ("lockspace 2", "member /dev/vdb vdb role=0 events=9 fresh=yes holder=-"):
        h.check(("member /dev/vdb", "lockspace"), ("lockspace",))
        h.check_later(late)
        yield h.run("start")


@case
def start_degraded_unknown(h):
    h.check(("member /dev/vdb", "lockspace"))
    yield h.run("start")


@case
def start_without_bitmap(h):
    h.check(("array",), ("array raid_disks=2 level=1 layout=0 clustered=yes slots=0 "
                         "cluster_name=",))
    yield h.run("start")


@case
def start_node_in_use(h):
    h.array(uuid="11111111-2222-3333-4444-555555555555")
    yield h.run("start")


@case
def start_half_assembled(h):
    h.array(state="inactive")
    yield h.run("start")
    yield h.run("stop")


@case
def half_assembled_kernel_without_uuid(h):
    h.array(state="inactive", uuid=None)
    h.put("run/mdadm-map", "md127 1.2 3d2c1b0a:71605f4e:b5a49382:f9e8d7c6 /dev/md/shared\n")
    yield h.run("start")
    yield h.run("stop")


@case
def half_assembled_without_link(h):
    h.array(state="inactive", link=False)
    yield h.run("stop")


@case
def start_other_name(h):
    h.running(link=False)
    yield h.run("start")


@case
def start_while_members_change(h):
    h.put("mdadm.mode", "changed")
    yield h.run("start")


@case
def start_while_members_go_on_changing(h):
    h.put("mdadm.mode", "changing")
    yield h.run("start")


@case
def start_fails(h):
    h.put("mdadm.mode", "half")
    yield h.run("start")
    h.put("mdadm.mode", "lies")
    yield h.run("start")


@case
def start_without_link(h):
    h.env["OCF_RESKEY_CRM_meta_timeout"] = "8000"
    h.put("mdadm.mode", "nolink")
    yield h.run("start")
    h.put("run/udev-control", "")
    yield h.run("start")


@case
def start_told_to_stop(h):
    h.put("mdadm.mode", "slow")
    yield h.run("start", stop_at="mdadm --assemble")


@case
def start_without_daemon(h):
    h.put("daemon.mode", "dead")
    yield h.run("start")


@case
def start_daemon_refuses(h):
    h.daemon("refuse")
    yield h.run("start")


@case
def start_daemon_slow(h):
    h.daemon("slow")
    yield h.run("start")


@case
def stop_busy(h):
    h.running()
    h.daemon()
    h.put("mdadm.mode", "busy")
    h.put("proc/self/mountinfo",
          "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n23 1 9:127 / /srv/data rw - gfs2 /dev/md127 rw\n")
    yield h.run("stop")
    h.put("proc/self/mountinfo", "23 1 0:44 / /srv/b rw - btrfs /dev/md/shared rw\n")
    h.put("proc/swaps", "Filename Type Size Used Priority\n/dev/md127 partition 1 0 -2\n")
    h.put("sys/block/dm-0/dm/name", "vg-lv\n")
    h.put("sys/block/md127/holders/dm-0", "")
    h.put("sys/block/loop3/loop/backing_file", "/dev/md127\n")
    h.put("proc/42/comm", "dd\n")
    os.makedirs(h.root + "/proc/42/fd")
    os.symlink("/dev/md127", h.root + "/proc/42/fd/3")
    yield h.run("stop")
    h.put("mdadm.mode", "ok")
    yield h.run("stop")


def calls_once(text):
    """How often it tried is a matter of time."""
    calls = [x for x in text.splitlines() if x.startswith("calls: ")]
    return "\n".join(x for x in text.splitlines() if x not in calls) + f"\n{sorted(set(calls))[0]}\n"


@case
def stop_busy_unseen(h):
    h.running()
    h.put("mdadm.mode", "busy")
    yield calls_once(h.run("stop"))


@case
def stop_busy_process(h):
    """A process alone may let go in a moment, so it is tried for a while."""
    h.running()
    h.put("mdadm.mode", "busy")
    h.put("proc/42/comm", "udev-worker\n")
    os.makedirs(h.root + "/proc/42/fd")
    os.symlink("/dev/md127", h.root + "/proc/42/fd/3")
    text = h.run("stop")
    assert text.count("mdadm --stop") > 1, text
    yield calls_once(text)


@case
def stop_after_daemon_killed(h):
    """Its state file is there: a new one takes back what the old one published."""
    h.put(f"run/arrays/{DASH}", TRACK + "\n")
    h.running()
    yield h.run("stop")


@case
def stop_daemon_gone(h):
    h.put(f"run/arrays/{DASH}", TRACK + "\n")
    h.put("daemon.mode", "dead")
    yield h.run("stop")


@case
def stop_without_mdadm(h):
    h.running()
    h.drop("bin/mdadm")
    yield h.run("stop")


@case
def notify(h):
    """What Pacemaker tells is handed on after the fact; nothing about it is an error."""
    def tell(**variables):
        for name, value in variables.items():
            h.env["OCF_RESKEY_CRM_meta_notify_" + name] = value
        return h.run("notify")

    h.running()
    yield h.run("notify")
    yield tell(type="post", operation="start", active_uname="n1 n2", start_uname="n3",
               stop_uname=" ")
    h.daemon()
    yield tell(type="pre")
    yield tell(type="post")
    yield tell(operation="stop", active_uname="n1 n2 n3", start_uname=" ", stop_uname="n1")
    yield tell(operation="STOP")
    yield tell(operation="stop", active_uname="n" * 3000)
    h.env["OCF_RESKEY_uuid"] = "nonsense"
    yield tell(active_uname="n1")


@case
def notify_daemon_stuck(h):
    h.running()
    h.daemon("stuck")
    h.env.update({"OCF_RESKEY_CRM_meta_notify_type": "post",
                  "OCF_RESKEY_CRM_meta_notify_operation": "start",
                  "OCF_RESKEY_CRM_meta_notify_active_uname": "n1"})
    yield h.run("notify")


@case
def monitor_states(h):
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    h.daemon()
    h.running()
    yield h.run("monitor")
    for state, degraded, action in (("read-auto", 0, "idle"), ("clean", 1, "idle"),
                                    ("clean", 1, "idle"), ("active", 1, "recover"),
                                    ("active", 0, "check"), ("readonly", 0, "idle"),
                                    ("broken", 1, "idle"), ("inactive", 0, "")):
        h.array(state, degraded, action, link=False)
        yield h.run("monitor")
    h.drop("sys/block/md127")
    yield h.run("monitor")


@case
def monitor_kernel_without_uuid(h):
    """6.1 shows no md/uuid: state file, mdadm's map and the device's name know."""
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    h.daemon()
    h.running(uuid=None, link=False)
    yield h.run("monitor")
    h.put(f"run/arrays/{DASH}", TRACK + "\n")
    yield h.run("monitor")
    h.put(f"run/arrays/{DASH}", "rubbish\n")
    h.put("run/mdadm-map", f"md9 1.2 11111111:22222222:33333333:44444444 /dev/md/x\n"
                           "md127 1.2 3d2c1b0a:71605f4e:b5a49382:f9e8d7c6 /dev/md/shared\n")
    yield h.run("monitor")
    h.drop("run/mdadm-map")
    os.makedirs(h.root + "/dev/md")
    os.symlink("../md127", h.root + "/dev/md/shared")
    yield h.run("monitor")


@case
def monitor_daemon(h):
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    h.running()
    yield h.run("monitor")
    yield h.run("monitor")


@case
def monitor_daemon_stuck(h):
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    h.running()
    h.daemon("stuck")
    yield h.run("monitor")
    yield h.run("monitor")


@case
def monitor_module_stuck(h):
    h.env["OCF_RESKEY_CRM_meta_interval"] = "10000"
    h.running()
    h.daemon("module-stuck")
    yield h.run("monitor")
    yield h.run("stop")


@case
def monitor_module_odd(h):
    h.running()
    h.daemon("module-odd")
    yield h.run("monitor")


@case
def monitor_daemon_gone(h):
    h.running()
    h.put("daemon.mode", "dead")
    yield h.run("monitor")
    h.put("run/socket", "")
    yield h.run("monitor")


@case
def monitor_daemon_odd(h):
    h.running()
    h.daemon("odd")
    yield h.run("monitor")


@case
def trace(h):
    h.env["OCF_RESKEY_trace_ra"] = "1"
    h.env["OCF_RESKEY_trace_dir"] = h.root + "/trace"
    yield h.run("start")
    names = os.listdir(h.root + "/trace/mdcluster")
    assert len(names) == 1 and names[0].startswith("raid.start."), names
    with open(h.root + "/trace/mdcluster/" + names[0], encoding="utf-8") as f:
        text = f.read()
    for word in ("run: ROOT/bin/mdadm --assemble /dev/md/shared", "exit code 0", "ask: ping",
                 "stderr: mdadm: /dev/md/shared has been started", "plan: assemble"):
        assert word in text.replace(h.root, "ROOT"), (word, text)


def main():
    accept = "--accept" in sys.argv
    path = os.path.join(SRC, "expected")
    text = ""
    for fn in CASES:
        host = Host()
        try:
            text += f"## {fn.__name__}\n" + "".join(x + "\n" for x in fn(host))
        finally:
            host.close()
    if accept:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return 0
    with open(path, encoding="utf-8") as f:
        want = f.read()
    if text == want:
        print(f"{len(CASES)} cases as expected")
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".got", encoding="utf-8") as got:
        got.write(text)
        got.flush()
        subprocess.run(["diff", "-u", path, got.name], check=False)
    return 1


sys.exit(main())
