"""How far people, history and mirror have got, when a store is away, emptied, or both."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import orjson
import pytest
from msgspec.structs import replace

from controller.domain.record.record import Record, encode_record
from controller.engine.telling.publisher import Publisher
from store.api import StoreUnavailable
from tests.fakes import FakeClock
from tests.machine_engine import Ear
from tests.machine_objects import RULES, deployment
from tests.machine_world import World
from tests.simulation.played import FickleStore

KEPT = RULES.steps


class Place:
    """One Deployment that tests build after build, and the processes that tell of it."""

    def __init__(self) -> None:
        self.store = FickleStore(FakeClock())
        self.world = World()
        self.key = self.world.add(deployment())
        self.told: list[str] = []
        self.starts_anew()

    def starts_anew(self) -> None:
        """Another process of the controller."""
        self._ear = Ear()
        self._publisher = Publisher(self.store, self._ear)

    def store_was_refilled(self) -> None:
        self._publisher.refilled()

    async def publishes(self, record: Record | None = None) -> list[str]:
        """The phases that people are told of now."""
        record = record or self.record
        before = len(self._ear.notices)
        with suppress(StoreUnavailable):
            await self._publisher.publish(
                self.world.deployments[self.key], record, encode_record(record, RULES)
            )
        new = self._ear.notices[before:]
        self.told += [notice.id for notice in new]
        return [str(notice.phase) for notice in new]

    @property
    def record(self) -> Record:
        return self.world.record(self.key)

    @property
    def noted(self) -> Record:
        """The record after the write that says what people were told."""
        return replace(self.record, heard=self._publisher.heard(self.key))

    async def history(self) -> Counter[str]:
        lines = await self.store.history(None, limit=1000)
        assert len({line.id for line in lines}) == len(lines)
        return Counter(orjson.loads(line.body)["phase"] for line in lines)


@pytest.fixture
def place() -> Place:
    return Place()


def runs(place: Place, letters: str) -> Iterator[Record]:
    """The record each time that it has changed, while these builds pass one after the other."""
    for letter in letters:
        place.world.tags["latest"] = letter
        place.world.bootstrap(place.key)
        yield place.record
        place.world.finish(place.key)
        yield place.record


async def test_history_catches_up_with_all_that_a_process_has_told(place: Place) -> None:
    """Four builds pass while the store is away, more than a record keeps steps of: is each step in
    history when it is back?
    """
    place.store.away = True
    for record in runs(place, "abcd"):
        await place.publishes(record)
    assert len(place.told) == len(set(place.told)) > KEPT
    place.store.away = False
    await place.publishes()
    lines = await place.store.history(None, limit=1000)
    assert sorted(line.id for line in lines) == sorted(place.told)


async def test_the_ends_of_runs_are_caught_up_from_the_record(place: Place) -> None:
    """Four builds pass while nobody publishes: is the end of each told, and in history once, though
    the steps of the first are in the record no more?
    """
    for _ in runs(place, "abcd"):
        pass
    assert len(place.record.steps) == KEPT
    phases = await place.publishes()
    assert Counter(phases)["Passed"] == 4
    assert (await place.history())["Passed"] == 4


async def test_an_end_that_stands_is_not_added_again(place: Place) -> None:
    """Has the line that is made of an outcome the id of the line that its step was?"""
    for record in runs(place, "abcd"):
        await place.publishes(record)
    before = await place.history()
    place.starts_anew()
    await place.publishes(replace(place.record, steps=()))
    assert await place.history() == before


async def test_an_empty_store_makes_no_news(place: Place) -> None:
    """The store is replaced by an empty one and the controller starts anew: is nobody told an old
    result again, and does history have it again?
    """
    for record in runs(place, "ab"):
        await place.publishes(record)
    noted = place.noted
    place.store.forget()
    place.starts_anew()
    assert await place.publishes(noted) == []
    assert (await place.history())["Passed"] == 2


async def test_an_empty_store_without_a_start_makes_no_news(place: Place) -> None:
    """The same while the process stays."""
    for record in runs(place, "ab"):
        await place.publishes(record)
    place.store.forget()
    place.store_was_refilled()
    assert await place.publishes() == []
    assert (await place.history())["Passed"] == 2


async def test_what_was_told_while_the_store_was_away_is_no_news_after_a_start(
    place: Place,
) -> None:
    """The record says what people were told, though history has not got it: does an empty store
    after that change anything?
    """
    place.store.away = True
    for record in runs(place, "ab"):
        await place.publishes(record)
    noted = place.noted
    assert noted.told == 0
    place.starts_anew()
    place.store.forget()
    place.store.away = False
    assert await place.publishes(noted) == []
    assert (await place.history())["Passed"] == 2


async def test_a_result_does_not_wait_for_the_store(place: Place) -> None:
    """A controller starts while the store is away: is a result that nobody was told of told at
    once, and what only the store can say was told, not before it says so?
    """
    changes = runs(place, "ab")
    for _ in range(3):  # one has passed, and the next is open
        record = next(changes)
        await place.publishes(record)
    first = len(place.told)
    place.starts_anew()
    place.store.away = True
    noted = replace(record, heard=max(s.seq for s in record.steps if s.phase == "Passed"))
    assert await place.publishes(noted) == []
    last = replace(next(changes), heard=noted.heard)
    assert "Passed" in await place.publishes(last)
    assert len(place.told) > first
    place.store.away = False
    assert await place.publishes(last) == []
