# SPDX-License-Identifier: GPL-2.0-or-later
"""The module built and installed by DKMS, in the tree of a Debian suite where all it needs is
installed as packages: it takes the place of the kernel's own, gives it back when it is removed,
and leaves it alone when it cannot be built or checked.
"""
import re
import shutil

from box import dkms as machines
from box import kernel as kernels
from box.base import results_dir, say

STOCK = "/kernel/drivers/md/md-cluster.ko"
OURS = "/updates/dkms/md-cluster.ko"
DESCRIPTION = "Clustered MD RAID1 and RAID10"
# dkms: this kernel is none for this module; the build has failed.
PASSED_OVER, NOT_BUILT = 77, 10


class Bench:
    def __init__(self, score, suite, machine):
        self.score = score
        self.suite = suite
        self.machine = machine
        self.kernel = machine.kernel.version
        self.modules = machine.root / "lib/modules" / self.kernel
        self.name = f"mdcluster/{machine.version}"

    def check(self, title, good, why):
        name = f"kernel: {self.suite}: DKMS: {title}"
        self.score.add(name, good, f": {why}; all of it is in {self.machine.log}")
        if good:
            say(f"passed: {name}")
        return good

    def dkms(self, words, env=None):
        return self.machine.ask(f"dkms {words}", env)

    def make_log(self, name):
        return self.machine.ask(f"cat /var/lib/dkms/{self.name}/{name}")[1]

    def loaded(self):
        """The file that modprobe would load."""
        said = self.machine.ask(f"modprobe -S {self.kernel} --show-depends md-cluster")[1]
        return said.split()[-1] if said.split() else ""

    def check_stock(self, title):
        left = list((self.modules / "updates").rglob("md-cluster*"))
        found = self.loaded()
        return self.check(title, STOCK in found and not left,
                          f"modprobe takes {found}; in updates/: {left}")

    def refused(self, title, status, sentence, words="", env=None):
        """`dkms install` ends with STATUS, SENTENCE stands in what it says or in its log, and
        the kernel's own module is the one that is loaded."""
        found, said = self.dkms(f"install {self.name} -k {self.kernel} {words}", env)
        said += self.make_log("build/make.log")
        told = sentence in " ".join(said.split())
        self.check(title, found == status and told, f"status {found}, {sentence!r} was "
                   f"{'' if told else 'not '}said")
        self.check_stock(f"{title}: the kernel's own stays")

    # The parts

    def passed_over(self):
        """A kernel that has no md-cluster: no error, so that its installation goes on."""
        place = self.machine.root / "root/other-kernel"
        shutil.rmtree(place, ignore_errors=True)
        (place / "include").mkdir(parents=True)
        config = self.machine.root / self.machine.kernel.headers.lstrip("/") / ".config"
        text = config.read_text()
        (place / ".config").write_text(text.replace("CONFIG_MD_CLUSTER=m", ""))
        self.refused("a kernel without md-cluster is passed over", PASSED_OVER, "BUILD_EXCLUSIVE",
                     "--kernelsourcedir /root/other-kernel")
        shutil.rmtree(place)

    def no_source(self):
        """Without the package of the kernel's source, or with that of another version."""
        source = f"linux-source-{self.machine.kernel.series}"
        admin = self.machine.root / "root/other-dpkg"
        admin.mkdir(exist_ok=True)
        entries = (self.machine.root / "var/lib/dpkg/status").read_text().split("\n\n")
        mine = [entry for entry in entries if f"Package: {source}\n" in entry]
        for title, instead, sentence in (
                ("no linux-source", "",
                 f"package {source}: install it, version {self.machine.kernel.package}."),
                ("another linux-source", re.sub(r"(?m)^Version: .*", "Version: 1.2-3", mine[0]),
                 f"{source} is of version 1.2-3, and the kernel headers")):
            others = [entry for entry in entries if entry.strip() and entry not in mine]
            (admin / "status").write_text("\n\n".join(others + [instead]) + "\n")
            self.refused(f"{title} is told", NOT_BUILT, sentence,
                         env=["DPKG_ADMINDIR=/root/other-dpkg"])
        shutil.rmtree(admin)

    def damaged(self):
        """The types are compared under DKMS as well; and MD_HDRS can be given to it."""
        root = self.machine.root
        bad = root / "root/damaged"
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(self.machine.kernel.root / kernels.MD_HEADERS, bad)
        text = (bad / "md.h").read_text()
        (bad / "md.h").write_text(text.replace("struct mddev {\n", "struct mddev {\n\tint bad;\n"))
        settings = root / "etc/dkms/mdcluster.conf"
        settings.write_text('MAKE[0]="$MAKE MD_HDRS=/root/damaged"\n')
        self.refused("types that differ are noticed", NOT_BUILT, "mddev, as compiled")
        settings.unlink()
        shutil.rmtree(bad)

    def install(self):
        """As the installation of a kernel does it."""
        status, said = self.machine.ask(f"/etc/kernel/postinst.d/dkms {self.kernel}")
        if not self.check("is built for a kernel that is installed", status == 0,
                          f"status {status}: {said[-500:]}{self.make_log('build/make.log')}"):
            return False
        text = self.make_log(f"{self.kernel}/x86_64/log/make.log")
        self.check("compares its types", re.search(r"LAYOUT +\d\d+ types are those of \S+/md-mod",
                                                   text), "make.log does not say so")
        self.check("is taken for the kernel's own", OURS in self.loaded(),
                   f"modprobe takes {self.loaded()}")
        told = self.machine.ask(f"modinfo -k {self.kernel} md-cluster")[1]
        self.check("is ours", DESCRIPTION in told and "intree:" not in told
                   and re.search(rf"(?m)^version: +{re.escape(self.machine.version)}$", told), told)
        self.check("is signed with the machine's key",
                   re.search(r"signer: +DKMS module signing key", told), told)
        return True

    def precedence(self, stock, content):
        """The kernel's package, unpacked again, has its own module where it was."""
        stock.write_bytes(content)
        self.machine.ask(f"depmod {self.kernel}")
        self.check("is taken though the kernel's own is there too", OURS in self.loaded(),
                   f"modprobe takes {self.loaded()}")

    def remove(self, stock, content):
        status, said = self.dkms(f"remove {self.name} --all")
        self.check("is removed", status == 0, f"status {status}: {said[-500:]}")
        self.check_stock("the kernel's own is back")
        self.check("it is as it was", stock.exists() and stock.read_bytes() == content,
                   f"{stock} is another file")


def run(score, suite):
    with machines.dkms_machine(suite, results_dir() / f"dkms-{suite}.log") as machine:
        bench = Bench(score, suite, machine)
        if not bench.check_stock("at first the kernel's own is loaded"):
            return
        stock = machine.root / bench.loaded().lstrip("/")
        content = stock.read_bytes()
        status, said = bench.dkms(f"add {bench.name}")
        if not bench.check("takes the sources", status == 0, said):
            return
        bench.passed_over()
        bench.no_source()
        bench.damaged()
        if bench.install():
            bench.precedence(stock, content)
        bench.remove(stock, content)
