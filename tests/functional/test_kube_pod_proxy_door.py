"""The door to a node through the API server's pod proxy."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller.base.errors import Busy, Forbidden, Trouble, Unavailable
from controller.base.http_limits import TooLong
from controller.domain.node_http import Door, DoorReply, NodeAddress, NodeRequest, NodeStarting
from controller.kube.api.client import KubeClient
from controller.kube.pod_proxy_door import PodProxyDoor
from tests.kube_samples.clock import InstantClock
from tests.kube_samples.credentials import GivenCredentials
from tests.kube_samples.objects import recording, status
from tests.kube_samples.script import Answer, Script, lost, nothing, reply

ADDRESS = NodeAddress("bootstrap", "fuji-abc-1", "10.0.0.9", 9650, "fuji")


@asynccontextmanager
async def door_to(server: Script) -> AsyncIterator[Door]:
    async with KubeClient(GivenCredentials(server.url), InstantClock()) as client:
        yield PodProxyDoor(client)


async def test_the_node_is_asked_as_localhost() -> None:
    """The proxy passes the Host header on, and the node refuses names that it does not know."""
    async with Script(reply({"healthy": True})) as server, door_to(server) as door:
        answer = await door.fetch(ADDRESS, NodeRequest("/ext/health?tag=x", 1000, timeout=5))
        assert server.headers[0]["Host"] == "localhost"
        (request,) = server.requests

    assert answer == DoorReply(200, b'{"healthy": true}')
    pod = "/api/v1/namespaces/bootstrap/pods/fuji-abc-1:9650/proxy"
    assert request == f"GET {pod}/ext/health?tag=x"


async def test_a_nodes_own_503_is_the_nodes_answer() -> None:
    """As recorded: unhealthy is said with 503, and with the node's body."""
    said = recording("58")["response"]
    async with Script(reply(said["body"], 503)) as server, door_to(server) as door:
        answer = await door.fetch(ADDRESS, NodeRequest("/ext/health/readiness", 10_000, timeout=5))

    assert (answer.status, json.loads(answer.body)) == (503, said["body"])


async def test_json_is_posted_to_the_node() -> None:
    """For info.getNodeVersion."""
    async with Script(reply({})) as server, door_to(server) as door:
        await door.fetch(ADDRESS, NodeRequest("/ext/info", 1000, timeout=5, body=b"{}"))
        assert server.headers[0]["Content-Type"] == "application/json"
        assert server.bodies == [b"{}"]


NO_ROUTE = status(503, "ServiceUnavailable", "error trying to reach service: no route to host")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(recording("59")["response"]["body"], 503), NodeStarting),
        (reply(NO_ROUTE, 503), Unavailable),
        (reply(status(404, "NotFound"), 404), Unavailable),
        (reply(status(500, "InternalError"), 500), Unavailable),
        (reply(status(403, "Forbidden"), 403), Forbidden),
        (reply(b"Too many requests", 429, Retry_After="2"), Busy),
        (lost, Unavailable),
        (nothing, Unavailable),
        (reply(b"x" * 2000), TooLong),
    ],
    ids=["refused", "no route", "no pod", "500", "403", "429", "lost", "silent", "long"],
)
async def test_what_is_no_answer_of_the_node(answer: Answer, kind: type[Trouble]) -> None:
    """The API server's own words are never taken for the node's."""
    async with Script(*[answer] * 3) as server, door_to(server) as door:
        with pytest.raises(Trouble) as caught:
            await door.fetch(ADDRESS, NodeRequest("/ext/health", 1000, timeout=0.1))

    assert type(caught.value) is kind


async def test_a_lost_answer_to_a_question_is_no_lost_write() -> None:
    """Asking by POST changes nothing."""
    async with Script(lost) as server, door_to(server) as door:
        with pytest.raises(Unavailable) as caught:
            await door.fetch(ADDRESS, NodeRequest("/ext/info", 9, timeout=1, body=b"{}"))

    assert type(caught.value) is Unavailable


@pytest.mark.parametrize(
    "body", [b'{"kind": "\xff"}', b'{"x": ' + b"[" * 100_000], ids=["no UTF-8", "deep"]
)
async def test_a_node_that_answers_nonsense(body: bytes) -> None:
    """Do odd bytes of a node, searched for the API server's words, raise nothing of the decoder?"""
    async with Script(reply(body, 503)) as server, door_to(server) as door:
        answer = await door.fetch(ADDRESS, NodeRequest("/ext/health", 1 << 20, timeout=5))

    assert answer == DoorReply(503, body)
