"""How long the event loop was held by one of its callbacks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BEAT = 0.005  # seconds between two looks


class HeldLoop:
    """longest: seconds by which a look came later than it was due."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def _watch(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT)
            self.longest = max(self.longest, time.perf_counter() - began - _BEAT)


@asynccontextmanager
async def held_loop() -> AsyncIterator[HeldLoop]:
    held = HeldLoop()
    task = asyncio.create_task(held._watch())
    try:
        yield held
    finally:
        task.cancel()
        await asyncio.wait({task})
