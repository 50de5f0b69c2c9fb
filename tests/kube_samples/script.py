"""An API server that answers exactly what a test wrote, one answer after the other."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

from tests.misbehaving import ScriptedServer

# The event is set when the server ends: what says nothing waits for it.
Answer = Callable[[web.Request, asyncio.Event], Awaitable[web.StreamResponse]]


def reply(body: dict[str, Any] | bytes, code: int = 200, **headers: str) -> Answer:
    """A whole answer: JSON, or bytes as text/plain. headers: with `_` for `-`."""
    kind = "text/plain" if isinstance(body, bytes) else "application/json"
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": kind} | {name.replace("_", "-"): v for name, v in headers.items()}

    async def answer(_: web.Request, __: asyncio.Event) -> web.StreamResponse:
        return web.Response(status=code, body=raw, headers=sent)

    return answer


Part = bytes | Callable[[], Awaitable[None] | None]


def stream(*parts: Part, end: str = "clean") -> Answer:
    """A watch: bytes are sent, calls are made between them. end: `clean`, `cut` (the connection
    breaks), or `silent` (it stays, and nothing comes).
    """

    async def answer(request: web.Request, end_of_server: asyncio.Event) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for part in parts:
            if isinstance(part, bytes):
                await response.write(part)
            elif (waiting := part()) is not None:
                await waiting
        if end == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif end == "silent":
            await end_of_server.wait()
        return response

    return answer


async def lost(request: web.Request, _: asyncio.Event) -> web.StreamResponse:
    """The connection breaks where an answer should be."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def nothing(_: web.Request, end_of_server: asyncio.Event) -> web.StreamResponse:
    """No answer ever comes."""
    await end_of_server.wait()
    return web.Response()


class Script(ScriptedServer):
    """Answers in their order; when they have run out, nothing comes any more."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(self._answer)
        self._answers = deque(answers)
        self._asked = asyncio.Condition()
        self._count = 0
        self._ended = asyncio.Event()

    def then(self, *answers: Answer) -> None:
        """More of them."""
        self._answers.extend(answers)

    async def asked(self, count: int) -> None:
        """Waits until so many requests have come."""
        async with self._asked:
            await self._asked.wait_for(lambda: self._count >= count)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = self._answers.popleft() if self._answers else nothing
        async with self._asked:
            self._count += 1
            self._asked.notify_all()
        return await answer(request, self._ended)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await super().__aexit__()
