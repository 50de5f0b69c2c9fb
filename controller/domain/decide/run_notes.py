"""What an open run's record notes where no store outlives the process, so that the next one judges
as this one would have: observed time, progress, and how long its pods have been kept from running.

What a node did not finish by its own doing ends at a timeout, for which observed time is enough;
what keeps its pods from running counts for none, and would have no end if each process began anew.
How C came to its state is counted by one process of the node and not told again by the next.
"""

from dataclasses import replace as with_fields

from msgspec.structs import replace

from controller.domain.decide.observation import Observation
from controller.domain.defaults import Rules
from controller.domain.health.conditions import OF_PODS, Condition
from controller.domain.health.observed_time import Attention
from controller.domain.health.patience import patience_of
from controller.domain.pace.noted_progress import decode_progress, encode_progress
from controller.domain.record.record import OpenRun


def noted(run: OpenRun, o: Observation) -> OpenRun:
    """The run with progress and conditions as of now; those of before without a look of ours."""
    seen, rules = o.attention, o.rules
    if seen is None or not seen.looks:
        return run
    return replace(
        run,
        progress=encode_progress(seen.progress, most=rules.progress_bytes, with_trails=False)
        if seen.progress.stages
        else run.progress,
        lasted_for={
            str(condition): int(seconds)
            for condition, seconds in _kept_from_running(seen, rules).items()
            if seconds >= rules.note_first
        },
    )


def are_due(run: OpenRun, o: Observation) -> bool:
    """Whether the notes have to be made anew though nothing else is written."""
    seen, rules = o.attention, o.rules
    if seen is None or not seen.looks:
        return False
    if _has_grown(seen.observed, run.observed, seen.began_with, rules):
        return True
    now = {str(c): seconds for c, seconds in _kept_from_running(seen, rules).items()}
    begun = {str(c): seconds for c, seconds in seen.lasted_for.items()}
    over = any(now.get(c, 0.0) < seconds for c, seconds in run.lasted_for.items())
    return over or any(
        _has_grown(seconds, run.lasted_for.get(c, 0), begun.get(c, 0.0), rules)
        for c, seconds in now.items()
    )


def taken_up(
    run: OpenRun, *, observed: float = 0.0, blind: float = 0.0, progress: str = ""
) -> Attention:
    """What earlier controllers observed of a run. observed, blind, progress: as the store has them,
    if it has; of the record and the store the greater counts, for either may be behind.
    """
    known = set(map(str, OF_PODS))
    found = Attention(
        run.id,
        observed=max(run.observed, observed),
        blind=max(run.blind, blind),
        synced=run.seen.synced,
        began_with=run.observed,
        lasted_for={Condition(c): max(0.0, s) for c, s in run.lasted_for.items() if c in known},
    )
    so_far = decode_progress(progress or run.progress)
    return found if so_far is None else with_fields(found, progress=so_far)


def _has_grown(now: float, written: float, begun: float, rules: Rules) -> bool:
    """Seconds. Each process notes as much again as it has noted, within the bounds of the rules: so
    it loses no more than half of its time, however short it lives, and writes seldom if it stays.
    """
    return now - written >= min(rules.note_latest, max(rules.note_first, written - begun))


def _kept_from_running(seen: Attention, rules: Rules) -> dict[Condition, float]:
    """Seconds of what the pods tell that becomes a failure if it lasts."""
    return {
        condition: span.seconds
        for condition, span in seen.spans.items()
        if condition in OF_PODS and patience_of(condition, seen.progress, rules).reason is not None
    }
