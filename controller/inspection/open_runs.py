"""How far the open runs are, as store or records tell."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, suppress

from controller.base.errors import SettingsFault
from controller.domain.record.record import OpenRun
from controller.inspection.coverage import PATIENCE
from controller.inspection.deployments import InspectedDeployment
from controller.inspection.progress_and_coverage import Remembered, of_run, recall_runs
from controller.inspection.store_ownership import check_ours
from controller.process.wiring import Surroundings, Wiring
from controller.settings.settings import Settings
from store import is_memory
from store.api import StoreMisused, StoreUnavailable


async def read_progress(
    settings: Settings,
    around: Surroundings,
    inspected: Sequence[InspectedDeployment],
    chosen: Iterable[InspectedDeployment],
) -> dict[str, Remembered]:
    """Of each open run of those that are chosen, by the Deployment's key. Where the store is away,
    is another's, or tells nothing within PATIENCE, it is what the record tells: why it is away is
    said with the coverage.
    """
    runs = {
        each.deployment.metadata.key: each.record.run
        for each in chosen
        if each.record is not None and each.record.run is not None
    }
    found = {key: of_run(run) for key, run in runs.items()}
    if not runs or is_memory(settings.store.url):
        return found
    with suppress(TimeoutError, StoreUnavailable, StoreMisused, SettingsFault):
        await around.clock.within(PATIENCE, _read(settings, around, inspected, runs, found))
    return found


async def _read(
    settings: Settings,
    around: Surroundings,
    inspected: Sequence[InspectedDeployment],
    runs: dict[str, OpenRun],
    found: dict[str, Remembered],
) -> None:
    async with AsyncExitStack() as stack:
        store = await Wiring(settings, around, stack).store()
        await check_ours(store, inspected)
        by_target = defaultdict[str, list[str]](list)
        for key, run in runs.items():
            by_target[run.target].append(key)
        for keys in by_target.values():
            told = await recall_runs(store, [runs[key] for key in keys])
            found.update(zip(keys, told, strict=True))
