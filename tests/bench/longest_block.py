"""For how long the event loop did nothing else, at the longest."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_EVERY = 0.001  # seconds between two looks


class LongestBlock:
    """What was measured, once the block is over."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def look(self) -> None:
        """Until it is cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_EVERY)
            now = time.perf_counter()
            self.seconds = max(self.seconds, now - last - _EVERY)
            last = now


@asynccontextmanager
async def watched() -> AsyncIterator[LongestBlock]:
    """Looks at the loop while the block runs."""
    found = LongestBlock()
    looking = asyncio.create_task(found.look())
    try:
        await asyncio.sleep(0)
        yield found
        await asyncio.sleep(2 * _EVERY)  # what was held until now is seen, too
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
