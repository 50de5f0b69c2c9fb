"""Earlier passed runs of a target, as the store remembers them: what a run is compared with."""

import math
from collections.abc import Mapping

from controller.base.fields import number
from controller.domain.pace.comparison import PastRun
from controller.domain.pace.noted_progress import decode_progress
from controller.domain.run import OVER, Phase
from controller.engine.telling.history_body import body_of
from controller.engine.telling.notices import run_in
from store.api import Place, StateStore, Transition

# Transitions that are looked through: a run has about five, more with trouble.
_LOOKED_THROUGH = 600
# The rule compares with twenty that are alike; others of the target ran on other machines.
_RUNS = 60


async def passed_runs(store: StateStore, target: str, *, before: str) -> tuple[PastRun, ...]:
    """Newest first, of all Deployments; before: id of the run that is open. Raises StoreUnavailable
    and StoreMisused.
    """
    found: dict[str, float] = {}
    for transition in await _ends(store, target):
        body = body_of(transition) if math.isfinite(transition.at) else {}
        run = body.get("run", "")
        if body.get("phase") == Phase.PASSED and run and run != before:
            found.setdefault(run, transition.at)
    runs = list(found)[:_RUNS]
    fields = await store.runs(target, runs)
    return tuple(
        _past(run, found[run], known) for run, known in zip(runs, fields, strict=True) if known
    )


async def _ends(store: StateStore, target: str) -> list[Transition]:
    """The target's transitions, without those of a run that was over before: its last one tells
    how it ended.
    """
    last: dict[str, Place] = {}
    places = await store.places(target, limit=_LOOKED_THROUGH)
    for place in places:
        last.setdefault(run_in(place.id) or place.id, place)
    told = await store.transitions(target, list(last.values()))
    known = {each.id for each in told}
    over = {run_in(each.id) for each in told if body_of(each).get("phase") in OVER}
    rest = [each for each in places if each.id not in known and run_in(each.id) not in over]
    told += await store.transitions(target, rest)
    return sorted(told, key=lambda each: (each.at, each.id), reverse=True)


def _past(run: str, at: float, known: Mapping[str, str]) -> PastRun:
    progress = decode_progress(known.get("progress", ""))
    took = number_of(known, "took")
    lasted = number_of(known, "bootstrapped") - number_of(known, "started")
    return PastRun(
        run=run,
        build=known.get("build", ""),
        commit=known.get("commit", ""),
        version=known.get("version", ""),
        at=int(at),
        seconds=took,
        unobserved=max(0.0, lasted - took),
        node_type=known.get("instance_type", ""),
        resumes=int(number_of(known, "resumes")),
        stages=progress.stages if progress else {},
    )


def number_of(fields: Mapping[str, str], name: str) -> float:
    """A number of a run's hash; 0 for what is none, or less than that."""
    return number(fields, name) or 0.0
