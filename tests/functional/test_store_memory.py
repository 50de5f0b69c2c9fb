"""MemoryStore with a clock of its own: what does it forget, and when?"""

import pytest

from store import MemoryStore
from store.limits import RUN_KEEP_SECONDS
from tests.store_calls import TARGET


class Hand:
    """A clock that is set by hand. now: seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def store(clock: Hand) -> MemoryStore:
    return MemoryStore(monotonic=clock)


async def test_run_is_forgotten_long_after_its_last_write(store: MemoryStore, clock: Hand) -> None:
    """Is a run known for 400 days after its last write, and no longer?"""
    await store.put_run(TARGET, "r", {"phase": "Starting"})
    clock.now = RUN_KEEP_SECONDS - 1
    await store.put_run(TARGET, "r", {"observed": "600"})
    await store.put_run(TARGET, "later", {"phase": "Passed"})
    clock.now = 2 * RUN_KEEP_SECONDS - 2
    assert await store.run(TARGET, "r") == {"phase": "Starting", "observed": "600"}
    await store.put_run(TARGET, "later", {"phase": "Passed"})
    clock.now += 1
    assert await store.runs(TARGET, ["r", "later"]) == [{}, {"phase": "Passed"}]


async def test_writing_no_fields_does_not_keep_a_run(store: MemoryStore, clock: Hand) -> None:
    """Is a write of nothing no write, as in Redis?"""
    await store.put_run(TARGET, "r", {"phase": "Starting"})
    clock.now = RUN_KEEP_SECONDS - 1
    await store.put_run(TARGET, "r", {})
    clock.now += 1
    assert await store.run(TARGET, "r") == {}


async def test_each_evidence_has_its_own_end(store: MemoryStore, clock: Hand) -> None:
    """Does evidence go at its own time, whatever was kept before and after it?"""
    for run, seconds in (("long", 30.0), ("short", 10.0), ("middle", 20.0), ("none", 0.0)):
        await store.put_evidence(TARGET, run, {"a": b"1"}, keep_seconds=seconds)

    async def kept() -> set[str]:
        runs = ("long", "short", "middle", "none")
        return {run for run in runs if await store.evidence(TARGET, run)}

    assert await kept() == {"long", "short", "middle"}
    clock.now = 10.0
    assert await kept() == {"long", "middle"}
    clock.now = 25.0
    assert await kept() == {"long"}
    clock.now = 30.0
    assert await kept() == set()


async def test_evidence_that_is_replaced_has_a_new_end(store: MemoryStore, clock: Hand) -> None:
    """Does the end of the later evidence count, if it is sooner or later?"""
    await store.put_evidence(TARGET, "r", {"a": b"1"}, keep_seconds=10.0)
    await store.put_evidence(TARGET, "r", {"a": b"2"}, keep_seconds=20.0)
    clock.now = 15.0
    assert await store.evidence(TARGET, "r") == {"a": b"2"}
    await store.put_evidence(TARGET, "r", {"a": b"3"}, keep_seconds=1.0)
    clock.now = 16.0
    assert await store.evidence(TARGET, "r") == {}
