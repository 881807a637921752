# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the project's tests and counts them. Parts, in the order in which they run:

build    in the build root of each suite: configure, make with warnings as errors, make check,
         install; make distcheck in one of them
unit     make check with the sanitizers
fuzz     each fuzzer for a few seconds, from its committed corpus
sim      a hundred thousand schedules of the module's protocol files on simulated nodes
kernel   the kernel module for each kernel that it supports, with all checks of its sources
cluster  pytest on real clusters in virtual machines of Debian 13; a few tests, which are short, on
         those of 12 and sid

"full" beside them, or alone for all of them, adds the tests that take long, and the demo. One part
runs only when it is named:

debug-kernel  the same tests on a kernel with KASAN, lockdep, kmemleak and the like, which is built
              first: none of them may report anything. Takes hours.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from box import image
from box.base import BoxError, cache_dir, locked, results_dir, say
from box.debugimage import guest_image
from box.dkms import dkms_root
from box.kernel import KERNEL_SUITES, kernel_root
from box.product import CONFIGURE, MODULES, copy_source
from box.root import in_root, last_words

PARTS = ("build", "unit", "fuzz", "sim", "kernel", "cluster")
NAMED_PARTS = ("debug-kernel",)
FUZZ_SECONDS = 5
SIM_SCHEDULES = 100000
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kernel"))

import matrix  # noqa: E402


class Score:
    def __init__(self):
        self.passed = self.failed = 0
        self.failures = []

    def add(self, name, good, why=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)
            say(f"FAILED: {name}{why}")

    def add_automake(self, name, log):
        """Count what `make check` summed up last in LOG."""
        sums = {key: int(value) for key, value in
                re.findall(r"^# (PASS|FAIL|XPASS|ERROR): +(\d+)$", log.read_text(errors="replace"),
                           re.M)[-4:]}
        self.passed += sums.get("PASS", 0)
        bad = sums.get("FAIL", 0) + sums.get("XPASS", 0) + sums.get("ERROR", 0)
        if bad or not sums:
            self.failed += max(bad, 1)
            self.failures.append(name)
            say(f"FAILED: {name}: {f'{bad} test programs' if sums else 'no test ran'}; see {log}")


class Tree:
    """A copy of the sources in a suite's build root."""

    def __init__(self, suite, name):
        self.suite = suite
        self.name = name
        self.root = image.build_root(suite)
        self.inside = f"/root/run-{name}"
        self.outside = self.root / self.inside[1:]
        self.log = results_dir() / f"{name}-{suite}.log"
        self.log.unlink(missing_ok=True)
        copy_source(self.outside)

    def do(self, score, title, command, env=None):
        """One step; a failed one is shown with the end of its output."""
        begin = time.monotonic()
        good = in_root(self.root, self.inside, command, self.log, env) == 0
        name = f"{self.name}: {self.suite}: {title}"
        score.add(name, good, f" after {time.monotonic() - begin:.0f} s; all of it is in "
                  f"{self.log}, these are its last words:\n{last_words(self.log)}" if not good
                  else "")
        if good:
            say(f"passed: {name} ({time.monotonic() - begin:.0f} s)")
        return good

    def remove(self):
        shutil.rmtree(self.outside, ignore_errors=True)


def part_build(score, args):
    for suite in image.SUITES:
        tree = Tree(suite, "build")
        jobs = f"-j{os.cpu_count() or 1}"
        good = (tree.do(score, "autoreconf", ["autoreconf", "-fi"])
                and tree.do(score, "configure", ["./configure", *CONFIGURE])
                and tree.do(score, "make", ["make", jobs, "CFLAGS=-g -O2 -Werror"])
                and tree.do(score, "make install",
                            ["make", "install", "DESTDIR=/root/run-build/dest"]))
        if good:
            good = tree.do(score, "make check", ["make", jobs, "check", "VERBOSE=1",
                                                    "CFLAGS=-g -O2 -Werror"])
            score.add_automake(f"make check on {suite}", tree.log)
        if good and suite == image.SUITES[0]:
            good = tree.do(score, "make distcheck", ["make", jobs, "distcheck"])
        tree.remove()


