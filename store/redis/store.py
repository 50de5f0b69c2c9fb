"""RedisStore: the store of production. Claims, history and runs have files of their own; keys are
in `keys`, errors in `errors`, what must be atomic in `scripts`; how people read it is in
docs/redis.md.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from store import limits
from store.api import Claim, Meta, Place, SeenBuild, StateStore, Transition
from store.leftovers import Leftover, Sweeper
from store.redis import scripts
from store.redis.claims import RedisClaims
from store.redis.errors import Calls
from store.redis.history import RedisHistory
from store.redis.keys import RedisKeys, pairs, text, texts
from store.redis.leftovers import RedisLeftovers
from store.redis.runs import RedisRuns
from store.redis.unusable import RedisUnusable


class RedisStore(StateStore, Sweeper):
    """One prefix of one database of one Redis primary.

    client: with decode_responses off and encoding_errors `replace`; the store owns and closes it.
    calls: place and time limit.
    history_bound: transitions kept for all targets, and again for each.
    seen_bound: builds that each target remembers to have seen.
    has_moved: whether another server is the primary by now, where somebody else than the server
    tells: asked before what must not be lost.
    """

    def __init__(
        self,
        client: Redis,
        calls: Calls,
        *,
        prefix: str = "bootstrap",
        history_bound: int = limits.HISTORY_BOUND,
        seen_bound: int = limits.SEEN_BOUND,
        has_moved: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._redis: Any = client  # its annotations differ from release to release
        self._calls = calls
        self._has_moved = has_moved
        self._keys = RedisKeys(prefix)
        self._claims = RedisClaims(self._redis, calls, self._keys)
        self._history = RedisHistory(self._redis, calls, self._keys, history_bound)
        self._runs = RedisRuns(self._redis, calls, self._keys, seen_bound)
        self._leftovers = RedisLeftovers(self._redis, calls, self._keys)
        self._unusable = RedisUnusable(self._redis, calls.place, self._keys)
        calls.attend(self._unusable.error, self._reconnect)

    def __repr__(self) -> str:
        return f"RedisStore({self._calls.place!r})"

    async def meta(self) -> Meta | None:
        await self._stay_with_primary()
        return await self._claims.meta()

    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        await self._stay_with_primary()
        return await self._claims.refill(meta, claims, instead_of)

    async def claim(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str | None = None,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        await self._stay_with_primary()
        return await self._claims.claim(wanted, (epoch, seen_grants), instead_of, beside)

    async def retake(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        await self._stay_with_primary()
        return await self._claims.retake(wanted, (epoch, seen_grants), instead_of, beside)

    async def claimed(self, target: str, build: str) -> Claim | None:
        return await self._claims.claimed(target, build)

    async def claims_of(self, target: str) -> list[Claim]:
        return await self._claims.of_target(target)

    async def pending(self, owner: str) -> Claim | None:
        return await self._claims.pending(owner)

    async def settle(self, claim: Claim) -> None:
        await self._claims.settle(claim)

    async def release(self, claim: Claim) -> None:
        await self._claims.release(claim)

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        keys = [self._keys.deployment(deployment), self._keys.deployments]
        values = [str(limits.sequence(fields)), deployment, *pairs(fields)]
        await self._calls.run(scripts.run(self._redis, scripts.MIRROR, keys, *values), *keys)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        return await self._hash(self._keys.deployment(deployment))

    async def mirrors(self) -> list[str]:
        key = self._keys.deployments
        names = await self._calls.run(self._redis.smembers(key), key)
        return sorted(text(name) for name in names)

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        await self._runs.put(target, run, fields)

    async def run(self, target: str, run: str) -> dict[str, str]:
        return await self._hash(self._keys.run(target, run))

    async def runs(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        return await self._runs.many(target, runs, only)

    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        await self._runs.note_seen(target, build, at)

    async def seen_builds(self, target: str) -> list[SeenBuild]:
        return await self._runs.seen_builds(target)

    async def append(self, transitions: Sequence[Transition]) -> None:
        await self._history.append(transitions)

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        return await self._history.read(target, await self._history.places(target, limit, before))

    async def places(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Place]:
        return await self._history.places(target, limit, before)

    async def transitions(self, target: str | None, places: Sequence[Place]) -> list[Transition]:
        return await self._history.read(target, places)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        await self._calls.run(self._replace(self._keys.tag(repository, tag), fields))

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        return await self._hash(self._keys.tag(repository, tag))

    async def put_build(self, index: str, platform: str, build: str) -> None:
        key = self._keys.builds(index)
        await self._calls.run(self._redis.hset(key, platform, build), key)

    async def build(self, index: str, platform: str) -> str | None:
        key = self._keys.builds(index)
        raw = await self._calls.run(self._redis.hget(key, platform), key)
        return None if raw is None else text(raw)

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        limits.check_evidence(run, parts)
        await self._calls.run(self._replace(self._keys.evidence(target, run), parts, keep_seconds))

    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        key = self._keys.evidence(target, run)
        raw = await self._calls.run(self._redis.hgetall(key), key)
        return {text(name): part for name, part in raw.items()}

    async def has_evidence(self, target: str, run: str) -> bool:
        return bool(await self._calls.run(self._redis.exists(self._keys.evidence(target, run))))

    async def evidence_names(self, target: str, run: str) -> list[str]:
        key = self._keys.evidence(target, run)
        names = await self._calls.run(self._redis.hkeys(key), key)
        return sorted(map(text, names))

    def leftovers(self, *, now: float) -> AsyncIterator[list[Leftover]]:
        return self._leftovers.find(now)

    async def clear(self, found: Sequence[Leftover], *, evidence_seconds: float) -> list[Leftover]:
        return await self._leftovers.clear(found, evidence_seconds)

    async def inspect(self) -> list[str]:
        """Also where CONFIG is not allowed, as on most managed services: then it warns of nothing
        [130].
        """
        return await self._calls.run(self._settings())

    async def unusable(self) -> list[str]:
        """Also where SCAN is not allowed: then it tells of nothing."""
        return await self._calls.run(self._unusable.search())

    async def _settings(self) -> list[str]:
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
        return texts(await self._calls.run(self._redis.hgetall(key), key))

    async def _stay_with_primary(self) -> None:
        if self._has_moved is not None and await self._calls.run(self._has_moved()):
            await self._calls.run(self._reconnect())

    async def _reconnect(self) -> None:
        """Ends all idle connections. One that is in use ends with the error that its call meets."""
        await self._redis.connection_pool.disconnect(inuse_connections=False)

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
