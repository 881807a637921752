# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that give a test running clusters, and what happens when one fails.

A cluster is booted once for all tests that use its fixture; a test leaves it as it found it:
all nodes on and online, no array, no resource but fencing and the DLM. A test that fails may
not have done so: then what explains it is collected, and the next one gets a fresh cluster.
"""
import os
import signal

import pytest

from box import BoxError, Cluster, say
from box.product import product_tarball

_clusters = {}
_spoilt = set()
# What the kernels of clusters that have ended had found.
_found = []


def pytest_addoption(parser):
    parser.addoption("--suite", default="trixie", help="Debian suite of the guests")
    parser.addoption("--full", action="store_true", help="the long tests too")


def pytest_configure(config):
    def interrupt(*_unused):
        raise KeyboardInterrupt

    config.addinivalue_line("markers", "kernel_complains: hung tasks and warnings in the "
                            "kernel's log are part of this test")
    config.addinivalue_line("markers", "full: takes long, and runs only with --full")
    config.addinivalue_line("markers", "short: runs on guests of every suite")
    config.addinivalue_line("markers", "stock: shows something with the kernel's own module only")
    # Fixtures are torn down, and guests with them, on SIGTERM as on Ctrl-C.
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="takes long: tests/run full"))


@pytest.fixture(scope="session")
def suite(request):
    return request.config.getoption("--suite")


@pytest.fixture(scope="session")
def product(suite):
    """The product built for the guests' suite; None with MDCLUSTER_NO_PRODUCT, for the bed's
    own tests."""
    if os.environ.get("MDCLUSTER_NO_PRODUCT"):
        say("MDCLUSTER_NO_PRODUCT is set: the guests run without the product")
        return None
    return product_tarball(suite)


def _fresh(key, suite, tarball):
    cluster = Cluster(nodes=key, suite=suite, disks=6, product=tarball)
    try:
        cluster.start()
        cluster.configure_base()
    except BaseException:
        if cluster.nodes:
            say(f"collected: {cluster.collect(f'start-{key}')}")
        cluster.stop()
        raise
    return cluster


def _cluster(request, key, suite, tarball):
    """The running cluster of KEY nodes; others are stopped first, for the machine's sake."""
    for other in [name for name in _clusters if name != key or name in _spoilt]:
        _end(other)
    if key not in _clusters:
        _clusters[key] = _fresh(key, suite, tarball)
    cluster = _clusters[key]
    request.node.box_cluster = (key, cluster)
    cluster.fencing.log.clear()
    cluster.mark_kernel_logs(request.node.name)
    return cluster


def _end(key):
    """Stop the cluster of KEY nodes; one that a test has not spoilt is looked at once more."""
    cluster = _clusters.pop(key)
    try:
        if key not in _spoilt:
            _found.extend(cluster.last_look())
    except BoxError as error:
        _found.append(f"the last look at the cluster of {key} nodes failed: {error}")
    finally:
        _spoilt.discard(key)
        cluster.stop()


@pytest.fixture(scope="session", autouse=True)
def _last_looks():
    """What is found only at the end of a cluster belongs to no test: it is an error at the very
    end, and names the cluster's node."""
    yield
    for key in list(_clusters):
        _end(key)
    if _found:
        pytest.fail("found at the end of a cluster's life:\n" + "\n".join(_found), pytrace=False)


def _check_kernels(request, cluster):
    """A kernel that has complained fails the test, unless that belongs to the test."""
    complaints = cluster.kernel_complaints()
    if complaints and not request.node.get_closest_marker("kernel_complains"):
        pytest.fail("the kernel complained:\n" + "\n".join(complaints), pytrace=False)


@pytest.fixture
def alone():
    """For a test with machines of its own: nothing else runs beside them."""
    for key in list(_clusters):
        _end(key)


@pytest.fixture
def cluster3(request, suite, product):
    """Three nodes with fencing and DLM running, disks d1 to d6, the product installed."""
    cluster = _cluster(request, 3, suite, product)
    yield cluster
    _check_kernels(request, cluster)


@pytest.fixture
def cluster2(request, suite, product):
    """The same with two nodes."""
    cluster = _cluster(request, 2, suite, product)
    yield cluster
    _check_kernels(request, cluster)


@pytest.fixture
def cluster4(request, suite, product):
    """The same with four nodes."""
    cluster = _cluster(request, 4, suite, product)
    yield cluster
    _check_kernels(request, cluster)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        # pytest itself tells why only when all tests have ended.
        say(f"{item.name}: {call.excinfo.exconly()}")
    if report.failed and hasattr(item, "box_cluster"):
        key, cluster = item.box_cluster
        if key in _spoilt:
            return
        _spoilt.add(key)
        try:
            place = cluster.collect(item.name)
            report.sections.append(("box", f"consoles, logs and states of the nodes: {place}"))
            say(f"{item.name} failed; consoles, logs and states of the nodes: {place}")
        except (BoxError, OSError) as error:
            report.sections.append(("box", f"the collection itself failed: {error}"))


def pytest_unconfigure(config):
    for cluster in _clusters.values():
        cluster.stop()
    _clusters.clear()
