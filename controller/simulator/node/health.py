"""Health checks as avalanchego keeps them: run on an interval, answered from their last results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

PRIMARY = "11111111111111111111111111111111LpoYY"  # id of the primary network's subnet [89]
APPLICATION = "application"  # tag of the checks that are about the whole node
_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: when a check that has not run was run
_DURATION = 41_250  # nanoseconds: any number, as long as it is one

Verdict = tuple[Any, str | None]  # message, and error if the check fails


@dataclass
class Result:
    """The last result of one check; fresh ones are failures [88]."""

    message: Any = None
    error: str | None = "not yet run"  # None: it passes
    at: str = _NEVER  # when it was run, as Go writes times
    failures: int = 1  # in a row
    first_failure: str | None = None  # of these; None where it passes, or has not run

    def document(self) -> dict[str, Any]:
        wire: dict[str, Any] = {"timestamp": self.at, "duration": 0}
        if self.at != _NEVER:
            wire["duration"] = _DURATION
        if self.message is not None:
            wire["message"] = self.message
        if self.error is not None:
            wire |= {"error": self.error, "contiguousFailures": self.failures}
            if self.first_failure:
                wire["timeOfFirstFailure"] = self.first_failure
        return wire


@dataclass(frozen=True)
class Check:
    name: str
    run: Callable[[], Verdict]  # message and error now
    tag: str = APPLICATION  # the subnet it is about, or `application`


@dataclass
class Health:
    """All checks of one process. `readiness` has only `bootstrapped`, `liveness` none [90]."""

    checks: Sequence[Check]
    results: dict[str, Result] = field(init=False)  # by the check's name

    def __post_init__(self) -> None:
        self.results = {check.name: Result() for check in self.checks}

    def add(self, check: Check) -> None:
        self.checks = [*self.checks, check]
        self.results[check.name] = Result()

    def evaluate(self, now: datetime) -> None:
        """Runs every check once."""
        at = rfc3339(now)
        for check in self.checks:
            before = self.results[check.name]
            message, error = check.run()
            result = Result(message, error, at, 0)
            if error is not None:
                result.failures = before.failures + 1 if before.first_failure else 1
                result.first_failure = before.first_failure or at
            self.results[check.name] = result

    def document(self, kind: str, tags: Sequence[str] = ()) -> dict[str, Any]:
        """`health`, `readiness` or `liveness`; tags narrow it to those subnets, and to what is
        about the whole node.
        """
        found = {
            check.name: self.results[check.name]
            for check in self.checks
            if _kinds(check)[kind] and (not tags or check.tag in {*tags, APPLICATION})
        }
        return {
            "checks": {name: result.document() for name, result in sorted(found.items())},
            "healthy": all(result.error is None for result in found.values()),
        }

    def failing(self) -> dict[tuple[str, str], int]:
        """(kind, tag) to the number of failing checks, as the gauge counts them [111]."""
        counts = {
            (kind, tag): 0
            for kind in ("health", "readiness", "liveness")
            for tag in ("all", APPLICATION, PRIMARY)
        }
        for check in self.checks:
            if self.results[check.name].error is not None:
                for kind, belongs in _kinds(check).items():
                    if belongs:
                        counts[kind, "all"] += 1
                        counts[kind, check.tag] += 1
        return counts


def _kinds(check: Check) -> Mapping[str, bool]:
    return {"health": True, "readiness": check.name == "bootstrapped", "liveness": False}


def rfc3339(moment: datetime) -> str:
    """As Go writes it, with the fraction and a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def shutting_down() -> Check:
    """The check that a node adds to itself on SIGTERM [89]."""
    return Check("shuttingDown", lambda: (None, "server shutting down"))
