"""Health checks as avalanchego keeps them: run on an interval, answered from their last results.

Two workers run them, one for `health` and one for `readiness`. All checks of a worker are run
together, and it begins anew only when the last one of them has come back: a check that never does
makes every other one stand still too [scene hang].
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.simulator.node.go_text import ZERO_TIME, rfc3339

PRIMARY = "11111111111111111111111111111111LpoYY"  # id of the primary network's subnet [89]
APPLICATION = "application"  # tag of the checks that are about the whole node
READY = "bootstrapped"  # the only check of readiness [90]
_DURATION = 41_250  # nanoseconds: any number, as long as it is one
# Checks about the whole node that are made when the first ones have been run already.
_LATE = frozenset({READY, "validation", "shuttingDown"})

Verdict = tuple[Any, str | None]  # message, and error if the check fails


@dataclass
class Result:
    """The last result of one check; fresh ones are failures [88]."""

    message: Any = None
    error: str | None = "not yet run"  # None: it passes
    at: str = ZERO_TIME  # when it was run, as Go writes times
    failures: int = 0  # in a row
    first_failure: str | None = None  # of these; None where it passes, or has not run

    def document(self) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        if self.message is not None:
            wire["message"] = self.message
        if self.error is not None:
            wire["error"] = self.error
        wire |= {"timestamp": self.at, "duration": 0 if self.at == ZERO_TIME else _DURATION}
        if self.first_failure is not None:
            wire |= {"contiguousFailures": self.failures, "timeOfFirstFailure": self.first_failure}
        return wire


@dataclass(frozen=True)
class Check:
    name: str
    run: Callable[[], Verdict]  # message and error now
    tag: str = APPLICATION  # the subnet it is about, or `application`


@dataclass(frozen=True)
class Turn:
    """A check that began to pass, or to fail. error: None where it passes."""

    worker: str
    check: Check
    error: str | None


@dataclass
class Worker:
    """Checks that are run together."""

    name: str
    checks: list[Check]
    results: dict[str, Result] = field(default_factory=dict)  # by the check's name
    waits: bool = False  # for a check that does not come back

    def __post_init__(self) -> None:
        self.results = {check.name: Result() for check in self.checks}

    def add(self, check: Check) -> None:
        if check.name not in self.results:
            self.checks.append(check)
            self.results[check.name] = Result()

    def evaluate(self, now: datetime, held: str, names: set[str]) -> Iterator[Turn]:
        """Runs those checks once, unless the last time is not over yet. held: the one that does not
        come back.
        """
        if self.waits and held:
            return
        self.waits = held in names
        at = rfc3339(now)
        for check in [check for check in self.checks if check.name in names - {held}]:
            before = self.results[check.name]
            message, error = check.run()
            result = Result(message, error, at)
            if error is not None:
                result.failures = before.failures + 1
                result.first_failure = before.first_failure or at
            self.results[check.name] = result
            if (error is None) != (before.error is None):
                yield Turn(self.name, check, error)

    def failing(self, tag: str) -> int:
        """What is about the whole node counts for every tag [scene moved-on]."""
        return sum(
            self.results[check.name].error is not None
            for check in self.checks
            if tag == "all" or check.tag in {tag, APPLICATION}
        )


class Health:
    """All checks of one process; `liveness` has none."""

    def __init__(self, checks: Sequence[Check]) -> None:
        ready = [check for check in checks if check.name == READY]
        self._health = Worker("health", list(checks))
        self._ready = Worker("readiness", ready)
        self._alive = Worker("liveness", [])

    def add(self, check: Check) -> None:
        """A fresh one, of `health` alone; one that is there already stays."""
        self._health.add(check)

    def begin(self, now: datetime) -> list[Turn]:
        """What is run when the node begins to serve: checks of the node, not of its chains."""
        found = self._health.checks
        names = {check.name for check in found if check.tag == APPLICATION} - _LATE
        return list(self._health.evaluate(now, "", names))

    def evaluate(self, now: datetime, held: str = "") -> list[Turn]:
        """Runs every check once. held: one that does not come back."""
        return [
            turn
            for worker in (self._ready, self._health)
            for turn in worker.evaluate(now, held, set(worker.results))
        ]

    def document(self, kind: str, tags: Sequence[str] = ()) -> dict[str, Any]:
        """`health`, `readiness` or `liveness`; tags narrow it to those subnets, and to what is
        about the whole node.
        """
        worker = self._worker(kind)
        found = {
            check.name: worker.results[check.name]
            for check in worker.checks
            if not tags or check.tag in {*tags, APPLICATION}
        }
        return {
            "checks": {name: result.document() for name, result in sorted(found.items())},
            "healthy": all(result.error is None for result in found.values()),
        }

    def failing(self) -> dict[tuple[str, str], int]:
        """(kind, tag) to the number of failing checks, as the gauge counts them [111]."""
        workers = (self._health, self._ready, self._alive)
        counts = {(w.name, tag): w.failing(tag) for w in workers for tag in ("all", APPLICATION)}
        return counts | {("health", PRIMARY): self._health.failing(PRIMARY)}

    def _worker(self, kind: str) -> Worker:
        return next(w for w in (self._health, self._ready, self._alive) if w.name == kind)


def shutting_down() -> Check:
    """The check that a node adds to itself on SIGTERM [89]."""
    return Check("shuttingDown", lambda: (None, "server shutting down"))
