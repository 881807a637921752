# SPDX-License-Identifier: GPL-2.0-or-later
"""One virtual machine and the switch between several: their processes and their QMP sockets.

Nothing here knows what runs inside.
"""
import json
import os
import queue
import shutil
import socket
import subprocess
import threading

from .base import BoxError, Hopeless, TimeOut, say, wait_until

# TCG loses the flags of a cmpxchg16b that is interrupted: once in a day of tests a guest's kernel
# dies of a double fault in its allocator. Without the instruction it takes a lock instead.
CPU = {"kvm": "host", "tcg": "max,cx16=off"}

_jobs = queue.Queue()
_spawner = None


def _spawn_loop():
    while True:
        args, kwargs, answer = _jobs.get()
        try:
            answer.put(subprocess.Popen(args, **kwargs))
        except OSError as error:
            answer.put(error)


def spawn(args, **kwargs):
    """Start a process that the kernel kills when this program ends, however it ends.

    The kernel takes the end of the starting *thread* for the parent's, so one thread that
    lives as long as the program starts them all.
    """
    global _spawner
    if _spawner is None:
        _spawner = threading.Thread(target=_spawn_loop, daemon=True)
        _spawner.start()
    answer = queue.Queue()
    _jobs.put((["setpriv", "--pdeathsig", "KILL", *map(str, args)], kwargs, answer))
    process = answer.get()
    if isinstance(process, OSError):
        raise BoxError(f"{args[0]} did not start: {process}")
    return process


def end(process, patience=10):
    """Kill PROCESS and return when it is gone for certain."""
    if process and process.poll() is None:
        process.kill()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            raise TimeOut(f"process {process.pid} ({process.args[3]}) is still there {patience} s "
                          "after SIGKILL") from None


class Switch:
    """A network of its own, on a unix socket: nothing of it is on the host's network."""

    def __init__(self, directory):
        self.path = directory / "switch"
        self.log = open(directory / "switch.log", "wb")
        self.process = spawn(["vde_switch", "-sock", self.path, "-mode", "600"],
                             stdin=subprocess.PIPE, stdout=self.log, stderr=self.log)
        wait_until(lambda: (self.path / "ctl").exists(), 10, "vde_switch to open its socket", 0.05)

    def stop(self):
        end(self.process)
        self.process.stdin.close()
        self.log.close()


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path):
        self.path = path

    def command(self, name, /, **arguments):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(20)
            try:
                sock.connect(str(self.path))
                stream = sock.makefile("rw")
                stream.readline()
                for request in ({"execute": "qmp_capabilities"},
                                {"execute": name, "arguments": arguments}):
                    stream.write(json.dumps(request) + "\n")
                    stream.flush()
                    answer = {}
                    while "return" not in answer and "error" not in answer:
                        answer = json.loads(stream.readline())
            except (OSError, ValueError) as error:
                raise BoxError(f"QMP command {name} on {self.path} failed: {error}") from None
        if "error" in answer:
            raise BoxError(f"QMP command {name} was refused: {answer['error']['desc']}")
        return answer["return"]


def accelerator():
    """The -accel argument. /dev/kvm may exist and still not run a kernel, so that it is only
    taken when asked for: MDCLUSTER_ACCEL=kvm, or auto after a probe (box.probe)."""
    choice = os.environ.get("MDCLUSTER_ACCEL", "tcg")
    if choice == "auto":
        from .probe import kvm_works
        choice = "kvm" if kvm_works() else "tcg"
    if choice == "kvm":
        return "kvm"
    if choice == "tcg":
        return "tcg,thread=multi,tb-size=256"
    raise BoxError(f"MDCLUSTER_ACCEL={choice}: must be tcg, kvm or auto")


