"""The HTTP probe: what it makes of a node's answers, over HTTP and of the API server's proxy.

Included: kinds of answers, readiness, health, versions.
Excluded: connections (test_node_direct_door.py), what else a node tells (test_node_tells.py).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from aiohttp import web

from controller.base.errors import Forbidden, Garbled, Trouble, Unavailable
from controller.domain.node_http import (
    AnswerKind,
    DoorReply,
    NodeAddress,
    NodeAnswer,
    NodeRequest,
    NodeStarting,
)
from controller.node.http_probe import HttpNodeProbe
from tests.scripted_node import ScriptedNode, scripted
from tests.told_door import ToldDoor

PASSED = {"message": [], "timestamp": "2026-11-23T06:00:00Z", "duration": 1}
AT = 1_795_413_600.0  # the same, in seconds since 1970
NOT_YET = {"error": "not yet run", "timestamp": "0001-01-01T00:00:00Z", "contiguousFailures": 1}
BOOTSTRAPPING = {"message": ["1111"], "error": "subnets not bootstrapped", "contiguousFailures": 3}


def health(status: int, **checks: object) -> web.Response:
    return web.json_response({"checks": checks, "healthy": status == 200}, status=status)


def rpc(result: object) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "result": result, "id": 1})


VERSION = {"version": "avalanchego/1.14.0", "gitCommit": "c0ffee", "rpcProtocolVersion": "45"}


@dataclass
class Node(ScriptedNode):
    """A node of which the test sets each answer, and the probe that asks it."""

    readiness: Callable[[], web.Response] = lambda: health(200, bootstrapped=PASSED)
    health: Callable[[], web.Response] = lambda: health(200, bootstrapped=PASSED, C=PASSED)
    version: Callable[[], web.Response] = lambda: rpc(VERSION)
    network: Callable[[], web.Response] = lambda: rpc({"networkName": "fuji"})

    def respond(self, request: web.Request) -> web.Response:
        match request.method, request.path:
            case "GET", "/ext/health/readiness":
                return self.readiness()
            case "GET", "/ext/health":
                return self.health()
            case "POST", "/ext/info":
                body = self.server.bodies[-1]
                return self.version() if b"getNodeVersion" in body else self.network()
        return web.Response(status=404)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with scripted(Node) as made:
        yield made


async def test_bootstrapped(node: Node) -> None:
    """Is a node that says all is well ready, healthy, and who it is?"""
    answer = await node.ask()

    assert answer == NodeAnswer(
        AnswerKind.ANSWERED,
        "the node is ready and healthy",
        ready=True,
        healthy=True,
        checks=("C", "bootstrapped"),
        checked=AT,
        checked_all=AT,
        version="avalanchego/1.14.0",
        commit="c0ffee",
        network="fuji",
        document=node.health().body,
    )


async def test_health_is_asked_by_get(node: Node) -> None:
    """Is health asked by GET, whose status tells, and before all else?"""
    await node.ask()

    assert node.server.requests[:2] == ["GET /ext/health/readiness", "GET /ext/health"]
    assert not any(node.server.bodies[:2])


async def test_bootstrapping(node: Node) -> None:
    """Is a node that still bootstraps not ready, with the reason that it gives?"""
    node.readiness = lambda: health(503, bootstrapped=BOOTSTRAPPING)
    node.health = lambda: health(503, bootstrapped=BOOTSTRAPPING, network=PASSED)
    answer = await node.ask()

    assert answer.kind is AnswerKind.ANSWERED
    assert (answer.ready, answer.healthy) == (False, False)
    assert answer.failing == {"bootstrapped": "subnets not bootstrapped"}
    assert answer.version == "avalanchego/1.14.0"


async def test_ready_and_unhealthy(node: Node) -> None:
    """Is a node that has bootstrapped and has too little disk ready, but not healthy?"""
    node.health = lambda: health(503, bootstrapped=PASSED, diskspace={"error": "too little\n"})
    answer = await node.ask()

    assert (answer.ready, answer.healthy) == (True, False)
    assert answer.failing == {"diskspace": "too little"}
    assert answer.detail == "the node is ready, unhealthy: diskspace: too little"


async def test_readiness_has_rounds_of_its_own(node: Node) -> None:
    """Are the times of checks the health document's, though readiness goes on [scene hang]?"""
    later = {**PASSED, "timestamp": "2026-11-23T06:10:00Z"}
    node.readiness = lambda: health(200, bootstrapped=later)
    answer = await node.ask()

    assert (answer.checked, answer.checked_all) == (AT, AT)


async def test_what_has_not_run_has_not_failed(node: Node) -> None:
    """Is a ready node whose C has not been checked yet ready, unhealthy, and without a failure?"""
    node.health = lambda: health(503, bootstrapped=PASSED, C=NOT_YET)
    answer = await node.ask()

    assert (answer.ready, answer.healthy, answer.failing) == (True, False, {})
    assert answer.not_run == ("C",)
    assert answer.checked_all == AT


async def test_readiness_that_has_not_run_is_none(node: Node) -> None:
    """Is a readiness whose check has not run no readiness, even where the sum says healthy?"""
    for status in (200, 503):
        node.readiness = lambda status=status: health(status, bootstrapped=NOT_YET)
        answer = await node.ask()

        assert not answer.ready
        assert answer.not_run == ("bootstrapped",)


async def test_empty_readiness_is_no_readiness(node: Node) -> None:
    """Is a readiness without the `bootstrapped` check, healthy for lack of checks, not a pass?"""
    for checks in ({}, None, {"other": PASSED}):
        document = {"healthy": True, "checks": checks}
        node.readiness = lambda document=document: web.json_response(document)

        answer = await node.ask()
        assert answer.kind is AnswerKind.ANSWERED
        assert not answer.ready


