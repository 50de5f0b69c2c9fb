"""How long an open run will still take, by the earlier runs of its target."""

from controller.domain.pace.estimate import time_left
from controller.domain.pace.noted_progress import decode_progress
from controller.engine.probing.earlier_runs import number_of, passed_runs
from controller.views.parts import View
from controller.views.run import RunView
from store.api import StateStore


class TimeLeftView(View, frozen=True, kw_only=True):
    """An estimate; its numbers are None where there is no honest one, and `why` says so."""

    share: float | None = None  # of the whole time that is over, from 0 to 1
    seconds: float | None = None  # left
    low: float | None = None  # seconds; most likely between this and `high`
    high: float | None = None
    why: str = ""  # what it rests on


async def time_left_of(store: StateStore, run: RunView) -> TimeLeftView | None:
    """None where nothing is noted of its progress. Raises StoreUnavailable and StoreMisused."""
    fields = await store.run(run.target, run.run)
    progress = decode_progress(fields.get("progress", ""))
    if progress is None:
        return None
    observed = number_of(fields, "observed")
    found = time_left(progress, observed, await passed_runs(store, run.target, before=run.run))
    share = None
    if found.seconds is not None and observed + found.seconds > 0:
        share = observed / (observed + found.seconds)
    return TimeLeftView(
        share=share, seconds=found.seconds, low=found.low, high=found.high, why=found.why
    )
