"""The ledger: which store is believed, and when claims are granted (I8)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest
from loguru import logger
from msgspec.structs import replace as with_fields

from controller.base.errors import Unavailable
from controller.domain.decide.observation import ClaimSeen, TakeClaim
from controller.domain.record.record import Record
from controller.engine.claims.ledger import FIRST_SEEN, Ledger
from controller.engine.claims.refill import claims_of
from store.api import SCHEMA, Meta, StoreForgot, StoreMisused, StoreUnavailable
from tests.fakes import FakeClock
from tests.machine_objects import build, deployment
from tests.machine_world import World
from tests.simulation.played import FickleStore

TARGET = "fuji-c-chain-state-sync"
TAKE = TakeClaim(TARGET, build("a"), "20261123t060000z-aaaaaaaa")


class Desk:
    """A ledger with settle of 60 and patience of 100 seconds, and what it is given to work with."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FickleStore(self.clock)
        self.records: list[Record] = []
        self.refills = 0
        self.ledger = self.another()

    def another(self) -> Ledger:
        return Ledger(
            self.store,
            self.clock,
            Random(1),
            settle=60.0,
            patience=100.0,
            records=lambda: iter(self.records),
            on_refill=self._refilled,
        )

    def _refilled(self) -> None:
        self.refills += 1

    async def settled(self) -> Ledger:
        await self.ledger.open("ours")
        await self.clock.advance(60)
        return self.ledger


@contextmanager
def said(level: str) -> Iterator[list[str]]:
    """What is logged meanwhile, of that level or a higher one."""
    found: list[str] = []
    number = logger.add(found.append, level=level, format="{message}")
    try:
        yield found
    finally:
        logger.remove(number)


def recorded() -> Record:
    """The record of a Deployment that tests build a."""
    world = World()
    key = world.add(deployment())
    world.bootstrap(key)
    return world.record(key)


async def test_nothing_is_claimed_before_the_store_was_opened() -> None:
    """Is there no leave, and a reason, until the store has been refilled?"""
    desk = Desk()
    await desk.clock.advance(3600)
    leave = desk.ledger.leave()
    assert not leave.given
    assert "the store" in leave.why


async def test_nothing_is_claimed_while_patches_may_be_on_their_way() -> None:
    """Is `--settle` waited for after a start, to its end and no longer?"""
    desk = Desk()
    await desk.ledger.open("ours")
    await desk.clock.advance(59.9)
    assert not desk.ledger.leave().given
    turns = desk.ledger.turns_in()
    assert turns == pytest.approx(0.1)
    await desk.clock.advance(0.1)
    assert desk.ledger.leave().given
    assert desk.ledger.turns_in() is None


async def test_a_store_that_forgot_is_refilled_and_settles_anew() -> None:
    """Is a flush noticed at the next claim, refilled from the records, and waited out?"""
    desk = Desk()
    ledger = await desk.settled()
    desk.store.forget()
    record = recorded()
    desk.records.append(record)
    with pytest.raises(StoreForgot):
        await ledger.claim(TAKE, "bootstrap/two")
    assert not ledger.leave().given
    claim = await desk.store.claimed(TARGET, build("a"))
    assert claim is not None
    assert record.run is not None
    assert (claim.run, claim.owner) == (record.run.id, record.key)
    assert desk.refills == 2
    await desk.clock.advance(60)
    got = await ledger.claim(TAKE, "bootstrap/two")
    assert got.owner == record.key


async def test_an_epoch_that_another_began_is_joined_before_a_claim() -> None:
    """Is nothing granted by an epoch that is gone, and is the one that stands taken as it is?"""
    desk = Desk()
    ledger = await desk.settled()
    desk.store.forget()
    theirs = Meta(SCHEMA, "somebody else's", 0, "ours")
    await desk.store.refill(theirs, [])
    with pytest.raises(StoreForgot):
        await ledger.claim(TAKE, "bootstrap/one")
    assert await desk.store.claimed(TARGET, build("a")) is None
    assert not ledger.leave().given
    assert await desk.store.meta() == theirs
    await desk.clock.advance(60)
    assert (await ledger.claim(TAKE, "bootstrap/one")).owner == "bootstrap/one"


async def test_whoever_comes_joins() -> None:
    """Does a second ledger keep the epoch and the grants of the first, and settle by itself?"""
    desk = Desk()
    ledger = await desk.settled()
    await ledger.claim(TAKE, "bootstrap/one")
    before = await desk.store.meta()
    second = desk.another()
    await second.open("ours")
    assert await desk.store.meta() == before
    assert (ledger.leave().given, second.leave().given) == (True, False)
    await desk.clock.advance(60)
    assert (await second.claim(TAKE, "bootstrap/two")).owner == "bootstrap/one"


