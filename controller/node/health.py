"""avalanchego's health document, and what the node says of itself: bytes to values. No I/O.

    {"checks": {"<name>": {"message": any, "error": "…", "timestamp": …, …}}, "healthy": bool} [86]

Read tolerantly: a check may have any fields and a message of any shape. Both `healthy` and the
status must say yes: bytes from something else than avalanchego should not sum up to a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from controller.base.text import shown
from controller.domain.door import DoorReply

BOOTSTRAPPED = "bootstrapped"  # the one check of /ext/health/readiness [90]

_MOST_CHECKS = 50  # a node has about a dozen, one for each chain among them [89]
_LONGEST_NAME = 64


class _Document(msgspec.Struct):
    healthy: bool
    checks: dict[str, Any] | None


class _Result(msgspec.Struct):
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Health:
    """healthy: status 200 and `healthy` true. checks: names. failing: name to error. All of it is
    fit to be shown.
    """

    healthy: bool
    checks: tuple[str, ...]
    failing: Mapping[str, str]

    @property
    def bootstrapped(self) -> bool:
        """Healthy, and by that very check: before a node has registered it, readiness is an empty
        document that says healthy.
        """
        return self.healthy and BOOTSTRAPPED in self.checks and BOOTSTRAPPED not in self.failing


def read_health(reply: DoorReply) -> Health | None:
    """None where it is not the health document of a node."""
    if reply.status not in (200, 503):
        return None
    try:
        document = msgspec.json.decode(reply.body, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    checks = sorted((document.checks or {}).items())
    failing = [(name, error) for name, check in checks if (error := _error(check))]
    return Health(
        healthy=reply.status == 200 and document.healthy,
        checks=tuple(shown(name, _LONGEST_NAME) for name, _ in checks[:_MOST_CHECKS]),
        failing={
            shown(name, _LONGEST_NAME): shown(error) for name, error in failing[:_MOST_CHECKS]
        },
    )


def _error(check: object) -> object:
    """What is wrong, by a check; nothing if all is well."""
    if not isinstance(check, dict):
        return "its result cannot be read"
    return check.get("error")


def read_result(reply: DoorReply, *names: str) -> dict[str, str]:
    """Fields of a JSON-RPC result, fit to be shown; those that are no text are left out."""
    try:
        result = msgspec.json.decode(reply.body, type=_Result).result or {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {name: shown(result[name]) for name in names if isinstance(result.get(name), str)}
