"""History in Redis: sorted sets of ids by time, and a hash with the target and body of each.

A member is the id, so it is unique whatever its body says, and readable as it is; one
`SORT ... BY nosort GET` prints the bodies (docs/redis.md).
"""

from collections.abc import Sequence
from typing import Any

from store.api import Place, Transition
from store.limits import check_transitions
from store.redis import scripts
from store.redis.errors import Calls, unless_another_type
from store.redis.keys import RedisKeys, text

# Transitions in one script or one reading: at 64 KiB each 6 MiB, which any server takes.
_CHUNK = 100


class RedisHistory:
    """The history of all targets and of each, each bounded to its newest `bound` transitions."""

    def __init__(self, redis: Any, calls: Calls, keys: RedisKeys, bound: int) -> None:
        self._redis = redis
        self._calls = calls
        self._keys = keys
        self._bound = bound

    async def append(self, transitions: Sequence[Transition]) -> None:
        check_transitions(transitions)
        keys = [self._keys.history(target) for target in {None, *(t.target for t in transitions)}]
        keys += [self._keys.transition(each.id) for each in transitions]
        await self._calls.run(self._append(transitions), *keys)

    async def _append(self, transitions: Sequence[Transition]) -> None:
        for start in range(0, len(transitions), _CHUNK):
            keys, values = [self._keys.history(None)], list[str | bytes]()
            for transition in transitions[start : start + _CHUNK]:
                keys += [
                    self._keys.transition(transition.id),
                    self._keys.history(transition.target),
                ]
                values += [transition.id, repr(float(transition.at))]
                values += [transition.target, transition.body]
            await scripts.run(self._redis, scripts.APPEND, keys, *values)
        for target in sorted({transition.target for transition in transitions}):
            await self._trim(target)

    async def _trim(self, target: str) -> None:
        """Whatever leaves a target's history has left that of all targets before (the bounds are
        the same), so that its body can go. By name: taking ranks again would take more.
        """
        own = self._keys.history(target)
        await self._redis.zremrangebyrank(self._keys.history(None), 0, -self._bound - 1)
        old = await self._redis.zrange(own, 0, -self._bound - 1)
        for start in range(0, len(old), _CHUNK):
            names = old[start : start + _CHUNK]
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrem(own, *names)
                pipe.delete(*(self._keys.transition(text(identity)) for identity in names))
                await pipe.execute()

    async def places(self, target: str | None, limit: int, before: float | None) -> list[Place]:
        """A sorted set alone is read: one command, and nothing for each."""
        key = self._keys.history(target)
        latest = "+inf" if before is None else f"({before!r}"
        # ZREVRANGEBYSCORE and not ZRANGE ... REV, which servers know since 6.2 only.
        asked = self._redis.zrevrangebyscore(
            key, latest, "-inf", start=0, num=max(0, limit), withscores=True
        )
        return [Place(text(name), float(at)) for name, at in await self._calls.run(asked, key)]

    async def read(self, target: str | None, places: Sequence[Place]) -> list[Transition]:
        key = self._keys.history(target)
        return await self._calls.run(self._read(target or "", places), key)

    async def _read(self, of: str, places: Sequence[Place]) -> list[Transition]:
        transitions = []
        for start in range(0, len(places), _CHUNK):
            some = places[start : start + _CHUNK]
            async with self._redis.pipeline(transaction=False) as pipe:
                for place in some:
                    pipe.hmget(self._keys.transition(place.id), "target", "body")
                hashes = await pipe.execute(raise_on_error=False)
            for place, answer in zip(some, hashes, strict=True):
                # A line that cannot be read is one all the same.
                target, body = unless_another_type(answer) or (of.encode(), b"")
                if body is not None:  # None: another controller has trimmed it since
                    transitions.append(Transition(place.id, text(target or b""), place.at, body))
        return transitions