async def test_a_look_at_a_store_that_is_well_changes_nothing() -> None:
    """Is a store that remembers all neither refilled nor waited for?"""
    desk = Desk()
    ledger = await desk.settled()
    await desk.another().open("ours")
    for _ in range(3):
        await ledger.look()
    assert desk.refills == 2  # one of each ledger, when it opened
    assert ledger.leave().given


async def test_a_look_finds_a_store_that_forgot() -> None:
    """Is a loss noticed though nobody claims anything, and is it waited out?"""
    desk = Desk()
    ledger = await desk.settled()
    desk.store.forget()
    record = recorded()
    desk.records.append(record)
    await ledger.look()
    assert not ledger.leave().given
    assert await desk.store.claimed(TARGET, build("a")) is not None


async def test_a_look_begins_another_epoch_where_ours_was_rolled_back() -> None:
    """Do fewer grants than others told us of make a loss, though none of them were ours?"""
    desk = Desk()
    ledger = await desk.settled()
    other = desk.another()
    await other.open("ours")
    await desk.clock.advance(60)
    before = await desk.store.meta()
    desk.store.save()
    await other.claim(TAKE, "bootstrap/two")
    await ledger.look()
    desk.store.roll_back()
    assert await desk.store.meta() == before
    await ledger.look()
    after = await desk.store.meta()
    assert before is not None
    assert after is not None
    assert (after.epoch != before.epoch, after.grants) == (True, 0)
    assert not ledger.leave().given
    await other.look()
    assert await desk.store.meta() == after
    assert not other.leave().given


async def test_an_answer_that_came_late_is_no_rollback() -> None:
    """Is a look that was asked before a claim, and answered after it, told from a loss?"""
    desk = Desk()
    ledger = await desk.settled()
    before = await desk.store.meta()
    desk.store.slow = asyncio.Event()
    looking = asyncio.create_task(ledger.look())
    await desk.clock.settle()
    await ledger.claim(TAKE, "bootstrap/one")
    desk.store.slow.set()
    await looking
    assert ledger.leave().given
    after = await desk.store.meta()
    assert before is not None
    assert after == replace(before, grants=1)
    await ledger.look()
    assert await desk.store.meta() == after


async def test_what_was_pinned_in_the_moment_of_a_loss_is_brought_later() -> None:
    """Is the store refilled again while others settle, with what no record held at first?"""
    desk = Desk()
    ledger = await desk.settled()
    desk.store.forget()
    await ledger.look()
    record = recorded()
    desk.records.append(record)
    await desk.clock.advance(40)
    await ledger.look()
    assert await desk.store.claimed(TARGET, build("a")) is not None
    assert desk.refills == 2  # nothing more was lost: nothing is told again
    await desk.clock.advance(20)
    assert ledger.leave().given


async def test_what_was_decided_before_a_loss_is_not_granted_after_it() -> None:
    """Is a claim refused that comes just after a look has refilled the store?"""
    desk = Desk()
    ledger = await desk.settled()
    assert ledger.leave().given
    desk.store.forget()
    await ledger.look()
    with pytest.raises(StoreForgot, match="nothing is claimed yet"):
        await ledger.claim(TAKE, "bootstrap/one")
    assert await desk.store.claimed(TARGET, build("a")) is None
    await desk.clock.advance(60)
    assert (await ledger.claim(TAKE, "bootstrap/one")).owner == "bootstrap/one"


async def test_two_that_claim_for_one_deployment_do_not_lose_a_claim() -> None:
    """Is the second of two claims, both decided when none was pending, told of the first?"""
    desk = Desk()
    ledger = await desk.settled()
    other = desk.another()
    await other.open("ours")
    await desk.clock.advance(60)
    first = await other.claim(TAKE, "bootstrap/one")
    late = replace(TAKE, build=build("b"), run="20261123t060000z-bbbbbbbb")
    assert await ledger.claim(late, "bootstrap/one") == first
    assert await desk.store.claimed(TARGET, build("b")) is None
    knowing = replace(late, beside=first.run)
    assert (await ledger.claim(knowing, "bootstrap/one")).run == late.run


async def test_an_outage_is_no_loss() -> None:
    """Is a store that was away, and has all that it had, neither waited for nor warned of?"""
    desk = Desk()
    ledger = await desk.settled()
    before = await desk.store.meta()
    ledger.lost(StoreUnavailable("it is away"))
    with said("WARNING") as warnings:
        await ledger.mend()
    assert not warnings
    assert await desk.store.meta() == before
    assert ledger.leave().given
    assert desk.refills == 2  # what could not be written meanwhile is


