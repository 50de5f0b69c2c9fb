"""An HTTP proxy on the loopback at which every name is this machine."""

import asyncio
import contextlib

_ENDS = (ConnectionError, asyncio.IncompleteReadError)


class ForwardProxy:
    """Connects for CONNECT, and passes on requests with a whole URL.

    asked: `METHOD target` of each, in order. logins: their Proxy-Authorization, None for none.
    status: what it answers instead of serving, where it is not 200.
    """

    def __init__(self, status: int = 200) -> None:
        self.asked: list[str] = []
        self.logins: list[str | None] = []
        self.port = 0
        self._status = status
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "ForwardProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(*_ENDS):
                await self._pass_on(reader, writer)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, _, rest = head.partition("\r\n")
        method, target, _ = line.split(" ")
        self.asked.append(f"{method} {target}")
        headers = dict(field.split(": ", 1) for field in rest.strip().split("\r\n"))
        self.logins.append(headers.get("Proxy-Authorization"))
        if self._status != 200:
            writer.write(f"HTTP/1.1 {self._status} No\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        place, path = target, ""
        if method != "CONNECT":
            place, _, path = target.removeprefix("http://").partition("/")
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", int(place.rpartition(":")[2])
        )
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                far_writer.write(f"{method} /{path} HTTP/1.1\r\n{rest}".encode("latin-1"))
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, far_writer))
                group.create_task(_pump(far_reader, writer))
        finally:
            far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(*_ENDS):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
