"""What aiohttp raises, as ours: against real sockets.

Included: what all clients have in common. Excluded: what each makes of it (test_kube_client.py,
test_registry_transport.py, test_node_direct_door.py), TLS among it.
"""

import asyncio
from collections.abc import AsyncIterator
from socket import AddressFamily

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from controller.base.errors import Garbled, Trouble, Unavailable
from controller.base.http_errors import NoAnswer, NotConnected, PortClosed, translated
from controller.base.http_limits import TooLong, connecting_within, read_at_most
from tests.misbehaving import RawServer, ScriptedServer, closed_port


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def failure(
    session: aiohttp.ClientSession, url: str, proxy: str | None = None, *, limit: int = 100
) -> Trouble:
    with pytest.raises(Trouble) as caught, translated("who", 30.0):
        async with session.get(url, proxy=proxy) as response:
            await read_at_most(response, limit, "who")
    assert str(caught.value).startswith("who ")
    return caught.value


async def test_a_closed_port(session: aiohttp.ClientSession) -> None:
    """Is a refused connection told in words and not by asyncio's address?"""
    error = await failure(session, f"http://127.0.0.1:{await closed_port()}/")

    assert type(error) is PortClosed
    assert str(error) == "who cannot be reached: it refuses connections"


async def test_a_proxy_that_is_away(session: aiohttp.ClientSession) -> None:
    """Is the proxy named, since it and not the other side is to be mended?"""
    port = await closed_port()
    error = await failure(session, "https://far.invalid/", f"http://127.0.0.1:{port}")

    assert type(error) is NotConnected
    assert str(error).startswith(f"who cannot be reached: its proxy 127.0.0.1:{port}: ")


async def test_a_proxy_that_does_not_connect(session: aiohttp.ClientSession) -> None:
    """Is it known that nothing came through, so that a write was not applied?"""
    async with ScriptedServer(lambda _: web.Response(status=403)) as proxy:
        error = await failure(session, "https://far.invalid/", proxy.url)

        assert [request.split()[0] for request in proxy.requests] == ["CONNECT"]
    assert type(error) is NotConnected
    assert str(error) == "who cannot be reached: its proxy answers 403"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"", Unavailable, "closed the connection"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Garbled, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", Unavailable, "broke off in the middle"),
    ],
    ids=["closed", "no HTTP", "cut off"],
)
async def test_bad_bytes(
    session: aiohttp.ClientSession, answer: bytes, kind: type[Trouble], words: str
) -> None:
    """Is each way to answer badly one trouble of ours?"""
    async with RawServer(answer) as server:
        error = await failure(session, f"http://127.0.0.1:{server.port}/")

    assert type(error) is kind
    assert words in str(error)


class NeverFound(AbstractResolver):
    """A resolver that does not answer."""

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        await asyncio.Event().wait()
        return []

    async def close(self) -> None:
        pass


async def test_connecting_gives_up_before_the_time_is_over() -> None:
    """Is a name server that hangs told from one who takes connections and says nothing?"""
    connector = aiohttp.TCPConnector(resolver=NeverFound())
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(NotConnected, match="no answer to connecting"), translated("who", 0.1):
            await session.get("http://far.invalid/", timeout=connecting_within(10.0, 0.1))


async def test_a_time_limit() -> None:
    """Is the limit told that was set?"""
    with pytest.raises(NoAnswer, match="who did not answer within 1m30s"), translated("who", 90.0):
        raise TimeoutError


async def test_cancelling_passes() -> None:
    """Is being stopped no trouble?"""
    with pytest.raises(asyncio.CancelledError), translated("who", 30.0):
        raise asyncio.CancelledError


@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
async def test_a_bound_is_kept(session: aiohttp.ClientSession, size: int, fits: bool) -> None:
    """Is the last byte that is allowed taken, and the first that is not refused?"""
    async with ScriptedServer(lambda _: web.Response(body=b"x" * size)) as server:
        if fits:
            async with session.get(server.url) as response:
                assert await read_at_most(response, 100, "who") == b"x" * 100
        else:
            error = await failure(session, server.url)
            assert type(error) is TooLong
            assert str(error) == "who answers with more than 100 bytes"
