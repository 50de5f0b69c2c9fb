"""What is remembered of a Deployment beside its course: its run's progress, and its target's
coverage.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.base.text import shown
from controller.domain.manifest.request import RunRequest
from controller.domain.pace.estimate import Estimate, time_left
from controller.domain.pace.noted_progress import decode_progress
from controller.domain.pace.progress import Progress
from controller.domain.pace.words import describe_progress
from controller.domain.record.record import OpenRun, Record
from controller.engine.probing.earlier_runs import number_of, passed_runs
from controller.views.traces import Covered, coverage_of
from store.api import StateStore, StoreMisused, StoreUnavailable

if TYPE_CHECKING:  # `status` uses nothing of what it stands on, 20 ms of imports
    from controller.domain.decide.observation import Observation


@dataclass(frozen=True)
class Remembered:
    """Of an open run as the controller noted it last, and of the target."""

    progress: Progress | None = None  # None: no run is open, or nothing is noted of it yet
    pace: tuple[str, ...] = ()  # the progress in words, with how fast it went then
    observed: float = 0.0  # seconds of the run when that was noted
    estimate: Estimate | None = None  # of the time left; None: there is no progress
    covered: Covered | None = None  # None: the store does not tell


async def recall(store: StateStore, o: "Observation") -> Remembered:
    """Only what the record tells, where the store is away: what is said of the store says so."""
    try:
        return await _recall(store, o)
    except (StoreUnavailable, StoreMisused):
        return of_record(o)


def of_record(o: "Observation") -> Remembered:
    """It has the progress where no store outlives the controller."""
    run = o.record.run if isinstance(o.record, Record) else None
    return of_run(run) if run else Remembered()


def of_run(run: OpenRun) -> Remembered:
    """What the record alone tells of its open run."""
    progress = decode_progress(run.progress)
    if progress is None:
        return Remembered()
    estimate = time_left(progress, run.observed, ())
    return Remembered(progress, describe_progress(progress), run.observed, estimate)


async def recall_run(store: StateStore, run: OpenRun) -> Remembered:
    """What store or record tell of an open run. Raises StoreUnavailable and StoreMisused."""
    fields = await store.run(run.target, run.id)
    progress = decode_progress(fields.get("progress", ""))
    if progress is None:
        return of_run(run)
    observed = number_of(fields, "observed")
    pace = tuple(shown(part) for part in fields.get("pace", "").split("; ") if part)
    earlier = await passed_runs(store, run.target, before=run.id)
    return Remembered(progress, pace, observed, time_left(progress, observed, earlier))


async def _recall(store: StateStore, o: "Observation") -> Remembered:
    run = o.record.run if isinstance(o.record, Record) else None
    target = (
        run.target if run else str(o.request.target) if isinstance(o.request, RunRequest) else ""
    )
    if not target:
        return Remembered()
    covered = await coverage_of(store, target)
    return replace(await recall_run(store, run) if run else Remembered(), covered=covered)
