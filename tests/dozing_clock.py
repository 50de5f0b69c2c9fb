"""A clock by which a process stands still while the loop's time goes on."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from tests.jumping_loop import LoopClock

T = TypeVar("T")


class DozingClock(LoopClock):
    """Of a process that stands still at times, as one does whose machine is paused: nobody in it
    who waits goes on before `awake`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.awake = asyncio.Event()
        self.awake.set()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self.awake.wait()

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T:
        try:
            return await super().within(seconds, awaitable)
        finally:
            await self.awake.wait()

    async def doze(self, seconds: float) -> None:
        self.awake.clear()
        await super().sleep(seconds)
        self.awake.set()
