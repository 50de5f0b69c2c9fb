"""A real engine over a population, in this process, and what a look of it costs."""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace

from loguru import logger

from controller.engine.engine import Engine, EngineOptions
from controller.engine.ports import StateStore
from controller.engine.queue.worker import SUCCESS
from controller.process.long_lived import left_alone
from store.memory import MemoryStore
from tests.bench.crowd import Crowd, ports_of
from tests.bench.population import Population
from tests.engine_fakes import FakeRegistry
from tests.fakes import EPOCH
from tests.machine_engine import Ear
from tests.simulation.played import PlayedClock

AWHILE = 10.0  # seconds in which an engine that has something to do does it
_NEVER = 1e9  # seconds
REAL_AWHILE = 0.3  # the same, where it waits for a server


def log_as_in_production() -> None:
    """Nobody hears the debug lines; here, nor the others."""
    logger.remove()
    logger.add(lambda _: None, level="INFO")


@dataclass
class Looks:
    """Those that the workers have finished."""

    count: int = 0
    _wanted: int = 0
    _reached: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, _key: str, word: str, _seconds: float) -> None:
        assert word == SUCCESS, word
        self.count += 1
        if self.count >= self._wanted:
            self._reached.set()

    async def more(self, number: int) -> None:
        """Until so many more were finished."""
        self._wanted = self.count + number
        self._reached.clear()
        await self._reached.wait()


@dataclass
class Resting:
    """The engine runs, and waits. The clock stands still, so nothing is due."""

    crowd: Crowd
    ear: Ear
    engine: Engine
    looks: Looks
    start: float = 0.0  # CPU seconds of the first contact with all

    async def changed(self, keys: Iterable[str]) -> float:
        """CPU seconds a key, from the event that a Deployment is changed to the end of the look in
        which nothing is to be done.
        """
        keys = list(keys)
        begin = time.process_time()
        for key in keys:
            self.crowd.change(key)
            await self.looks.more(1)
        return (time.process_time() - begin) / len(keys)

    async def resynced(self, keys: Sequence[str]) -> float:
        """CPU seconds a key, where all of them are to be looked at and none has changed."""
        begin = time.process_time()
        for key in keys:
            self.engine.queue.add(key)
        await self.looks.more(len(keys))
        return (time.process_time() - begin) / len(keys)


@contextlib.asynccontextmanager
async def resting(people: Population, store: StateStore | None = None) -> AsyncIterator[Resting]:
    """store: None for one in memory."""
    clock, crowd, ear, looks = PlayedClock(EPOCH), Crowd(people), Ear(), Looks()
    registry = FakeRegistry(clock)
    people.publish(registry)
    kept = store or MemoryStore(monotonic=clock.monotonic)
    ports = replace(ports_of(crowd, registry, kept, clock, ear), on_result=looks.note)
    lasts = store is not None
    # What the engine does by itself now and then is what the row has it do
    options = EngineOptions(
        cluster=("bench",), settle=0.0, store_lasts=lasts, resync_interval=_NEVER
    )
    engine = Engine(ports, options)
    gc.collect()
    with left_alone(clock):  # as in production
        begin = time.process_time()
        running = asyncio.create_task(engine.run())
        try:
            await looks.more(len(people.deployments))
            await _until_quiet(looks, clock, lasts=lasts)
            yield Resting(crowd, ear, engine, looks, time.process_time() - begin)
            assert (crowd.writes, ear.notices) == (0, []), "the figures are of something else"
        finally:
            running.cancel()
            await asyncio.wait({running})


async def _until_quiet(looks: Looks, clock: PlayedClock, *, lasts: bool) -> None:
    """Until the answers of the registry, too, were looked at."""
    before = -1
    while before != looks.count:
        before = looks.count
        await clock.advance(AWHILE)
        if lasts:  # a real server's time is no clock's of ours
            await asyncio.sleep(REAL_AWHILE)
