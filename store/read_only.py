"""A store that is only read: for a dry run, and for whoever only wants to know."""

from collections.abc import Iterable, Mapping, Sequence

from store.api import Claim, Meta, Transition
from store.passing_on import PassingStore


class ReadOnlyStore(PassingStore):
    """Reads go through to the store behind it; writes do nothing, and are answered as if the store
    stood as it stands. Nobody may take a claim for granted that was asked for here.
    """

    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        return await self.meta() or meta  # a store that is away is away for a dry run too

    async def claim(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str | None = None,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        standing = await self.claimed(wanted.target, wanted.build)
        return standing or wanted, seen_grants

    async def retake(
        self,
        wanted: Claim,
        *,
        epoch: str,
        seen_grants: int,
        instead_of: str,
        beside: str | None = None,
    ) -> tuple[Claim, int]:
        return await self.claim(wanted, epoch=epoch, seen_grants=seen_grants)

    async def settle(self, claim: Claim) -> None:
        """Nothing."""

    async def release(self, claim: Claim) -> None:
        """Nothing."""

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def note_seen(self, target: str, build: str, *, at: float) -> None:
        """Nothing."""

    async def append(self, transitions: Sequence[Transition]) -> None:
        """Nothing."""

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        """Nothing."""

    async def put_build(self, index: str, platform: str, build: str) -> None:
        """Nothing."""

    async def put_evidence(
        self, target: str, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        """Nothing."""