def part_unit(score, args):
    tree = Tree(image.SUITES[0], "unit")
    good = (tree.do(score, "configure --enable-sanitizers",
                    ["sh", "-ec", "autoreconf -fi && ./configure --enable-sanitizers "
                     + " ".join(CONFIGURE)]))
    if good:
        tree.do(score, "make check", ["make", f"-j{os.cpu_count() or 1}", "check", "VERBOSE=1"])
        score.add_automake("make check with sanitizers", tree.log)
    tree.remove()


def part_fuzz(score, args):
    tree = Tree(image.FUZZ_SUITE, "fuzz")
    good = (tree.do(score, "configure --enable-fuzz",
                    ["sh", "-ec", "autoreconf -fi && CC=clang ./configure --enable-fuzz"])
            and tree.do(score, "make fuzzers",
                        ["make", f"-j{os.cpu_count() or 1}", "fuzzers"]))
    fuzzers = sorted(path for path in (tree.outside / "tests/fuzz").glob("fuzz_*")
                     if path.is_file() and os.access(path, os.X_OK) and not path.suffix)
    if good and not fuzzers:
        score.add("fuzz: no fuzzer was built", False)

    def fuzz(path):
        corpus = path.parent / "corpus" / path.name.removeprefix("fuzz_")
        new = path.with_suffix(".new")
        new.mkdir()
        log = tree.log.with_name(f"{path.name}.log")
        log.unlink(missing_ok=True)
        inside = [f"tests/fuzz/{path.name}", f"-max_total_time={FUZZ_SECONDS}", "-timeout=5",
                  "-print_final_stats=1", f"-artifact_prefix=tests/fuzz/{path.name}.new/crash-",
                  f"tests/fuzz/{new.name}"]
        if corpus.is_dir():
            inside.append(f"tests/fuzz/corpus/{corpus.name}")
        status = in_root(tree.root, tree.inside, inside, log)
        for crash in new.glob("crash-*"):
            shutil.copy(crash, log.with_name(f"{path.name}-{crash.name}"))
        score.add(f"fuzz: {path.name}", status == 0 and corpus.is_dir(),
                  f": {'status %d' % status if status else f'no corpus {corpus.name}'}; output and "
                  f"input are in {log.parent}, its last words:\n{last_words(log, 15)}")

    if good:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(fuzz, fuzzers))
    tree.remove()


def part_sim(score, args):
    tree = Tree(image.SUITES[0], "sim")
    good = (tree.do(score, "configure", ["sh", "-ec", "autoreconf -fi && ./configure "
                                         + " ".join(CONFIGURE)])
            and tree.do(score, "make tests/sim/sim", ["make", "tests/sim/sim"]))
    processes = os.cpu_count() or 1
    share = -(-SIM_SCHEDULES // processes)

    def simulate(index):
        first = index * share + 1
        log = tree.log.with_name(f"sim-{index}.log")
        log.unlink(missing_ok=True)
        status = in_root(tree.root, tree.inside, ["tests/sim/sim", f"--first={first}",
                                                  f"--runs={share}"], log)
        score.add(f"sim: seeds {first} to {first + share - 1}", status == 0,
                  f": all of it is in {log}, these are its last words:\n{last_words(log)}")

    if good:
        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(simulate, range(processes)))
    tree.remove()


def dkms_suites(args):
    return tuple(matrix.EXPECTED) if args.full else matrix.DKMS_SUITES


def part_kernel(score, args):
    matrix.run(score, dkms_suites=dkms_suites(args))


def guest_suites(args):
    """The first one has all tests but the short ones, which the others have; with "full", those too."""
    if args.suite or args.k:
        return [args.suite or image.SUITES[0]]
    return list(image.GUEST_SUITES)


def part_cluster(score, args):
    first, *others = guest_suites(args)
    run_pytest(score, args, first, *(["-m", "not short"] if others and not args.full else []))
    if args.full and not args.k:
        say(f"==== cluster, what shows with the kernel's own module only, on {first}")
        run_pytest(score, args, first, "-m", "stock", name="cluster-stock", module="stock")
        say(f"==== cluster, the demo on {first}")
        status = run_to_end(["/usr/bin/python3", str(HERE / "demo.py"), f"--suite={first}"])
        score.add(f"demo: {first}", status == 0, f": status {status}")
    for suite in others:
        say(f"==== cluster, the short tests on {suite}")
        run_pytest(score, args, suite, "-m", "short")


