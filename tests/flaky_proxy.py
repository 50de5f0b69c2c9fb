"""Servers that stand before a Redis, or in its place: one loses replies, one says nothing."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

# How requests begin that redis-py sends for itself when it connects: their replies are not lost.
_HANDSHAKE = (b"HELLO", b"AUTH", b"SELECT", b"CLIENT", b"PING")


class FlakyProxy:
    """Passes bytes to a server and back, and loses replies on demand: the request has been
    executed, its reply is dropped, and the connection is closed.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.lost = 0  # replies lost so far
        self._server_port = port
        self._to_lose = 0
        self._lose_firsts = False
        self._silent = False
        self._backs: set[asyncio.Task[None]] = set()
        self._seen: Counter[bytes] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def lose_next_replies(self, count: int) -> None:
        """Of the next requests that are not part of connecting."""
        self._to_lose = count

    def lose_first_replies(self) -> None:
        """From now on each request's first reply is lost, so that all are executed twice."""
        self._lose_firsts = True

    def fall_silent(self) -> None:
        """Nothing is passed on any more, and no connection ends."""
        self._silent = True
        for back in self._backs:
            back.cancel()  # nobody waits for the server any more

    def _loses(self, request: bytes) -> bool:
        words = request.split(b"\r\n", 3)
        if len(words) > 2 and words[2].upper().startswith(_HANDSHAKE):
            return False
        if self._to_lose:
            self._to_lose -= 1
            return True
        if self._lose_firsts:
            self._seen[request] += 1
            return self._seen[request] % 2 == 1
        return False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        upstream, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        asked = bytearray()  # what was asked since the last reply
        back = asyncio.create_task(self._return(upstream, writer, asked))
        self._backs.add(back)
        try:
            while request := await reader.read(1 << 20):
                if self._silent:
                    continue
                asked += request
                server.write(request)
                await server.drain()
        except ConnectionError:
            pass  # the client, or `_return`, has closed it
        finally:
            back.cancel()
            self._backs.discard(back)
            server.close()
            writer.close()
            closing = (back, server.wait_closed(), writer.wait_closed())
            await asyncio.gather(*closing, return_exceptions=True)
            self._tasks.discard(task)

    async def _return(
        self, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytearray
    ) -> None:
        while reply := await upstream.read(1 << 20):
            if asked and not (b"$5\r\nMULTI" in asked[:32] and b"$4\r\nEXEC" not in asked[-16:]):
                request = bytes(asked)
                asked.clear()
                if self._loses(request):
                    self.lost += 1
                    writer.transport.abort()
                    return
            writer.write(reply)
            await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FlakyProxy"]:
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            left = list(self._tasks)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


@contextlib.asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """The port of a server that accepts connections and never answers."""
    writers: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
