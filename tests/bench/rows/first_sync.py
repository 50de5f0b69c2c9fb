"""The first sync: 10,000 Deployments, Pods and Services, in pages of 500, from a server in another
process, until all three caches are synced. Beside it a bare fetch (aiohttp) and `orjson.loads` of
the same pages, one after the other, whose objects are kept; in turn with ours.
"""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from statistics import median

import aiohttp
import orjson

from controller.base.clock import SystemClock
from controller.kube.cluster import KubeCluster, Watching
from controller.process.long_lived import left_alone
from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.held_loop import held_loop
from tests.bench.replaying import client_of, replay_server

_KINDS = ("/apis/apps/v1/namespaces/bench/deployments", "/api/v1/namespaces/bench/pods",
          "/api/v1/namespaces/bench/services")  # fmt: skip


async def measure(scale: Scale) -> Sequence[Figure]:
    count = scale.pick(10_000, 1_000)
    ours, bare, blocked = [], [], []
    with replay_server(count) as url:
        for _ in range(scale.pick(5, 1)):
            begin = time.perf_counter()
            await _bare(url)
            bare.append(time.perf_counter() - begin)
            with left_alone(SystemClock()):
                async with held_loop() as held:
                    begin = time.perf_counter()
                    await synced(url, count)
                    ours.append(time.perf_counter() - begin)
                blocked.append(held.longest_wall)
    goal = at_most(1.3 * median(bare), "1.3 times the bare fetch")
    what = f"{3 * count:,} objects in pages of 500"
    return (
        of_rounds(what, ours, "s", goal, {"aiohttp and orjson.loads": median(bare)}),
        of_rounds("the loop's longest step meanwhile", [1000 * each for each in blocked], "ms"),
    )


async def synced(url: str, count: int) -> KubeCluster:
    """A cluster whose caches hold all; it hears nothing more."""
    clock, random = SystemClock(), Random(1)
    async with client_of(url) as client:
        cluster = KubeCluster(client, Watching(("bench",)), clock, random)
        running = asyncio.create_task(cluster.run())
        await cluster.wait_synced(120)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if len(cluster.keys()) != count or not cluster.pods(cluster.keys()[-1]):
        raise RuntimeError(f"{len(cluster.keys())} Deployments are known, of {count}")
    return cluster


async def _bare(url: str) -> None:
    kept = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        for path in _KINDS:
            token = "0"
            while token:
                query = f"?limit=500&continue={token}"
                async with session.get(url + path + query) as response:
                    page = orjson.loads(await response.read())
                kept.extend(page["items"])
                token = page["metadata"].get("continue", "")
