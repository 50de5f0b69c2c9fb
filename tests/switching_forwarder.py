"""A stable address before servers that take turns, as a Service or a load balancer is: whoever is
connected stays with the server that he was led to.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class SwitchingForwarder:
    """port: of the server to which new connections are led."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        self.port = 0
        self.led: list[int] = []  # ports to which connections were led, in order
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.led.append(self.leads_to)
        try:
            upstream, server = await asyncio.open_connection("127.0.0.1", self.leads_to)
        except OSError:
            writer.close()
            self._tasks.discard(task)
            return
        back = asyncio.create_task(_pass(upstream, writer))
        try:
            await _pass(reader, server)
        except asyncio.CancelledError:
            pass  # asked to end: asyncio's callback would take it for a mistake
        finally:
            back.cancel()
            server.close()
            writer.close()
            closing = (back, server.wait_closed(), writer.wait_closed())
            with contextlib.suppress(asyncio.CancelledError):  # which ends it in any case
                await asyncio.gather(*closing, return_exceptions=True)
            self._tasks.discard(task)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SwitchingForwarder"]:
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


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 20):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        writer.close()
