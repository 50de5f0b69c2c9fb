"""How many of the builds that a target's tag has pointed to were tested: only the store knows."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from controller.base.errors import SettingsFault
from controller.inspection.deployments import InspectedDeployment
from controller.inspection.store_ownership import check_ours
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings
from controller.views.traces import Covered, coverage_of
from store import is_memory
from store.api import StoreMisused, StoreUnavailable

PATIENCE = 3.0  # seconds for all that is asked of the store: a person waits for the rest


@dataclass
class Coverage:
    """What the store told of several targets."""

    by_target: dict[str, Covered] = field(default_factory=dict)  # slug to its builds, if told
    # why not of all, in one sentence; empty where nothing failed, and where no store was given
    trouble: str = ""


async def read_coverage(
    settings: Settings,
    around: Surroundings,
    inspected: Iterable[InspectedDeployment],
    targets: Iterable[str],
) -> Coverage:
    """Asks the store once for each target, for PATIENCE seconds altogether. Whatever the store
    does is told and not raised: what is shown beside it stands without it.

    inspected: Deployments one of which the store must know, or it is not the store of this cluster.
    """
    coverage = Coverage()
    wanted = list(dict.fromkeys(targets))
    if not wanted or is_memory(settings.store.url):
        return coverage
    try:
        work = _read(settings, around, inspected, wanted, coverage)
        await around.clock.within(PATIENCE, work)
    except TimeoutError:
        coverage.trouble = f"it did not tell all within {PATIENCE:g}s"
    except (StoreUnavailable, StoreMisused, SettingsFault) as error:
        coverage.trouble = str(error)
    return coverage


async def _read(
    settings: Settings,
    around: Surroundings,
    inspected: Iterable[InspectedDeployment],
    targets: Iterable[str],
    coverage: Coverage,
) -> None:
    """Fills in what is told, target by target: what was told before a failure is true all the
    same.
    """
    async with AsyncExitStack() as stack:
        store = await Wiring(settings, around, stack).store()
        await check_ours(store, inspected)
        for target in targets:
            try:
                coverage.by_target[target] = await coverage_of(store, target)
            except StoreMisused as error:  # a key of this target that a person must mend
                coverage.trouble = coverage.trouble or str(error)
