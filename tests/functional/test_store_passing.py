"""Stores that stand before another one: what do they change, and is all else passed on?

That all is passed on as it came, and the answers back, is asked by test_store_contract.py.
"""

import pytest

from controller.engine.claims.guarded_store import GuardedStore
from store import MemoryStore, PassingStore, ReadOnlyStore, StateStore, StoreMisused
from tests.store_calls import ANNA, BERT, BUILD, CALLS, META, READS, WRITES, everything, methods


class NoisyStore(MemoryStore):
    """Has a warning, and notes that it was closed."""

    closed = False

    async def inspect(self) -> list[str]:
        return ["keeps nothing"]

    async def unusable(self) -> list[str]:
        return ["key bootstrap:pending is a string"]

    async def close(self) -> None:
        self.closed = True


def refuse() -> None:
    raise StoreMisused("the store is the memory of another cluster")


async def filled(store: StateStore) -> dict[str, object]:
    """Everything has an answer that is not empty; these are the answers."""
    for name, write in WRITES.items():
        if name not in ("settle", "retake", "release"):
            await write(store)
    return await everything(store)


def test_every_method_is_called() -> None:
    """Is a method that StateStore gains asked about here, and in test_store_failures.py?"""
    assert set(CALLS) == methods()
    assert not set(READS) & set(WRITES)


async def test_each_write_changes_something() -> None:
    """Would it be seen if one of these writes went through?"""
    store = MemoryStore()
    for name, write in WRITES.items():
        before = await everything(store)
        await write(store)
        assert await everything(store) != before, name


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "filled"])
async def test_read_only_store_writes_nothing(empty: bool) -> None:
    """Is every write to a store that is only read without effect?"""
    behind = NoisyStore()
    before = await everything(behind) if empty else await filled(behind)
    for name, write in WRITES.items():
        await write(ReadOnlyStore(behind))
        assert await everything(behind) == before, name


async def test_read_only_store_reads_all() -> None:
    """Does a store that is only read answer every question as the store behind it?"""
    behind = NoisyStore()
    answers = await filled(behind)
    assert all(answers.values())
    assert await everything(ReadOnlyStore(behind)) == answers


async def test_read_only_store_tells_who_has_a_claim() -> None:
    """Is a claim that stands told, and one that nobody has answered as if it were granted?"""
    behind = MemoryStore()
    store = ReadOnlyStore(behind)
    assert await store.claim(BERT, epoch="any", seen_grants=7) == (BERT, 7)
    await behind.refill(META, [ANNA])
    assert await store.claim(BERT, epoch="any", seen_grants=7) == (ANNA, 7)
    assert await behind.claimed(ANNA.target, BUILD) == ANNA


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("inspect", "unusable")])
async def test_store_that_is_not_ours_is_not_used(name: str) -> None:
    """Does nothing reach the store while the ledger does not admit it?"""
    behind = MemoryStore()
    before = await everything(behind)
    with pytest.raises(StoreMisused, match="another cluster"):
        await CALLS[name](GuardedStore(behind, refuse))
    assert await everything(behind) == before


async def test_store_that_is_ours_is_used() -> None:
    """Does everything reach the store once the ledger admits it, asked anew at each call?"""
    asked = []
    behind = NoisyStore()
    ours = GuardedStore(behind, lambda: asked.append(1))
    answers = await filled(ours)
    assert all(answers.values())
    assert await everything(behind) == answers
    passed_by = ["inspect", "unusable", "settle", "retake", "release"]
    assert len(asked) == len(CALLS) - len(passed_by)


@pytest.mark.parametrize("kind", [PassingStore, ReadOnlyStore])
async def test_warnings_and_the_end_are_passed_on(kind: type[PassingStore]) -> None:
    """Are the store's warnings heard, and is it closed?"""
    behind = NoisyStore()
    store = kind(behind)
    assert await store.inspect() == ["keeps nothing"]
    await store.close()
    assert behind.closed


async def test_store_that_is_not_ours_is_inspected_and_closed() -> None:
    """Can the controller warn of a store that it may not use, and end?"""
    behind = NoisyStore()
    store = GuardedStore(behind, refuse)
    assert await store.inspect() == ["keeps nothing"]
    await store.close()
    assert behind.closed
