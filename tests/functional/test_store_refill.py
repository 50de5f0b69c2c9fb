"""A refill of more claims than one script may add: real redis-server, and what happens between two
steps of it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from store import Claim, Meta, StateStore, StoreForgot, StoreUnavailable
from store.redis.errors import Calls
from store.redis.opening import open_redis
from store.redis.store import RedisStore
from tests.redis_servers import RedisServer

META = Meta(schema=1, epoch="first", grants=0, cluster="c1")
OURS = replace(META, epoch="ours")
# Of one target each: three steps, the last of which is short
MANY = [Claim("fuji-full-sync", f"sha256:{n:064x}", f"run-{n}", "ns/a") for n in range(1200)]
THEIRS = [Claim("fuji-full-sync", f"sha256:b{n:063x}", f"run-{n}", "ns/b") for n in range(1200)]
WANTED = Claim(MANY[-1].target, MANY[-1].build, "another-run", "ns/c")

Between = Callable[[int], Awaitable[None]]


class Interrupted(Redis):
    """before: is told the number of each script that is about to be sent."""

    def __init__(self, server: RedisServer, before: Between) -> None:
        super().__init__(port=server.port, encoding_errors="replace", protocol=2)
        self._before = before
        self._scripts = 0

    async def eval(self, *args: Any) -> Any:
        self._scripts += 1
        await self._before(self._scripts)
        return await super().eval(*args)


@pytest.fixture
async def other(redis: RedisServer) -> AsyncIterator[StateStore]:
    """Another user of the same memory."""
    store = open_redis(redis.url)
    yield store
    await store.close()


async def refilled(
    redis: RedisServer, before: Between, meta: Meta, instead_of: str | None = None
) -> Meta:
    """What stands after a refill with MANY, of which each step is told first."""
    store = RedisStore(Interrupted(redis, before), Calls("redis", 5.0))
    try:
        return await store.refill(meta, MANY, instead_of=instead_of)
    finally:
        await store.close()


async def test_a_hundred_thousand_claims(redis: RedisServer, other: StateStore) -> None:
    """Is a store that has as many claims opened in many short scripts instead of a long one?"""
    many = [Claim(f"t-{n % 200}", f"sha256:{n:064x}", f"run-{n}", "ns/a") for n in range(100_000)]
    assert await other.refill(META, many) == META
    stats: Any = redis.admin.info("commandstats")
    assert stats["cmdstat_hsetnx"]["calls"] == 100_000
    assert stats["cmdstat_eval"]["calls"] == 200
    assert sum(redis.admin.hlen(f"bootstrap:claims:t-{n}") for n in range(200)) == 100_000
    assert 0 < redis.admin.ttl("bootstrap:refill:first") <= 600


async def test_nobody_claims_before_the_last_step(redis: RedisServer, other: StateStore) -> None:
    """Is an empty store nobody's to claim from until all claims are there, by whatever epoch?"""
    refused = 0

    async def claims(step: int) -> None:
        nonlocal refused
        for epoch in ("first", "", "ours"):
            with pytest.raises(StoreForgot):
                await other.claim(WANTED, epoch=epoch, seen_grants=0)
            refused += 1

    assert await refilled(redis, claims, OURS) == OURS
    assert refused == 9
    assert await other.claim(WANTED, epoch="ours", seen_grants=0) == (MANY[-1], 0)


async def test_an_epoch_that_was_rolled_back_goes_first(
    redis: RedisServer, other: StateStore
) -> None:
    """May nobody claim by an epoch that is being replaced, from the first step on?"""
    await other.refill(META, [])
    refused = 0

    async def claims(step: int) -> None:
        nonlocal refused
        if step > 1:
            with pytest.raises(StoreForgot):
                await other.claim(WANTED, epoch="first", seen_grants=0)
            refused += 1

    assert await refilled(redis, claims, OURS, "first") == OURS
    assert refused == 2


@pytest.mark.parametrize("step", [2, 3])
async def test_a_store_that_is_emptied_meanwhile(
    redis: RedisServer, other: StateStore, step: int
) -> None:
    """Is a flush between two steps noticed, nobody let in, and all brought by the next refill?"""

    async def flush(at: int) -> None:
        if at == step:
            redis.admin.flushall()

    with pytest.raises(StoreUnavailable, match="while it was refilled"):
        await refilled(redis, flush, OURS)
    assert await other.meta() is None
    await other.refill(META, MANY)
    assert len(await other.claims_of("fuji-full-sync")) == len(MANY)


async def test_a_store_that_was_emptied_and_begun_by_another(
    redis: RedisServer, other: StateStore
) -> None:
    """Does a refill not join an epoch that was begun without its first claims?"""

    async def begins(at: int) -> None:
        if at == 3:
            redis.admin.flushall()
            await other.refill(META, THEIRS)

    with pytest.raises(StoreUnavailable):
        await refilled(redis, begins, OURS)
    assert await other.meta() == META


async def test_a_crash_between_two_steps(redis: RedisServer, other: StateStore) -> None:
    """Does whoever comes next find a store that has begun no epoch, and fill the rest?"""

    async def dies(at: int) -> None:
        if at == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await refilled(redis, dies, OURS)
    assert len(await other.claims_of("fuji-full-sync")) == 1000
    assert await other.meta() is None
    assert await other.refill(META, MANY) == META
    assert await other.claims_of("fuji-full-sync") == sorted(
        MANY, key=lambda claim: (claim.run, claim.build)
    )


async def test_two_at_once(redis: RedisServer, other: StateStore) -> None:
    """Do two that refill at the same time end in one epoch, with the claims of both?"""

    async def goes_on(step: int) -> None:
        await asyncio.sleep(0)

    one, two = await asyncio.gather(
        refilled(redis, goes_on, OURS), other.refill(META, [*THEIRS, *MANY])
    )
    assert one == two == await other.meta()
    assert len(await other.claims_of("fuji-full-sync")) == len(MANY) + len(THEIRS)
