"""A node's HTTP port: where it is, the way to it, and what the node says of itself when asked."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from controller.base.errors import Unavailable


@dataclass(frozen=True)
class NodeAddress:
    """Where one pod's node is asked: at its own address, through the API server's pod proxy, or as
    `--node-url` says.
    """

    namespace: str
    pod: str  # name
    pod_ip: str
    port: int  # target port of the Service
    service: str  # its name, which is the Deployment's


class AnswerKind(StrEnum):
    """How the asking went."""

    ANSWERED = "answered"
    # refused, or accepted and hangs: the listener binds before it serves [92]
    STARTING = "starting"
    HOST_REFUSED = "host-refused"  # 403 "invalid host specified": a configuration fault [94]
    GARBLED = "garbled"  # something answers there, and it is not avalanchego
    UNREACHED = "unreached"  # no route, no pod, the proxy is down: says nothing about the node


@dataclass(frozen=True)
class Tip:
    """The newest block of a chain, as its own API gives it."""

    height: int  # number of the block
    at: float | None = None  # its time, seconds since 1970; None where the API gave none


@dataclass(frozen=True)
class NodeAnswer:
    """One asking. What the node did not tell is empty, or None."""

    kind: AnswerKind
    detail: str  # one sentence, fit to be shown
    # `/ext/health/readiness` said 200: the `bootstrapped` check has passed in this process, and
    # stays passed [90]
    ready: bool = False
    healthy: bool = False  # `/ext/health` said 200
    failing: Mapping[str, str] = field(default_factory=dict)  # check to its error, fit to be shown
    checks: tuple[str, ...] = ()  # names of all checks
    not_run: tuple[str, ...] = ()  # names of the checks that have not run in this process yet
    # When the newest check of `/ext/health` was made, and the oldest of those that have run: in
    # seconds since 1970 by the node's own clock, to be held against each other only. None: not
    # told. One chain that is locked holds up all of them [scene hang].
    checked: float | None = None
    checked_all: float | None = None
    version: str = ""  # of `info.getNodeVersion` [107]
    commit: str = ""  # of `info.getNodeVersion` [107]
    network: str = ""  # name as the node says it
    tips: Mapping[str, Tip] = field(default_factory=dict)  # by chain (`C`, `P`), of a ready node
    heights: Mapping[str, int] = field(default_factory=dict)  # last accepted, by chain
    # `<chain>/<stage>` to what was done since the process began, from the metrics [108-110]; the
    # stages are in `domain.pace.stages`
    counters: Mapping[str, float] = field(default_factory=dict)
    # The same to requests of a state sync that failed since then [110]
    failed: Mapping[str, float] = field(default_factory=dict)
    peers: int | None = None  # connected ones
    disk_free: float | None = None  # percent, from the `diskspace` check [91]
    document: bytes = b""  # the health document as it came, cut to a bound, for evidence


class NodeStarting(Unavailable):
    """The way to the pod is open and nobody serves yet: the connection was refused, or accepted
    and then nothing came; avalanchego binds its listener long before it serves [92].
    """


@dataclass(frozen=True)
class NodeRequest:
    """One question to a node: GET, or POST where it has a body."""

    path: str  # begins with a slash
    limit: int  # bytes of the answer
    timeout: float  # seconds for all of it
    body: bytes | None = None  # JSON, sent as such

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True)
class DoorReply:
    """The node's HTTP answer, read to its end."""

    status: int  # HTTP status code
    body: bytes


class Door(Protocol):
    """One request to one pod's node, each over a connection of its own where that is possible:
    a kept connection could lead to a pod that is gone.
    """

    def for_one_look(self) -> AbstractAsyncContextManager["Door"]:
        """A door whose connection may serve one request after the other, until the block ends: for
        what is asked of one pod in one go.
        """
        ...

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        """Redirects are not followed. Raises NodeStarting; Garbled where more than `limit` bytes
        came or it was no HTTP; Refused or Forbidden where the way itself is closed to us;
        Unavailable for every other way of not reaching the pod.
        """
        ...
