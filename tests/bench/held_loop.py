"""How long the event loop was held by one of its callbacks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BEAT = 0.005  # seconds between two looks


class HeldLoop:
    """longest: seconds of CPU that passed beyond the moment at which a look was due; longest_wall:
    the same by the clock on the wall, which counts the machine's other work as well.
    """

    def __init__(self) -> None:
        self.longest = self.longest_wall = 0.0

    async def _watch(self) -> None:
        while True:
            began, took = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_BEAT)
            wall = time.perf_counter() - began - _BEAT
            self.longest_wall = max(self.longest_wall, wall)
            self.longest = max(self.longest, min(wall, time.thread_time() - took))


@asynccontextmanager
async def held_loop() -> AsyncIterator[HeldLoop]:
    held = HeldLoop()
    task = asyncio.create_task(held._watch())
    try:
        await asyncio.sleep(0)
        yield held
        await asyncio.sleep(2 * _BEAT)  # what was held until now is seen, too
    finally:
        task.cancel()
        await asyncio.wait({task})
