"""Time, passed in: nothing else in the project reads a clock or sleeps (a lint rule bans it)."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Two readings and two ways to wait.

    `now` may jump (a person, NTP) and is only for what people read and what other systems wrote;
    every duration of ours is measured with `monotonic`.
    """

    def now(self) -> datetime:
        """Wall-clock time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some point in the past; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits for that many seconds; zero or less only yields to other tasks."""
        ...

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T:
        """Awaits, or raises TimeoutError after that many seconds and cancels the awaitable."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T:
        async with asyncio.timeout(seconds):
            return await awaitable
