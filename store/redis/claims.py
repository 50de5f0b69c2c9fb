"""Claims in Redis: for each target a hash of them by build, one hash of what is pending by owner,
and `meta`, which says who may claim. What must be atomic is in `scripts`.
"""

from collections.abc import Iterable, Sequence, Sized
from itertools import islice
from typing import Any

from store import limits
from store.api import SCHEMA, Claim, Meta, StoreForgot, StoreUnavailable
from store.redis import scripts
from store.redis.errors import Calls
from store.redis.keys import (
    RedisKeys,
    decode_claim,
    decode_meta,
    decode_pending,
    encode_claim,
    encode_claim_start,
    encode_pending,
    encode_pending_end,
    newer_schema,
    text,
    texts,
)

# Claims that one script of a refill adds: 1.4 ms of the server's time, in which it answers nobody
# else. All at once, a hundred thousand took 270 ms, and 350,000 are more than a request may hold.
_STEP = 500


class RedisClaims:
    """Answers as StateStore owes it, method by method."""

    def __init__(self, redis: Any, calls: Calls, keys: RedisKeys) -> None:
        self._redis = redis
        self._calls = calls
        self._keys = keys

    async def meta(self) -> Meta | None:
        key = self._keys.meta
        return decode_meta(texts(await self._calls.run(self._redis.hgetall(key), key)), key)

    async def refill(self, meta: Meta, claims: Iterable[Claim], instead_of: str | None) -> Meta:
        claims = claims if isinstance(claims, Sized) else list(claims)
        steps, rest = max(1, -(-len(claims) // _STEP)), iter(claims)
        fixed: list[str | int] = [SCHEMA, meta.epoch, meta.cluster, instead_of or ""]
        standing, grants = b"", 0
        for number in range(1, steps + 1):
            keys, values = self._refilling(meta.epoch, list(islice(rest, _STEP)))
            verdict, standing, grants = await self._script(
                scripts.REFILL, keys, *fixed, number, steps, *values
            )
            if verdict == b"schema":
                raise newer_schema(text(standing))
            if verdict == b"cluster":
                raise limits.another_cluster(text(standing))
            if verdict == b"lost":
                raise StoreUnavailable(
                    f"{self._calls.place} was emptied or rolled back while it was refilled"
                )
        return Meta(SCHEMA, text(standing), int(grants), meta.cluster)

    def _refilling(self, token: str, claims: Sequence[Claim]) -> tuple[list[str], list[str | int]]:
        """KEYS, and of ARGV the claims, of one step."""
        keys = [self._keys.meta, self._keys.refill(token)]
        numbers: dict[str, int] = {}
        values: list[str | int] = []
        for claim in claims:
            key = self._keys.claims(claim.target)
            if key not in numbers:
                keys.append(key)
                numbers[key] = len(keys)
            values += [numbers[key], claim.build, encode_claim(claim.run, claim.owner)]
        return keys, values

    async def claim(
        self, wanted: Claim, seen: tuple[str, int], instead_of: str | None, beside: str | None
    ) -> tuple[Claim, int]:
        """seen: epoch and grants, as the caller knows them."""
        replaceable = "" if instead_of is None else encode_claim(instead_of, wanted.owner)
        return await self._claim(wanted, seen, replaceable, beside)

    async def retake(
        self, wanted: Claim, seen: tuple[str, int], instead_of: str, beside: str | None
    ) -> tuple[Claim, int]:
        return await self._claim(wanted, seen, encode_claim_start(instead_of), beside)

    async def _claim(
        self, wanted: Claim, seen: tuple[str, int], replaceable: str, beside: str | None
    ) -> tuple[Claim, int]:
        earlier = "" if beside is None else encode_pending_end(beside)
        verdict, standing, grants = await self._script(
            scripts.CLAIM,
            [self._keys.meta, self._keys.claims(wanted.target), self._keys.pending],
            *(*seen, wanted.build, encode_claim(wanted.run, wanted.owner)),
            *(replaceable, wanted.owner, encode_pending(wanted), earlier),
        )
        if verdict == b"epoch":
            raise StoreForgot("the store's epoch is not ours: it was emptied or taken over")
        if verdict == b"grants":
            raise StoreForgot("the store has granted fewer claims than we saw: it was rolled back")
        if verdict == b"pending":
            return decode_pending(wanted.owner, standing, self._keys.pending), int(grants)
        key = self._keys.claims(wanted.target)
        return decode_claim(wanted.target, wanted.build, standing, key), int(grants)

    async def claimed(self, target: str, build: str) -> Claim | None:
        key = self._keys.claims(target)
        raw = await self._calls.run(self._redis.hget(key, build), key)
        return None if raw is None else decode_claim(target, build, raw, key)

    async def of_target(self, target: str) -> list[Claim]:
        key = self._keys.claims(target)
        raw = await self._calls.run(self._redis.hgetall(key), key)
        found = [decode_claim(target, text(build), value, key) for build, value in raw.items()]
        return sorted(found, key=lambda claim: (claim.run, claim.build))

    async def pending(self, owner: str) -> Claim | None:
        key = self._keys.pending
        raw = await self._calls.run(self._redis.hget(key, owner), key)
        return None if raw is None else decode_pending(owner, raw, key)

    async def settle(self, claim: Claim) -> None:
        await self._settle_or_release(claim, "")

    async def release(self, claim: Claim) -> None:
        await self._settle_or_release(claim, encode_claim(claim.run, claim.owner))

    async def _settle_or_release(self, claim: Claim, given_back: str) -> None:
        keys = [self._keys.pending, self._keys.claims(claim.target)]
        values = (claim.owner, encode_pending(claim), claim.build, given_back)
        await self._script(scripts.SETTLE_OR_RELEASE, keys, *values)

    async def _script(self, script: str, keys: list[str], *values: str | int) -> Any:
        return await self._calls.run(scripts.run(self._redis, script, keys, *values), *keys)
