"""A store that passes every call on: the base of those that stand before another one."""

from collections.abc import Iterable, Mapping, Sequence

from store.api import Claim, Meta, Place, SeenBuild, StateStore, Transition


class PassingStore(StateStore):
    """Answers as the store behind it. Whoever derives from it says only what it changes; a new
    method of StateStore is passed on by all of them until they say otherwise.
    """

    def __init__(self, behind: StateStore) -> None:
        self._behind = behind

    def _reach(self) -> StateStore:
        """The store behind, asked for by every call but `inspect`,
        `unusable` and `close`. Raises what is to
        end the call.
        """
        return self._behind

    @property
    def lasts(self) -> bool:
        return self._behind.lasts

    async def meta(self) -> Meta | None:
        return await self._reach().meta()

    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        return await self._reach().refill(meta, claims, instead_of=instead_of)

    async def claim(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str | None = None,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        return await self._reach().claim(
            wanted, epoch=epoch, seen_grants=seen_grants, instead_of=instead_of, beside=beside
        )

    async def retake(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        return await self._reach().retake(
            wanted, epoch=epoch, seen_grants=seen_grants, instead_of=instead_of, beside=beside
        )

    async def claimed(self, target: str, build: str) -> Claim | None:
        return await self._reach().claimed(target, build)

    async def claims_of(self, target: str) -> list[Claim]:
        return await self._reach().claims_of(target)

    async def pending(self, owner: str) -> Claim | None:
        return await self._reach().pending(owner)

    async def settle(self, claim: Claim) -> None:
        await self._reach().settle(claim)

    async def release(self, claim: Claim) -> None:
        await self._reach().release(claim)

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        await self._reach().mirror(deployment, fields)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        return await self._reach().mirrored(deployment)

    async def mirrors(self) -> list[str]:
        return await self._reach().mirrors()

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        await self._reach().put_run(target, run, fields)

    async def run(self, target: str, run: str) -> dict[str, str]:
        return await self._reach().run(target, run)

    async def runs(
        self, target: str, runs: Sequence[str], *, only: Sequence[str] = ()
    ) -> list[dict[str, str]]:
        return await self._reach().runs(target, runs, only=only)

    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        await self._reach().note_seen(target, build, at=at)

    async def seen_builds(self, target: str) -> list[SeenBuild]:
        return await self._reach().seen_builds(target)

    async def append(self, transitions: Sequence[Transition]) -> None:
        await self._reach().append(transitions)

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        return await self._reach().history(target, limit=limit, before=before)

    async def places(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Place]:
        return await self._reach().places(target, limit=limit, before=before)

    async def transitions(self, target: str | None, places: Sequence[Place]) -> list[Transition]:
        return await self._reach().transitions(target, places)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        await self._reach().put_tag(repository, tag, fields)

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        return await self._reach().tag(repository, tag)

    async def put_build(self, index: str, platform: str, build: str) -> None:
        await self._reach().put_build(index, platform, build)

    async def build(self, index: str, platform: str) -> str | None:
        return await self._reach().build(index, platform)

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        await self._reach().put_evidence(target, run, parts, keep_seconds=keep_seconds)

    async def evidence(self, target: str, run: str) -> dict[str, bytes]:
        return await self._reach().evidence(target, run)

    async def has_evidence(self, target: str, run: str) -> bool:
        return await self._reach().has_evidence(target, run)

    async def evidence_names(self, target: str, run: str) -> list[str]:
        return await self._reach().evidence_names(target, run)

    async def inspect(self) -> list[str]:
        return await self._behind.inspect()

    async def unusable(self) -> list[str]:
        return await self._behind.unusable()

    async def close(self) -> None:
        await self._behind.close()
