"""Whether a store that was named is the memory of the controller of these Deployments: another one
would be believed, and would tell of runs that were never here.
"""

from collections.abc import Iterable

from controller.base.errors import TargetFault
from controller.base.text import shown
from controller.domain.record.record import decode_record
from controller.inspection.deployments import InspectedDeployment
from store.api import StateStore, StoreItemUnusable, StoreMisused


async def check_ours(store: StateStore, inspected: Iterable[InspectedDeployment]) -> None:
    """Raises StoreMisused for a store that has no copy of the record of any of these Deployments.

    Not by the cluster's id in `meta`, as the controller does: it is the uid of a namespace that may
    be none of those looked at, and whose reading is no right of everybody. The uid in a copy says
    as much, and mostly the first copy is enough.
    """
    meta = await store.meta()
    if meta is None:
        raise StoreMisused("it is empty: is it the controller's, and the prefix too?")
    for each in inspected:
        if await _is_known(store, each):
            return
    cluster = f" ({shown(meta.cluster)})" if meta.cluster else ""
    raise StoreMisused(
        f"it has no copy of these Deployments' records: it is the memory of another cluster"
        f"{cluster}, or of another controller"
    )


async def _is_known(store: StateStore, each: InspectedDeployment) -> bool:
    meta = each.deployment.metadata
    if each.record is None or each.record.uid != meta.uid:
        return False  # no controller has written to this Deployment: there is no copy to ask for
    try:
        text = (await store.mirrored(meta.key)).get("record", "")
        return decode_record(text, meta.namespace, meta.name).uid == meta.uid
    except (TargetFault, StoreItemUnusable):  # another copy may tell
        return False
