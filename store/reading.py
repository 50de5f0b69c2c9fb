"""A store that is only read: for a dry run, and for whoever only wants to know."""

from collections.abc import Iterable, Mapping, Sequence

from store.api import Claim, Meta, StateStore, Transition


class ReadOnlyStore(StateStore):
    """Reads go through to the store behind it; writes do nothing, and are answered as if the store
    stood as it stands. Nobody may take a claim for granted that was asked for here.
    """

    def __init__(self, behind: StateStore) -> None:
        self._behind = behind

    async def meta(self) -> Meta | None:
        return await self._behind.meta()

    async def refill(self, meta: Meta, claims: Iterable[Claim]) -> None:
        await self._behind.meta()  # a store that is away is away for a dry run too

    async def claim(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str | None = None
    ) -> tuple[Claim, int]:
        standing = await self._behind.claimed(wanted.target, wanted.build)
        return standing or wanted, seen_grants

    async def retake(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str
    ) -> tuple[Claim, int]:
        return await self.claim(wanted, epoch=epoch, seen_grants=seen_grants)

    async def claimed(self, target: str, build: str) -> Claim | None:
        return await self._behind.claimed(target, build)

    async def pending(self, owner: str) -> Claim | None:
        return await self._behind.pending(owner)

    async def settle(self, claim: Claim) -> None:
        """Nothing."""

    async def release(self, claim: Claim) -> None:
        """Nothing."""

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def mirrored(self, deployment: str) -> dict[str, str]:
        return await self._behind.mirrored(deployment)

    async def mirrors(self) -> list[str]:
        return await self._behind.mirrors()

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def run(self, target: str, run: str) -> dict[str, str]:
        return await self._behind.run(target, run)

    async def append(self, transitions: Sequence[Transition]) -> None:
        """Nothing."""

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        return await self._behind.history(target, limit=limit, before=before)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        return await self._behind.tag(repository, tag)

    async def put_build(self, index: str, platform: str, build: str) -> None:
        """Nothing."""

    async def build(self, index: str, platform: str) -> str | None:
        return await self._behind.build(index, platform)

    async def put_evidence(
        self, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        """Nothing."""

    async def evidence(self, run: str) -> dict[str, bytes]:
        return await self._behind.evidence(run)

    async def inspect(self) -> list[str]:
        return await self._behind.inspect()

    async def close(self) -> None:
        await self._behind.close()
