# SPDX-License-Identifier: GPL-2.0-or-later
"""What the administrator sees and Pacemaker can use: attributes, rules, alerts, alarms; and
members that are taken back without being asked."""
import re
import time

import pytest

from arrays import CRM_TIMEOUT, START_TIMEOUT, Array, array, status  # noqa: F401
from box import slower
from test_add import add, remove, spare, wait_gone  # noqa: F401

# The attribute: half a second of gathering, an attrd_updater (a second), the CIB; then the next
# monitor, every 10 s. Each of these takes its time in a guest.
SHOWN = 60
# How long an attribute has to be at odds with another before that is an alarm
# (core/roster.h), and how long after a notification it is looked at.
HOLD = 20
# A member that cannot be read is looked at every 15 s, and the third node of the lockspace
# waits 20 s for its turn (core/readd.h); removing and re-adding are two mdadm, of seconds each.
TAKEN_BACK = 15 + 20 + 40
PER_HOUR = 3


class Log:
    """What mdclusterd on each node has logged since this was made."""

    def __init__(self, cluster):
        self.last = {node: (self._lines(node) or [None])[-1] for node in cluster.nodes}

    @staticmethod
    def _lines(node):
        return node.run("mdclusterctl events --once", timeout=30).out.splitlines()

    def new(self, node):
        lines = self._lines(node)
        # Not kept any more: then all that is kept is new.
        if self.last[node] in lines:
            lines = lines[len(lines) - lines[::-1].index(self.last[node]):]
        return "".join(line + "\n" for line in lines)

    def wait(self, node, words, timeout):
        """Wait until a new line matches WORDS."""
        node.wait_for(lambda: re.search(words, self.new(node)), timeout,
                      f"mdclusterd says: {words}")


@pytest.fixture
def log(array):
    return Log(array.cluster)


def wait_attribute(array, node, name, wanted, timeout=SHOWN):
    node.wait_for(lambda: node.attribute(f"mdcluster-{array.ident}-{name}") == wanted, timeout,
                  f"its attribute {name} is {wanted}")


def seen(array, by, node):
    """What the status on BY says of NODE."""
    return next(n for n in status(by, array.ident)["nodes"] if n["name"] == node.name)


def fail(array, node, serial):
    node.run(f"mdadm --manage {array.device} --fail {node.disk(serial)}")


def take_back(array, node, serial):
    """As an administrator does."""
    remove(array, node, serial)
    wait_gone(array, serial)
    node.run(f"mdadm --manage {array.device} --re-add {node.disk(serial)}", timeout=60)
    array.wait_in_sync(serial)


def cleanup(array, node):
    """Have Pacemaker forget that the array was degraded."""
    node.run(f"crm_resource --cleanup --resource {array.ident}", timeout=120)
    node.wait_for(lambda: not re.search(rf"\* {array.ident} .*degraded", node.crm_mon("-1")), SHOWN,
                  "crm_mon shows it degraded no more")


def test_slot_and_state_of_each_node(array):
    n1 = array.cluster.nodes[0]
    slots = set()
    for node in array.cluster.nodes:
        wait_attribute(array, node, "state", "clean")
        node.wait_for(lambda n=node: n.attribute(f"mdcluster-{array.ident}-slot"), SHOWN,
                      "its slot is published")
        slot = node.attribute(f"mdcluster-{array.ident}-slot")
        assert seen(array, n1, node)["slot"] == int(slot)
        assert seen(array, n1, node)["joined"] is True
        slots.add(slot)
    assert len(slots) == 3, f"each has one of its own: {slots}"
    text = n1.crm_mon()
    for name in ("slot", "state"):
        assert len(re.findall(rf"mdcluster-{array.ident}-{name}\s*: ", text)) == 3, text
    assert f"mdcluster-{array.ident}-sync" not in text, "nothing is resynced"
    assert f"mdcluster-{array.ident}-alarm" not in text, "nothing is wrong"


