# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows mdcluster's main job on three virtual nodes. Each step says what it did and how long
it took; the first one that fails ends the demo with a status other than 0.
"""
import argparse
import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from mirror import legs_equal, start_writer, stop_writer, wait_clean, wait_recovery, written

from box import BoxError, Cluster, say
from box.base import SOURCE
from box.keep import in_background, stay
from box.product import MODULES, product_tarball

DEVICE = "/dev/md/shared"
ADD = "mdcluster-raid-add"
# Check, assembly and daemon on three nodes at once, each some seconds in an emulated guest.
START = 150
# A node that boots into a busy cluster: kernel, corosync, Pacemaker, DLM, array.
REJOIN = 300


def administrator_steps():
    """The shell blocks of README's section "Set up an array": the DLM, then the array."""
    section = (SOURCE / "README.md").read_text().split("### Set up an array", 1)[1]
    blocks = re.findall(r"```sh\n(.*?)```", section.split("\n### ", 1)[0], re.S)
    if len(blocks) != 2:
        raise BoxError("README's section \"Set up an array\" must have two blocks of shell")
    return blocks


def expect(what, why):
    if not what:
        raise BoxError(why)


def running(node):
    """Does the array run here? Degraded or resyncing (1) will do."""
    return node.run(f"mdclusterctl status {DEVICE}", check=False).rc in (0, 1)


class Demo:
    def __init__(self, args):
        self.args = args
        self.count = 0
        self.cluster = None

    @contextmanager
    def step(self, title):
        """One step: its title, what its commands show, its time."""
        self.count += 1
        begin = time.monotonic()
        print(f"\n=== {self.count}. {title}", flush=True)
        yield
        print(f"    done in {time.monotonic() - begin:.1f} s", flush=True)

    def show(self, node, command, timeout=120, code=0):
        """Run a command as an administrator would, and show it with its output. It must end with
        CODE."""
        result = node.run(command, timeout=timeout, check=code == 0)
        print(f"{node.name}# {command}")
        for line in (result.out + result.err).splitlines():
            print(f"    {line}")
        sys.stdout.flush()
        expect(result.rc == code, f"{node.name}: {command} ended with {result.rc}, not {code}")
        return result

    def administrator(self, node, block, **variables):
        """Run a block of README as root's shell on a node would."""
        print("".join(f"{node.name}# {line}\n" for line in block.splitlines()), end="", flush=True)
        head = "set -e\n" + "".join(f"{name}={value}\n" for name, value in variables.items())
        node.put("/run/steps", head + block)
        result = node.run("sh /run/steps", timeout=400)
        for line in (result.out + result.err).splitlines():
            print(f"    {line}")

    def steps(self):
        cluster = self.cluster
        with self.step("Boot three nodes: corosync and Pacemaker"):
            cluster.start()
        n1, n2, n3 = cluster.nodes
        dlm, array = administrator_steps()
        with self.step("Fencing (the box's own agent), then the DLM, as README has it"):
            cluster.configure_fencing()
            self.administrator(n1, dlm)
        with self.step("Create the array on n1 and give it to Pacemaker, as README has it"):
            self.administrator(n1, array, DISK1=n1.disk("d1"), DISK2=n1.disk("d2"))
            for node in cluster.nodes:
                node.wait_for(lambda node=node: running(node), START, "it runs the array")
            wait_clean(DEVICE, cluster.nodes)
            self.show(n1, "crm_mon -A1")
        with self.step("Add a disk on n1; no udevd runs anywhere, mdclusterd answers"):
            for node in cluster.nodes:
                expect(node.run("pidof systemd-udevd", check=False).rc != 0,
                       f"udevd runs on {node.name}")
            self.show(n1, f"mdadm --manage {DEVICE} --add {n1.disk('d3')}")
            for peer in (n2, n3):
                peer.wait_for(lambda peer=peer: (peer.attribute(ADD) or "")
                              .startswith(("found:", "added:")), 60, "its answer is published")
                print(f"    {peer.name} has answered {peer.attribute(ADD)}")
            self.show(n2, "mdclusterctl status")
        with self.step("Try to add a disk that n2 does not see and n3 uses for something else"):
            self.refused_add(n1, n2, n3)
        with self.step("Add it once n3 has let go of it; n2's path comes up while it is asked"):
            self.late_add(n1, n2, n3)
        with self.step("Write from all three nodes"):
            for node in cluster.nodes:
                start_writer(DEVICE, node)
            for node in cluster.nodes:
                print(f"    {node.name} has done {written(node)} writes of 256 KiB")
        with self.step("Cut n3's power while it writes"):
            self.power_cut(n1, n2, n3)
        with self.step("n3 comes back"):
            n3.boot()
            n3.wait_for(lambda: running(n3), REJOIN, "it runs the array again")
            wait_clean(DEVICE, cluster.nodes)
            self.show(n3, "mdclusterctl status")
            self.show(n1, "crm_mon -A1")
        if not self.args.keep:
            with self.step("Stop everything in good order"):
                self.show(n1, "crm --wait resource stop c-raid", timeout=240)
                for node in cluster.nodes:
                    node.wait_for("! grep -q ^md /proc/mdstat", 30, "it has left the array")
                cluster.each(lambda node: node.shut_down())
                expect(set(cluster.fenced) == {"n3"}, f"fenced by the end: {cluster.fenced}")

    def refused_add(self, n1, n2, n3):
        n2.detach("d4")
        n3.run("modprobe dm-mod; dmsetup create other"
               f" --table '0 8192 linear {n3.disk('d4')} 131072'", timeout=30)
        result = self.show(n1, f"mdclusterctl add --yes {DEVICE} {n1.disk('d4')}", code=1)
        for words in "n2: does not see it", "n3: sees it, but dm-", "is as it was found":
            expect(words in result.out + result.err, f"mdclusterctl does not say '{words}'")
        n1.wait_for(lambda: (n1.attribute(ADD) or "").startswith("refused:"), 30,
                    "the refusal is published")
        self.show(n1, f"crm_mon -A1 | grep {ADD}")
        n3.run("dmsetup remove --retry other", timeout=60)

    def late_add(self, n1, n2, n3):
        disk = n1.disk("d4")
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(self.show, n1, f"mdclusterctl add --yes {DEVICE} {disk}")
            n2.wait_for(lambda: (n2.attribute(ADD, n1) or "").startswith("announced:"), 60,
                        "it is asked for the disk")
            n2.attach("d4")
            asking.result()
        after = {}
        for peer in (n3, n2):
            line = peer.out("mdclusterctl events --once | grep 'is about to add' | tail -n 1")
            print(f"    {peer.name}'s mdclusterd: {line}", flush=True)
            took = re.search(r"found as \w+, (\d+) ms after the question", line)
            expect(took, f"{peer.name} does not say that it has found the disk")
            after[peer.name] = int(took.group(1))
        expect(after["n2"] > after["n3"], "n2, which got its path late, was not later than n3")
        for node in self.cluster.nodes:
            name = os.path.basename(node.disk("d4"))
            node.wait_for(f"test -e /sys/block/$(basename $(readlink -f {DEVICE}))/md/dev-{name}",
                          30, "it has the disk in the array")

    def power_cut(self, n1, n2, n3):
        cluster = self.cluster
        n3.power_cut()
        cluster.wait_fenced(n3)
        # The DLM and Pacemaker may each have asked for it.
        print(f"    fenced: {', '.join(sorted(set(cluster.fenced)))}")
        expect(set(cluster.fenced) == {"n3"}, "a node was fenced that should not have been")
        for node in (n1, n2):
            count = written(node)
            node.wait_for(lambda node=node, count=count: written(node) > count + 3, 60,
                          "its writes go on")
            print(f"    {node.name} goes on writing: {written(node)} writes by now")
        wait_recovery(n1, n3)
        for node in (n1, n2):
            stop_writer(node)
        wait_clean(DEVICE, (n1, n2))
        # Who takes over the bitmap of the dead node is the DLM's choice.
        for node in (n1, n2):
            self.show(node, "dmesg | grep -E ' md: |dlm: .*: (remove member|dlm_recover .*done)' "
                      "| tail -n 4")
        size = legs_equal(cluster, "d1", "d2")
        print(f"    the two disks of the mirror hold the same {size >> 20} MiB, byte for byte")


