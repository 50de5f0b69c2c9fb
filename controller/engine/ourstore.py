"""The store as everybody but the ledger uses it: not before the ledger has found it to be ours."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from store.api import Claim, Meta, StateStore, Transition


class OurStore(StateStore):
    """Passes every call on. admit: raises StoreUnavailable or StoreMisused while nothing may be
    read or written there, for it may be another cluster's memory.
    """

    def __init__(self, store: StateStore, admit: Callable[[], None]) -> None:
        self._store = store
        self._admit = admit

    async def meta(self) -> Meta | None:
        self._admit()
        return await self._store.meta()

    async def refill(self, meta: Meta, claims: Iterable[Claim]) -> None:
        self._admit()
        await self._store.refill(meta, claims)

    async def claim(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str | None = None
    ) -> tuple[Claim, int]:
        self._admit()
        return await self._store.claim(
            wanted, epoch=epoch, seen_grants=seen_grants, instead_of=instead_of
        )

    async def retake(
        self, wanted: Claim, *, epoch: str, seen_grants: int, instead_of: str
    ) -> tuple[Claim, int]:
        self._admit()
        return await self._store.retake(
            wanted, epoch=epoch, seen_grants=seen_grants, instead_of=instead_of
        )

    async def claimed(self, target: str, build: str) -> Claim | None:
        self._admit()
        return await self._store.claimed(target, build)

    async def pending(self, owner: str) -> Claim | None:
        self._admit()
        return await self._store.pending(owner)

    async def settle(self, claim: Claim) -> None:
        self._admit()
        await self._store.settle(claim)

    async def release(self, claim: Claim) -> None:
        self._admit()
        await self._store.release(claim)

    async def mirror(self, deployment: str, fields: Mapping[str, str]) -> None:
        self._admit()
        await self._store.mirror(deployment, fields)

    async def mirrored(self, deployment: str) -> dict[str, str]:
        self._admit()
        return await self._store.mirrored(deployment)

    async def mirrors(self) -> list[str]:
        self._admit()
        return await self._store.mirrors()

    async def put_run(self, target: str, run: str, fields: Mapping[str, str]) -> None:
        self._admit()
        await self._store.put_run(target, run, fields)

    async def run(self, target: str, run: str) -> dict[str, str]:
        self._admit()
        return await self._store.run(target, run)

    async def append(self, transitions: Sequence[Transition]) -> None:
        self._admit()
        await self._store.append(transitions)

    async def history(
        self, target: str | None = None, *, limit: int = 100, before: float | None = None
    ) -> list[Transition]:
        self._admit()
        return await self._store.history(target, limit=limit, before=before)

    async def put_tag(self, repository: str, tag: str, fields: Mapping[str, str]) -> None:
        self._admit()
        await self._store.put_tag(repository, tag, fields)

    async def tag(self, repository: str, tag: str) -> dict[str, str]:
        self._admit()
        return await self._store.tag(repository, tag)

    async def put_build(self, index: str, platform: str, build: str) -> None:
        self._admit()
        await self._store.put_build(index, platform, build)

    async def build(self, index: str, platform: str) -> str | None:
        self._admit()
        return await self._store.build(index, platform)

    async def put_evidence(
        self, run: str, parts: Mapping[str, bytes], *, keep_seconds: float
    ) -> None:
        self._admit()
        await self._store.put_evidence(run, parts, keep_seconds=keep_seconds)

    async def evidence(self, run: str) -> dict[str, bytes]:
        self._admit()
        return await self._store.evidence(run)

    async def inspect(self) -> list[str]:
        return await self._store.inspect()

    async def close(self) -> None:
        await self._store.close()
