"""Deployments, targets, tags and builds come and go for ever: what stays of them in the memory of a
controller, and in Redis? The table is docs/memory.md.
"""

import asyncio
from collections import Counter
from random import Random
from typing import Any

import fakeredis
import pytest

from controller.domain.build import Platform
from controller.domain.record.record import Record, record_of
from controller.domain.reference import Reference
from controller.engine.engine import Engine, EngineOptions, Ports
from store.leftovers import Kind
from store.redis.errors import Calls
from store.redis.store import RedisStore
from tests.engine_fakes import BlindWitness, FakeRegistry
from tests.lasting import grown, sizes
from tests.machine_engine import Ear
from tests.machine_objects import bare, deployment, with_annotations
from tests.simulation.played import HOUR, PlayedClock, PlayedCluster, PlayedProbe

REPOSITORY = Reference.parse(bare()).repository
AT_ONCE = 12  # Deployments that are there at the same time
# Keys that stay for ever, whoever is gone: docs/redis.md says why
FOR_EVER = {"meta", "claims", "seen", "builds", "history", "transition"}


class Town:
    """An engine, its ports, and Deployments each of which has a target and a tag of its own."""

    def __init__(self) -> None:
        self.clock = PlayedClock()
        self.cluster = PlayedCluster(self.clock, Random(1))
        self.registry = FakeRegistry(self.clock)
        self.redis = fakeredis.FakeAsyncRedis(
            server=fakeredis.FakeServer(), encoding_errors="replace"
        )
        self.store = RedisStore(self.redis, Calls("fakeredis", 60.0))
        self.came = 0
        ports = Ports(
            cluster=self.cluster,
            registry=self.registry,
            probe=PlayedProbe(self.cluster),
            store=self.store,
            sink=Ear(),
            witness=BlindWitness(),
            clock=self.clock,
            random=Random(2),
        )
        options = EngineOptions(cluster="played", poll_interval=HOUR, probe_interval=HOUR, settle=0)
        self.engine = Engine(ports, options)
        self.outside = {id(each) for each in vars(ports).values()}

    async def round(self) -> None:
        """Some come, their runs begin, and they go for good."""
        for _ in range(AT_ONCE):
            self.came += 1
            name, letter = f"d{self.came}", f"{self.came:04x}"
            build = f"sha256:{letter}{'0' * 60}"
            self.cluster.tags[name] = build
            self.registry.publish(
                REPOSITORY, name, f"sha256:{letter}{'f' * 60}", {Platform(): build}
            )
            found = deployment(name, image=bare(name), uid=f"uid-{name}")
            found = with_annotations(found, series=f"s{self.came}", soak="1h")
            self.cluster.change(found.metadata.key, found)
        await self.pass_time(2)
        records = [record_of(found) for found in self.cluster.deployments.values()]
        assert all(isinstance(record, Record) and record.last_run for record in records)
        for key in list(self.cluster.deployments):
            self.cluster.delete(key)
            self.cluster.nodes.pop(key)
            self.cluster.volumes.pop(key)
        await self.pass_time(1)

    async def pass_time(self, hours: float) -> None:
        for _ in range(round(4 * hours)):
            self.cluster.tick()
            await self.clock.advance(HOUR / 4)

    async def keys(self) -> Counter[str]:
        """How many there are of each kind."""
        kinds: Counter[str] = Counter()
        async for key in self.redis.scan_iter("*"):
            kinds[key.decode().split(":")[1]] += 1
        return kinds


@pytest.fixture
async def town() -> Any:
    town = Town()
    task = asyncio.create_task(town.engine.run())
    await town.pass_time(0.25)
    yield town
    task.cancel()
    await asyncio.wait({task})
    await town.store.close()


async def test_nothing_is_kept_of_what_is_gone(town: Town) -> None:
    """Dozens of Deployments have come and gone, with their targets, tags and builds: does any
    collection of the engine hold more than after the first ones?
    """
    await town.round()
    before = sizes(town.engine, town.outside)
    assert len(before) > 20
    for _ in range(3):
        await town.round()
    assert grown(before, sizes(town.engine, town.outside)) == {}


async def test_redis_keeps_what_is_for_ever_and_nothing_else(town: Town) -> None:
    """The same, and `store gc` a month later: which keys are left?"""
    for _ in range(2):
        await town.round()
    kinds = await town.keys()
    assert kinds["deployment"] == kinds["tag"] == kinds["claims"] == town.came
    now = town.clock.now().timestamp() + 31 * 24 * HOUR
    async for some in town.store.leftovers(now=now):
        copies = [each for each in some if each.kind in (Kind.COPY, Kind.TAG)]
        assert len(await town.store.clear(some, evidence_seconds=HOUR)) == len(some) == len(copies)
    kinds = await town.keys()
    left = {kind for kind in kinds if kind not in FOR_EVER}
    assert left <= {"run", "evidence"}
    async for key in town.redis.scan_iter("*"):
        if key.decode().split(":")[1] in left:
            assert await town.redis.ttl(key) > 0
    assert await town.redis.scard("bootstrap:deployments") == 0
    assert await town.redis.hlen("bootstrap:pending") == 0
