"""aiohttp's server, but for what it answers to bytes that are no request: one short sentence, of
which nothing came from the request, and no line in the log. Connections are counted, and one on
which nothing is asked is closed: the controller needs its file descriptors.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from controller.page.answers import plain

CONNECTIONS = 256  # at a time; more are closed at once
FIRST_SECONDS = 10.0  # in which a new connection's first request must have come


class _Handler(web.RequestHandler):
    asked = False  # whether a request has come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if len(self._manager.connections) > CONNECTIONS:  # type: ignore[union-attr]
            self.force_close()
        else:
            self._loop.call_later(FIRST_SECONDS, self._ask)

    def _ask(self) -> None:
        if not self.asked:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = plain(status, "This is no request that is understood here.")
        response.force_close()
        return response


class QuietServer(web.Server):
    """As aiohttp's."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], **options: Any
    ) -> None:
        super().__init__(self._handle, **options)
        self._answer = handler
        self._options = options

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(request.protocol, _Handler):
            request.protocol.asked = True
        return await self._answer(request)

    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=asyncio.get_running_loop(), **self._options)
