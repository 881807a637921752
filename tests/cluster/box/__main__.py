# SPDX-License-Identifier: GPL-2.0-or-later
"""The box for people: `cd tests/cluster && /usr/bin/python3 -m box --help`."""
import argparse
import os
import select
import signal
import socket
import sys
import termios
import tty

from . import image, keep
from .base import RUN_DIR, BoxError
from .cluster import Cluster
from .node import Port
from .product import MODULES, default_module, product_tarball

DETACH = b"\x1d"


def _sockets(name):
    """The socket directory of node NAME in the cluster that runs (the newest, if several do)."""
    found = []
    for path in RUN_DIR.glob(f"*/{name}.*"):
        if (path / "qmp").exists():
            found.append((path.parent.stat().st_ctime, int(path.suffix[1:]), path))
    if not found:
        raise BoxError(f"no running cluster with a node {name} was found. Start one with "
                       "'python3 -m box up' or 'tests/demo --keep'.")
    return max(found)[2]


def shell(args):
    """Connect this terminal to the node's own shell."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(_sockets(args.node) / "shell"))
        print(f"shell in {args.node}; Ctrl-] leaves it", file=sys.stderr)
        sock.sendall(b"\n")
        terminal = sys.stdin.isatty() and termios.tcgetattr(sys.stdin)
        if terminal:
            tty.setraw(sys.stdin)
        try:
            while True:
                ready, _, _ = select.select([sys.stdin, sock], [], [])
                if sys.stdin in ready:
                    data = os.read(sys.stdin.fileno(), 4096)
                    if not data or DETACH in data:
                        return 0
                    sock.sendall(data)
                if sock in ready:
                    data = sock.recv(65536)
                    if not data:
                        return 0
                    os.write(sys.stdout.fileno(), data)
        finally:
            if terminal:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, terminal)


def run(args):
    """Run one command in a node, with this command's standard input if that is no terminal."""
    data = b"" if sys.stdin.isatty() or args.no_input else sys.stdin.buffer.read()
    port = Port(_sockets(args.node) / "box.cmd7")
    kind, code, out, err = port.run(" ".join(args.command), data, args.timeout)
    sys.stdout.buffer.write(out)
    sys.stdout.flush()
    sys.stderr.buffer.write(err)
    if kind == "exit":
        return code
    print(f"{args.node}: {kind} {code}", file=sys.stderr)
    return 124 if kind == "timeout" else 125


def up(args):
    """Boot a cluster and keep it until Ctrl-C."""
    module = args.module or default_module()
    product = None if args.no_product else product_tarball(args.suite, module)
    cluster = Cluster(nodes=args.nodes, suite=args.suite, disks=args.disks, product=product,
                      module=module)
    try:
        cluster.start(cluster=not args.bare)
        if not args.bare:
            cluster.configure_base()
        print(f"{args.nodes} nodes are up; console logs are in {cluster.directory}.\n"
              "  cd tests/cluster; /usr/bin/python3 -m box shell n1\n"
              "gives a shell in a node. Ctrl-C here ends the cluster.", flush=True)
        keep.stay(cluster)
    finally:
        cluster.stop()
    return 0


def do(args):
    """Have something done to a node from outside."""
    directories = [path.parent for path in RUN_DIR.glob("*/control")]
    if not directories:
        raise BoxError("no cluster of 'python3 -m box up' or 'tests/demo --keep' is running")
    newest = max(directories, key=lambda path: path.stat().st_ctime)
    answer = keep.ask(newest, [args.what, args.node, *args.disk])
    print(answer)
    return int(answer != "ok")


def down(args):
    """End the clusters that were left up with --keep."""
    print(f"{keep.end_all()} ended")
    return 0


def images(args):
    for suite in args.suite.split(","):
        print(image.build_root(suite))
        print(image.guest_image(suite))
    return 0


def main():
    parser = argparse.ArgumentParser(prog="python3 -m box", description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("up", help="boot a cluster with fencing and DLM, until Ctrl-C")
    one.add_argument("-n", "--nodes", type=int, default=3)
    one.add_argument("-d", "--disks", type=int, default=6)
    one.add_argument("--suite", default="trixie", choices=image.GUEST_SUITES)
    one.add_argument("--no-product", action="store_true", help="without the product")
    one.add_argument("--module", choices=MODULES, help="whose md-cluster the nodes load "
                     "(default: $MDCLUSTER_MODULE, else ours)")
    one.add_argument("--bare", action="store_true", help="do not start corosync and Pacemaker")
    one.set_defaults(action=up)
    one = commands.add_parser("shell", help="a shell in a node of the running cluster")
    one.add_argument("node")
    one.set_defaults(action=shell)
    one = commands.add_parser("run", help="run a command in a node of the running cluster")
    one.add_argument("-t", "--timeout", type=float, default=120)
    one.add_argument("-n", "--no-input", action="store_true", help="do not read standard input")
    one.add_argument("node")
    one.add_argument("command", nargs=argparse.REMAINDER)
    one.set_defaults(action=run)
    one = commands.add_parser("do", help="power, cable or disk of a node: " +
                              ", ".join(keep.ACTIONS))
    one.add_argument("what", choices=keep.ACTIONS)
    one.add_argument("node")
    one.add_argument("disk", nargs="*", help="with detach and attach: d1, d2, ...")
    one.set_defaults(action=do)
    one = commands.add_parser("down", help="end the clusters left up by tests/demo --keep")
    one.set_defaults(action=down)
    one = commands.add_parser("images", help="make the build roots and guest images")
    one.add_argument("--suite", default="trixie", help="one or more, with commas between")
    one.set_defaults(action=images)
    args = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("python3 -m box: must be run as root")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return args.action(args)
    except BoxError as error:
        print(f"box: {error}", file=sys.stderr)
        return 1
    except (ConnectionError, FileNotFoundError) as error:
        print(f"box: {error}: the node is off, or its cluster has ended", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
