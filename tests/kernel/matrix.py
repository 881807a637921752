# SPDX-License-Identifier: GPL-2.0-or-later
"""The module on every kernel that it supports: built with warnings as errors, looked over by
sparse and checkpatch, its types compared with the kernel's own; and each of these checks itself
shown to fail on what it is there for.
"""
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))

import dkms  # noqa: E402
from box import kernel as kernels  # noqa: E402
from box.base import SOURCE, BoxError, results_dir, say  # noqa: E402
from box.product import copy_module, module_command  # noqa: E402
from box.root import in_root, last_words  # noqa: E402

# The set of features that compat/ must find; compat/known has what is in it.
EXPECTED = {"bookworm": "linux-6.1", "trixie": "linux-6.12", "sid": "linux-7.2"}
# Where DKMS builds it unless all of them are asked for.
DKMS_SUITES = ("trixie",)
MODULE = SOURCE / "module"

# What would be noticed by nothing but the comparison of types.
DAMAGES = {
    "a member more in struct mddev": ("md.h", r"(struct mddev \{\n)", r"\1\tint damage;\n",
                                      "mddev"),
    "a member less in struct md_rdev": ("md.h", r"\tint\s+preferred_minor;.*\n", "", "md_rdev"),
    "a flag more before the others": ("md.h", r"(enum recovery_flags \{\n)", r"\1\tMD_DAMAGE,\n",
                                      "recovery_flags"),
    "a member more in struct r1conf": ("raid1.h", r"(struct r1conf \{\n)", r"\1\tint damage;\n",
                                       "r1conf"),
    "two operations exchanged": ("md-cluster.h", r"(\tint \(\*resync_start\).*\n)"
                                 r"(\tint \(\*resync_finish\).*\n)",
                                 r"\2\1", "md_cluster_operations"),
}

# Which files may say what; every other file in module/ may not.
ONLY_IN = {
    r'#\s*include\s+"(md(-bitmap|-cluster)?|raid1)\.h"': {"mdcore.h", "compat/probe"},
    r'#\s*include\s+"mdcore\.h"': {"mdport.c", "mdops.c", "mdsuper.c", "mdmember.c", "mdbitmap.c"},
    r"#\s*include\s+<linux/dlm\.h>": {"lockres.c", "lockspace.c", "lockspace.h"},
    r"#\s*include\s+<net/genetlink\.h>": {"netlink.c"},
    r"#\s*if.*\bHAVE_": {"mdport.c", "mdops.c", "mdbitmap.c"},
    r"LINUX_VERSION_CODE|KERNEL_VERSION": set(),
    r"\b(TODO|FIXME|XXX|HACK)\b": set(),
}
# checkpatch takes a word of a sentence for a function's name, and what kobject_uevent_env() wants
# for a list that could be const.
NOT_MEANT = ("EMBEDDED_FUNCTION_NAME", "STATIC_CONST_CHAR_ARRAY")
CORE_MAY_INCLUDE = re.compile(r'#\s*include\s+"(types|wire|range|inflight|unsaid|window)\.h"')


def module_files():
    return [path for path in sorted(MODULE.rglob("*")) if path.is_file()
            and path.suffix in (".c", ".h", ".sh", "")]


def check_sources(score):
    """Who includes what; no kernel versions."""
    for pattern, allowed in ONLY_IN.items():
        wrong = []
        for path in module_files():
            name = str(path.relative_to(MODULE))
            if not any(name == entry or name.startswith(entry + "/") for entry in allowed):
                wrong += [f"{name}:{number}" for number, line in
                          enumerate(path.read_text().splitlines(), 1) if re.search(pattern, line)]
        score.add(f"kernel: nobody else has {pattern}", not wrong, f": {', '.join(wrong)}")
    wrong = []
    for path in sorted((MODULE / "core").glob("*.[ch]")):
        if path.name == "types.h":
            continue
        wrong += [f"{path.name}: {line}" for line in path.read_text().splitlines()
                  if re.match(r"#\s*include", line) and not CORE_MAY_INCLUDE.match(line)]
    score.add("kernel: core includes nothing but core", not wrong, f": {', '.join(wrong)}")
    listed = (MODULE / "module.am").read_text() + (SOURCE / "Makefile.am").read_text()
    missing = [str(path.relative_to(SOURCE)) for path in sorted(MODULE.rglob("*"))
               if path.is_file() and path.name != "module.am"
               and str(path.relative_to(SOURCE)) not in listed]
    score.add("kernel: module.am lists every file", not missing, f": {', '.join(missing)}")
    version = re.search(r"AC_INIT\(\[mdcluster\], \[(.+)\]\)", (SOURCE / "configure.ac").read_text())
    score.add("kernel: the module's version is configure.ac's",
              f'MODULE_VERSION("{version[1]}");' in (MODULE / "main.c").read_text())


