"""The Deployment and ReplicaSet controllers, the garbage collector, the scheduler and the kubelet,
as far as the scenarios need them. They write through the API server's own parts.

Left out: rolling updates by numbers, priorities, several nodes, taints, resources, Services'
EndpointSlices, variables from Secrets, liveness probes.
"""

from controller.simulator.workloads.image_pulls import Image, Images, PullError, RegistryImages
from controller.simulator.workloads.initcontainer import (
    InitCall,
    InitContainer,
    InitExit,
    PreparesData,
)
from controller.simulator.workloads.programs import Call, Programs
from controller.simulator.workloads.speed import REAL_SPEED, Speed
from controller.simulator.workloads.volumes import RunDirectory, Volume
from controller.simulator.workloads.workloads import Workloads

__all__ = [
    "REAL_SPEED",
    "Call",
    "Image",
    "Images",
    "InitCall",
    "InitContainer",
    "InitExit",
    "PreparesData",
    "Programs",
    "PullError",
    "RegistryImages",
    "RunDirectory",
    "Speed",
    "Volume",
    "Workloads",
]
