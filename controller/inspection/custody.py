"""Who looks after a Deployment that has a monitor: the Lease of its name decides."""

from controller.base.durations import format_duration
from controller.base.errors import Trouble
from controller.domain.manifest.monitor import monitor_container
from controller.domain.objects import Deployment
from controller.inspection.deployments import Inspection
from controller.kube.lease_object import LeaseStanding, read_standing


async def who_looks_after(i: Inspection, deployment: Deployment, controller: str) -> str:
    """In words; empty where the manifest has no monitor, and so a controller does. controller: the
    holder of the controllers' Lease.
    """
    if monitor_container(deployment) is None:
        return ""
    metadata = deployment.metadata
    lease = f"Lease {metadata.key}"
    try:
        standing = await read_standing(i.client, metadata.namespace, metadata.name)
    except Trouble as trouble:
        return f"cannot be told: {lease} cannot be read ({trouble})"
    if not standing.holder:
        return (
            f"nobody: {lease} is held by nobody, so its pod's monitor does not run, nor does a"
            " controller take its place"
        )
    pods = {pod.metadata.name for pod in i.cluster.pods(metadata.key)}
    if standing.holder in pods:
        who = f"monitor {standing.holder}"
    elif standing.holder == controller:
        who = f"controller {standing.holder}"
    else:
        who = f"{standing.holder} (another controller, or a monitor whose pod is gone)"
    return f"{who} holds {lease}{_age(i, standing)}"


def _age(i: Inspection, standing: LeaseStanding) -> str:
    if standing.renewed is None:
        return ""
    age = max(0.0, (i.wiring.around.clock.now() - standing.renewed).total_seconds())
    over = standing.duration and age > standing.duration
    return f", renewed {format_duration(age)} ago" + (
        ": it has run out, and whoever runs may take it" if over else ""
    )
