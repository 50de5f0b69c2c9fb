"""The machine that all pods run on: what they share, and its Node object."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from controller.base.clock import Clock
from controller.simulator.apiserver.resources import Object
from controller.simulator.workloads.claims import Claims
from controller.simulator.workloads.cluster import MANAGER, Cluster
from controller.simulator.workloads.eventrecorder import EventRecorder
from controller.simulator.workloads.image_pulls import Images
from controller.simulator.workloads.programs import Software
from controller.simulator.workloads.speed import Speed

NODE_NAME = "simulated-node"
HOST_IP = "192.0.2.10"  # of the addresses that are kept for documentation
INSTANCE_TYPE = "i4i.4xlarge"
ZONE = "zone-a"
KUBELET = "kubelet"  # field manager of pod statuses


@dataclass(frozen=True)
class Machine:
    """What every pod of a node shares."""

    cluster: Cluster
    images: Images
    clock: Clock
    speed: Speed
    software: Software
    session: aiohttp.ClientSession  # of the probes
    claims: Claims
    address: Callable[[], str]  # a new one for a pod's sandbox
    kubelet: EventRecorder
    attacher: EventRecorder  # of volumes

    @classmethod
    def of(
        cls,
        cluster: Cluster,
        images: Images,
        clock: Clock,
        speed: Speed,
        *,
        software: Software,
        claims: Claims,
    ) -> "Machine":
        """One that was just switched on."""
        # A connection each: a probe must not find a process that is gone behind a kept connection.
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        return cls(
            cluster,
            images,
            clock,
            speed,
            software,
            session,
            claims,
            _addresses(),
            EventRecorder(cluster, KUBELET, KUBELET, host=NODE_NAME),
            EventRecorder(cluster, "attachdetach-controller", MANAGER),
        )


def _addresses() -> Callable[[], str]:
    given = 0

    def address() -> str:
        nonlocal given
        given += 1
        high, low = divmod(given, 250)
        return f"10.244.{high}.{low + 2}"

    return address


def node_object(now: str) -> Object:
    """As a kubelet registers it, with the labels that a cloud provider adds."""
    capacity = {"cpu": "16", "memory": "128Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
    }
    return {
        "metadata": {
            "name": NODE_NAME,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": NODE_NAME,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": INSTANCE_TYPE,
                "topology.kubernetes.io/zone": ZONE,
            },
        },
        "status": {
            "capacity": capacity,
            "allocatable": dict(capacity),
            "conditions": [condition],
            "addresses": [
                {"type": "InternalIP", "address": HOST_IP},
                {"type": "Hostname", "address": NODE_NAME},
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "kubeletVersion": "v1.36.2",
                "containerRuntimeVersion": "containerd://2.1.4",
            },
        },
    }
