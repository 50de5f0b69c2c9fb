"""avalanchego's health document: bytes to values. No I/O.

    {"checks": {"<name>": {"message": any, "error": "…", "timestamp": …, …}}, "healthy": bool} [86]

Read tolerantly: a check may have any fields and a message of any shape. Both `healthy` and the
status must say yes: bytes from something else than avalanchego should not sum up to a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from controller.base.text import shown
from controller.base.undecodable import UNDECODABLE
from controller.domain.node_http import DoorReply
from controller.node.chain_names import ChainNames
from controller.node.numbers import number, whole

BOOTSTRAPPED = "bootstrapped"  # the one check of /ext/health/readiness [90]

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
        return self.healthy and BOOTSTRAPPED in self.checks and BOOTSTRAPPED not in self.failing


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
    failing = [(name, error) for name, check in checks if (error := _error(check))]
    return Health(
        healthy=reply.status == 200 and document.healthy,
        checks=tuple(shown(name, _LONGEST_NAME) for name, _ in checks[:_MOST_CHECKS]),
        failing={
            shown(name, _LONGEST_NAME): shown(error) for name, error in failing[:_MOST_CHECKS]
        },
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
