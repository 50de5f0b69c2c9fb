"""All Deployments change at once, and then ten times as many events come while reconciles run: over
HTTP from another process, through informer, cache, queue and workers of the real engine.
"""

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import aiohttp
import orjson
from loguru import logger

from controller.base.clock import SystemClock
from controller.engine.engine import Engine, EngineOptions
from controller.kube.api.client import KubeClient
from controller.kube.cluster import KubeCluster, Watching
from controller.kube.login.credentials import Endpoint
from controller.process.long_lived import left_alone
from store.memory import MemoryStore
from tests.bench.crowd import Crowd, ports_of
from tests.bench.figure import Figure, Scale, at_most
from tests.bench.held_loop import HeldLoop, held_loop
from tests.bench.population import NAMESPACE, Population, population
from tests.bench.storm_server import NOW
from tests.engine_fakes import FakeRegistry
from tests.machine_engine import Ear

_LONGEST = 600.0  # seconds for all of it


async def measure(scale: Scale) -> Sequence[Figure]:
    logger.remove()
    count, events = scale.pick(10_000, 300), scale.pick(100_000, 3000)
    command = [sys.executable, "-m", "tests.bench.storm_server", str(count)]
    server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().strip()
        async with asyncio.timeout(_LONGEST):
            return await _storms(url, count, events)
    finally:
        server.kill()
        await server.wait()


async def _storms(url: str, count: int, events: int) -> Sequence[Figure]:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stack.enter_context(left_alone(clock))
        client = await stack.enter_async_context(KubeClient(_Nobody(url), clock))
        session = await stack.enter_async_context(aiohttp.ClientSession(url))
        cluster = KubeCluster(client, Watching((NAMESPACE,)), clock, Random(1))
        engine, seen = await _engine(cluster, clock, count)
        gc.collect()  # what was made to measure with is looked through now
        informing = asyncio.create_task(cluster.run())
        await cluster.wait_synced(60)
        life = asyncio.create_task(engine.run())
        try:
            await _until_quiet(engine)
            async with held_loop() as held:
                first = await _storm(session, engine, seen, count)
            before = _resident()
            looked = seen.looks
            async with held_loop() as held_later:
                second = await _storm(session, engine, seen, events)
            grown = 100 * (_resident() - before) / before
        finally:
            engine.stop()
            await asyncio.wait({life})
            informing.cancel()
            await asyncio.wait({informing})
    return [
        Figure("Deployments whose last state no reconcile saw", first.lost + second.lost, "",
               at_most(0)),
        *_held(held, held_later),
        Figure("resident memory that the events left behind", grown, "%", at_most(5),
               note=f"of {before / 2**20:.0f} MB before them"),
        Figure(f"{count:,} that change at once, until all are reconciled", first.seconds, "s"),
        Figure(f"{events:,} events, until all are reconciled", second.seconds, "s",
               beside={"reconciles": seen.looks - looked}),
    ]  # fmt: skip


def _held(*held: HeldLoop) -> list[Figure]:
    names = "while all change at once", "while events come"
    return [
        Figure(
            f"longest that the loop was held, {name}",
            1000 * each.longest,
            "ms",
            at_most(50),
            {"by the wall": 1000 * each.longest_wall},
            note="CPU of one callback: on a busy machine the wall counts what others do",
        )
        for name, each in zip(names, held, strict=True)
    ]


@dataclass(frozen=True)
class _Storm:
    seconds: float
    lost: int  # Deployments whose last version no reconcile saw


class _Seen:
    """The version of each Deployment that its last reconcile began with."""

    def __init__(self, cluster: KubeCluster) -> None:
        self.versions: dict[str, str] = {}
        self.looks = 0
        self._cluster = cluster

    def note(self, key: str) -> None:
        self.looks += 1
        deployment = self._cluster.deployment(key)
        if deployment is not None:
            self.versions[key] = deployment.metadata.resource_version


async def _engine(cluster: KubeCluster, clock: SystemClock, count: int) -> tuple[Engine, _Seen]:
    people = await population(count, "at rest", NOW)
    nobody = Crowd(Population())
    registry, store = FakeRegistry(clock), MemoryStore(monotonic=clock.monotonic)
    people.publish(registry)
    await people.fill(store)
    ports = replace(ports_of(nobody, registry, store, clock, Ear()), cluster=cluster)
    engine, seen = Engine(ports, EngineOptions(cluster=("bench",))), _Seen(cluster)
    reconcile = engine._reconciler.reconcile

    async def noting(key: str) -> float | None:
        seen.note(key)
        return await reconcile(key)

    engine._reconciler.reconcile = noting  # type: ignore[method-assign]
    return engine, seen


async def _storm(
    session: aiohttp.ClientSession, engine: Engine, seen: _Seen, events: int
) -> _Storm:
    began = time.perf_counter()
    async with session.post(f"/storm/{events}", timeout=aiohttp.ClientTimeout(_LONGEST)) as reply:
        last = await reply.json(loads=orjson.loads)
    # The answer may be here before the last events are
    for _ in range(20):
        await _until_quiet(engine)
        lost = sum(seen.versions.get(f"{NAMESPACE}/{name}") != at for name, at in last.items())
        if not lost:
            break
        await asyncio.sleep(0.1)
    return _Storm(time.perf_counter() - began, lost)


async def _until_quiet(engine: Engine) -> None:
    """Nothing waits in the queue, twice in a row."""
    for _ in range(2):
        while engine.queue.depth:  # noqa: ASYNC110 a queue tells nobody that it is empty
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.02)


def _resident() -> int:
    """Bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class _Nobody:
    """Credentials of nobody, over plain HTTP."""

    namespace = NAMESPACE

    def __init__(self, url: str) -> None:
        self.endpoint = Endpoint(url)

    async def authorization(self) -> str | None:
        return None

    async def renew(self, used: str | None) -> bool:
        return False
