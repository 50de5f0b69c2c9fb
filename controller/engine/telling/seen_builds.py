"""Remembers with each target which builds its followed tag pointed to: the tested, and those that
passed by while a run was open.
"""

from controller.base.bounded_map import BoundedMap
from controller.domain.decide.observation import Observation
from controller.domain.manifest.request import RunRequest
from controller.engine.ports import StateStore

# Pairs that this process knows to be noted; the store keeps the rest. More than there are
# Deployments, or each look of those that are too many writes again: 2,000 at rest asked Redis once
# a look where 1000 were kept.
_KEPT = 16_384


class SeenBuilds:
    """Writes once for each build that is new to a target."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._noted = BoundedMap[tuple[str, str], None](_KEPT)

    async def note(self, o: Observation) -> None:
        """Raises StoreUnavailable and StoreMisused: what was not noted is, at the next look."""
        if not isinstance(o.request, RunRequest):
            return
        target, at = str(o.request.target), o.now.timestamp()
        builds = {c.resolution.build for c in o.choices if c.source == "tag" and c.resolution}
        for build in sorted(builds):
            if (target, build) not in self._noted:
                await self._store.note_seen(target, build, at=at)
                self._noted[target, build] = None

    def refilled(self) -> None:
        """The store may have forgotten everything."""
        self._noted.clear()
