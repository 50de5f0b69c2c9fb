"""Small servers for tests of clients: each answers exactly what the test wrote, and remembers."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

Respond = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


class ScriptedServer:
    """An HTTP server on the loopback whose every answer is one call of `respond`.

    requests: `METHOD /path?query` of each, in order. headers: the same of their headers.
    bodies: the same of their bodies. longest_header: bytes of one header of a request.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        longest_header: int = 8190,
    ) -> None:
        self.respond = respond
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.port = 0
        self._host = host
        self._tls = tls
        self._runner = web.ServerRunner(
            web.Server(self._handle, max_field_size=longest_header), shutdown_timeout=0.1
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.read())
        response = self.respond(request)  # type: ignore[arg-type]
        return response if isinstance(response, web.StreamResponse) else await response

    @property
    def netloc(self) -> str:
        """`host:port`, as it stands in a URL or an image reference."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.netloc}"

    async def __aenter__(self) -> "ScriptedServer":
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


class RawServer:
    """Accepts connections on the loopback, reads what comes, sends `answer` (if it is not None)
    and closes; with None it says nothing until it is left.

    accepted: set when a request's first bytes have come.
    """

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self.accepted = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await reader.read(1)
        self.accepted.set()
        if self._answer is not None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self._answer)
            await writer.drain()
            writer.close()

    async def __aenter__(self) -> "RawServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()


async def closed_port() -> int:
    """A port of the loopback at which nobody listens."""
    async with RawServer(None) as server:
        return server.port