class Machine:
    """A virtual machine; made once, started and killed as often as wanted."""

    COMMAND_PORTS = 8

    def __init__(self, name, directory, image, switch, mac, cmdline, memory=1024):
        self.name = name
        self.directory = directory
        self.image = image
        self.switch = switch
        self.mac = mac
        self.cmdline = cmdline
        self.memory = memory
        self.disks = []
        self.process = None
        self.boots = 0
        self.console = directory / "console.log"
        self.sockets = None
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def _make_overlay(self):
        overlay = self.directory / "root.qcow2"
        if not overlay.exists():
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b",
                            self.image / "base.img", overlay], check=True)
        return overlay

    def _drives(self):
        # The root disk is private, and keeps what the guest has flushed when QEMU is killed.
        # ("unsafe" would not: qcow2 has tables of its own in memory.) A shared one is written
        # through, since another guest reads the same file: what a guest was told is written
        # must be in the host's page cache.
        args = ["-drive", f"if=none,id=root,file={self._make_overlay()},cache=writeback",
                "-device", "virtio-blk-pci,drive=root,addr=0x4"]
        for number, (serial, path) in enumerate(self.disks):
            args += ["-drive", f"if=none,id={serial},file={path},format=raw,file.locking=off,"
                     "cache.writeback=off,cache.direct=off,cache.no-flush=on,discard=unmap",
                     "-device", f"virtio-blk-pci,drive={serial},serial={serial},"
                     f"addr={0x10 + number:#x}"]
        return args

    def _ports(self):
        args = ["-device", "virtio-serial-pci,id=ports,addr=0x5"]
        names = [f"box.cmd{number}" for number in range(self.COMMAND_PORTS)] + ["box.fence"]
        for name in names:
            args += ["-chardev", f"socket,id={name},path={self.sockets / name},server=on,wait=off",
                     "-device", f"virtserialport,bus=ports.0,chardev={name},name={name}"]
        return args

    def start(self, sockets):
        """SOCKETS is a directory for this boot's unix sockets; their paths must be short."""
        if self.running:
            raise BoxError(f"{self.name} is running already")
        self.boots += 1
        self.sockets = sockets / f"{self.name}.{self.boots}"
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.sockets.mkdir(parents=True)
        with open(self.console, "ab") as console:
            console.write(b"\n==== boot %d ====\n" % self.boots)
        accel = accelerator()
        args = ["qemu-system-x86_64", "-name", self.name, "-machine", "pc,usb=off,vmport=off",
                "-accel", accel, "-cpu", CPU[accel.partition(",")[0]], "-smp", "1",
                "-m", self.memory, "-nodefaults", "-display", "none", "-no-reboot",
                "-no-user-config", "-rtc", "base=utc,clock=host",
                "-kernel", self.image / "vmlinuz", "-initrd", self.image / "initrd",
                "-append", "console=ttyS0 quiet panic=-1 oops=panic mitigations=off tsc=reliable "
                "net.ifnames=0 random.trust_cpu=on no_timer_check " + self.cmdline,
                "-chardev", f"file,id=console,path={self.console},append=on",
                "-serial", "chardev:console",
                "-chardev", f"socket,id=shell,path={self.sockets / 'shell'},server=on,wait=off",
                "-serial", "chardev:shell",
                "-qmp", f"unix:{self.sockets / 'qmp'},server=on,wait=off",
                "-device", "virtio-rng-pci,addr=0x6",
                "-netdev", f"vde,id=net0,sock={self.switch.path}",
                "-device", f"virtio-net-pci,netdev=net0,mac={self.mac},addr=0x3,romfile=",
                *self._drives(), *self._ports()]
        with open(self.directory / "qemu.log", "ab") as log:
            self.process = spawn(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(lambda: self._up(), 20, f"QEMU of {self.name} to open its sockets", 0.05)
        except BoxError:
            say((self.directory / "qemu.log").read_text(errors="replace")[-2000:])
            end(self.process)
            raise

    def _up(self):
        if self.process.poll() is not None:
            raise Hopeless(f"QEMU of {self.name} ended with status {self.process.returncode}; "
                           f"see {self.directory / 'qemu.log'}")
        return (self.sockets / "box.fence").exists() and (self.sockets / "qmp").exists()

    def kill(self):
        """As if the plug was pulled. Returns when the machine is gone for certain."""
        end(self.process)

    def wait_off(self, timeout):
        """Wait until the guest has powered itself off."""
        wait_until(lambda: not self.running, timeout, f"{self.name} to power off", 0.1)

    @property
    def qmp(self):
        return Qmp(self.sockets / "qmp")
