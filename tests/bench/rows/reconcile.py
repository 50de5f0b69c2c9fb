"""A look at a Deployment in which nothing changed: the real engine in this process, its key put
into the queue as the resync does, till a worker is done with it. CPU time of all that runs for it.
"""

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from store.opening import open_store
from tests.bench.figure import Figure, Scale, at_most, of_rounds
from tests.bench.population import population
from tests.bench.resting_engine import Resting, log_as_in_production, resting
from tests.fakes import EPOCH

ROUNDS = 5
RESYNC = 300.0  # seconds, the default
EACH = at_most(0.2)
QUIET = 1.0  # seconds


async def measure(scale: Scale) -> Sequence[Figure]:
    log_as_in_production()
    count = scale.pick(1000, 100)
    rest = await population(count, "at rest", EPOCH)
    open_ = await population(count, "open run", EPOCH, first=count)
    numbers = f"{count:,}"
    async with resting(rest) as it:
        figures = [of_rounds(f"of {numbers} at rest", await _rounds(it), "ms", EACH)]
    async with resting(open_) as it:
        figures.append(of_rounds(f"of {numbers} with open runs", await _rounds(it), "ms", EACH))
    if scale.redis:
        # Fewer, and fewer tags: an answer for each of 2,000 takes Redis longer than they are quiet.
        count = scale.pick(200, 100)
        rest = await population(count, "at rest", EPOCH, tags=count // 10)
        rest.add(await population(count, "open run", EPOCH, first=count, tags=count // 10))
        store = await open_store(scale.redis)
        async with Redis.from_url(scale.redis) as redis, resting(rest, store) as it:
            before = await _when_quiet(redis)
            rounds = await _rounds(it)
            commands = await _commands(redis) - before - 1
            each = commands / (ROUNDS * len(rest.deployments))
        await store.close()
        figures.append(of_rounds(f"of {count} at rest and {count} open, on Redis", rounds, "ms"))
        figures.append(Figure("commands to Redis a look", each, ""))
    figures.append(await _share(scale.pick(10_000, 200)))
    return figures


async def _share(count: int) -> Figure:
    """Of a core, which looking at all of them takes once in each resync."""
    people = await population(count, "at rest", EPOCH, tags=count // 10)
    async with resting(people) as it:
        percent = [100.0 * ms / 1e3 * count / RESYNC for ms in await _rounds(it)]
    what = f"{count:,} at rest, at the default resync"
    return of_rounds(what, percent, "% of a core", at_most(2.0))


async def _rounds(it: Resting) -> list[float]:
    """Milliseconds a look, one for each round."""
    keys = it.crowd.keys()
    return [1e3 * await it.resynced(keys) for _ in range(ROUNDS)]


async def _when_quiet(redis: Redis) -> int:
    """Commands until then: evidence of what ended before is gathered in the background at first."""
    before = -1
    while (count := await _commands(redis)) > before + 1:
        before = count
        await asyncio.sleep(QUIET)
    return count


async def _commands(redis: Redis) -> int:
    found = await redis.info("stats")
    return int(found["total_commands_processed"])
