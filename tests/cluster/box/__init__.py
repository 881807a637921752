# SPDX-License-Identifier: GPL-2.0-or-later
"""The test bed: real cluster nodes in virtual machines on this one machine. See README.md."""
from .base import BoxError, TimeOut, say, slower, wait_until
from .cluster import CLUSTER_NAME, Cluster
from .node import CommandError, Node, Result

__all__ = ["BoxError", "CLUSTER_NAME", "Cluster", "CommandError", "Node", "Result", "TimeOut",
           "say", "slower", "wait_until"]
