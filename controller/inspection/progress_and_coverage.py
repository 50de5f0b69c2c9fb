"""What is remembered of a Deployment beside its course: its run's progress, and its target's
coverage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.base.text import shown
from controller.domain.manifest.request import RunRequest
from controller.domain.pace.comparison import PastRun
from controller.domain.pace.estimate import Estimate, time_left
from controller.domain.pace.noted_progress import decode_progress
from controller.domain.pace.progress import Progress
from controller.domain.pace.words import describe_progress
from controller.domain.record.record import OpenRun, Record
from controller.engine.probing.earlier_runs import number_of, passed_runs
from controller.views.traces import AT_ONCE, Covered, coverage_of
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


async def recall_runs(store: StateStore, runs: Sequence[OpenRun]) -> list[Remembered]:
    """What store or record tell of these open runs of one target, in a few questions however many
    they are. Raises StoreUnavailable and StoreMisused.
    """
    fields: list[dict[str, str]] = []
    for at in range(0, len(runs), AT_ONCE):
        some = runs[at : at + AT_ONCE]
        fields += await store.runs(some[0].target, [run.id for run in some])
    if not any(decode_progress(known.get("progress", "")) for known in fields):
        return [of_run(run) for run in runs]
    passed = await passed_runs(store, runs[0].target, before="")
    return [_told(run, known, passed) for run, known in zip(runs, fields, strict=True)]


def _told(run: OpenRun, known: Mapping[str, str], passed: Iterable[PastRun]) -> Remembered:
    progress = decode_progress(known.get("progress", ""))
    if progress is None:
        return of_run(run)
    observed = number_of(known, "observed")
    pace = tuple(shown(part) for part in known.get("pace", "").split("; ") if part)
    earlier = [each for each in passed if each.run != run.id]
    return Remembered(progress, pace, observed, time_left(progress, observed, earlier))


async def _recall(store: StateStore, o: "Observation") -> Remembered:
    run = o.record.run if isinstance(o.record, Record) else None
    target = (
        run.target if run else str(o.request.target) if isinstance(o.request, RunRequest) else ""
    )
    if not target:
        return Remembered()
    covered = await coverage_of(store, target)
    told = (await recall_runs(store, [run]))[0] if run else Remembered()
    return replace(told, covered=covered)
