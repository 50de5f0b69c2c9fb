"""The store is opened, and opened again whenever it was lost."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from controller.engine.claims.ledger import Ledger
from controller.engine.claims.store_keeper import StoreKeeper, look_interval
from store.api import StoreUnavailable
from tests.fakes import FakeClock
from tests.machine_engine import StillCluster
from tests.machine_objects import deployment
from tests.simulation.played import FickleStore


class Desk:
    """A keeper of a store that can be away, and everything that it says."""

    def __init__(self, *, look_every: float | None = None, unwatched: str = "") -> None:
        self.clock = FakeClock()
        self.store = FickleStore(self.clock)
        self.ledger = Ledger(
            self.store, self.clock, Random(1), settle=0.0, patience=60.0, records=lambda: ()
        )
        self.looked: list[str] = []
        self.told: list[str | None] = []
        found = deployment()
        cluster = StillCluster({found.metadata.key: found})
        cluster.unwatched = {unwatched}
        self.keeper = StoreKeeper(
            self.ledger,
            self.store,
            cluster,
            self.clock,
            Random(2),
            cluster_names=("ours",),
            look_every=look_every,
            look=self.looked.append,
            tell=self._tell,
        )

    async def _tell(self, sentence: str | None) -> None:
        self.told.append(sentence)

    @contextmanager
    def runs(self) -> Iterator[None]:
        task = asyncio.create_task(self.keeper.run())
        try:
            yield
        finally:
            task.cancel()


async def test_a_store_that_is_there_is_opened_in_silence() -> None:
    """Is everything looked at once it is open, and nothing asked on a schedule after that?"""
    desk = Desk()
    with desk.runs():
        await desk.clock.advance(3600)
        assert (desk.looked, desk.told) == (["bootstrap/fuji"], [])
        assert desk.ledger.leave().given
        assert not desk.clock.sleepers


async def test_a_store_of_many_is_looked_at() -> None:
    """Is a loss noticed within the interval, and is a store that is well asked and no more?"""
    desk = Desk(look_every=20)
    with desk.runs():
        await desk.clock.advance(3600)
        assert (desk.looked, desk.told) == (["bootstrap/fuji"], [])
        before = await desk.store.meta()
        desk.store.forget()
        await desk.clock.advance(20)
        after = await desk.store.meta()
        assert before is not None
        assert after is not None
        assert after.epoch != before.epoch
        assert desk.told == []


async def test_a_look_finds_an_outage() -> None:
    """Is an outage that only a look has met told, and its end too?"""
    desk = Desk(look_every=20)
    with desk.runs():
        await desk.clock.advance(60)
        desk.store.away = True
        await desk.clock.advance(60)
        assert desk.told == ["the store is away"]
        assert not desk.ledger.leave().given
        desk.store.away = False
        await desk.clock.advance(60)
        assert desk.told == ["the store is away", None]
        assert desk.ledger.leave().given


@pytest.mark.parametrize(
    ("settle", "seconds"), [(0, 20), (1, 5), (15, 5), (30, 10), (60, 20), (3600, 20)]
)
def test_looks_are_a_third_of_settle(settle: float, seconds: float) -> None:
    """Do looks of all fit into the time for which each of them waits, and are they never many?"""
    assert look_interval(settle) == seconds


async def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    """Is the store asked for until it is back, and is everything looked at again then?"""
    desk = Desk()
    with desk.runs():
        await desk.clock.advance(1)
        desk.looked.clear()
        desk.store.away = True
        desk.ledger.lost(StoreUnavailable("it is away"))
        await desk.clock.advance(600)
        assert desk.told == ["the store is away"]
        desk.store.away = False
        await desk.clock.advance(60)
        assert desk.told == ["the store is away", None]
        assert desk.looked == ["bootstrap/fuji"]
        assert desk.ledger.leave().given


async def test_work_begins_though_the_store_is_away_from_the_first() -> None:
    """Does waiting for the first answer end with a failure too?"""
    desk = Desk()
    desk.store.away = True
    with desk.runs():
        await desk.clock.within(10, desk.keeper.until_asked())
        assert desk.told == ["the store is away"]
        assert not desk.looked


async def test_a_deployment_that_went_away_meanwhile_is_looked_at() -> None:
    """Is a run given up whose Deployment was deleted while no controller ran?"""
    desk = Desk()
    await desk.store.mirror("bootstrap/gone", {"seq": "1"})
    with desk.runs():
        await desk.clock.advance(1)
        assert desk.looked == ["bootstrap/gone", "bootstrap/fuji"]


async def test_a_deployment_that_others_watch_is_left_to_them() -> None:
    """Is a copy of a record in a namespace that we do not watch no sign of a Deployment's end?"""
    desk = Desk(unwatched="elsewhere")
    await desk.store.mirror("elsewhere/theirs", {"seq": "1"})
    await desk.store.mirror("bootstrap/gone", {"seq": "1"})
    with desk.runs():
        await desk.clock.advance(1)
        assert desk.looked == ["bootstrap/gone", "bootstrap/fuji"]


async def test_a_store_that_opens_and_then_refuses_is_left_alone_for_longer_each_time() -> None:
    """Is a store that fails whoever asks it, but not whoever opens it, told of once, and opened
    ever more seldom until it is well?
    """
    desk = Desk()
    with desk.runs():
        await desk.clock.advance(60)
        opened = 0
        for _ in range(3600):
            if not desk.ledger.trouble:
                opened += 1
                desk.ledger.lost(StoreUnavailable("the user may not write history"))
            await desk.clock.advance(1)
        assert opened < 200
        assert desk.told == ["the user may not write history"]
        await desk.clock.advance(60)
        assert desk.told == ["the user may not write history", None]