def run_to_end(command, environment=None):
    """COMMAND, which has virtual nodes; its exit status."""
    # If this program is killed, it still gets to cut its guests' power.
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], cwd=HERE,
                               env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # The terminal's Ctrl-C has reached it too; it is cutting the guests' power.
        process.terminate()
        process.wait()
        raise


def run_pytest(score, args, suite, *more, name="cluster", module=None):
    report = results_dir() / f"{name}-{suite}.xml"
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-v", "-s", f"--junit-xml={report}",
               f"--suite={suite}", *more,
               *(["-k", args.k] if args.k else []), *(["--full"] if args.full else [])]
    environment = {**os.environ, **({"MDCLUSTER_MODULE": module} if module else {})}
    status = run_to_end(command, environment)
    if not report.exists():
        score.add(f"{name}: {suite}: pytest ended with status {status}, without a "
                  "report", False)
        return
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            bad = case.find("failure") is not None or case.find("error") is not None
            score.add(f"{name}: {suite}: {case.get('classname')}::{case.get('name')}", not bad)


def part_debug_kernel(score, args):
    os.environ["MDCLUSTER_KERNEL"] = "debug"
    suite = args.suite or image.SUITES[0]
    guest_image(suite)
    run_pytest(score, args, suite, name="debug-kernel")


def prepare_images(args, parts):
    """Start making all images that PARTS need, two at a time; what uses one waits for it."""
    wanted = []
    if "build" in parts:
        wanted += list(image.SUITES)
    if {"unit", "fuzz", "sim"} & set(parts):
        wanted.append(image.FUZZ_SUITE)
    guests = guest_suites(args) if "cluster" in parts else []
    wanted += guests

    def make(suite):
        try:
            image.build_root(suite)
            if suite in guests:
                image.guest_image(suite)
        except (BoxError, OSError, subprocess.CalledProcessError):
            # Whoever needs it meets the same error, and tells it.
            pass

    def make_kernels():
        try:
            for suite in KERNEL_SUITES:
                kernel_root(suite)
            for suite in dkms_suites(args):
                dkms_root(suite)
        except (BoxError, OSError, subprocess.CalledProcessError):
            pass

    for suite in dict.fromkeys(wanted):
        threading.Thread(target=make, args=(suite,), daemon=True).start()
    if "kernel" in parts:
        threading.Thread(target=make_kernels, daemon=True).start()


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/run", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=[],
                        help="build, unit, fuzz, sim, kernel, cluster, or all of these (the\n"
                        "default); debug-kernel; full")
    parser.add_argument("-k", metavar="EXPR",
                        help="only the cluster tests that match, as pytest's -k;\n"
                        "without a PART, no other part runs then")
    parser.add_argument("--suite", choices=image.GUEST_SUITES,
                        help="the Debian suite of the virtual nodes; without it, and without -k:\n"
                        "trixie, and the short tests on the others")
    parser.add_argument("--module", choices=MODULES, help="whose md-cluster the virtual nodes "
                        "load (default: $MDCLUSTER_MODULE, else ours)")
    args = parser.parse_args()
    if args.module:
        os.environ["MDCLUSTER_MODULE"] = args.module
    args.full = "full" in args.parts
    args.parts = [part for part in args.parts if part != "full"]
    for part in args.parts:
        if part not in (*PARTS, *NAMED_PARTS, "all"):
            parser.error(f"there is no part {part}: must be one of "
                         f"{', '.join((*PARTS, *NAMED_PARTS))}, all")
    if "all" in args.parts or not args.parts:
        args.parts = ["cluster"] if args.k and not args.parts else [*PARTS, *args.parts]
    return args


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    score = Score()
    times = []
    with locked(cache_dir() / ".lock-run", "the tests"):
        prepare_images(args, args.parts)
        for part in [part for part in (*PARTS, *NAMED_PARTS) if part in args.parts]:
            begin = time.monotonic()
            say(f"==== {part}")
            try:
                globals()[f"part_{part.replace('-', '_')}"](score, args)
            except BoxError as error:
                score.add(f"{part}: {error}", False)
            times.append(f"{part} {time.monotonic() - begin:.0f} s")
    print(f"\ntime: {', '.join(times)}")
    for name in score.failures:
        print(f"failed: {name}")
    print(f"{score.passed} passed, {score.failed} failed")
    return 0 if score.passed and not score.failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
