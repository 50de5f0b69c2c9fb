"""The benchmark's Deployments: what the engine makes of clones."""

import asyncio

import pytest

from controller.engine.engine import Engine, EngineOptions
from store.memory import MemoryStore
from tests.bench.crowd import Crowd, ports_of
from tests.bench.population import population
from tests.engine_fakes import FakeRegistry
from tests.fakes import EPOCH
from tests.machine_engine import Ear
from tests.simulation.played import PlayedClock


@pytest.mark.parametrize("lasts", [True, False])
async def test_looks_at_clones_write_and_tell_nothing(lasts: bool) -> None:
    """An engine begins among Deployments at rest and with open runs, several to a target and to a
    tag, and each of them changes: does it leave all of them as they are?
    """
    people = await population(12, "at rest", EPOCH, tags=4, per_target=2)
    people.add(await population(12, "open run", EPOCH, first=12, per_target=2))
    clock, crowd, ear = PlayedClock(EPOCH), Crowd(people), Ear()
    registry = FakeRegistry(clock)
    people.publish(registry)
    store = MemoryStore(monotonic=clock.monotonic)
    options = EngineOptions(cluster=("bench",), settle=0.0, store_lasts=lasts)
    engine = Engine(ports_of(crowd, registry, store, clock, ear), options)
    task = asyncio.create_task(engine.run())
    await clock.advance(10)
    for key in crowd.keys():  # noqa: SIM118 a method of a port
        crowd.change(key)
    await clock.advance(60)
    assert len(list(engine.records())) == 24
    assert (crowd.writes, ear.notices) == (0, [])
    task.cancel()
    await asyncio.wait({task})
