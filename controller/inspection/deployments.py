"""The labelled Deployments as the commands look at them: listed once, and then kept. Nothing is
written.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from controller.base.errors import Refused, Unavailable
from controller.domain.objects import Deployment
from controller.domain.record.record import Record, record_of
from controller.kube.api.client import KubeClient
from controller.kube.cluster import KubeCluster, Watching
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings
from store.api import StoreMisused, StoreUnavailable

LIST_DEADLINE = 20.0  # seconds to list what is asked about; a person is waiting
LIST_PATIENCE = 3.0  # seconds after which trouble that is known is told instead of waited for


@dataclass(frozen=True)
class InspectedDeployment:
    """One labelled Deployment, as `status` shows it."""

    deployment: Deployment
    record: Record | None  # None: it has none, or one that cannot be read
    fault: str  # why its record cannot be read, in one sentence; else empty


def inspected(deployment: Deployment) -> InspectedDeployment:
    record = record_of(deployment)
    if record is None or isinstance(record, Record):
        return InspectedDeployment(deployment, record, "")
    return InspectedDeployment(deployment, None, str(record))


@dataclass(frozen=True)
class Inspection:
    """An open view of the watched namespaces."""

    wiring: Wiring  # for the store, the registry and the probe, where a command needs them
    client: KubeClient
    cluster: KubeCluster  # synced when the view was opened

    def inspected(self) -> list[InspectedDeployment]:
        """Every labelled Deployment, by name."""
        found = (self.cluster.deployment(key) for key in list(self.cluster.keys()))
        return [inspected(deployment) for deployment in found if deployment is not None]

    def find(self, name: str) -> list[str]:
        """The keys that `[NAMESPACE/]NAME` names."""
        keys = list(self.cluster.keys())
        return [key for key in keys if name in (key, key.partition("/")[2])]

    def records(self) -> list[Record]:
        return [each.record for each in self.inspected() if each.record is not None]


@asynccontextmanager
async def inspecting(
    settings: Settings, around: Surroundings, *, alone: bool = False
) -> AsyncIterator[Inspection]:
    """Lists everything once and keeps it while the block runs. Raises SettingsFault and Trouble.

    alone: only the Deployments, for who asks nothing of pods and Services.
    """
    try:
        async with AsyncExitStack() as stack:
            wiring = Wiring(settings, around, stack)
            client = await wiring.client()
            selector = settings.cluster.selector
            watching = Watching(wiring.watched(client), selector, alone=alone)
            cluster = wiring.cluster(client, watching)
            keeping = asyncio.create_task(cluster.run(), name="informers")
            try:
                await _listed(cluster)
                yield Inspection(wiring, client, cluster)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
    except (StoreUnavailable, StoreMisused) as error:  # its closing may fail, too
        raise Refused(f"the store cannot be read: {error}") from error


async def _listed(cluster: KubeCluster) -> None:
    """Raises Unavailable."""
    try:
        await cluster.wait_synced(LIST_PATIENCE)
    except Unavailable:
        if cluster.troubles():
            raise
        await cluster.wait_synced(LIST_DEADLINE - LIST_PATIENCE)