class Bench:
    """A copy of the module in the root of a suite's kernel."""

    def __init__(self, score, suite):
        self.score = score
        self.suite = suite
        self.kernel = kernels.kernel_root(suite)
        self.inside = "/root/run-kernel"
        self.outside = self.kernel.root / self.inside[1:]
        self.log = results_dir() / f"kernel-{suite}.log"
        self.log.unlink(missing_ok=True)
        copy_module(self.outside)

    def run(self, command):
        return in_root(self.kernel.root, self.inside, command, self.log)

    def said(self, since=0):
        return self.log.read_text(errors="replace")[since:]

    def check(self, title, good, why=""):
        name = f"kernel: {self.suite}: {title}"
        self.score.add(name, good, why or f": all of it is in {self.log}, these are its last "
                       f"words:\n{last_words(self.log)}")
        if good:
            say(f"passed: {name}")
        return good

    def make(self, *words):
        return self.run(module_command(self.kernel, *words)) == 0

    def refused(self, title, sentence, *words):
        """The build must fail, say SENTENCE, and leave no module behind."""
        begin = len(self.said())
        built = self.make(*words)
        left = (self.outside / "md-cluster.ko").exists()
        said = " ".join(self.said(begin).split())
        self.check(title, not built and not left and sentence in said,
                   f": the build {'went well' if built else 'failed'}, md-cluster.ko "
                   f"{'was' if left else 'was not'} there, {sentence!r} was "
                   f"{'' if sentence in said else 'not '}said; see {self.log}")

    # The parts

    def build(self):
        """With W=1, warnings as errors, and sparse over every file."""
        if not self.check("builds with W=1 and checks its types",
                          self.make("C=1", "CHECK=sparse")):
            return False
        self.check("builds with fault points", self.make("C=1", "CHECK=sparse", "FAULTS=y"))
        # What sparse says of the kernel's own headers is not ours.
        names = {path.name for path in MODULE.rglob("*.[ch]")}
        ours = [line for line in self.said().splitlines()
                if re.match(r"\S+\.[ch]:\d+.*(warning|error)", line)
                and Path(line.split(":")[0]).name in names and "/linux-headers-" not in line]
        self.check("sparse has nothing to say", not ours, ":\n" + "\n".join(ours))
        return True

    def features(self):
        text = (self.outside / "compat/compat.h").read_text()
        found = re.findall(r"#define (HAVE_\w+) 1", text)
        say(f"{self.suite}: Linux {self.kernel.version}: {' '.join(found) or '(none)'}")
        self.check(f"has the features of {EXPECTED[self.suite]}",
                   f"of {EXPECTED[self.suite]}." in text, f": compat.h says {text!r}")

    def install(self):
        """What was built for another kernel is not installed."""
        begin = len(self.said())
        done = self.make("install", "KVER=0.0.0", "DESTDIR=/root/run-kernel/dest")
        self.check("is installed for its own kernel only", not done
                   and "is not built, and checked, for Linux 0.0.0" in self.said(begin)
                   and not (self.outside / "dest").exists())

    def damaged(self, titles):
        """A header of the wrong version ends the build, though the compiler takes it."""
        good = self.kernel.root / kernels.MD_HEADERS
        bad = self.outside / "damaged"
        for title in titles:
            name, pattern, replacement, kind = DAMAGES[title]
            shutil.rmtree(bad, ignore_errors=True)
            shutil.copytree(good, bad)
            text, count = re.subn(pattern, replacement, (bad / name).read_text())
            if not self.check(f"{title}: {name} can be damaged", count == 1, ": nothing to damage"):
                continue
            (bad / name).write_text(text)
            self.refused(f"{title} is noticed", f"{kind}, as compiled",
                         f"MD_HDRS={self.inside}/damaged")
        shutil.rmtree(bad, ignore_errors=True)

    def blind(self):
        """What cannot be checked is not built."""
        self.refused("no md-mod.ko", "md-mod.ko was not found", "MD_MOD=/root/none")
        self.refused("a kernel without BTF", "has no BTF", "BTF_BASE=/bin/true")
        self.refused("an md-mod.ko without BTF", "this kernel was built without it",
                     "MD_MOD=/bin/true")
        self.refused("no headers of md", "nothing compiles against this kernel",
                     "MD_HDRS=/root/none")
        (self.outside / "compat/compat.h").unlink(missing_ok=True)
        known = self.outside / "compat/known"
        known.rename(known.with_name("forgotten"))
        known.mkdir()
        self.refused("an unknown set of features", "was never tried with")

    def checkpatch(self):
        files = [str(path.relative_to(MODULE)) for path in sorted(MODULE.rglob("*.[ch]"))]
        begin = len(self.said())
        status = self.run(["perl", "/root/scripts/checkpatch.pl", "--no-tree", "--terse",
                           "--max-line-length=100", "--show-types",
                           "--ignore=" + ",".join(NOT_MEANT), "-f", *files])
        said = [line for line in self.said(begin).splitlines() if ": " in line]
        self.check("checkpatch has nothing to say", status == 0, ":\n" + "\n".join(said[-40:]))

    def remove(self):
        shutil.rmtree(self.outside, ignore_errors=True)


def run(score, suites=tuple(EXPECTED), dkms_suites=DKMS_SUITES):
    check_sources(score)
    for suite in suites:
        bench = Bench(score, suite)
        if bench.build():
            bench.features()
            bench.install()
            bench.damaged(list(DAMAGES)[:None if suite == suites[-1] else 1])
            bench.blind()
        if suite == suites[-1]:
            bench.checkpatch()
        bench.remove()
    for suite in dkms_suites:
        dkms.run(score, suite)


def main():
    from runner import Score
    suites = sys.argv[1:] or list(EXPECTED)
    if not set(suites) <= set(EXPECTED):
        sys.exit(f"usage: matrix [SUITE...]; suites are {', '.join(EXPECTED)}")
    score = Score()
    try:
        run(score, suites, suites)
    except BoxError as error:
        score.add(f"kernel: {error}", False)
    print(f"{score.passed} passed, {score.failed} failed")
    return 0 if score.passed and not score.failed else 1


if __name__ == "__main__":
    sys.exit(main())
