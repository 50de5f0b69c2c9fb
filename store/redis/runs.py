"""Runs and seen builds in Redis: a hash for each run, which expires, and for each target a sorted
set of the builds that its tag pointed to, by the time of the first look.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from store import limits
from store.api import SeenBuild
from store.redis import scripts
from store.redis.errors import Calls, unless_another_type
from store.redis.keys import RedisKeys, text, texts


class RedisRuns:
    """seen_bound: builds that each target remembers."""

    def __init__(self, redis: Any, calls: Calls, keys: RedisKeys, seen_bound: int) -> None:
        self._redis = redis
        self._calls = calls
        self._keys = keys
        self._seen_bound = seen_bound

    async def put(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        key = self._keys.run(target, run)
        if fields:
            await self._calls.run(self._put(key, fields), key)

    async def _put(self, key: str, fields: Mapping[str, str]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=dict(fields))
            pipe.expire(key, int(limits.RUN_KEEP_SECONDS))
            await pipe.execute()

    async def many(
        self, target: str, runs: Sequence[str], only: Sequence[str]
    ) -> list[dict[str, str]]:
        limits.check_target(target)
        keys = [self._keys.run(target, run) for run in limits.check_runs(runs)]
        return await self._calls.run(self._some(keys, only) if only else self._hashes(keys))

    async def _hashes(self, keys: Sequence[str]) -> list[dict[str, str]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            answers = await pipe.execute(raise_on_error=False)
        return [texts(raw or {}) for raw in map(unless_another_type, answers)]

    async def _some(self, keys: Sequence[str], only: Sequence[str]) -> list[dict[str, str]]:
        answers = await scripts.run(self._redis, scripts.FIELDS, list(keys), *only)
        return [
            {name: text(raw) for name, raw in zip(only, values, strict=False) if raw is not None}
            for values in answers
        ]

    async def note_seen(self, target: str, build: str, at: float) -> None:
        key = self._keys.seen(target)
        await self._calls.run(self._note_seen(key, build, limits.check_time(at, build)), key)

    async def _note_seen(self, key: str, build: str, at: float) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(key, {build: at}, nx=True)
            pipe.zremrangebyrank(key, 0, -self._seen_bound - 1)
            await pipe.execute()

    async def seen_builds(self, target: str) -> list[SeenBuild]:
        key = self._keys.seen(target)
        found = await self._calls.run(self._redis.zrevrange(key, 0, -1, withscores=True), key)
        return [SeenBuild(text(build), float(at)) for build, at in found]
