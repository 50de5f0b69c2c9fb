"""Sweeps a store in Redis: one SCAN over its keys, and scripts that remove only what still stands
as it was found.
"""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from store import limits
from store.api import StoreMisused
from store.leftovers import TAG_IDLE_SECONDS, Kind, Leftover
from store.redis import scripts
from store.redis.errors import Calls
from store.redis.keys import RedisKeys, text

# What else is below our prefix is another's, whose own prefix may begin as ours does.
_RUN = re.compile(r"\d{8}t\d{6}z-[0-9a-f]{8}")

_COUNT = 200  # keys that one SCAN looks at, about: some milliseconds of the server's time

# KEYS copy of the record, names of all Deployments, pending, then the claims of a target for each
#      claim that the record proves
# ARGV name, the record as it was found, then the build of each of those claims
CLEAR_COPY = """
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end
if (redis.call('HGET', KEYS[1], 'record') or '') ~= ARGV[2] then return 0 end
for i = 4, #KEYS do
  if redis.call('HEXISTS', KEYS[i], ARGV[i - 1]) == 0 then return 0 end
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
"""

# KEYS tag
# ARGV its time as it was found
CLEAR_TAG = """
if redis.call('HEXISTS', KEYS[1], 'digest') == 0 then return 0 end
if (redis.call('HGET', KEYS[1], 'at') or '') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

# KEYS transition, the history of all, that of its target
# ARGV id, target
CLEAR_TRANSITION = """
if redis.call('HEXISTS', KEYS[1], 'body') == 0 then return 0 end
if (redis.call('HGET', KEYS[1], 'target') or '') ~= ARGV[2] then return 0 end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) or redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end
return redis.call('DEL', KEYS[1])
"""

# KEYS run or evidence
# ARGV seconds
GIVE_AN_END = """
if redis.call('TTL', KEYS[1]) ~= -1 then return 0 end
return redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class RedisLeftovers:
    """Answers as `Sweeper` owes it."""

    def __init__(self, redis: Any, calls: Calls, keys: RedisKeys) -> None:
        self._redis = redis
        self._calls = calls
        self._keys = keys

    async def find(self, now: float) -> AsyncIterator[list[Leftover]]:
        cursor, met, named = 0, set[str](), set[str]()
        while True:
            scan = self._redis.scan(cursor, match=f"{self._keys.prefix}:*", count=_COUNT)
            cursor, raw = await self._calls.run(scan)
            fresh = [key for key in map(text, raw) if key not in met]  # SCAN may give a key twice
            met.update(fresh)
            found = await self._calls.run(self._look(fresh, now))
            named.update(each.name for each in found if each.kind is Kind.COPY)
            yield found
            if not cursor:
                break
        members = await self._calls.run(self._redis.smembers(self._keys.deployments))
        yield [Leftover(Kind.COPY, name, "") for name in sorted({*map(text, members)} - named)]

    async def _look(self, keys: Sequence[str], now: float) -> list[Leftover]:
        """Of these keys, what nothing needs."""
        placed = [place for place in map(self._place, keys) if place is not None]
        async with self._redis.pipeline(transaction=False) as pipe:
            for kind, _, key in placed:
                if kind in (Kind.RUN, Kind.EVIDENCE):
                    pipe.ttl(key)
                else:
                    pipe.hget(key, _STAMPS[kind])
            answers = await pipe.execute(raise_on_error=False)
        found = []
        for (kind, name, key), answer in zip(placed, answers, strict=True):
            if isinstance(answer, Exception):
                continue  # a key of another hand
            if kind in (Kind.RUN, Kind.EVIDENCE):
                if answer == -1:
                    found.append((key, Leftover(kind, name, "")))
                continue
            stamp = text(answer) if answer is not None else ""
            if kind is Kind.TAG and not _idle(stamp, now):
                continue
            found.append((key, Leftover(kind, name, stamp)))
        lost = await self._in_no_history([each for _, each in found])
        return await self._sized([(key, each) for key, each in found if each in lost])

    async def _in_no_history(self, found: Sequence[Leftover]) -> set[Leftover]:
        """All that are found, but for transitions that a history has."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for each in found:
                if each.kind is Kind.TRANSITION:
                    pipe.zscore(self._keys.history(None), each.name)
                    pipe.zscore(self._history_of(each), each.name)
            scores = iter(await pipe.execute(raise_on_error=False))
        return {
            each
            for each in found
            if each.kind is not Kind.TRANSITION or (next(scores), next(scores)) == (None, None)
        }

    async def _sized(self, found: Sequence[tuple[str, Leftover]]) -> list[Leftover]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for key, _ in found:
                pipe.memory_usage(key)
            sizes = await pipe.execute(raise_on_error=False)  # not every server knows the command
        return [
            Leftover(each.kind, each.name, each.stamp, size if isinstance(size, int) else None)
            for (_, each), size in zip(found, sizes, strict=True)
        ]

    def _place(self, key: str) -> tuple[Kind, str, str] | None:
        """Kind, name and key; None for what is never swept, and for what is not ours."""
        word, _, rest = key.removeprefix(f"{self._keys.prefix}:").partition(":")
        kind = _KINDS.get(word)
        if kind is None or not rest:
            return None
        if kind in (Kind.RUN, Kind.EVIDENCE):
            target, _, run = rest.partition(":")
            return (kind, f"{target}/{run}", key) if _RUN.fullmatch(run) else None
        if kind is not Kind.TAG and ":" in rest:
            return None
        return kind, rest, key

    def _history_of(self, transition: Leftover) -> str:
        try:
            return self._keys.history(transition.stamp)
        except StoreMisused:  # no target that can be: it has no history
            return self._keys.history("")

    async def clear(self, found: Sequence[Leftover], evidence_seconds: float) -> list[Leftover]:
        return [each for each in found if await self._cleared(each, evidence_seconds)]

    async def _cleared(self, each: Leftover, evidence_seconds: float) -> bool:
        script, keys, values = self._clearing(each, evidence_seconds)
        return bool(await self._calls.run(scripts.run(self._redis, script, keys, *values)))

    def _clearing(self, each: Leftover, seconds: float) -> tuple[str, list[str], list[str]]:
        """Script, KEYS and ARGV. seconds: for which evidence is kept."""
        keys, named = self._keys, f"{self._keys.prefix}:{each.kind}:"
        match each.kind:
            case Kind.COPY:
                places = [keys.deployment(each.name), keys.deployments, keys.pending]
                places += [keys.claims(target) for target, _ in each.proves]
                builds = [build for _, build in each.proves]
                return CLEAR_COPY, places, [each.name, each.stamp, *builds]
            case Kind.TAG:
                return CLEAR_TAG, [named + each.name], [each.stamp]
            case Kind.TRANSITION:
                places = [named + each.name, keys.history(None), self._history_of(each)]
                return CLEAR_TRANSITION, places, [each.name, each.stamp]
            case Kind.RUN:
                seconds = limits.RUN_KEEP_SECONDS
        return GIVE_AN_END, [named + each.name.replace("/", ":", 1)], [str(int(seconds))]


_KINDS = {
    "deployment": Kind.COPY,
    "tag": Kind.TAG,
    "transition": Kind.TRANSITION,
    "run": Kind.RUN,
    "evidence": Kind.EVIDENCE,
}
_STAMPS = {Kind.COPY: "record", Kind.TAG: "at", Kind.TRANSITION: "target"}


def _idle(at: str, now: float) -> bool:
    """Whether the registry last answered for the tag so long ago. One that never did is left: who
    follows it would only write it anew.
    """
    try:
        told = datetime.fromisoformat(at)
    except ValueError:
        return False
    return told.tzinfo is not None and now - told.timestamp() > TAG_IDLE_SECONDS
