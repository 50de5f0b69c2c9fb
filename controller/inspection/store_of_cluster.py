"""Whether a store is this cluster's, where there may be no Deployment left to tell it by: by the
copies of records, or else by the cluster's names, as the controller tells it.
"""

from contextlib import suppress

from controller.base.errors import BootstrapError, Refused, Trouble
from controller.base.text import shown
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.store_ownership import check_ours
from controller.kube.cluster_id import cluster_ids
from controller.process.wiring import Surroundings
from controller.settings.settings import Settings
from store.api import StateStore, StoreMisused


async def check_of_cluster(inspection: Inspection, store: StateStore) -> None:
    """Raises StoreMisused for an empty store, for one of another cluster, and for one whose cluster
    cannot be told; and StoreUnavailable.
    """
    try:
        await check_ours(store, inspection.inspected())
    except StoreMisused:
        meta = await store.meta()
        if meta is None or not meta.cluster or not await _is_cluster(inspection, meta.cluster):
            raise


async def refuse_anothers(inspection: Inspection, store: StateStore) -> None:
    """Raises Refused for a store that may be another cluster's, before it is written to."""
    try:
        await check_of_cluster(inspection, store)
    except StoreMisused as error:
        where = shown(", ".join(inspection.wiring.identifying(inspection.client).all))
        raise Refused(
            f"the store is left alone: {error}; nor is it that of namespace {where}"
            " (-n, --cluster-namespace)"
        ) from error


async def check_as_told(store: StateStore, settings: Settings, around: Surroundings) -> None:
    """Raises StoreMisused for a store that is not this cluster's. Where the cluster does not tell,
    or the store is no cluster's yet, it is believed to be the one that was meant.
    """
    if await store.meta() is None:
        return
    foreign: StoreMisused | None = None
    with suppress(BootstrapError):
        async with inspecting(settings, around) as inspection:
            try:
                if inspection.records():
                    await check_of_cluster(inspection, store)
            except StoreMisused as error:
                foreign = error
    if foreign is not None:
        raise foreign


async def _is_cluster(inspection: Inspection, cluster: str) -> bool:
    """False where it cannot be told."""
    by = inspection.wiring.identifying(inspection.client)
    try:
        return cluster in await cluster_ids(inspection.client, by)
    except Trouble:
        return False
