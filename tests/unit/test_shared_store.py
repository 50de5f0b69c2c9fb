"""One store, several active users, each with its own Deployments' records and no others (I1)."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random

import pytest

from controller.domain.decide.observation import TakeClaim
from controller.domain.record.record import Record
from controller.engine.claims.ledger import Ledger
from controller.engine.claims.store_keeper import StoreKeeper, look_interval
from store.api import Claim, Meta, StateStore, StoreForgot
from tests.fakes import FakeClock
from tests.machine_engine import StillCluster
from tests.machine_objects import build, deployment
from tests.machine_world import World
from tests.simulation.played import FickleStore

TARGET = "fuji-c-chain-state-sync"
SETTLE = 60.0
LOOK = look_interval(SETTLE)


class CountedStore(FickleStore):
    """asked: how often each of the two was called."""

    def __init__(self, clock: FakeClock) -> None:
        self.asked = Counter[str]()
        super().__init__(clock)

    async def meta(self) -> Meta | None:
        self.asked["meta"] += 1
        return await super().meta()

    async def refill(
        self, meta: Meta, claims: Iterable[Claim], *, instead_of: str | None = None
    ) -> Meta:
        self.asked["refill"] += 1
        return await super().refill(meta, claims, instead_of=instead_of)


class User:
    """A controller or monitor that looks after one Deployment, which tests one build."""

    def __init__(self, store: StateStore, clock: FakeClock, letter: str) -> None:
        self.key = f"bootstrap/{letter}"
        self.build = build(letter)
        self.records: list[Record] = [record_of(letter)]
        self.refills = 0  # how often everything is to be published again
        self.told: list[str | None] = []
        self.ledger = Ledger(
            store,
            clock,
            Random(letter),
            settle=SETTLE,
            patience=100.0,
            records=lambda: iter(self.records),
            on_refill=self._refilled,
        )
        self.keeper = StoreKeeper(
            self.ledger,
            store,
            StillCluster({}),
            clock,
            Random(letter),
            cluster_names=("ours",),
            look_every=LOOK,
            look=lambda _key: None,
            tell=self._tell,
        )

    def _refilled(self) -> None:
        self.refills += 1

    async def _tell(self, sentence: str | None) -> None:
        self.told.append(sentence)

    @property
    def may_claim(self) -> bool:
        return self.ledger.leave().given

    async def claims(self, build_: str) -> str:
        """Whose it is then."""
        run = f"20261123t060000z-{self.key[-1] * 8}"
        return (await self.ledger.claim(TakeClaim(TARGET, build_, run), self.key)).owner


def record_of(letter: str) -> Record:
    """Of a Deployment that has a run open of the build of this letter."""
    world = World(tags={"latest": letter})
    key = world.add(deployment(letter))
    world.bootstrap(key)
    return world.record(key)


class Town:
    """Users a and b, who have settled, and those that come later."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = CountedStore(self.clock)
        self._tasks: list[asyncio.Task[None]] = []
        self.a, self.b = self.comes("a"), self.comes("b")

    def comes(self, letter: str) -> User:
        user = User(self.store, self.clock, letter)
        self._tasks.append(asyncio.create_task(user.keeper.run()))
        return user

    def goes(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def whose(self, of: User) -> str:
        """The owner of the claim on the build that the user tests; empty where there is none."""
        claim = await self.store.claimed(TARGET, of.build)
        return claim.owner if claim else ""

    async def nothing_is_granted_twice(self, eager: User, others: list[User]) -> None:
        """For five minutes the one asks for the others' builds every second that it may; these
        claim nothing, and so notice only by their looks what became of the store.
        """
        granted = False
        for _ in range(300):
            for other in others:
                if eager.may_claim:
                    with contextlib.suppress(StoreForgot):
                        assert await eager.claims(other.build) == other.key
                        granted = True
            await self.clock.advance(1)
        assert granted
        assert all(user.may_claim for user in (eager, *others))


@asynccontextmanager
async def a_town() -> AsyncIterator[Town]:
    town = Town()
    try:
        await town.clock.advance(SETTLE + LOOK)
        assert town.a.may_claim
        assert town.b.may_claim
        yield town
    finally:
        town.goes()


async def test_users_share_one_store() -> None:
    """Do two users know of each other's claims, neither having begun the other's epoch anew?"""
    async with a_town() as town:
        assert [await town.whose(user) for user in (town.a, town.b)] == [town.a.key, town.b.key]
        assert await town.b.claims(town.a.build) == town.a.key
        assert await town.a.claims(build("c")) == town.a.key
        assert await town.b.claims(build("c")) == town.a.key
        assert (town.a.refills, town.b.refills) == (1, 1)


async def test_an_hour_of_quiet_is_one_small_reading_each_look() -> None:
    """Is nothing written while all is well, and nothing read but whose memory it is?"""
    async with a_town() as town:
        town.store.asked.clear()
        await town.clock.advance(3600)
        assert town.store.asked == {"meta": 2 * 3600 / LOOK}


@pytest.mark.parametrize("later", [0.0, 7.0, 19.0])
async def test_a_store_that_was_emptied_is_filled_by_all_before_anybody_claims(
    later: float,
) -> None:
    """Whenever it is lost, does each bring its own within the time in which nobody claims?"""
    async with a_town() as town:
        await town.clock.advance(later)
        town.store.forget()
        third = town.comes("c")  # its looks fall on other moments
        await town.nothing_is_granted_twice(town.a, [town.b, third])


async def test_who_starts_on_an_empty_store_waits_for_the_others() -> None:
    """Is a store that a start finds empty filled by all before the one that started claims?"""
    async with a_town() as town:
        town.store.forget()
        await town.nothing_is_granted_twice(town.comes("c"), [town.a, town.b])


@pytest.mark.parametrize("lost", ["forget", "roll_back"])
async def test_users_do_not_chase_each_other(lost: str) -> None:
    """After a loss, does each refill a few times within its settle time, and never again?"""
    async with a_town() as town:
        town.store.save()
        await town.a.claims(build("c"))
        await town.clock.advance(LOOK)
        town.store.asked.clear()
        getattr(town.store, lost)()
        await town.clock.advance(LOOK + SETTLE)
        assert town.store.asked["refill"] <= 2 * (1 + SETTLE / LOOK)
        standing = await town.store.meta()
        town.store.asked.clear()
        await town.clock.advance(3600)
        assert not town.store.asked["refill"]
        assert await town.store.meta() == standing
        assert (town.a.refills, town.b.refills) == (2, 2)


async def test_a_rolled_back_store_gets_back_what_the_records_know() -> None:
    """Does a claim that the store has lost, and a record holds, stand again before others claim?"""
    async with a_town() as town:
        town.store.save()
        await town.a.claims(build("c"))
        town.a.records.append(record_of("c"))
        await town.clock.advance(LOOK)
        town.store.roll_back()
        assert await town.store.claimed(TARGET, build("c")) is None
        await town.nothing_is_granted_twice(town.b, [town.a])
        assert await town.b.claims(build("c")) == "bootstrap/c"


async def test_a_pin_that_was_on_its_way_at_a_loss_is_known_before_others_claim() -> None:
    """Is a run that its record tells of half a minute after the loss claimed in time?"""
    async with a_town() as town:
        await town.a.claims(build("c"))
        town.store.forget()
        await town.clock.advance(34)
        town.a.records.append(record_of("c"))
        while not town.b.may_claim:
            await town.clock.advance(1)
        assert await town.b.claims(build("c")) == "bootstrap/c"


async def test_a_start_disturbs_nobody() -> None:
    """May the others claim all the time, in their epoch, with nothing to be published again?"""
    async with a_town() as town:
        before = await town.store.meta()
        third = town.comes("c")
        for _ in range(100):
            assert town.a.may_claim
            assert town.b.may_claim
            await town.clock.advance(1)
        assert await town.store.meta() == before
        assert (town.a.refills, town.b.refills, third.refills) == (1, 1, 1)
        assert third.may_claim
        assert await town.a.claims(third.build) == third.key
        assert third.told == town.a.told == []


async def test_a_start_waits_by_itself() -> None:
    """Does who starts claim nothing for its settle time, though the others may?"""
    async with a_town() as town:
        third = town.comes("c")
        await town.clock.advance(SETTLE - 1)
        assert not third.may_claim
        await town.clock.advance(1)
        assert third.may_claim


async def test_an_outage_that_loses_nothing_ends_for_all() -> None:
    """Is a store that was away for an hour joined again in the same epoch, by everybody?"""
    async with a_town() as town:
        before = await town.store.meta()
        town.store.away = True
        await town.clock.advance(3600)
        assert not town.a.may_claim
        town.store.away = False
        await town.clock.advance(60)
        assert town.a.may_claim
        assert town.b.may_claim
        assert await town.store.meta() == before
        assert town.a.told == town.b.told == ["the store is away", None]
        assert (town.a.refills, town.b.refills) == (2, 2)  # what was not written meanwhile


async def test_an_outage_that_loses_everything_is_a_loss() -> None:
    """Is a server that came back empty filled by all before anybody claims?"""
    async with a_town() as town:
        town.store.away = True
        await town.clock.advance(600)
        town.store.forget()
        town.store.away = False
        await town.nothing_is_granted_twice(town.a, [town.b])
