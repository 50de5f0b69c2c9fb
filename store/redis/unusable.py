"""What in Redis cannot be used, as somebody else has written there: which key it is, and the line
that mends it.

A key of another type than it should have concerns what it is of: a target, a Deployment, a run.
Only `meta` concerns all.
"""

from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoPermissionError

from store.api import StoreError, StoreItemUnusable, StoreMisused
from store.redis import scripts
from store.redis.keys import RedisKeys, decode_claim, decode_pending, redis_cli, text
from store.redis.layout import LAYOUT

_TYPES = {name.partition(":")[0]: kind for name, kind, _ in LAYOUT}
_AS_REDIS_SAYS = {"sorted set": "zset"}
_COUNT = 500  # keys that one SCAN looks at, about: some milliseconds of the server's time
_MOST_KEYS = 50_000  # that one search looks through: a second or so of a near server
_MOST_TOLD = 20


class RedisUnusable:
    """Raises what redis-py raises: its callers have the time limit, and translate."""

    def __init__(self, redis: Any, place: str, keys: RedisKeys) -> None:
        self._redis = redis
        self._place = place
        self._keys = keys

    async def error(self, keys: Sequence[str]) -> StoreError | None:
        """The one that names the first of these keys that holds another type than it should; None
        where all are as they should be by now.
        """
        for key, sentence in await self._wrong(keys):
            whole = self._keys.kind(key) == "meta"
            return (StoreMisused if whole else StoreItemUnusable)(f"{self._place}: {sentence}")
        return None

    async def search(self) -> list[str]:
        """A sentence for each thing that cannot be used, as far as one may look."""
        found: list[str] = []
        cursor, looked = 0, 0
        while len(found) < _MOST_TOLD and looked < _MOST_KEYS:
            scan = self._redis.scan(cursor, match=f"{self._keys.prefix}:*", count=_COUNT)
            try:
                cursor, raw = await scan
            except NoPermissionError:
                break
            keys = [key for key in map(text, raw) if self._keys.kind(key) in _TYPES]
            wrong = dict(await self._wrong(keys))
            found += wrong.values()
            for key in keys:
                if key not in wrong and self._keys.kind(key) in ("claims", "pending"):
                    found += await self._unreadable(key)
            looked += len(keys)
            if not cursor:
                break
        return [f"{self._place}: {sentence}" for sentence in dict.fromkeys(found[:_MOST_TOLD])]

    async def _wrong(self, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Those of another type, each with its sentence."""
        types = map(text, await scripts.run(self._redis, scripts.TYPES, list(keys)))
        return [
            (key, self._sentence(key, is_of, should))
            for key, is_of in zip(keys, types, strict=True)
            if (should := _TYPES.get(self._keys.kind(key), ""))
            and is_of not in ("none", _AS_REDIS_SAYS.get(should, should))
        ]

    def _sentence(self, key: str, is_of: str, should: str) -> str:
        """Of claims `meta` goes too: without it all who use the store bring theirs again before any
        of them is granted one.
        """
        also = (self._keys.meta,) if self._keys.kind(key) == "claims" else ()
        return (
            f"key {key} is a {is_of} and should be a {should}, somebody else has written it:"
            f" {redis_cli('DEL', key, *also)} has it made anew"
        )

    async def _unreadable(self, key: str) -> list[str]:
        """Of the values of a hash of claims."""
        found, cursor = [], 0
        while True:
            cursor, values = await self._redis.hscan(key, cursor, count=_COUNT)
            found += [why for name, raw in values.items() if (why := self._why(key, name, raw))]
            if not cursor or len(found) >= _MOST_TOLD:
                return found

    def _why(self, key: str, name: bytes, raw: bytes) -> str:
        """Empty for what can be read."""
        if self._keys.kind(key) == "claims":
            target = key.removeprefix(f"{self._keys.prefix}:claims:")
            return decode_claim(target, text(name), raw, key).unreadable
        try:
            decode_pending(text(name), raw, key)
        except StoreItemUnusable as error:
            return str(error)
        return ""
