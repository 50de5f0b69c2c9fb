"""aiohttp's server, but for what it answers to bytes that are no request: one short sentence, of
which nothing came from the request, and no line in the log.
"""

import asyncio
from typing import Any

from aiohttp import web

from controller.page.answers import plain


class _Handler(web.RequestHandler):
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

    def __init__(self, handler: Any, **options: Any) -> None:
        super().__init__(handler, **options)
        self._options = options

    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=asyncio.get_running_loop(), **self._options)