def run(args, release):
    begin = time.monotonic()
    demo = Demo(args)
    try:
        product = product_tarball(args.suite)
        demo.cluster = Cluster(nodes=3, suite=args.suite, disks=4, product=product)
        demo.steps()
        print(f"\nAll {demo.count} steps done in {time.monotonic() - begin:.0f} s.")
        status = 0
    except BoxError as error:
        print(f"\nFAILED at step {demo.count}: {error}", file=sys.stderr)
        if demo.cluster and demo.cluster.nodes:
            say(f"consoles, logs and states of the nodes: {demo.cluster.collect('demo')}")
        status = 1
    except BaseException:
        if demo.cluster:
            demo.cluster.stop()
        raise
    if args.keep and demo.cluster and demo.cluster.nodes:
        print("The cluster stays up. For a shell in a node, and to end it:\n"
              "    cd tests/cluster\n"
              "    sudo /usr/bin/python3 -m box shell n1\n"
              "    sudo /usr/bin/python3 -m box down", flush=True)
        release(status)
        stay(demo.cluster)
    elif demo.cluster:
        demo.cluster.stop()
    return status


def main():
    parser = argparse.ArgumentParser(prog="tests/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the cluster up at the end")
    parser.add_argument("--suite", default="trixie", help="Debian suite of the nodes")
    parser.add_argument("--module", choices=MODULES, help="whose md-cluster the nodes load "
                        "(default: $MDCLUSTER_MODULE, else ours)")
    args = parser.parse_args()
    if args.module:
        os.environ["MDCLUSTER_MODULE"] = args.module
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if args.keep:
        return in_background(lambda release: run(args, release))
    return run(args, lambda status: None)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
