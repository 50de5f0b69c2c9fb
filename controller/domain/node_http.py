"""A node's HTTP port: where it is, the way to it, and what the node says of itself when asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from controller.base.errors import Unavailable


@dataclass(frozen=True)
class NodeAddress:
    """Where one pod's node is asked.

    pod_ip and port: the pod's own address and the target port of the Service of the Deployment's
    name. pod, namespace, service: for the API server's pod proxy and for `--node-url`.
    """

    namespace: str
    pod: str
    pod_ip: str
    port: int
    service: str


class AnswerKind(StrEnum):
    """How the asking went."""

    ANSWERED = "answered"
    STARTING = (
        "starting"  # refused, or accepted and hangs: the listener binds before it serves [92]
    )
    HOST_REFUSED = "host-refused"  # 403 "invalid host specified": a configuration fault [94]
    GARBLED = "garbled"  # something answers there, and it is not avalanchego
    UNREACHED = "unreached"  # no route, no pod, the proxy is down: says nothing about the node


@dataclass(frozen=True)
class Tip:
    """The newest block of a chain, as its own API gives it.

    height: number of the block. at: its time in seconds since 1970, or None where the API gave a
    height and no time.
    """

    height: int
    at: float | None = None


@dataclass(frozen=True)
class NodeAnswer:
    """One asking.

    ready: `/ext/health/readiness` said 200: the `bootstrapped` check has passed in this process,
    and stays passed [90]. healthy: `/ext/health` said 200. failing: name of each failing check to
    its error, fit to be shown. version, commit: of `info.getNodeVersion`, where it answered [107].
    network: name as the node says it. detail: one sentence, fit to be shown.

    What else the node told, each absent where it did not: tips: chain (`C`, `P`) to its newest
    block, asked only of a node that is ready. heights: chain to the last accepted height of
    metrics or health. counters: `<chain>/<stage>` to what was done since the process began, from
    the metrics [108-110]; the stages are in `domain.pace.stages`. peers: connected ones.
    disk_free: percent of the disk, from the `diskspace` check [91]. document: the health document
    as it came, cut to a bound, for evidence.
    """

    kind: AnswerKind
    detail: str
    ready: bool = False
    healthy: bool = False
    failing: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    version: str = ""
    commit: str = ""
    network: str = ""
    tips: Mapping[str, Tip] = field(default_factory=dict)
    heights: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[str, float] = field(default_factory=dict)
    peers: int | None = None
    disk_free: float | None = None
    document: bytes = b""


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

    status: int
    body: bytes


class Door(Protocol):
    """One request to one pod's node, each over a connection of its own where that is possible:
    a kept connection could lead to a pod that is gone.
    """

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        """Redirects are not followed. Raises NodeStarting; Garbled where more than `limit` bytes
        came or it was no HTTP; Refused or Forbidden where the way itself is closed to us;
        Unavailable for every other way of not reaching the pod.
        """
        ...
