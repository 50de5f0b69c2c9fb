"""MemoryStore: a store that ends with its process; for the demo, tests and trying things out."""

import asyncio
import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from store import limits
from store.api import Claim, Meta, Place, SeenBuild, StateStore, StoreForgot, Transition
from store.expiring import Expiring

_Place = tuple[float, str]  # where a transition stands: time, then id


class MemoryStore(StateStore):
    """Nothing here waits, so each method is atomic by being one step of the event loop.

    monotonic: seconds that never go back, for how long runs and evidence are kept; the event loop's
    own by default. history_bound: transitions kept for all targets, and again for each.
    seen_bound: builds that each target remembers to have seen.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] | None = None,
        history_bound: int = limits.HISTORY_BOUND,
        seen_bound: int = limits.SEEN_BOUND,
    ) -> None:
        self._monotonic = monotonic
        self._bound = history_bound
        self._seen_bound = seen_bound
        self._meta: Meta | None = None
        self._claims: dict[tuple[str, str], Claim] = {}
        self._pending: dict[str, Claim] = {}
        self._mirrors: dict[str, dict[str, str]] = {}
        self._runs: Expiring[tuple[str, str], dict[str, str]] = Expiring(self._now)
        self._transitions: dict[str, Transition] = {}
        self._places: dict[str | None, list[_Place]] = {}  # per target; None is all
        self._tags: dict[tuple[str, str], dict[str, str]] = {}
        self._builds: dict[tuple[str, str], str] = {}
        self._seen: dict[str, dict[str, float]] = {}
        self._evidence: Expiring[tuple[str, str], dict[str, bytes]] = Expiring(self._now)

    def __repr__(self) -> str:
        return "MemoryStore()"

    @property
    def lasts(self) -> bool:
        return False

    async def meta(self) -> Meta | None:
        return self._meta

    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        standing = self._meta
        limits.check_cluster(standing, meta.cluster)
        for claim in limits.check_claims(claims):
            self._claims.setdefault((claim.target, claim.build), claim)
        adopted = standing is not None and standing.cluster != meta.cluster
        if standing is None or adopted or standing.epoch == instead_of:
            standing = replace(meta, grants=0)
        self._meta = standing
        return standing

    async def claim(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str | None = None,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        meta = self._expect(epoch, seen_grants)
        standing = self._claims.get((limits.check_target(wanted.target), wanted.build))
        if standing and (standing.owner, standing.run) != (wanted.owner, instead_of):
            return standing, meta.grants
        return self._grant(wanted, meta, beside)

    async def retake(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        meta = self._expect(epoch, seen_grants)
        standing = self._claims.get((limits.check_target(wanted.target), wanted.build))
        if standing and standing.run != instead_of:
            return standing, meta.grants
        return self._grant(wanted, meta, beside)

    def _expect(self, epoch: str, seen_grants: int) -> Meta:
        meta = self._meta
        if meta is None or meta.epoch != epoch:
            raise StoreForgot("the store's epoch is not ours: it was emptied or taken over")
        if meta.grants < seen_grants:
            raise StoreForgot("the store has granted fewer claims than we saw: it was rolled back")
        return meta

    def _grant(self, wanted: Claim, meta: Meta, beside: str | None) -> tuple[Claim, int]:
        if self._claims.get((wanted.target, wanted.build)) == wanted:
            return wanted, meta.grants  # a run may be asked for instead of itself: no new grant
        earlier = self._pending.get(wanted.owner)
        if earlier and beside is not None and earlier.run != beside:
            return earlier, meta.grants
        self._claims[wanted.target, wanted.build] = wanted
        self._pending[wanted.owner] = wanted
        self._meta = replace(meta, grants=meta.grants + 1)
        return wanted, self._meta.grants

    async def claimed(self, target: str, build: str) -> Claim | None:
        return self._claims.get((limits.check_target(target), build))

    async def pending(self, owner: str) -> Claim | None:
        return self._pending.get(owner)

    async def settle(self, claim: Claim) -> None:
        if self._pending.get(claim.owner) == claim:
            del self._pending[claim.owner]

    async def release(self, claim: Claim) -> None:
        if self._claims.get((limits.check_target(claim.target), claim.build)) == claim:
            del self._claims[claim.target, claim.build]
        await self.settle(claim)

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        seq = limits.sequence(fields)
        standing = self._mirrors.get(deployment)
        if standing is None or seq >= int(standing["seq"]):
            self._mirrors[deployment] = dict(fields)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        return dict(self._mirrors.get(deployment, {}))

    async def mirrors(self) -> list[str]:
        return sorted(self._mirrors)

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        place = (limits.check_target(target), run)
        if fields:
            known = self._runs.get(place) or {}
            self._runs.put(place, known | dict(fields), limits.RUN_KEEP_SECONDS)

    async def run(self, target: str, run: str) -> dict[str, str]:
        return dict(self._runs.get((limits.check_target(target), run)) or {})

    async def runs(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        limits.check_target(target)
        found = [await self.run(target, run) for run in limits.check_runs(runs)]
        if not only:
            return found
        return [{name: run[name] for name in only if name in run} for run in found]

    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        seen = self._seen.setdefault(limits.check_target(target), {})
        seen.setdefault(build, limits.check_time(at, build))
        for old in sorted(seen, key=lambda b: (seen[b], b))[: -self._seen_bound]:
            del seen[old]

    async def seen_builds(self, target: str) -> list[SeenBuild]:
        seen = self._seen.get(limits.check_target(target), {})
        found = (SeenBuild(build, at) for build, at in seen.items())
        return sorted(found, key=lambda s: (s.at, s.build), reverse=True)

    async def claims_of(self, target: str) -> list[Claim]:
        limits.check_target(target)
        found = (c for (of, _), c in self._claims.items() if of == target)
        return sorted(found, key=lambda claim: (claim.run, claim.build))

    async def append(self, transitions: Sequence[Transition]) -> None:
        for transition in limits.check_transitions(transitions):
            if transition.id not in self._transitions:
                self._transitions[transition.id] = transition
                place = (transition.at, transition.id)
                for history in (None, transition.target):
                    bisect.insort(self._places.setdefault(history, []), place)
            self._trim(transition.target)

    def _trim(self, target: str) -> None:
        """Whatever leaves a target's history has left that of all targets before: the bounds are
        the same.
        """
        everything, own = self._places.get(None, []), self._places.get(target, [])
        del everything[: -self._bound]
        for _, identity in own[: -self._bound]:
            del self._transitions[identity]
        del own[: -self._bound]

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        return await self.transitions(target, await self.places(target, limit=limit, before=before))

    async def places(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Place]:
        places = self._places.get(limits.check_target(target) if target else target, [])
        end = len(places) if before is None else bisect.bisect_left(places, (before, ""))
        found = places[max(0, end - max(0, limit)) : end]
        return [Place(identity, at) for at, identity in reversed(found)]

    async def transitions(self, target: str | None, places: Sequence[Place]) -> list[Transition]:
        if target:
            limits.check_target(target)
        return [self._transitions[each.id] for each in places if each.id in self._transitions]

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        self._tags[repository, tag] = dict(fields)

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        return dict(self._tags.get((repository, tag), {}))

    async def put_build(self, index: str, platform: str, build: str) -> None:
        self._builds[index, platform] = build

    async def build(self, index: str, platform: str) -> str | None:
        return self._builds.get((index, platform))

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        place = (limits.check_target(target), run)
        self._evidence.put(place, dict(limits.check_evidence(run, parts)), keep_seconds)

    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        return dict(self._evidence.get((limits.check_target(target), run)) or {})

    async def has_evidence(self, target: str, run: str) -> bool:
        return bool(await self.evidence(target, run))

    def _now(self) -> float:
        return self._monotonic() if self._monotonic else asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Nothing to end."""
