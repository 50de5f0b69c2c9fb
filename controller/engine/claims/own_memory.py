"""By which of its names a store knows this cluster."""

from collections.abc import Sequence

from store.api import StateStore


async def name_in(store: StateStore, names: Sequence[str]) -> str:
    """The one that stands in the store, if it is one of ours: it stays, for others may know only
    that one. Else the first, which is written where none stands; empty for a cluster without a
    name. Raises what the store raises.
    """
    found = await store.meta()
    if found is not None and found.cluster in names:
        return found.cluster
    return names[0] if names else ""
