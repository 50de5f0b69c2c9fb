"""What only a Kubernetes API server can do wrong, as actions for `Faults.add`."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from controller.simulator.apiserver.statuses import StatusError
from controller.simulator.faults import Answer


@dataclass(frozen=True)
class ErrorEvent:
    """An ERROR event inside a watch, then the end of the stream [9, 11]."""

    code: int
    reason: str
    message: str = "simulated"
    after: int = 0  # lines before it

    @property
    def status(self) -> StatusError:
        return StatusError(self.code, self.reason, self.message)


@dataclass(frozen=True)
class StaleList:
    """The list is answered as of an older version, as a lagging watch cache does [2]."""

    version: int


def failure(code: int, reason: str, message: str = "simulated", retry_after: int = 0) -> Answer:
    """A failure with a Status body, and Retry-After where it is given, in seconds."""
    details = {"retryAfterSeconds": retry_after} if retry_after else None
    headers: Mapping[str, str] = {"Retry-After": str(retry_after)} if retry_after else {}
    return Answer(
        code,
        orjson.dumps(StatusError(code, reason, message, details).body) + b"\n",
        {"Content-Type": "application/json", **headers},
    )


def too_many_requests(retry_after: int = 1) -> Answer:
    """Priority and fairness turns the request away: plain text, not a Status [21]."""
    return Answer(
        429,
        b"Too many requests, please try again later.\n",
        {
            "Content-Type": "text/plain; charset=utf-8",
            "Retry-After": str(retry_after),
            "X-Kubernetes-PF-FlowSchema-UID": "1f7a3c1e-0000-4000-8000-000000000001",
            "X-Kubernetes-PF-PriorityLevel-UID": "1f7a3c1e-0000-4000-8000-000000000002",
        },
    )


def initializing(retry_after: int = 1) -> Answer:
    """The watch cache is not filled yet: 429 as a Status [22]."""
    return failure(429, "TooManyRequests", "storage is (re)initializing", retry_after)


def gone() -> Answer:
    """410 as an HTTP status, the other shape of a version that is too old [10]."""
    return failure(410, "Expired", "too old resource version: 1 (2)")
