"""Records and store of an open view, read together: each question about the past begins so."""

from dataclasses import dataclass

from controller.domain.record.belief import sibling_record
from controller.domain.record.record import Record
from controller.inspection.deployments import InspectedDeployment, Inspection
from controller.inspection.store_of_cluster import check_of_cluster
from controller.views.deployment import DeploymentView, of_deployment
from controller.views.reading import Reading
from store import ReadOnlyStore, is_memory, open_store
from store.api import StateStore, StoreMisused, StoreUnavailable

NO_STORE = "none is named (--store): only what the Deployments' records remember is told"


@dataclass(frozen=True)
class Memories:
    """What is remembered now."""

    reading: Reading
    deployments: tuple[DeploymentView, ...]  # every labelled one
    inspected: tuple[InspectedDeployment, ...]  # the same, as objects

    @property
    def targets(self) -> list[str]:
        """Slugs of all that records tell of, and that a Deployment has now."""
        now = {each.target for each in self.deployments if each.target}
        return sorted({*self.reading.targets(), *now})

    @property
    def trouble(self) -> str:
        return self.reading.trouble


class Memory:
    """Opens the store once, and reads records and store as often as is asked."""

    def __init__(self, inspection: Inspection) -> None:
        self._inspection = inspection
        self._store: StateStore | None = None

    async def read(self) -> Memories:
        """A store that is away, empty, newer or another cluster's is `trouble`, and not raised.
        Raises SettingsFault for one that cannot be opened.
        """
        i = self._inspection
        inspected = i.inspected()
        store, trouble = await self._believed()
        reading = Reading(store, [record for each in inspected if (record := _record(each))])
        reading.trouble = trouble
        views = tuple(of_deployment(each.deployment) for each in inspected)
        return Memories(reading, views, tuple(inspected))

    async def _believed(self) -> tuple[StateStore, str]:
        nothing = ReadOnlyStore(await open_store("memory://"))
        if is_memory(self._inspection.wiring.settings.store.url):
            return nothing, NO_STORE
        if self._store is None:
            self._store = ReadOnlyStore(await self._inspection.wiring.store())
        try:
            await check_of_cluster(self._inspection, self._store)
        except (StoreUnavailable, StoreMisused) as error:
            return nothing, str(error)
        return self._store, ""


def _record(each: InspectedDeployment) -> Record | None:
    """What others may believe of it: who wrote a record by hand answers for no build."""
    return None if each.record is None else sibling_record(each.deployment)
