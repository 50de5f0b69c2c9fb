"""The engine's fakes do what their texts say.

Included: FakeRegistry, AwayStore. Excluded: FakeClock (test_fakes.py).
"""

import asyncio

import pytest

from controller.base.errors import Busy, NotFound, Refused, Unavailable
from controller.domain.build import Platform, Quota
from controller.domain.reference import Repository
from store.api import StoreUnavailable
from tests.engine_fakes import AwayStore, FakeRegistry, digest
from tests.fakes import FakeClock

REPOSITORY = Repository("registry.example", "a/b")
AMD64, ARM64 = Platform(), Platform(arch="arm64")


@pytest.fixture
def registry() -> FakeRegistry:
    fake = FakeRegistry(FakeClock())
    fake.publish(REPOSITORY, "latest", digest("1"), {AMD64: digest("a1")})
    return fake


async def test_answers_what_was_published(registry: FakeRegistry) -> None:
    """Are tag, index and platform followed to the build, and each call noted?"""
    index = await registry.head(REPOSITORY, "latest")
    assert index == digest("1")
    assert await registry.build(REPOSITORY, index, AMD64) == digest("a1")
    assert registry.heads == [(1000.0, "registry.example/a/b latest")]
    assert registry.builds == [(1000.0, f"registry.example/a/b {index} linux/amd64")]
    registry.set_quota(REPOSITORY, Quota(100, 76, 21600))
    assert registry.quota(REPOSITORY) == Quota(100, 76, 21600)


async def test_knows_what_is_not_there(registry: FakeRegistry) -> None:
    """Is a missing tag NotFound and a missing platform Refused, as the port says?"""
    with pytest.raises(NotFound):
        await registry.head(REPOSITORY, "other")
    with pytest.raises(Refused):
        await registry.build(REPOSITORY, digest("1"), ARM64)


async def test_fails_as_scripted(registry: FakeRegistry) -> None:
    """Do scripted errors come once each, in order, and standing ones for as long as they stand?"""
    registry.next_errors.extend([None, Busy("wait", 5.0)])
    assert await registry.head(REPOSITORY, "latest")
    with pytest.raises(Busy):
        await registry.head(REPOSITORY, "latest")
    registry.failing = Unavailable("down")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await registry.head(REPOSITORY, "latest")
    registry.failing = None
    assert await registry.head(REPOSITORY, "latest")


async def test_holds_calls_and_counts_them(registry: FakeRegistry) -> None:
    """Do held calls wait, counted, until they are let go?"""
    registry.hold()
    calls = [asyncio.ensure_future(registry.head(REPOSITORY, "latest")) for _ in range(3)]
    await FakeClock.settle()
    assert (registry.under_way, registry.busiest_of_all) == (3, 3)
    registry.let_go()
    assert await asyncio.gather(*calls) == [digest("1")] * 3
    assert registry.under_way == 0


async def test_store_goes_away_and_comes_back() -> None:
    """Does the store fail while it is away, and keep what it had?"""
    store = AwayStore()
    await store.put_build(digest("1"), "linux/amd64", digest("a1"))
    store.away = True
    with pytest.raises(StoreUnavailable):
        await store.build(digest("1"), "linux/amd64")
    with pytest.raises(StoreUnavailable):
        await store.put_tag("r", "t", {})
    store.away = False
    assert await store.build(digest("1"), "linux/amd64") == digest("a1")
    assert store.asked == 4