@pytest.fixture
def alert(array):
    """The alert agent as README sets it up; its lines on all nodes."""
    nodes, log = array.cluster.nodes, "/var/log/mdcluster-alerts.log"
    for node in nodes:
        node.run("install -m 755 /usr/share/doc/mdcluster/examples/alert_mdcluster.sh"
                 f" /usr/local/bin/ && install -o hacluster -g haclient -m 640 /dev/null {log}")
    nodes[0].run("crm configure alert mdcluster-alert /usr/local/bin/alert_mdcluster.sh"
                 ' meta timestamp-format="%Y-%m-%dT%H:%M:%S" select attributes "{"'
                 f" mdcluster-{array.ident}-state mdcluster-{array.ident}-alarm '}}' to {log}",
                 timeout=CRM_TIMEOUT)
    yield lambda: "".join(node.run(f"cat {log}").out for node in nodes)
    nodes[0].run("crm configure delete mdcluster-alert", timeout=CRM_TIMEOUT)
    for node in nodes:
        node.run(f"rm -f {log} /usr/local/bin/alert_mdcluster.sh")


@pytest.fixture
def filesystem(array):
    """A file system made with the crmsh template mdcluster-fs; the names of the nodes that have
    it mounted."""
    nodes, n1, place = array.cluster.nodes, array.cluster.nodes[0], "/srv/data"

    def mounted(node):
        return node.run(f"grep -q ' {place} ' /proc/mounts", check=False).ok

    for node in nodes:
        node.run(f"mkdir -p {place}")
    n1.run(f"mkfs.ext4 -q {array.device}", timeout=90)
    n1.run("crm configure template new mdcfs mdcluster-fs params id=data"
           f" array={array.ident} clone=c-{array.ident} device={array.device} directory={place}"
           " fstype=ext4", timeout=CRM_TIMEOUT)
    text = n1.run("crm configure template show mdcfs", timeout=CRM_TIMEOUT).out
    assert "%" not in text and f"mdcluster-{array.ident}-state ne clean" in text, text
    array.cluster.configure(text)
    yield lambda: [n.name for n in nodes if mounted(n)]
    n1.run("crm resource stop data", timeout=CRM_TIMEOUT)
    n1.wait_for(lambda: not any(mounted(n) for n in nodes), 120, "it is not mounted any more")
    n1.run(f"crm configure delete --force data order-c-{array.ident}-data"
           f" colo-data-c-{array.ident} clean-data", timeout=CRM_TIMEOUT)
    n1.run(f"wipefs -aq {array.device}")


@pytest.mark.full
def test_pcs_recipe_of_the_rule(array):
    """What mdcluster-fs.pcs makes, in a copy of the CIB; Debian 12's pcs takes the rule otherwise,
    as the recipe says."""
    n1 = array.cluster.nodes[0]
    recipe = n1.out("cat /usr/share/doc/mdcluster/mdcluster-fs.pcs")
    # The clone has crmsh's name here.
    n1.put("/run/recipe", recipe.replace("$ARRAY-clone", f"c-{array.ident}") + "\n")
    n1.run("cibadmin -Q > /run/copy.xml")
    result = n1.run('pcs() { command pcs -f /run/copy.xml "$@"; }; set -eu; DIRECTORY=/srv/data;'
                    f" ARRAY={array.ident} DEVICE={array.device}; . /run/recipe", timeout=240)
    # That the agent of the file system is asked for its opinion is a warning of its own, which says
    # that such opinions may become errors.
    assert not re.search("error:|deprecat", (result.out + result.err).lower()), str(result)
    n1.run("crm_verify --xml-file /run/copy.xml")
    rules = n1.out("CIB_file=/run/copy.xml cibadmin -Q --xpath //rsc_location/rule")
    name = f'attribute="mdcluster-{array.ident}-state"'
    assert 'score="-INFINITY"' in rules and 'boolean-op="or"' in rules, rules
    assert re.search(f'{name} operation="not_defined"|operation="not_defined" {name}', rules), rules
    assert 'operation="ne"' in rules and 'value="clean"' in rules, rules


