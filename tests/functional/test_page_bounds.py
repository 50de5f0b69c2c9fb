"""What those who ask much, or slowly, get from the page: the controller's own work goes on."""

import asyncio
import socket
from contextlib import suppress

import pytest

from controller.page.changes import WATCHERS
from controller.page.quiet_server import CONNECTIONS
from tests.jumping_loop import LoopClock
from tests.page_desk import filled, get, served

pytestmark = pytest.mark.jumping


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_connections_are_counted() -> None:
    """Is one too many closed at once, and let in when others have gone?"""
    async with served(await filled(runs=1), LoopClock()) as url:
        opened = [
            await asyncio.open_connection("127.0.0.1", port_of(url)) for _ in range(CONNECTIONS)
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        for _, each in opened:
            each.close()
            await each.wait_closed()
        assert (await get(url))[0] == 200


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "])
async def test_who_asks_nothing_is_closed(begun: bytes) -> None:
    """Does a connection end on which no request comes, or half of one?"""
    async with served(await filled(runs=1), LoopClock()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        before = asyncio.get_running_loop().time()
        writer.write(begun)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        assert 9 < asyncio.get_running_loop().time() - before < 12
        writer.close()


async def test_one_that_does_not_read_does_not_watch_for_ever() -> None:
    """Is the place of a watcher free again, whose connection takes nothing any more?"""
    source = await filled(runs=1)
    async with served(source, LoopClock()) as url:
        slow = [socket.create_connection(("127.0.0.1", port_of(url))) for _ in range(WATCHERS)]
        for each in slow:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            each.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while (await get(f"{url}/events", "HEAD"))[0] == 200:
            pass
        keys = [f"bootstrap/{at:06}{'x' * 200}" for at in range(3000)]
        for _ in range(60):
            for key in keys:
                source.tell(key)
            await asyncio.sleep(2)
            if (await get(f"{url}/events", "HEAD"))[0] == 200:
                break
        else:
            pytest.fail("nobody else may watch")
        for each in slow:
            each.close()
