"""Fresh readings that the cache contradicts: when everything is listed anew."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.objects import Deployment
from controller.kube.watch.doubts import PATIENCE, PAUSE, Doubts
from tests.fakes import FakeClock
from tests.kube_samples.objects import as_deployment, deployment

KEY = "bootstrap/fuji"


def shown(version: str, generation: int = 5, **more: str) -> Deployment:
    return as_deployment(deployment("fuji", version, generation=generation, **more))


class Desk:
    """lists: how often all was listed."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cache: dict[str, Deployment] = {KEY: shown("100")}
        self.lists = 0
        self.doubts = Doubts(self.clock, self.cache.get, self._relist)
        self.task = asyncio.create_task(self.doubts.run())

    async def _relist(self) -> None:
        self.lists += 1

    def read(self, found: Deployment | None) -> None:
        self.doubts.note(KEY, self.cache[KEY], found)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.clock.advance(0)
    yield desk
    desk.task.cancel()


async def test_an_object_that_has_gone_back_has_all_listed_at_once(desk: Desk) -> None:
    """Is an earlier generation of one object proof, and are lists not made in a loop of them?"""
    for _ in range(15):
        desk.read(shown("50", generation=4))
        await desk.clock.advance(PAUSE / 10)
    assert desk.lists == 2


@pytest.mark.parametrize("found", [shown("120", generation=6), shown("90"), None])
async def test_a_watch_that_does_not_tell_in_time_is_deaf(
    desk: Desk, found: Deployment | None
) -> None:
    """Is a reading that differs waited for, and all listed where the cache never shows it?"""
    desk.read(found)
    await desk.clock.advance(PATIENCE - 1)
    assert desk.lists == 0
    await desk.clock.advance(2)
    assert desk.lists == 1


async def test_a_watch_that_tells_is_believed(desk: Desk) -> None:
    """Does a reading that the watch shows a moment later cost nothing?"""
    desk.read(shown("120", generation=6))
    await desk.clock.advance(1)
    desk.cache[KEY] = shown("120", generation=6)
    await desk.clock.advance(10 * PATIENCE)
    assert desk.lists == 0


async def test_what_the_cache_shows_already_is_no_doubt(desk: Desk) -> None:
    """Is a reading of the same version, or one that the watch has overtaken, no contradiction?"""
    desk.read(shown("100"))
    before = desk.cache[KEY]
    desk.cache[KEY] = shown("140", generation=8)
    desk.doubts.note(KEY, before, shown("120", generation=6))
    desk.doubts.note(KEY, None, shown("120", generation=6))
    await desk.clock.advance(10 * PATIENCE)
    assert desk.lists == 0


async def test_another_object_of_the_name_is_not_the_same_gone_back(desk: Desk) -> None:
    """Is one that was made again, whose generations begin anew, waited for?"""
    found = shown("120", generation=1)
    desk.read(with_fields(found, metadata=with_fields(found.metadata, uid="another")))
    await desk.clock.advance(1)
    assert desk.lists == 0
