"""Server-sent events: who watches is told which Deployments changed."""

import asyncio
from collections.abc import AsyncGenerator

import orjson

from controller.base.clock import Clock

WATCHERS = 64  # at a time; more are turned away
PAUSE = 1.0  # seconds between two events: what changes meanwhile is told together
QUIET = 20.0  # seconds without an event until a comment keeps the connection open


class TooMany(Exception):
    """Of those who watch."""


class Changes:
    """Notes keys, and gives them to all who watch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watchers: dict[asyncio.Event, set[str]] = {}
        self._closed = False

    def note(self, key: str) -> None:
        """Never waits. key: `namespace/name`, or `*` for everything."""
        for event, keys in self._watchers.items():
            keys.add(key)
            event.set()

    def close(self) -> None:
        """Ends what is watched."""
        self._closed = True
        for event in self._watchers:
            event.set()

    async def watch(self) -> AsyncGenerator[bytes, None]:
        """Pieces of an event stream, until `close`. Raises TooMany."""
        if len(self._watchers) >= WATCHERS:
            raise TooMany
        event = asyncio.Event()
        keys: set[str] = set()
        self._watchers[event] = keys
        try:
            yield b"retry: 3000\n\n"
            while not self._closed:
                try:
                    await self._clock.within(QUIET, event.wait())
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                event.clear()
                if told := sorted(keys):
                    keys.clear()
                    yield b"event: changed\ndata: " + orjson.dumps({"ids": told}) + b"\n\n"
                    await self._pause(event)
        finally:
            del self._watchers[event]

    async def _pause(self, event: asyncio.Event) -> None:
        if not self._closed:
            await self._clock.sleep(PAUSE)
