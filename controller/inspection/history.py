"""History for `history`: the store's, and what only the records know."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from controller.domain.record import Outcome, Record, Step
from controller.engine.notices import target_of, transition_id
from store.api import StateStore, Transition


@dataclass(frozen=True)
class Line:
    """One line of history."""

    id: str
    at: float
    deployment: str
    target: str
    run: str
    build: str
    before: str
    phase: str
    reason: str
    message: str


async def read_history(
    store: StateStore,
    records: Iterable[Record],
    *,
    target: str | None,
    deployment: str | None,
    limit: int,
) -> list[Line]:
    """Newest first, at most `limit`. Raises StoreUnavailable."""
    lines = {line.id: line for record in records for line in _remembered(record)}
    for transition in await store.history(target, limit=limit):
        lines[transition.id] = _of_transition(transition)
    chosen = [
        line
        for line in lines.values()
        if target in (None, line.target) and deployment in (None, line.deployment)
    ]
    ends = {(line.deployment, line.run, line.phase) for line in chosen if line.before}
    # An outcome is only a reminder of a transition that nobody has any more.
    chosen = [x for x in chosen if x.before or (x.deployment, x.run, x.phase) not in ends]
    return sorted(chosen, key=lambda line: (line.at, line.id), reverse=True)[:limit]


def _remembered(record: Record) -> list[Line]:
    return [_of_step(record, s) for s in record.steps] + [
        _of_outcome(record, o) for o in record.outcomes
    ]


def _of_transition(transition: Transition) -> Line:
    raw: Any = orjson.loads(transition.body)
    names = ("deployment", "target", "run", "build", "before", "phase", "reason", "message")
    return Line(
        id=transition.id, at=transition.at, **{name: str(raw.get(name, "")) for name in names}
    )


def _of_step(record: Record, step: Step) -> Line:
    return Line(
        id=transition_id(record, step),
        at=float(step.at),
        deployment=record.key,
        target=target_of(record, step),
        run=step.run,
        build=step.build,
        before=step.before,
        phase=step.phase,
        reason=step.reason,
        message=step.message,
    )


def _of_outcome(record: Record, outcome: Outcome) -> Line:
    return Line(
        id=f"{record.namespace}.{record.name}.{outcome.run}.end",
        at=float(outcome.at),
        deployment=record.key,
        target=outcome.target,
        run=outcome.run,
        build=outcome.build,
        before="",
        phase=outcome.phase,
        reason=outcome.reason,
        message=outcome.message,
    )
