"""The direct door: connections to a pod's address, and what their failures mean."""

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from controller.base.errors import Garbled, Trouble, Unavailable
from controller.base.http_limits import TooLong
from controller.domain.node_http import (
    AnswerKind,
    DoorReply,
    NodeAddress,
    NodeRequest,
    NodeStarting,
)
from controller.domain.node_url import NodeUrl
from controller.node.direct_door import DirectDoor, node_session
from controller.node.http_probe import HttpNodeProbe
from tests.fakes import FakeClock
from tests.misbehaving import RawServer, ScriptedServer, closed_port


def at(port: int, pod_ip: str = "127.0.0.1") -> NodeAddress:
    return NodeAddress("bootstrap", "pod-1", pod_ip, port, "fuji")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with node_session() as made:
        yield made


@pytest.fixture
def door(session: aiohttp.ClientSession) -> DirectDoor:
    return DirectDoor(session, FakeClock())


async def fetch(door: DirectDoor, address: NodeAddress, limit: int = 100) -> DoorReply:
    return await door.fetch(address, NodeRequest("/ext/health", limit, timeout=10.0))


def noting(ports: list[int]) -> Callable[[web.Request], web.Response]:
    """Notes the port that each request came from."""

    def respond(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.Response()

    return respond


async def failure(door: DirectDoor, address: NodeAddress) -> Trouble:
    with pytest.raises(Trouble) as caught:
        await fetch(door, address)
    return caught.value


async def test_host_is_the_address(door: DirectDoor) -> None:
    """Is the pod's address the Host, so that avalanchego's host check lets it pass?"""
    async with ScriptedServer(lambda _: web.Response(body=b"x")) as server:
        assert await fetch(door, at(server.port)) == DoorReply(200, b"x")
        assert server.headers[0]["Host"] == f"127.0.0.1:{server.port}"


async def test_ipv6(door: DirectDoor) -> None:
    """Is an IPv6 address put into brackets?"""
    async with ScriptedServer(lambda _: web.Response(), host="::1") as server:
        assert (await fetch(door, at(server.port, "::1"))).status == 200
        assert server.headers[0]["Host"] == f"[::1]:{server.port}"


async def test_each_request_has_a_connection_of_its_own(door: DirectDoor) -> None:
    """Does no request go out on the connection of an earlier one, which a dead pod may hold?"""
    ports: list[int] = []
    async with ScriptedServer(noting(ports)) as server:
        for _ in range(3):
            await fetch(door, at(server.port))

    assert len(set(ports)) == 3


async def test_a_look_has_one_connection_and_the_next_look_another(door: DirectDoor) -> None:
    """Is what one look asks asked over one connection, which no later look has?"""
    ports: list[int] = []
    async with ScriptedServer(noting(ports)) as server:
        for _ in range(2):
            async with door.for_one_look() as kept:
                for _ in range(3):
                    await fetch(kept, at(server.port))

    assert [ports.count(port) for port in dict.fromkeys(ports)] == [3, 3]


async def test_refused(door: DirectDoor) -> None:
    """Is a refused connection a node that starts?"""
    error = await failure(door, at(await closed_port()))

    assert type(error) is NodeStarting
    assert "refuses connections" in str(error)


async def test_hangs(session: aiohttp.ClientSession) -> None:
    """Is a node that accepts and says nothing starting, after its time and not before?"""
    clock = FakeClock()
    probe = HttpNodeProbe(DirectDoor(session, clock))
    async with RawServer(None) as server:
        asking = asyncio.create_task(probe.ask(at(server.port)))
        await server.accepted.wait()
        await clock.advance(9.9)
        assert not asking.done()
        await clock.advance(0.1)
        answer = await asking

    assert answer.kind is AnswerKind.STARTING
    assert "did not answer within 10s, though it takes connections" in answer.detail


async def test_hangs_in_the_middle(session: aiohttp.ClientSession) -> None:
    """Is a time limit for the whole of an answer, the body too?"""
    clock = FakeClock()
    begun = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        begun.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        asking = asyncio.create_task(fetch(DirectDoor(session, clock), at(port)))
        await begun.wait()
        await clock.advance(10.0)
        with pytest.raises(NodeStarting):
            await asking


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", Unavailable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Garbled),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx", Unavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, TooLong),
    ],
    ids=["closed", "no HTTP", "cut off", "too long"],
)
async def test_bad_bytes(door: DirectDoor, answer: bytes, kind: type[Trouble]) -> None:
    """Does each way to answer badly become one trouble of ours, which names the pod?"""
    async with RawServer(answer) as server:
        error = await failure(door, at(server.port))

    assert type(error) is kind
    assert "pod-1" in str(error)


async def test_redirects_are_not_followed(door: DirectDoor) -> None:
    """Does an answer come from the pod that was asked, and from nowhere else?"""
    async with ScriptedServer(
        lambda _: web.Response(status=302, headers={"Location": "/elsewhere"})
    ) as server:
        assert (await fetch(door, at(server.port))).status == 302
        assert len(server.requests) == 1


async def test_pod_without_an_address(door: DirectDoor) -> None:
    """Is a pod that has no address yet not reached, instead of an error of the URL's parser?"""
    assert type(await failure(door, at(9650, ""))) is Unavailable


async def test_unknown_name(session: aiohttp.ClientSession) -> None:
    """Is a name in the template that does not resolve a way that fails, not a node?"""
    door = DirectDoor(session, FakeClock(), NodeUrl("http://{pod}.invalid:{port}"))

    assert "not found by its name" in str(await failure(door, at(9650)))


async def test_template(session: aiohttp.ClientSession) -> None:
    """Is each name of the template filled in, before the path that is asked?"""
    async with ScriptedServer(lambda _: web.Response()) as server:
        template = NodeUrl(f"{server.url}/{{namespace}}/{{service}}/{{pod}}/{{pod_ip}}/{{port}}/")
        await fetch(DirectDoor(session, FakeClock(), template), at(7, "fd00::1"))

        assert server.requests == ["GET /bootstrap/fuji/pod-1/%5Bfd00::1%5D/7/ext/health"]
