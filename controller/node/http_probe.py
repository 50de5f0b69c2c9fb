"""Asks a node whether it has bootstrapped: GET, since the RPC says 200 either way [86, 87]; and
then, where it answers, for all else that it tells of itself.
"""

from dataclasses import replace

from controller.base.errors import Garbled, Trouble
from controller.base.text import shown
from controller.domain.node_http import (
    AnswerKind,
    Door,
    DoorReply,
    NodeAddress,
    NodeAnswer,
    NodeRequest,
    NodeStarting,
)
from controller.node.chain_names import highest
from controller.node.further_questions import Questions
from controller.node.health_document import Health, read_health
from controller.node.metrics_page import LONGEST_PAGE, read_metrics
from controller.node.tips import ask_tips

READINESS = "/ext/health/readiness"
HEALTH = "/ext/health"
METRICS = "/ext/metrics"
INFO = "/ext/info"

TIME_LIMIT = (
    10.0  # seconds: an answer is from a cache and takes milliseconds [88]; else it hangs [92]
)
_LONGEST_HEALTH = 1 << 20  # bytes: a document is some KB, more with many subnets

_HOST_REFUSED = (
    "the node refuses our Host header (403 invalid host specified):"
    ' set AVAGO_HTTP_ALLOWED_HOSTS="*" in the node\'s container'
)


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
        async with self._door.for_one_look() as door:
            return await _Look(door, address, self._time_limit).ask()


class _Look:
    """All questions that one look asks of one node."""

    def __init__(self, door: Door, address: NodeAddress, time_limit: float) -> None:
        self._door = door
        self._address = address
        self._time_limit = time_limit

    async def ask(self) -> NodeAnswer:
        try:
            readiness = await self._health(READINESS)
            health = await self._health(HEALTH)
        except _NoHealth as other:
            return other.answer
        except NodeStarting as error:
            return _no_health(AnswerKind.STARTING, str(error))
        except Garbled as error:
            return _no_health(AnswerKind.GARBLED, str(error))
        except Trouble as error:
            return _no_health(AnswerKind.UNREACHED, str(error))
        return await self._told_more(readiness, health)

    async def _health(self, path: str) -> Health:
        request = NodeRequest(path, _LONGEST_HEALTH, self._time_limit)
        reply = await self._door.fetch(self._address, request)
        health = read_health(reply)
        if health is None:
            raise _NoHealth(_of_stranger(reply))
        return health

    async def _told_more(self, readiness: Health, health: Health) -> NodeAnswer:
        """Health's answer, with what else the node tells: it holds without. The network's name is
        the last question of every look that is answered.
        """
        answer = _answer(readiness, health)
        questions = Questions(self._door, self._address, self._time_limit)
        metrics = read_metrics(await questions.get(METRICS, limit=LONGEST_PAGE) or b"")
        version = await questions.call(INFO, "info.getNodeVersion")
        chains = ("C", "P") if health.runs_c else ("P",)
        tips = await ask_tips(questions, chains) if answer.ready else {}
        network = await questions.call(INFO, "info.getNetworkName")
        return replace(
            answer,
            version=_text(version, "version"),
            commit=_text(version, "gitCommit"),
            network=_text(network, "networkName"),
            tips=tips,
            heights=highest(metrics.heights, health.heights),
            counters=metrics.counters,
            failed=metrics.failed,
            peers=health.peers if metrics.peers is None else metrics.peers,
        )


def _text(result: object, name: str) -> str:
    """A field of a result, fit to be shown; empty if it is no text."""
    text = result.get(name) if isinstance(result, dict) else None
    return shown(text) if isinstance(text, str) else ""


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
        not_run=tuple(dict.fromkeys((*readiness.not_run, *health.not_run))),
        checked=health.newest,  # readiness is checked by itself, also while health stands
        checked_all=health.oldest,
        disk_free=health.disk_free,
        document=health.document,
    )


def _no_health(kind: AnswerKind, detail: str) -> NodeAnswer:
    return NodeAnswer(kind, shown(detail, 400))


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
