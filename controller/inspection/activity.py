"""Whether a controller is there at all, for the Deployments that are looked at."""

from collections.abc import Iterable

from controller.base.durations import format_duration
from controller.base.errors import Trouble
from controller.domain.manifest.monitor import monitor_container
from controller.domain.names import FIELD_MANAGER
from controller.inspection.deployments import InspectedDeployment, Inspection
from controller.kube.lease_object import LeaseStanding, read_standing

# A Lease that was not renewed for so many times its duration stands still: clocks differ a little.
_STILL = 4


async def nobody_active(i: Inspection, looked_at: Iterable[InspectedDeployment]) -> str:
    """Why nothing will happen, in one sentence; empty where a controller is there, or where none is
    needed: each Deployment has its monitor.
    """
    homes = i.wiring.homes(i.client)
    wanted = dict.fromkeys(
        _home(each, homes) for each in looked_at if monitor_container(each.deployment) is None
    )
    said = [told for home in wanted if (told := await _told(i, home))]
    return "; ".join(said)


async def who_is_active(i: Inspection) -> str:
    """The holder of a controllers' Lease of the watched namespaces that does not stand still; empty
    for nobody. Raises Trouble where one cannot be read.
    """
    for home in i.wiring.homes(i.client):
        standing = await read_standing(i.client, home, FIELD_MANAGER)
        if standing.holder and not _stands_still(i, standing):
            return standing.holder
    return ""


def _home(each: InspectedDeployment, homes: tuple[str, ...]) -> str:
    namespace = each.deployment.metadata.namespace
    return namespace if namespace in homes else homes[0]


async def _told(i: Inspection, home: str) -> str:
    lease = f"Lease {home}/{FIELD_MANAGER}"
    try:
        standing = await read_standing(i.client, home, FIELD_MANAGER)
    except Trouble as trouble:
        return f"whether a controller is active is not known: {lease} cannot be read ({trouble})"
    if not standing.holder:
        return f"no controller is active: {lease} is held by nobody"
    if _stands_still(i, standing):
        return (
            f"no controller is active: {lease} stands still, {standing.holder} renewed it last"
            f" {format_duration(_age(i, standing))} ago"
        )
    return ""


def _stands_still(i: Inspection, standing: LeaseStanding) -> bool:
    return bool(standing.duration) and _age(i, standing) > _STILL * standing.duration


def _age(i: Inspection, standing: LeaseStanding) -> float:
    """Seconds by this machine's clock; 0 where it is not known."""
    if standing.renewed is None:
        return 0.0
    return (i.wiring.around.clock.now() - standing.renewed).total_seconds()
