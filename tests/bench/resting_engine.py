"""A real engine over a population, in this process, and what a look of it costs."""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from loguru import logger

from controller.engine.engine import Engine, EngineOptions, Ports
from controller.engine.ports import StateStore
from store.memory import MemoryStore
from tests.bench.crowd import Crowd, ports_of
from tests.bench.population import Population
from tests.engine_fakes import FakeRegistry
from tests.fakes import EPOCH
from tests.machine_engine import Ear
from tests.simulation.played import PlayedClock

ENDED = 30.0  # seconds after which a start has nothing left to do


@dataclass
class Resting:
    """The engine runs, and waits. The clock stands still, so nothing is due."""

    clock: PlayedClock
    crowd: Crowd
    ear: Ear
    engine: Engine
    start: float = 0.0  # CPU seconds of the first contact with all
    looks: list[str] = field(default_factory=list)  # key of each look that a worker has finished

    async def changed(self, keys: Iterable[str]) -> float:
        """CPU seconds a key, from the event that a Deployment is changed to the end of the look in
        which nothing is to be done.
        """
        keys = list(keys)
        self.looks.clear()
        begin = time.process_time()
        for key in keys:
            self.crowd.change(key)
            while not self.looks or self.looks[-1] != key:
                await asyncio.sleep(0)
        return (time.process_time() - begin) / len(keys)

    async def resynced(self, keys: Sequence[str]) -> float:
        """CPU seconds a key, where all of them are to be looked at and none has changed."""
        self.looks.clear()
        begin = time.process_time()
        for key in keys:
            self.engine.queue.add(key)
        while len(self.looks) < len(keys):  # noqa: ASYNC110 the workers tell nobody
            await asyncio.sleep(0)
        return (time.process_time() - begin) / len(keys)

    def check(self) -> None:
        """Nothing was to be done: else the figures are of something else."""
        assert (self.crowd.writes, self.ear.notices) == (0, [])


@contextlib.asynccontextmanager
async def resting(people: Population, store: StateStore | None = None) -> AsyncIterator[Resting]:
    """store: None for one in memory. Its log is at the level of production: info, unheard."""
    logger.remove()
    logger.add(lambda _: None, level="INFO")
    clock, crowd, ear = PlayedClock(EPOCH), Crowd(people), Ear()
    registry = FakeRegistry(clock)
    people.publish(registry)
    lasts = store is not None
    store = store or MemoryStore(monotonic=clock.monotonic)
    ports = ports_of(crowd, registry, store, clock, ear)
    looks: list[str] = []
    ports = Ports(**{**vars(ports), "on_result": lambda key, _word, _seconds: looks.append(key)})
    options = EngineOptions(cluster=("bench",), settle=0.0, store_lasts=lasts)
    engine = Engine(ports, options)
    found = Resting(clock, crowd, ear, engine, looks=looks)
    gc.collect()
    begin = time.process_time()
    running = asyncio.create_task(engine.run())
    try:
        if lasts:  # real time passes for a real server
            seen = -1
            while seen != len(looks) or len(looks) < len(people.deployments):
                seen = len(looks)
                await clock.advance(1.0)
                await asyncio.sleep(0.2)
        else:
            await clock.advance(ENDED)
        found.start = time.process_time() - begin
        assert len(looks) >= len(people.deployments)
        yield found
        found.check()
    finally:
        running.cancel()
        await asyncio.wait({running})
