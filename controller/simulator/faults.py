"""Misbehaviour on demand for simulated servers: which request, how often, and what goes wrong.

Any aiohttp server takes part by adding `faults.middleware`. A rule is consumed by the requests that
it matches, oldest rule first. What happens to whole answers is played here; what happens inside a
stream of lines (`StreamFault`) and what only one server can play (any other action) is handed to
the handler as `action_in_hand()`. There is nothing of Kubernetes in this module.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from aiohttp import web
from yarl import URL

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The action that the request in hand has met, if its handler must play it. A context variable,
# since aiohttp's own keys for requests came after the oldest version that we allow.
_ACTION: ContextVar[object] = ContextVar("fault_action", default=None)


def action_in_hand() -> object:
    """What the handler of the present request is to play, or None."""
    return _ACTION.get()


@dataclass(frozen=True)
class Answer:
    """This answer in place of the server's own: the handler never sees the request."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refuse:
    """The connection is reset before anything is answered: the request had no effect."""


@dataclass(frozen=True)
class Hang:
    """No answer ever, on a connection that stays open: the request had no effect."""


@dataclass(frozen=True)
class LoseReply:
    """The request has its effect, then the connection is reset without an answer."""


@dataclass(frozen=True)
class Delay:
    """The request waits before it is handled, or its answer does."""

    until: asyncio.Event
    reply: bool = False  # it has its effect at once, and only the answer waits


@dataclass(frozen=True)
class Split:
    """The body arrives in pieces, each a chunk: lines and UTF-8 characters are cut anywhere."""

    size: int = 1  # bytes


@dataclass(frozen=True)
class StreamFault:
    """What goes wrong inside a stream of lines.

    `cut`: half of the next line, then the connection is reset. `close`: the same, but the stream
    ends as if it were complete. `garbage`: other bytes instead of the next line. `silent`: headers
    only, then no byte until the client gives up, whatever happens.
    """

    kind: str  # one of these words
    after: int = 0  # whole lines before it
    garbage: bytes = b"\x00\xff{not json}\n"

    def __post_init__(self) -> None:
        if self.kind not in {"cut", "close", "garbage", "silent"}:
            raise ValueError(f"no such stream fault: {self.kind}")


@dataclass(eq=False)
class Rule:
    """One entry of the list: which requests it takes, and what they meet."""

    action: object
    method: str | None  # None: any
    path: re.Pattern[str]  # searched for in path and query
    is_watch: bool | None  # None: watches and others
    count: int | None  # how many requests it takes, None for all
    hits: int = 0  # how many it has taken
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition, repr=False)

    def takes(self, method: str, url: URL) -> bool:
        return (
            (self.count is None or self.hits < self.count)
            and (self.method is None or self.method == method)
            and (self.is_watch is None or self.is_watch == is_watch(url))
            and self.path.search(url.path_qs) is not None
        )

    async def take(self) -> None:
        async with self._changed:
            self.hits += 1
            self._changed.notify_all()

    async def happened(self, times: int = 1) -> None:
        """Waits until that many requests have met this rule."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.hits >= times)


def is_watch(url: URL) -> bool:
    """Whether a request asks for an endless stream (`watch=true` or `watch=1`)."""
    return url.query.get("watch") in {"1", "true"}


class Faults:
    """The rules of one server, empty to begin with."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._released = asyncio.Event()

    def add(
        self,
        action: object,
        *,
        method: str | None = None,
        path: str = "",
        is_watch: bool | None = None,
        count: int | None = 1,
    ) -> Rule:
        """Puts a rule at the end of the list. `path` is a regular expression, searched for in path
        and query as the client sent them, decoded; `count` None means until it is removed.
        """
        rule = Rule(action, method, re.compile(path), is_watch, count)
        self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Takes a rule back; one that is gone already is no mistake."""
        if rule in self._rules:
            self._rules.remove(rule)

    def clear(self) -> None:
        """No rules, and whoever hangs is let go."""
        self._rules.clear()
        self.release()

    def release(self) -> None:
        """Ends every `Hang` and every `silent` stream that is under way."""
        self._released.set()
        self._released = asyncio.Event()

    async def hang(self) -> None:
        """Waits until `release`."""
        await self._released.wait()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """For `web.Application(middlewares=[faults.middleware])`."""
        for rule in self._rules:
            if rule.takes(request.method, request.rel_url):
                await rule.take()
                return await self._play(rule.action, request, handler)
        return await handler(request)

    async def _play(
        self, action: object, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        match action:
            case Answer():
                return web.Response(
                    status=action.status, body=action.body, headers=dict(action.headers)
                )
            case Refuse():
                return _reset(request)
            case Hang():
                await self.hang()
                return _reset(request)
            case LoseReply():
                await handler(request)
                return _reset(request)
            case Delay(reply=False):
                await action.until.wait()
                return await handler(request)
            case Delay():
                response = await handler(request)
                await action.until.wait()
                return response
            case _:
                token = _ACTION.set(action)
                try:
                    response = await handler(request)
                finally:
                    _ACTION.reset(token)
                if isinstance(action, Split):
                    return await _split(request, response, action.size)
                return response


def _reset(request: web.Request) -> web.Response:
    """Resets the connection; what is returned can no longer be sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _split(
    request: web.Request, response: web.StreamResponse, size: int
) -> web.StreamResponse:
    body = getattr(response, "body", None)
    if response.prepared or not isinstance(body, bytes):
        return response
    headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    for start in range(0, len(body), size):
        await stream.write(body[start : start + size])
    await stream.write_eof()
    return stream
