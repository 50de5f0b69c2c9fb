"""Fakes that many tests share, each with its own test in tests/unit/test_fakes.py."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

EPOCH = datetime(2026, 11, 23, 6, 0, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands still until `advance`; sleepers wake in order, each at its own time."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._skew = timedelta()
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed) + self._skew

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    def jump(self, seconds: float) -> None:
        """The wall clock is set; durations do not notice."""
        self._skew += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._numbers), future))
        await future

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T:
        work = asyncio.ensure_future(awaitable)
        alarm = asyncio.ensure_future(self.sleep(seconds))
        try:
            await asyncio.wait({work, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise TimeoutError
        finally:
            for task in (work, alarm):
                task.cancel()
            await asyncio.gather(work, alarm, return_exceptions=True)

    @property
    def sleepers(self) -> int:
        """How many tasks are asleep on this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Moves time on, waking each sleeper at its own moment."""
        end = self._elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            deadline, _, future = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, deadline)
            if not future.done():
                future.set_result(None)
                await self.settle()
        self._elapsed = end
        await self.settle()

    @staticmethod
    async def settle() -> None:
        """Lets every task that can run do so. Only for tasks that wait on this clock and on each
        other; whoever waits for a socket is not settled by it.
        """
        for _ in range(50):
            await asyncio.sleep(0)
