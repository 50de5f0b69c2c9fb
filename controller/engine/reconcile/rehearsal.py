"""What a dry run would do: the steps of one look, taken in thought.

A start is a claim, a first record and a pin, each decided by what the one before has changed. Here
each is believed to succeed, and the next decision is made by that. What was started so counts for
all that is looked at later: as an open run, and as a sibling's.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace

from loguru import logger

from controller.base.said_once import SaidOnce
from controller.domain.decide.machine import decide
from controller.domain.decide.observation import ClaimSeen, Decision, Leave, Observation, TakeClaim
from controller.domain.record.record import Record

_MOST_STEPS = 6  # a first record, what people were told of, the claim and the pin are four


@dataclass(frozen=True)
class Rehearsed:
    """What one look at one Deployment would come to."""

    decision: Decision  # the last one
    starts: str  # id of the run that would be started; empty: none
    # Images by container, or `record` where only that would be written; none: nothing would be
    writes: tuple[str, ...]


class Rehearsal:
    """Of all Deployments together, whichever is looked at first."""

    def __init__(self, max_open_runs: int | None, open_runs: Callable[[], Set[str]]) -> None:
        """max_open_runs: None for no limit. open_runs: keys of Deployments whose run is open."""
        self._max_open_runs = max_open_runs
        self._open_runs = open_runs
        self._begun: dict[str, Record] = {}  # as it would be, of what would have been started
        self._said = SaidOnce[tuple[str, ...]]()

    def of(self, o: Observation) -> Rehearsed:
        """Looks through to the end, and notes what would have been started."""
        key = o.deployment.metadata.key
        self._begun.pop(key, None)
        o = self._among_others(o, key)
        before = isinstance(o.record, Record) and o.record.run is not None
        first = decision = decide(o)
        for _ in range(_MOST_STEPS):
            after = _after(o, decision)
            if after is None:
                break
            o, decision = after, decide(after)
        record = decision.record
        run = record.run if record is not None and not before else None
        if record is not None and run is not None:
            self._begun[key] = record
        return Rehearsed(decision, run.id if run else "", _writes(first, decision))

    def say(self, key: str, found: Rehearsed) -> None:
        """Once, until it changes."""
        d = found.decision
        record = d.record
        target = record.run.target if record is not None and record.run is not None else ""
        # A run's id has the time in it, and would be another at each look.
        what = found.writes if found.starts else (d.message,)
        if not self._said.begin(key, (d.phase, d.reason, target, *what)):
            return
        logger.bind(
            deployment=key,
            phase=str(d.phase),
            reason=str(d.reason),
            target=target,
            would_start=found.starts,
            would_write=list(found.writes),
        ).info(d.message)

    def gone(self, key: str) -> None:
        self._begun.pop(key, None)
        self._said.end(key)

    def _among_others(self, o: Observation, key: str) -> Observation:
        """With what would have been started before, beside what is open."""
        own = isinstance(o.record, Record) and o.record.run is not None
        others = {each.key: each for each in o.siblings}
        others |= {
            other: record
            for other, record in self._begun.items()
            if other != key and (other not in others or others[other].run is None)
        }
        o = replace(o, siblings=tuple(others.values()))
        limit = self._max_open_runs
        if own or limit is None or not o.leave.given:
            return o
        if len((self._open_runs() | self._begun.keys()) - {key}) < limit:
            return o
        why = f"{limit} runs are open, and --max-open-runs allows no more"
        return replace(o, leave=Leave(False, why, lasting=True))


def _after(o: Observation, decision: Decision) -> Observation | None:
    """As it would be seen after the decision; None where the next look would show nothing new."""
    key, write, record = o.deployment.metadata.key, decision.write, decision.record
    if write is not None and write.pins:
        return None
    if write is not None and record is not None and record != o.record:
        return replace(o, record=record, record_text=write.record, memory=record)
    claim = next((each for each in decision.effects if isinstance(each, TakeClaim)), None)
    if claim is None:
        return None
    ours = ClaimSeen(claim.target, claim.build, claim.run, key)
    choices = tuple(
        replace(c, claim=ours) if c.resolution and c.resolution.build == claim.build else c
        for c in o.choices
    )
    return replace(o, choices=choices, pending=ours, noted=claim.run)


def _writes(first: Decision, last: Decision) -> tuple[str, ...]:
    """Label and message of a record that is only thought of are not what is there: of what is no
    pin, only the first decision tells.
    """
    if last.write is not None and last.write.pins:
        images = tuple(
            f"{'init container' if i.init else 'container'} {i.container}: {i.new}"
            for i in last.write.images
        )
        return images or ("run id",)
    return ("record",) if first.write is not None else ()
