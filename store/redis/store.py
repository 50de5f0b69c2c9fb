"""RedisStore: the store of production. Keys are in `keys`, errors in `errors`, what must be
atomic in `scripts`; how people read it is in docs/redis.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from store import limits
from store.api import SCHEMA, Claim, Meta, SeenBuild, StateStore, StoreForgot, Transition
from store.redis import scripts
from store.redis.errors import Calls
from store.redis.history import RedisHistory
from store.redis.keys import (
    RedisKeys,
    decode_claim,
    decode_meta,
    decode_pending,
    encode_claim,
    encode_claim_start,
    encode_pending,
    newer_schema,
    pairs,
    text,
    texts,
)
from store.redis.runs import RedisRuns


class RedisStore(StateStore):
    """One prefix of one database of one Redis primary.

    client: with decode_responses off and encoding_errors `replace`; the store owns and closes it.
    calls: place and time limit.
    history_bound: transitions kept for all targets, and again for each.
    seen_bound: builds that each target remembers to have seen.
    """

    def __init__(
        self,
        client: Redis,
        calls: Calls,
        *,
        prefix: str = "bootstrap",
        history_bound: int = limits.HISTORY_BOUND,
        seen_bound: int = limits.SEEN_BOUND,
    ) -> None:
        self._redis: Any = client  # its annotations differ from release to release
        self._calls = calls
        self._keys = RedisKeys(prefix)
        self._history = RedisHistory(self._redis, calls, self._keys, history_bound)
        self._runs = RedisRuns(self._redis, calls, self._keys, seen_bound)

    def __repr__(self) -> str:
        return f"RedisStore({self._calls.place!r})"

    async def meta(self) -> Meta | None:
        return decode_meta(await self._hash(self._keys.meta))

    async def refill(self, meta: Meta, claims: Iterable[Claim]) -> None:
        keys = [self._keys.meta]
        numbers: dict[str, int] = {}
        values: list[str | int] = [SCHEMA, meta.epoch, meta.cluster]
        for claim in limits.check_claims(claims):
            key = self._keys.claims(claim.target)
            if key not in numbers:
                keys.append(key)
                numbers[key] = len(keys)
            values += [numbers[key], claim.build, encode_claim(claim.run, claim.owner)]
        newer = await self._script(scripts.REFILL, keys, *values)
        if newer:
            raise newer_schema(newer)

    async def claim(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str | None = None
    ) -> tuple[Claim, int]:
        replaceable = "" if instead_of is None else encode_claim(instead_of, wanted.owner)
        return await self._claim(wanted, epoch, seen_grants, replaceable)

    async def retake(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str
    ) -> tuple[Claim, int]:
        return await self._claim(wanted, epoch, seen_grants, encode_claim_start(instead_of))

    async def _claim(
        self, wanted: Claim, epoch: str, seen_grants: int, replaceable: str
    ) -> tuple[Claim, int]:
        verdict, standing, grants = await self._script(
            scripts.CLAIM,
            [self._keys.meta, self._keys.claims(wanted.target), self._keys.pending],
            *(epoch, seen_grants, wanted.build, encode_claim(wanted.run, wanted.owner)),
            *(replaceable, wanted.owner, encode_pending(wanted)),
        )
        if verdict == b"epoch":
            raise StoreForgot("the store's epoch is not ours: it was emptied or taken over")
        if verdict == b"grants":
            raise StoreForgot("the store has granted fewer claims than we saw: it was rolled back")
        return decode_claim(wanted.target, wanted.build, standing), int(grants)

    async def claimed(self, target: str, build: str) -> Claim | None:
        raw = await self._calls.run(self._redis.hget(self._keys.claims(target), build))
        return None if raw is None else decode_claim(target, build, raw)

    async def pending(self, owner: str) -> Claim | None:
        raw = await self._calls.run(self._redis.hget(self._keys.pending, owner))
        return None if raw is None else decode_pending(owner, raw)

    async def settle(self, claim: Claim) -> None:
        await self._settle_or_release(claim, "")

    async def release(self, claim: Claim) -> None:
        await self._settle_or_release(claim, encode_claim(claim.run, claim.owner))

    async def _settle_or_release(self, claim: Claim, given_back: str) -> None:
        keys = [self._keys.pending, self._keys.claims(claim.target)]
        values = (claim.owner, encode_pending(claim), claim.build, given_back)
        await self._script(scripts.SETTLE_OR_RELEASE, keys, *values)

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        keys = [self._keys.deployment(deployment), self._keys.deployments]
        values = [str(limits.sequence(fields)), deployment, *pairs(fields)]
        await self._script(scripts.MIRROR, keys, *values)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        return await self._hash(self._keys.deployment(deployment))

    async def mirrors(self) -> list[str]:
        names = await self._calls.run(self._redis.smembers(self._keys.deployments))
        return sorted(text(name) for name in names)

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        await self._runs.put(target, run, fields)

    async def run(self, target: str, run: str) -> dict[str, str]:
        return await self._hash(self._keys.run(target, run))

    async def runs(self, target: str, runs: Sequence[str]) -> list[dict[str, str]]:
        return await self._runs.many(target, runs)

    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        await self._runs.note_seen(target, build, at)

    async def seen_builds(self, target: str) -> list[SeenBuild]:
        return await self._runs.seen_builds(target)

    async def claims_of(self, target: str) -> list[Claim]:
        raw = await self._calls.run(self._redis.hgetall(self._keys.claims(target)))
        found = [decode_claim(target, text(build), value) for build, value in raw.items()]
        return sorted(found, key=lambda claim: (claim.run, claim.build))

    async def append(self, transitions: Sequence[Transition]) -> None:
        await self._history.append(transitions)

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        return await self._history.read(target, limit, before)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        await self._calls.run(self._replace(self._keys.tag(repository, tag), fields))

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        return await self._hash(self._keys.tag(repository, tag))

    async def put_build(self, index: str, platform: str, build: str) -> None:
        await self._calls.run(self._redis.hset(self._keys.builds(index), platform, build))

    async def build(self, index: str, platform: str) -> str | None:
        raw = await self._calls.run(self._redis.hget(self._keys.builds(index), platform))
        return None if raw is None else text(raw)

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        limits.check_evidence(run, parts)
        await self._calls.run(self._replace(self._keys.evidence(target, run), parts, keep_seconds))

    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        raw = await self._calls.run(self._redis.hgetall(self._keys.evidence(target, run)))
        return {text(name): part for name, part in raw.items()}

    async def has_evidence(self, target: str, run: str) -> bool:
        return bool(await self._calls.run(self._redis.exists(self._keys.evidence(target, run))))

    async def inspect(self) -> list[str]:
        """Also where CONFIG is not allowed, as on most managed services: then it warns of nothing
        [130].
        """
        return await self._calls.run(self._inspect())

    async def _inspect(self) -> list[str]:
        settings: dict[str, str] = {}
        for name in ("maxmemory-policy", "appendonly", "save"):
            try:
                settings |= await self._redis.config_get(name)
            except ResponseError:
                return []
        warnings = []
        policy = settings.get("maxmemory-policy", "noeviction")
        if policy != "noeviction":
            warnings.append(
                f"{self._calls.place} may throw claims and history away (maxmemory-policy is"
                f" {policy}): CONFIG SET maxmemory-policy noeviction"
            )
        if settings.get("appendonly") == "no" and not settings.get("save", "").strip():
            warnings.append(
                f"{self._calls.place} keeps nothing when it restarts (appendonly is no, save is"
                " empty): CONFIG SET appendonly yes"
            )
        return warnings

    async def close(self) -> None:
        await self._calls.run(self._redis.aclose())

    async def _hash(self, key: str) -> dict[str, str]:
        return texts(await self._calls.run(self._redis.hgetall(key)))

    async def _replace(
        self, key: str, fields: Mapping[str, Any], keep_seconds: float | None = None
    ) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if fields:
                pipe.hset(key, mapping=dict(fields))
            if keep_seconds is not None:
                pipe.pexpire(key, max(0, int(keep_seconds * 1000)))
            await pipe.execute()

    async def _script(self, script: str, keys: list[str], *values: str | int) -> Any:
        # EVAL with the whole text, a few hundred bytes, and not EVALSHA: a server that restarted
        # has forgotten the script, and asking twice would take another round trip to find out.
        return await self._calls.run(self._redis.eval(script, len(keys), *keys, *values))