@pytest.mark.parametrize(
    ("status", "said"), [(200, False), (503, True)], ids=["status alone", "word alone"]
)
async def test_status_and_word_must_agree(node: Node, status: int, said: bool) -> None:
    """Is a node ready only where the status and the document both say so?"""
    document = {"healthy": said, "checks": {"bootstrapped": PASSED}}
    node.readiness = node.health = lambda: web.json_response(document, status=status)
    answer = await node.ask()

    assert (answer.ready, answer.healthy) == (False, False)


async def test_failing_check_outweighs_the_sum(node: Node) -> None:
    """Is a document that says healthy while its `bootstrapped` check fails not a pass?"""
    node.readiness = lambda: health(200, bootstrapped=BOOTSTRAPPING)

    assert not (await node.ask()).ready


@pytest.mark.parametrize("check", [None, "fine", 5, []])
async def test_check_of_an_unknown_shape(node: Node, check: object) -> None:
    """Is a check that cannot be read failing, instead of an error or a pass?"""
    node.health = lambda: health(503, odd=check)
    answer = await node.ask()

    assert answer.kind is AnswerKind.ANSWERED
    assert answer.failing == {"odd": "its result cannot be read"}


async def test_messages_of_any_shape(node: Node) -> None:
    """Are messages, errors and fields that nobody has seen yet taken without complaint?"""
    odd = {"message": {"deep": [1, None]}, "error": {"code": 7}, "new": True}
    node.health = lambda: health(503, **{"x" * 500: odd})
    answer = await node.ask()

    assert answer.failing == {"x" * 63 + "…": "{'code': 7}"}
    assert len(answer.detail) <= 400


async def test_host_refused(node: Node) -> None:
    """Does avalanchego's host check lead to the one sentence that says what to set?"""
    node.readiness = lambda: web.Response(status=403, text="invalid host specified\n")
    answer = await node.ask()

    assert answer.kind is AnswerKind.HOST_REFUSED
    assert 'AVAGO_HTTP_ALLOWED_HOSTS="*"' in answer.detail
    assert len(node.server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        lambda: web.Response(text="<html>hello</html>"),
        lambda: web.Response(status=503, text="no healthy upstream"),
        lambda: web.Response(status=403, text="RBAC: access denied"),
        lambda: web.Response(status=404),
        lambda: web.Response(status=302, headers={"Location": "/ext/health"}),
        lambda: web.json_response({"healthy": True}),
        lambda: web.json_response({"checks": {}}),
        lambda: web.json_response({"healthy": "yes", "checks": {}}),
        lambda: web.json_response({"result": {"healthy": True, "checks": {}}}),
        lambda: web.Response(body=b"\xff"),
        lambda: web.Response(body=b" " * (2 << 20)),
        lambda: web.Response(body=b'{"healthy":true,"checks":' + b"[" * 100_000),
    ],
)
async def test_something_else_answers(node: Node, reply: Callable[[], web.Response]) -> None:
    """Is whatever is no health document garbled, and never ready?"""
    node.readiness = reply
    answer = await node.ask()

    assert answer.kind is AnswerKind.GARBLED
    assert not answer.ready
    assert "\n" not in answer.detail


async def test_half_an_answer_is_none(node: Node) -> None:
    """Does a node that is ready and then fails to say its health not count as ready?"""
    node.health = lambda: web.Response(status=404)
    answer = await node.ask()

    assert (answer.kind, answer.ready) == (AnswerKind.GARBLED, False)


@pytest.mark.parametrize(
    "reply",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="<html>"),
        lambda: rpc(None),
        lambda: rpc({"version": 5, "gitCommit": [], "networkName": {}}),
        lambda: web.json_response({"error": {"code": -32601}}),
        lambda: web.Response(body=b"x" * (1 << 20)),
    ],
)
async def test_missing_version_spoils_nothing(
    node: Node, reply: Callable[[], web.Response]
) -> None:
    """Does the health answer stand when the node does not say who it is?"""
    node.version = node.network = reply
    answer = await node.ask()

    assert (answer.ready, answer.healthy) == (True, True)
    assert (answer.version, answer.commit, answer.network) == ("", "", "")


async def test_what_a_node_says_is_fit_to_be_shown(node: Node) -> None:
    """Are control characters and length of a node's words kept from logs and annotations?"""
    node.version = lambda: rpc({"version": "a\x1b[31m\nb" + "c" * 900, "gitCommit": "\u202eabc"})
    answer = await node.ask()

    assert answer.version.startswith("a [31m b")
    assert len(answer.version) == 200
    assert answer.commit == "abc"


class FailingDoor(ToldDoor):
    """A door behind which every request ends as it was told to."""

    def __init__(self, outcome: Trouble) -> None:
        self._outcome = outcome

    async def fetch(self, address: NodeAddress, request: NodeRequest) -> DoorReply:
        raise self._outcome


@pytest.mark.parametrize(
    ("outcome", "kind", "words"),
    [
        (NodeStarting("refuses"), AnswerKind.STARTING, "refuses"),
        (Unavailable("no route"), AnswerKind.UNREACHED, "no route"),
        (Forbidden("may not get pods/proxy"), AnswerKind.UNREACHED, "pods/proxy"),
        (Garbled("no HTTP"), AnswerKind.GARBLED, "no HTTP"),
    ],
)
async def test_ways_that_fail(outcome: Trouble, kind: AnswerKind, words: str) -> None:
    """Is a way that fails told from a node that does, and from one that is starting?"""
    address = NodeAddress("ns", "pod", "10.0.0.1", 9650, "svc")
    answer = await HttpNodeProbe(FailingDoor(outcome)).ask(address)

    assert answer.kind is kind
    assert words in answer.detail
    assert not answer.ready