async def test_a_store_that_a_person_gave_away_is_looked_at_again() -> None:
    """Is another cluster's adoption of our store noticed by a look, and left alone?"""
    desk = Desk()
    ledger = await desk.settled()
    desk.store.forget()
    theirs = Meta(SCHEMA, "theirs", 0, "another")
    await desk.store.refill(theirs, [])
    with pytest.raises(StoreMisused, match="another cluster"):
        await ledger.look()
    assert await desk.store.meta() == theirs
    assert ledger.leave().lasting


async def test_a_claim_is_granted_once_and_told_to_all_others() -> None:
    """Does everybody who asks for a build learn whose it is?"""
    desk = Desk()
    ledger = await desk.settled()
    first = await ledger.claim(TAKE, "bootstrap/one")
    assert first == ClaimSeen(TARGET, build("a"), TAKE.run, "bootstrap/one")
    assert await ledger.claim(TAKE, "bootstrap/two") == first


async def test_another_clusters_store_is_not_touched() -> None:
    """Is a store that belongs to another cluster left as it is, with a sentence for a person?"""
    desk = Desk()
    await desk.store.refill(Meta(SCHEMA, "theirs", 0, "another"), [])
    with pytest.raises(StoreMisused, match="another cluster"):
        await desk.ledger.open("ours")
    meta = await desk.store.meta()
    assert meta is not None
    assert meta.epoch == "theirs"
    leave = desk.ledger.leave()
    assert (leave.given, leave.lasting) == (False, True)
    assert desk.ledger.turns_in() is None


async def test_an_outage_is_told_once_it_lasts() -> None:
    """Is a store that is away no reason to tell owners at once, and one after its patience?"""
    desk = Desk()
    ledger = await desk.settled()
    ledger.lost(StoreUnavailable("it is away"))
    leave = ledger.leave()
    assert (leave.given, leave.lasting) == (False, False)
    assert ledger.turns_in() == pytest.approx(100.0)
    await desk.clock.advance(100)
    assert ledger.leave().lasting
    assert ledger.turns_in() is None
    await ledger.mend()
    assert not ledger.leave().lasting
    await desk.clock.advance(60)
    assert ledger.leave().given


async def test_a_loss_wakes_whoever_mends() -> None:
    """Is there no asking on a schedule while all is well, and none missed when it is not?"""
    desk = Desk()
    ledger = await desk.settled()
    waiting = asyncio.create_task(ledger.until_lost())
    await desk.clock.advance(3600)
    assert not waiting.done()
    ledger.lost(StoreUnavailable("it is away"))
    await waiting


def test_a_record_is_proof_of_all_that_it_remembers() -> None:
    """Are open run, outcomes and tested builds all claims?"""
    record = recorded()
    assert record.run is not None
    assert [(c.build, c.run) for c in claims_of(record)] == [(build("a"), record.run.id)]
    world = World()
    key = world.add(deployment())
    run = world.pass_run(key)
    assert [(c.build, c.run, c.owner) for c in claims_of(world.record(key))] == [
        (build("a"), run, key)
    ]


async def test_records_are_seen_anew_before_a_refill() -> None:
    """Is what a watch did not tell in the refill, nothing granted while it cannot be seen, and a
    list of a moment ago good enough at the start only?
    """
    desk, asked = Desk(), list[float]()
    unseen = [Unavailable("the API server is away")]

    async def refresh(since: float) -> None:
        asked.append(desk.clock.monotonic() - since)
        if unseen and len(asked) > 1:
            raise unseen[0]
        desk.records = [recorded()] if len(asked) > 1 else []

    desk.ledger = Ledger(
        desk.store,
        desk.clock,
        Random(1),
        settle=60.0,
        patience=100.0,
        records=lambda: iter(desk.records),
        refresh=refresh,
    )
    ledger = await desk.settled()
    desk.store.forget()
    with pytest.raises(StoreUnavailable, match="from the records: the API server is away"):
        await ledger.look()
    assert not ledger.leave().given
    unseen.clear()
    await ledger.mend()
    assert asked == [FIRST_SEEN, 0.0, 0.0]
    claim = await desk.store.claimed(TARGET, build("a"))
    assert claim is not None


async def test_others_go_on_while_many_records_are_gathered() -> None:
    """Does a refill from hundreds of records give the loop back between them, and bring all?"""
    desk, turns = Desk(), list[int]()
    plain = recorded()
    desk.records = [
        with_fields(
            plain, name=f"node-{n}", run=None, tested={TARGET: (build("a"), f"sha256:{n:064x}")}
        )
        for n in range(200)
    ]

    async def other() -> None:
        while True:
            turns.append(len(turns))
            await asyncio.sleep(0)

    going = asyncio.create_task(other())
    await desk.ledger.open("ours")
    going.cancel()
    assert len(turns) >= 20
    assert len(await desk.store.claims_of(TARGET)) == 201