def test_degraded_and_recovered(array, filesystem, alert, log):
    """A member fails: crm_mon shows it, a file system that is to run only where the array is
    clean is stopped, the alert agent tells. It is back: the same the other way round."""
    n1, n2, n3 = array.cluster.nodes
    n1.wait_for(lambda: len(filesystem()) == 1, START_TIMEOUT, "the file system is mounted")
    fail(array, n2, "d2")
    for node in array.cluster.nodes:
        wait_attribute(array, node, "state", "degraded")
    for node in array.cluster.nodes:
        n1.wait_for(f"crm_mon -1 | grep -iqE '{array.ident}.*monitor.* on {node.name} .*degraded'",
                    SHOWN, f"crm_mon shows it degraded on {node.name}")
    n1.wait_for(lambda: not filesystem(), SHOWN + 60,
                "the file system is stopped: the scheduler's turn, and an umount")
    assert "is degraded: 1 of 2 members missing" in n1.crm_mon("-1"), "and why"
    assert all(array.running(n) for n in array.cluster.nodes), "the array itself goes on"
    assert "has left" not in log.new(n1) + log.new(n2), "and was not restarted anywhere"
    for node in array.cluster.nodes:
        n1.wait_for(lambda n=node: re.search(
            rf"warning array {array.ident} on {n.name}: degraded: ", alert()), SHOWN,
            f"the alert agent tells of {node.name}")

    take_back(array, n2, "d2")
    for node in array.cluster.nodes:
        wait_attribute(array, node, "state", "clean")
    n1.wait_for(lambda: len(filesystem()) == 1, START_TIMEOUT, "the file system is mounted again")
    for node in array.cluster.nodes:
        n1.wait_for(lambda n=node: f"notice array {array.ident} on {n.name}: recovered: "
                    in alert(), SHOWN, f"the alert agent tells of {node.name}")
    # What Pacemaker keeps in its history goes when it is told to, and does not come back.
    cleanup(array, n1)
    n1.wait_for(lambda: len(filesystem()) == 1, START_TIMEOUT, "the file system is still mounted")


@pytest.mark.full
def test_refused_add_is_an_alarm(array, spare, alert):
    """With our module the node that adds says who refused it, with the kernel's own the node that
    did; either way Pacemaker's alert tells, and the next add that goes well ends it."""
    n1, n2, n3 = array.cluster.nodes
    name = f"mdcluster-{array.ident}-alarm"
    n2.detach(spare)
    assert add(array, n1, spare, check=False).rc != 0
    n1.wait_for(lambda: ": refused: " in alert(), SHOWN, "the alert agent tells")
    by = {node.name: node.attribute(name) for node in array.cluster.nodes if node.attribute(name)}
    assert by and set(by) <= {"n1", "n2"}, by
    assert all(text.startswith(("refused:", "missing:")) for text in by.values()), by
    teller = array.cluster.node(min(by))
    n3.wait_for(lambda: seen(array, n3, teller)["alarm"] == by[teller.name], SHOWN,
                "every node's status has it")
    n2.attach(spare)
    n2.wait_for(lambda: n2.disk(spare), 20, f"{spare} is back")
    add(array, n1, spare)
    n1.wait_for(lambda: not any(n.attribute(name) for n in array.cluster.nodes), SHOWN,
                "the alarm is over")


