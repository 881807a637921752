# SPDX-License-Identifier: GPL-2.0-or-later
"""What one action of the resource agent costs: ocf:mdcluster:mdcluster on ours, on the stock side
ocf:heartbeat:mdraid; of a running array, in its node, as Pacemaker's executor calls it.
"""
from arrays import AGENT
from bed import DEVICE, timed
from byhand import IDENT

MDRAID = "/usr/lib/ocf/resource.d/heartbeat/mdraid"
# The codes of a monitor that has found the array running.
RUNNING = (0, 190)
TIMES = 5

COMMON = {"OCF_ROOT": "/usr/lib/ocf", "OCF_RA_VERSION_MAJOR": "1", "OCF_RA_VERSION_MINOR": "1",
          "OCF_RESKEY_crm_feature_set": "3.19.0", "OCF_RESKEY_CRM_meta_timeout": "60000",
          "OCF_RESKEY_CRM_meta_interval": "600000", "HA_RSCTMP": "/run/resource-agents"}


def measure(bed, side):
    n1 = bed.cluster.nodes[0]
    n1.run("mkdir -p /run/resource-agents")
    with bed.joined(side, agents=side == "ours") as array:
        agent, environment = (_ours if side == "ours" else _stock)(n1, array)
        for _ in range(TIMES):
            for action in ("monitor", "meta-data"):
                took, _ = timed(n1, [agent, action], {**COMMON, **environment}, good=RUNNING)
                bed.note(f"{action} ms", side, took)


def _ours(_node, array):
    return AGENT, {"OCF_RESOURCE_INSTANCE": IDENT, "OCF_RESKEY_uuid": array.uuid,
                   "OCF_RESKEY_device": DEVICE}


def _stock(node, array):
    disks = " ".join(node.disk(serial) for serial in array.serials)
    node.put("/tmp/bench.conf", f"DEVICE {disks}\nARRAY {DEVICE} UUID={array.uuid}\n")
    return MDRAID, {"OCF_RESOURCE_INSTANCE": "stock", "OCF_RESOURCE_TYPE": "mdraid",
                    "OCF_RESOURCE_PROVIDER": "heartbeat", "OCF_RESKEY_md_dev": DEVICE,
                    "OCF_RESKEY_mdadm_conf": "/tmp/bench.conf", "OCF_RESKEY_force_clones": "true"}
