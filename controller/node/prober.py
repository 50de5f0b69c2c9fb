"""Asks a node whether it has bootstrapped: GET, since the RPC says 200 either way [86, 87]."""

from dataclasses import replace

import msgspec
import orjson

from controller.base.errors import Garbled, Trouble
from controller.base.text import shown
from controller.domain.answer import AnswerKind, NodeAddress, NodeAnswer
from controller.domain.door import Door, DoorReply, NodeStarting
from controller.node.health import Health, read_health, read_result

READINESS = "/ext/health/readiness"
HEALTH = "/ext/health"
INFO = "/ext/info"

TIME_LIMIT = (
    10.0  # seconds: an answer is from a cache and takes milliseconds [88]; else it hangs [92]
)
_INFO_TIME_LIMIT = 5.0  # seconds: its answer is only for people
_LONGEST_HEALTH = 1 << 20  # bytes: a document is some KB, more with many subnets
_LONGEST_INFO = 64 * 1024  # bytes: versions of a dozen VMs

_HOST_REFUSED = (
    "the node refuses our Host header (403 invalid host specified):"
    ' set AVAGO_HTTP_ALLOWED_HOSTS="*" in the node\'s container'
)


class _Status(msgspec.Struct):
    """What an API server says in its own name."""

    message: str = ""


class _NoHealth(Exception):
    """Not the health document: carries what the answer is instead."""

    def __init__(self, answer: NodeAnswer) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class HttpNodeProbe:
    """Implements the engine's port `NodeProbe` over a door. time_limit: seconds of one request."""

    def __init__(self, door: Door, *, time_limit: float = TIME_LIMIT) -> None:
        self._door = door
        self._time_limit = time_limit

    async def ask(self, address: NodeAddress) -> NodeAnswer:
        """Readiness first and health second: what is healthy later was ready before."""
        try:
            readiness = await self._health(address, READINESS)
            health = await self._health(address, HEALTH)
        except _NoHealth as other:
            return other.answer
        except NodeStarting as error:
            return _no_health(AnswerKind.STARTING, str(error))
        except Garbled as error:
            return _no_health(AnswerKind.GARBLED, str(error))
        except Trouble as error:
            return _no_health(AnswerKind.UNREACHED, str(error))
        return await self._introduced(address, _answer(readiness, health))

    async def _health(self, address: NodeAddress, path: str) -> Health:
        reply = await self._door.fetch(
            address, path, limit=_LONGEST_HEALTH, timeout=self._time_limit
        )
        if not reply.from_node:
            raise _NoHealth(_of_proxy(reply))
        health = read_health(reply)
        if health is None:
            raise _NoHealth(_of_stranger(reply))
        return health

    async def _introduced(self, address: NodeAddress, answer: NodeAnswer) -> NodeAnswer:
        """With version, commit and network where the node tells them: the rest holds without."""
        version = await self._info(address, "info.getNodeVersion", "version", "gitCommit")
        network = await self._info(address, "info.getNetworkName", "networkName")
        return replace(
            answer,
            version=version.get("version", ""),
            commit=version.get("gitCommit", ""),
            network=network.get("networkName", ""),
        )

    async def _info(self, address: NodeAddress, method: str, *names: str) -> dict[str, str]:
        request = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {}})
        try:
            reply = await self._door.fetch(
                address,
                INFO,
                method="POST",
                body=request,
                limit=_LONGEST_INFO,
                timeout=min(_INFO_TIME_LIMIT, self._time_limit),
            )
        except Trouble:
            # Nothing is decided by it, and the health answer has just shown that the node is there.
            return {}
        return read_result(reply, *names) if reply.from_node else {}


def _answer(readiness: Health, health: Health) -> NodeAnswer:
    failing = {**readiness.failing, **health.failing}
    ready, healthy = readiness.bootstrapped, health.healthy
    said = "ready" if ready else "not ready"
    said += " and healthy" if healthy else ", unhealthy"
    errors = "; ".join(f"{name}: {error}" for name, error in failing.items())
    return NodeAnswer(
        AnswerKind.ANSWERED,
        shown(f"the node is {said}" + (f": {errors}" if errors else ""), 400),
        ready=ready,
        healthy=healthy,
        failing=failing,
        checks=health.checks,
    )


def _no_health(kind: AnswerKind, detail: str) -> NodeAnswer:
    return NodeAnswer(kind, shown(detail, 400))


def _of_proxy(reply: DoorReply) -> NodeAnswer:
    """The API server's word in the node's stead (recording 59)."""
    try:
        message = msgspec.json.decode(reply.body, type=_Status).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message = ""
    if reply.status == 503 and "connection refused" in message:
        return _no_health(AnswerKind.STARTING, "nobody listens in the pod yet: connection refused")
    said = f": {shown(message)}" if message else ""
    return _no_health(AnswerKind.UNREACHED, f"the API server's proxy answers {reply.status}{said}")


def _of_stranger(reply: DoorReply) -> NodeAnswer:
    if reply.status == 403 and b"invalid host specified" in reply.body:
        return _no_health(AnswerKind.HOST_REFUSED, _HOST_REFUSED)
    if b"HTTP request to an HTTPS server" in reply.body:
        return _no_health(
            AnswerKind.GARBLED,
            "the node speaks TLS: leave AVAGO_HTTP_TLS_ENABLED out of its container, or write"
            " https in --node-url",
        )
    return _no_health(
        AnswerKind.GARBLED,
        f"what answers {reply.status} there does not answer with avalanchego's health document",
    )
