"""What only the store remembers of a Deployment: its run's progress, and its target's coverage."""

from dataclasses import dataclass

from controller.base.text import shown
from controller.domain.decide.observation import Observation
from controller.domain.manifest.request import RunRequest
from controller.domain.pace.estimate import Estimate, time_left
from controller.domain.pace.noted_progress import decode_progress
from controller.domain.pace.progress import Progress
from controller.domain.record.record import Record
from controller.engine.probing.earlier_runs import number_of, passed_runs
from controller.inspection.coverage import Covered, coverage_of
from store.api import StateStore, StoreMisused, StoreUnavailable


@dataclass(frozen=True)
class Remembered:
    """Of an open run as the controller noted it last, and of the target."""

    progress: Progress | None = None  # None: no run is open, or nothing is noted of it yet
    pace: tuple[str, ...] = ()  # the progress in words, with how fast it went then
    observed: float = 0.0  # seconds of the run when that was noted
    estimate: Estimate | None = None  # of the time left; None: there is no progress
    covered: Covered | None = None  # None: the store does not tell


async def recall(store: StateStore, o: Observation) -> Remembered:
    """Nothing, where the store is away: what is said of the store says so."""
    try:
        return await _recall(store, o)
    except (StoreUnavailable, StoreMisused):
        return Remembered()


async def _recall(store: StateStore, o: Observation) -> Remembered:
    run = o.record.run if isinstance(o.record, Record) else None
    target = (
        run.target if run else str(o.request.target) if isinstance(o.request, RunRequest) else ""
    )
    if not target:
        return Remembered()
    covered = await coverage_of(store, target)
    if run is None:
        return Remembered(covered=covered)
    fields = await store.run(target, run.id)
    progress = decode_progress(fields.get("progress", ""))
    observed = number_of(fields, "observed")
    earlier = await passed_runs(store, target, before=run.id)
    estimate = time_left(progress, observed, earlier) if progress else None
    pace = tuple(shown(part) for part in fields.get("pace", "").split("; ") if part)
    return Remembered(progress, pace, observed, estimate, covered)
