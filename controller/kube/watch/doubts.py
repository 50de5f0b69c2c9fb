"""Fresh readings that a cache contradicts: the server's memory was put back to an earlier day, or
the watch is deaf. Then only a new list tells.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Never

from loguru import logger

from controller.base.clock import Clock
from controller.domain.objects import Deployment

# Seconds in which a watch that is well tells what was read: after that it is deaf.
PATIENCE = 5.0
# Seconds between two lists of everything: a server that answers so and so is not asked in a loop.
PAUSE = 10.0


@dataclass(frozen=True)
class _Doubt:
    cached: Deployment  # as it was when the reading was asked for
    at: float  # monotonic seconds


class Doubts:
    """Notes readings, and has everything listed anew while `run` runs: at once where an object has
    gone back to an earlier generation, which no object does [recording 30], and also where the
    cache still shows the same after a while.
    """

    def __init__(
        self,
        clock: Clock,
        cached: Callable[[str], Deployment | None],
        relist: Callable[[], Awaitable[None]],
    ) -> None:
        """cached: what the cache shows of a key now. relist: does not raise Trouble."""
        self._clock = clock
        self._cached = cached
        self._relist = relist
        self._doubts: dict[str, _Doubt] = {}
        self._noted = asyncio.Event()
        self._proven = asyncio.Event()

    def note(self, key: str, before: Deployment | None, found: Deployment | None) -> None:
        """before: what the cache showed when the reading was asked for. found: what was read; None:
        there is none.
        """
        if before is None or not self._stands(key, before):
            return  # the watch has told something since
        if found is not None and _version(found) == _version(before):
            self._doubts.pop(key, None)
        elif found is not None and _has_gone_back(before, found):
            self.prove(f"Deployment {key} has gone back to an earlier generation")
        elif key not in self._doubts or not self._stands(key, self._doubts[key].cached):
            self._doubts[key] = _Doubt(before, self._clock.monotonic())
            self._noted.set()

    def prove(self, why: str) -> None:
        """What the caches show is not what is: everything is listed anew at once."""
        if not self._proven.is_set():
            logger.bind(why=why).warning(
                "what the watches told is not believed, all is listed anew"
            )
        self._proven.set()

    async def run(self) -> Never:
        while True:
            await self._until_due()
            self._proven.clear()
            self._noted.clear()
            self._doubts.clear()
            await self._relist()
            await self._clock.sleep(PAUSE)

    async def _until_due(self) -> None:
        while not self._proven.is_set():
            if not self._doubts:
                await self._either()
                continue
            try:
                await self._clock.within(PATIENCE, self._proven.wait())
            except TimeoutError:
                self._look()

    async def _either(self) -> None:
        """Until something is noted or proven."""
        self._noted.clear()
        waits = [asyncio.create_task(each.wait()) for each in (self._noted, self._proven)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _look(self) -> None:
        now = self._clock.monotonic()
        for key, doubt in list(self._doubts.items()):
            if not self._stands(key, doubt.cached):
                del self._doubts[key]
            elif now - doubt.at >= PATIENCE:
                self.prove(f"the watch did not tell how Deployment {key} is now")

    def _stands(self, key: str, before: Deployment) -> bool:
        now = self._cached(key)
        return now is not None and _version(now) == _version(before)


def _version(found: Deployment) -> tuple[str, str]:
    return found.metadata.uid, found.metadata.resource_version


def _has_gone_back(before: Deployment, found: Deployment) -> bool:
    a, b = before.metadata, found.metadata
    return a.uid == b.uid and b.generation < a.generation