@pytest.mark.full
def test_leave_and_join_are_told(array, log):
    """Every node's picture follows, and Pacemaker's notification reaches it."""
    n1, n2, n3 = array.cluster.nodes
    n1.run("crm_standby -N n3 -v on")
    try:
        for node in (n1, n2):
            log.wait(node, r"node n3 has left, slot \d", START_TIMEOUT)
            log.wait(node, "tells of a stop after the fact; it is now on: n[12] n[12]\n", SHOWN)
            here = seen(array, node, n3)
            assert (here["joined"], here["slot"]) == (False, None)
    finally:
        n1.run("crm_standby -N n3 -D")
    array.wait_running([n3])
    for node in (n1, n2):
        log.wait(node, "node n3 has joined", SHOWN)
        log.wait(node, "tells of a start after the fact; it is now on: n[123] n[123] n[123]",
                   SHOWN)
        node.wait_for(lambda n=node: seen(array, n, n3)["slot"], SHOWN, "n3's slot is known")
        assert seen(array, node, n3)["joined"] is True
    slots = [seen(array, n2, node)["slot"] for node in array.cluster.nodes]
    assert len(set(slots)) == 3, slots
    # What the notifications announced has come true, so nothing is said of it.
    time.sleep(slower(HOLD + 5))
    assert "which is not in its DLM lockspace" not in log.new(n1)


@pytest.mark.full
@pytest.mark.stock
def test_two_nodes_with_one_slot_are_an_alarm(array, log):
    """n3 says that it has n1's slot. (A kernel that believes so is not to be had for a test.)"""
    n1, n2, n3 = array.cluster.nodes
    if status(n1, array.ident)["module"]:
        pytest.skip("our module has every node's slot from the DLM itself, so nobody is believed")
    name = f"mdcluster-{array.ident}-slot"
    n1.wait_for(lambda: n1.attribute(name) and n3.attribute(name), SHOWN, "both have a slot")
    slot = n1.attribute(name)
    # Its mdclusterd would soon put it right.
    n3.run("pkill -STOP -x mdclusterd")
    try:
        n1.run(f"attrd_updater -n {name} -U {slot} -N n3")
        for node in (n1, n2):
            node.wait_for(lambda n=node: status(n, array.ident)["slot_alarm"], HOLD + SHOWN,
                          "the alarm")
            alarm = status(node, array.ident)["slot_alarm"]
            assert alarm["slot"] == int(slot)
            assert {n["name"] for n in alarm["nodes"]} == {"n1", "n3"}
            log.wait(node, f"ALARM: nodes n[13] and n[13] both have slot {slot}", SHOWN)
            assert node.run(f"mdclusterctl status {array.ident}", check=False).rc == 2
        n1.wait_for(lambda: n1.attribute(f"mdcluster-{array.ident}-alarm") == f"slot:{slot}:n1,n3",
                    SHOWN, "the attribute of a node that it concerns")
        assert n2.attribute(f"mdcluster-{array.ident}-alarm") is None, "and of no other"
    finally:
        n3.run("pkill -CONT -x mdclusterd")
    # It sees in the CIB that its attribute is not what it wrote.
    for node in (n1, n2):
        node.wait_for(lambda n=node: not status(n, array.ident)["slot_alarm"], HOLD + SHOWN,
                      "the alarm is over")
        log.wait(node, f"nodes n[13] and n[13] no longer share slot {slot}", SHOWN)
    wait_attribute(array, n1, "alarm", None)


class Path:
    """An array of which one node has the disk d4 behind a device-mapper path."""

    def __init__(self, cluster):
        self.array = Array(cluster, ident="path", serials=("d3", "d4"))
        self.node = cluster.nodes[1]
        self.first = cluster.nodes[0]

    def __enter__(self):
        self.array.create(self.first)
        disk = self.node.disk("d4")
        self.size = self.node.out(f"blockdev --getsz {disk}")
        self.good = f"0 {self.size} linear {disk} 0"
        self.node.run(f"modprobe dm-mod; dmsetup create path --table '{self.good}'", timeout=30)
        self.kname = "dm-" + self.node.out("dmsetup info -c --noheadings -o minor path")
        self.array.configure(self.first)
        self.array.wait_running()
        return self

    def __exit__(self, *unused):
        cleanup(self.array, self.first)
        # The disk is the path's as long as that is there.
        serials, self.array.serials = self.array.serials, ()
        self.array.remove()
        self.node.run("dmsetup remove --retry path", timeout=60)
        for serial in serials:
            self.first.run(f"mdadm --zero-superblock {self.first.disk(serial)}")

    def table(self, table):
        # Nothing is to wait for it: what is under way on the old table ends with an error.
        self.node.run(f"dmsetup suspend --noflush --nolockfs path && dmsetup load path --table "
                      f"'{table}' && dmsetup resume path", timeout=60)

    def break_it(self):
        self.table(f"0 {self.size} error")
        self.node.run(f"dd if=/dev/urandom of={self.array.device} bs=64k count=4 oflag=direct",
                      timeout=60)
        self.wait("faulty", 30)

    def mend(self):
        self.table(self.good)

    def state(self):
        """The kernel's words on that node; None where it is no member."""
        result = self.node.run(f"cat /sys/block/{self.array.md(self.node)}/md/dev-{self.kname}/"
                               "state", check=False)
        return result.out.strip() if result.ok else None

    def wait(self, word, timeout):
        self.node.wait_for(lambda: word in (self.state() or ""), timeout,
                           f"its member is {word}")


