"""What a report is made of: the cluster and the store as a command sees them."""

from collections.abc import Callable, Sequence

from controller.base.text import shown
from controller.domain.objects import Deployment
from controller.inspection.deployments import Inspection
from controller.inspection.store_of_cluster import check_of_cluster
from controller.views.reading import Reading
from store import MemoryStore, is_memory
from store.api import StateStore, StoreMisused, StoreUnavailable


class ReportSource:
    """As the page's `Source`; nothing is followed here, and nobody is told of changes."""

    standing = "read by a command"

    def __init__(self, inspection: Inspection, store: StateStore, trouble: str) -> None:
        """trouble: why the store tells nothing; empty: it does."""
        self._inspection = inspection
        self._store = store
        self._trouble = trouble

    def reading(self) -> Reading | None:
        return Reading(self._store, self._inspection.records(), self._trouble)

    def deployments(self) -> Sequence[Deployment]:
        return [each.deployment for each in self._inspection.inspected()]

    def followed(self) -> tuple[tuple[str, str], ...]:
        return ()

    def on_change(self, handler: Callable[[str], None]) -> None:
        """Nobody watches a report."""


async def report_source(inspection: Inspection) -> ReportSource:
    """Where the store is away, or another's, of the records alone."""
    if is_memory(inspection.wiring.settings.store.url):
        why = "no store is named (--store), and so only what the records remember is told"
        return ReportSource(inspection, MemoryStore(), why)
    store = await inspection.wiring.store()
    try:
        await check_of_cluster(inspection, store)
    except (StoreUnavailable, StoreMisused) as error:
        why = f"the store does not tell: {shown(error)}"
        return ReportSource(inspection, MemoryStore(), why)
    return ReportSource(inspection, store, "")
