"""All checks of `doctor`, side by side where they do not need each other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import chain

from controller.base.errors import TargetFault
from controller.domain.objects import Deployment
from controller.domain.reference import Repository
from controller.inspection.doctor import cluster_checks, outside_checks
from controller.inspection.doctor.argo import ARGO, would_revert
from controller.inspection.doctor.deployment_checks import (
    SELECTOR,
    Found,
    each_well_formed,
    found_by_selector,
    request_of,
)
from controller.inspection.doctor.finding import Finding, Level, Topic, within_time
from controller.kube.api.client import KubeClient
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings

_NOT_SEEN = "mend what is red above, and ask again"
_DATADOG = "look at --dogstatsd (BOOTSTRAP_DOGSTATSD), and whether the agent runs on this machine"


async def examine(settings: Settings, around: Surroundings) -> list[Finding]:
    """Everything that was found, in the order in which a person would mend it. Writes nothing."""
    async with AsyncExitStack() as stack:
        wiring = Wiring(settings, around, stack)
        client: KubeClient | None = None

        async def reach() -> list[Finding]:
            nonlocal client
            opened = await wiring.client()
            found = await cluster_checks.reached(opened)
            client = opened if all(each.level is not Level.RED for each in found) else None
            return found

        reaching = await _timed(wiring, cluster_checks.CLUSTER, cluster_checks.REACH_IT, reach)
        if client is None:
            unseen = "not looked at: rights, selector, Deployments, Lease, tags, Argo CD"
            reaching.append(cluster_checks.CLUSTER.yellow(unseen, _NOT_SEEN))
            return [*reaching, *await _outside(wiring, [])]
        found = await _found(wiring, client)
        inside, outside = await asyncio.gather(
            _inside(wiring, client, found), _outside(wiring, found.deployments)
        )
        return [*reaching, *inside, *outside]


async def _found(wiring: Wiring, client: KubeClient) -> Found:
    found = Found([], {}, [])

    async def look() -> list[Finding]:
        nonlocal found
        found = await found_by_selector(wiring, client)
        return found.findings

    lines = await _timed(wiring, Topic(SELECTOR), _NOT_SEEN, look)
    return Found(found.deployments, found.services, lines)


async def _inside(wiring: Wiring, client: KubeClient, found: Found) -> list[Finding]:
    """Of the cluster that was reached."""

    async def lease() -> list[Finding]:
        return await cluster_checks.leases(wiring, client, found.deployments)

    async def rights() -> list[Finding]:
        return await cluster_checks.rights(wiring, client)

    may, leads, *argo = await asyncio.gather(
        _timed(wiring, Topic(cluster_checks.RIGHTS), _NOT_SEEN, rights),
        _timed(wiring, Topic(cluster_checks.LEASE), _NOT_SEEN, lease),
        *(_argo(wiring, client, each) for each in found.deployments),
    )
    formed = each_well_formed(found, wiring.around.rules)
    return [*may, *leads, *found.findings, *formed, *chain.from_iterable(argo)]


async def _outside(wiring: Wiring, deployments: list[Deployment]) -> list[Finding]:
    """Of what can be asked without the cluster."""
    agent, clock = wiring.settings.dogstatsd, wiring.around.clock

    async def store() -> list[Finding]:
        return await outside_checks.store(wiring, deployments)

    async def datadog() -> list[Finding]:
        return await outside_checks.datadog(agent, clock)

    found = await asyncio.gather(
        _timed(wiring, outside_checks.STORE, outside_checks.REACH_STORE, store),
        _registries(wiring, deployments),
        _timed(wiring, outside_checks.DATADOG, _DATADOG, datadog),
    )
    return list(chain.from_iterable(found))


async def _timed(
    wiring: Wiring, topic: Topic, todo: str, check: Callable[[], Awaitable[list[Finding]]]
) -> list[Finding]:
    return await within_time(wiring.around.clock, topic, todo, check)


async def _argo(wiring: Wiring, client: KubeClient, deployment: Deployment) -> list[Finding]:
    async def look() -> list[Finding]:
        return [await would_revert(client, deployment)]

    return await _timed(wiring, Topic(ARGO, deployment.metadata.key), _NOT_SEEN, look)


async def _registries(wiring: Wiring, deployments: list[Deployment]) -> list[Finding]:
    """Each followed tag once, whoever follows it."""
    registry = await wiring.registry()
    requests = [request_of(each, wiring.around.rules) for each in deployments]
    followed = {
        (request.node.reference.repository, request.track): None
        for request in requests
        if not isinstance(request, TargetFault)
    }

    def asked(pair: tuple[Repository, str]) -> Awaitable[list[Finding]]:
        topic = Topic(outside_checks.REGISTRY, f"{pair[0]}:{pair[1]}")
        return _timed(
            wiring,
            topic,
            "look at --registry and the network from here",
            lambda: outside_checks.registry(registry, pair),
        )

    return list(chain.from_iterable(await asyncio.gather(*map(asked, followed))))