@pytest.mark.full
def test_member_that_could_not_be_read(array, log):
    """Its device stays, and gives errors: it is taken back by the node that had them when it can
    be read again. When it fails once more within the hour, it stays out."""
    with Path(array.cluster) as path:
        n1, n2, n3 = array.cluster.nodes
        path.break_it()
        log.wait(n2, f"{path.kname} has failed, and this node cannot read it", SHOWN)
        path.mend()
        path.wait("in_sync", TAKEN_BACK + 60)
        log.wait(n2, rf"taking /dev/{path.kname} back .* for the 1\. of at most {PER_HOUR}", 10)
        path.array.wait_in_sync("d4", [n1, n3])
        for node in (n1, n3):
            assert "taking /dev" not in log.new(node), "from one node"
        path.break_it()
        log.wait(n2, f"{path.kname} has failed again within an hour .* it stays out", SHOWN)
        path.mend()
        time.sleep(slower(TAKEN_BACK))
        assert "faulty" in path.state(), "it stays out"
        n2.wait_for(f"mdadm --manage {path.array.device} --remove {path.kname}", 30,
                    "it can be removed by hand")
        n2.run(f"mdadm --manage {path.array.device} --re-add /dev/{path.kname}", timeout=60)
        path.wait("in_sync", 120)


@pytest.mark.full
def test_member_failed_by_hand_stays_out(array, log):
    n1 = array.cluster.nodes[0]
    fail(array, n1, "d2")
    time.sleep(slower(TAKEN_BACK))
    for node in array.cluster.nodes:
        assert "faulty" in array.members(node)["d2"][1]
        assert "cannot read it" not in log.new(node)
    take_back(array, n1, "d2")


@pytest.mark.full
def test_member_that_comes_and_goes(array, log):
    """Its path is lost again and again: taken back a few times, then no more."""
    n1, n2, n3 = array.cluster.nodes
    flaky = Array(array.cluster, ident="flaky", serials=("d3", "d4"))
    flaky.create(n1)
    flaky.configure(n1)
    flaky.wait_running()
    try:
        for turn in range(1, PER_HOUR + 2):
            n2.detach("d4")
            n2.run(f"dd if=/dev/urandom of={flaky.device} bs=64k count=4 oflag=direct", timeout=60)
            n1.wait_for(lambda: "faulty" in flaky.members(n1)["d4"][1], 30, "d4 has failed")
            n2.attach("d4")
            if turn <= PER_HOUR:
                flaky.wait_in_sync("d4")
                log.wait(n2, rf"for the {turn}\. of at most {PER_HOUR} times", 10)
        log.wait(n2, f"has come back {PER_HOUR} times within an hour: it stays out", SHOWN)
        time.sleep(slower(TAKEN_BACK))
        assert "faulty" in flaky.members(n1)["d4"][1]
        take_back(flaky, n1, "d4")
    finally:
        cleanup(flaky, n1)
        flaky.remove()
