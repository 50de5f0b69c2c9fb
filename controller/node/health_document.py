"""avalanchego's health document: bytes to values. No I/O.

    {"checks": {"<name>": {"message": any, "error": "…", "timestamp": …, …}}, "healthy": bool} [86]

Read tolerantly: a check may have any fields and a message of any shape. Both `healthy` and the
status must say yes: bytes from something else than avalanchego should not sum up to a pass.

A document is an answer from memory: each check keeps its last result until the next round of all of
them, and a round waits for every check. One chain that is locked holds up all checks, healthy ones
too, for as long as it is locked [scene hang]; only their times tell. Readiness has rounds of its
own, which go on meanwhile: its times say nothing of the health document's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.node_http import DoorReply
from controller.node.chain_names import ChainNames
from controller.node.numbers import moment_rfc3339, number, whole

BOOTSTRAPPED = "bootstrapped"  # the one check of /ext/health/readiness [90]

_NOT_YET_RUN = "not yet run"  # the error of a check that has not, at Go's zero time
_ZERO_TIME = moment_rfc3339("0001-01-01T00:00:00Z")

_MOST_CHECKS = 50  # a node has about a dozen, one for each chain among them [89]
_LONGEST_NAME = 64
_LONGEST_DOCUMENT = 64 * 1024  # bytes that are kept: evidence, beside a log of the same size


class _Document(msgspec.Struct):
    healthy: bool
    checks: dict[str, Any] | None  # by name; a document without this field is another's


@dataclass(frozen=True)
class Health:
    """One document. Its texts are fit to be shown."""

    healthy: bool  # status 200, and `healthy` true
    checks: tuple[str, ...]  # names
    failing: Mapping[str, str]  # name of a check to its error
    not_run: tuple[str, ...]  # names of the checks that have not run yet: neither well nor failing
    newest: float | None  # when the last check was made, seconds since 1970 by the node's clock
    # when the check was made that was made longest ago, of those that have run; None where one does
    # not tell
    oldest: float | None
    # there is a check of the C-chain, which a node in partial sync does not run [100]
    runs_c: bool
    # chain to its last accepted height, which its check tells once it has bootstrapped
    heights: Mapping[str, int]
    peers: int | None  # connected ones; None where it does not tell
    disk_free: float | None  # percent; None where it does not tell [91]
    document: bytes  # as it came, cut to a bound

    @property
    def bootstrapped(self) -> bool:
        """Healthy, and by that very check: before a node has registered it, readiness is an empty
        document that says healthy.
        """
        wanting = {*self.failing, *self.not_run}
        return self.healthy and BOOTSTRAPPED in self.checks and BOOTSTRAPPED not in wanting


def read_health(reply: DoorReply) -> Health | None:
    """None where it is not the health document of a node."""
    if reply.status not in (200, 503):
        return None
    try:
        document = msgspec.json.decode(reply.body, type=_Document)
    except UNDECODABLE:
        return None
    by_name = document.checks or {}
    checks = sorted(by_name.items())
    not_run = [name for name, check in checks if _has_not_run(check)]
    results = [(name, check) for name, check in checks if not _has_not_run(check)]
    failing = [(name, error) for name, check in results if (error := _error(check))]
    made = [_made(check) for _, check in results]
    told = [at for at in made if at is not None]
    return Health(
        healthy=reply.status == 200 and document.healthy,
        checks=tuple(shown(name, _LONGEST_NAME) for name, _ in checks[:_MOST_CHECKS]),
        failing={
            shown(name, _LONGEST_NAME): shown(error) for name, error in failing[:_MOST_CHECKS]
        },
        not_run=tuple(shown(name, _LONGEST_NAME) for name in not_run[:_MOST_CHECKS]),
        newest=max(told, default=None),
        oldest=min(told, default=None) if len(told) == len(made) else None,
        runs_c="C" in by_name,
        heights=_heights(by_name),
        peers=whole(_within(by_name, "network", "message", "connectedPeers")),
        disk_free=number(_within(by_name, "diskspace", "message", "availableDiskPercentage"), 100),
        document=reply.body[:_LONGEST_DOCUMENT],
    )


def _error(check: object) -> object:
    """What is wrong, by a check; nothing if all is well."""
    if not isinstance(check, dict):
        return "its result cannot be read"
    return check.get("error")


def _made(check: object) -> float | None:
    """When it was, seconds since 1970; None where it does not tell."""
    return moment_rfc3339(check.get("timestamp")) if isinstance(check, dict) else None


def _has_not_run(check: object) -> bool:
    """One that fails with any other error has run, whatever time it gives."""
    if not isinstance(check, dict) or _made(check) != _ZERO_TIME:
        return False
    return check.get("error") in (None, "", _NOT_YET_RUN)


def _heights(checks: Mapping[str, Any]) -> dict[str, int]:
    """By the checks of chains, which are known by what they tell."""
    names = ChainNames()
    heights: dict[str, int] = {}
    for name, check in checks.items():
        told = _within(check, "message", "engine", "consensus", "lastAcceptedHeight")
        height = whole(told)
        if height is not None and (chain := names.key(name)) is not None:
            heights[chain] = height
    return heights


def _within(value: object, *path: str) -> object:
    """What stands at the end of a path of keys; None where it does not lead anywhere."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
