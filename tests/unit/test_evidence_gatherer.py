"""When the evidence of a run is gathered, and when it is given up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.engine.evidence.gatherer import ATTEMPTS, KEEP_SECONDS, MOST_WAITING
from store.api import StoreMisused, StoreUnavailable
from tests.evidence_desk import NOW, RUN, TARGET, Desk, ended, node_pod, open_desk, outcome


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_desk() as desk:
        yield desk


async def test_a_run_is_gathered_once(desk: Desk) -> None:
    """Does asking again, while it is under way and after it, change nothing?"""
    run = ended(node_pod())
    desk.gatherer.begin(run)
    desk.gatherer.begin(run)
    await desk.clock.settle()
    desk.gatherer.begin(run)
    await desk.gatherer.ensure(run)
    await desk.clock.settle()
    assert desk.store.kept == [(TARGET, RUN, KEEP_SECONDS)]
    assert desk.store.asked == 0


async def test_two_targets_may_have_a_run_of_one_id(desk: Desk) -> None:
    """Is each of them gathered?"""
    desk.gatherer.begin(ended(node_pod()))
    desk.gatherer.begin(ended(node_pod(), outcome=outcome(target="mainnet-full-sync")))
    await desk.clock.settle()
    assert [kept[:2] for kept in desk.store.kept] == [(TARGET, RUN), ("mainnet-full-sync", RUN)]


async def test_it_waits_for_a_store_that_is_away(desk: Desk) -> None:
    """Is what was read once given to the store when it is back, and the wait told once?"""
    desk.store.trouble = StoreUnavailable("gone")
    desk.gatherer.begin(ended(node_pod()))
    await desk.clock.advance(3600)
    assert desk.store.kept == []
    assert 5 < desk.store.tries < 40
    desk.store.trouble = None
    await desk.clock.advance(600)
    assert len(desk.store.kept) == 1
    assert desk.witness.asked.count("log fuji-1 node 500") == 1
    assert sum(line.startswith("evidence waits") for line in desk.said) == 1


async def test_it_does_not_wait_for_ever(desk: Desk) -> None:
    """Is it given up after a bounded number of tries, with a line that says so?"""
    desk.store.trouble = StoreUnavailable("gone")
    desk.gatherer.begin(ended(node_pod()))
    await desk.clock.advance(2 * 86400)
    assert desk.store.tries == ATTEMPTS
    assert desk.clock.sleepers == 0
    assert any(line.startswith("evidence not kept") and RUN in line for line in desk.said)


async def test_a_store_that_takes_none_is_not_asked_again(desk: Desk) -> None:
    """Is a refusal that no waiting mends the end of it?"""
    desk.store.trouble = StoreMisused("another cluster's")
    desk.gatherer.begin(ended(node_pod()))
    await desk.clock.advance(3600)
    assert desk.store.tries == 1
    assert any("another cluster's" in line for line in desk.said)


async def test_only_so_much_waits(desk: Desk) -> None:
    """Are the oldest dropped when too many wait, with a line each, and the others kept?"""
    desk.store.trouble = StoreUnavailable("gone")
    runs = [f"20261123t06{number:02}00z-aaaaaaaa" for number in range(MOST_WAITING + 2)]
    for run in runs:
        desk.gatherer.begin(ended(node_pod(), outcome=outcome(run=run)))
    await desk.clock.settle()
    desk.store.trouble = None
    await desk.clock.advance(600)
    assert {kept[1] for kept in desk.store.kept} == set(runs[2:])
    dropped = [line for line in desk.said if line.startswith("evidence dropped")]
    assert [runs[0] in dropped[0], runs[1] in dropped[1], len(dropped)] == [True, True, 2]


async def test_ensure_gathers_what_the_store_lacks(desk: Desk) -> None:
    """After a crash between verdict and evidence, is it gathered then, and asked for once?"""
    run = ended(node_pod())
    await desk.gatherer.ensure(run)
    await desk.clock.settle()
    await desk.gatherer.ensure(run)
    assert len(desk.store.kept) == 1
    assert desk.store.asked == 1


async def test_ensure_leaves_what_the_store_has(desk: Desk) -> None:
    """Is fuller evidence of an earlier controller never replaced, and not asked for again?"""
    run = ended(node_pod())
    await desk.store.put_evidence(TARGET, RUN, {"node.log": b"whole"}, keep_seconds=60)
    desk.store.kept.clear()
    await desk.gatherer.ensure(run)
    await desk.gatherer.ensure(run)
    await desk.clock.settle()
    assert desk.store.kept == []
    assert desk.store.asked == 1
    assert desk.witness.asked == []


async def test_ensure_asks_again_after_a_store_was_away(desk: Desk) -> None:
    """Is a store that did not answer asked at the next look, and nothing raised?"""
    run = ended(node_pod())
    desk.store.trouble = StoreUnavailable("gone")
    await desk.gatherer.ensure(run)
    desk.store.trouble = None
    await desk.gatherer.ensure(run)
    await desk.clock.settle()
    assert len(desk.store.kept) == 1


async def test_ensure_does_not_bring_back_what_has_expired(desk: Desk) -> None:
    """Is a run that ended longer ago than evidence is kept left alone?"""
    await desk.gatherer.ensure(ended(node_pod(), outcome=outcome(at=NOW - int(KEEP_SECONDS) - 60)))
    await desk.clock.settle()
    assert (desk.store.asked, desk.store.kept) == (0, [])


async def test_stop_ends_what_is_under_way(desk: Desk) -> None:
    """Does a stop wait for no reading and no store?"""
    desk.witness.hold = asyncio.Event()
    desk.gatherer.begin(ended(node_pod()))
    await desk.clock.settle()
    await desk.gatherer.stop()
    assert desk.store.tries == 0


async def test_a_mistake_of_ours_costs_this_evidence_only(desk: Desk) -> None:
    """Is a bug told with its trace, and the next run's evidence gathered all the same?"""
    desk.store.trouble = RuntimeError("bug")
    desk.gatherer.begin(ended(node_pod()))
    await desk.clock.settle()
    assert any(line.startswith("evidence not gathered") for line in desk.said)
    desk.store.trouble = None
    desk.gatherer.begin(ended(node_pod(), outcome=outcome(run="20261123t070000z-aaaaaaaa")))
    await desk.clock.settle()
    assert len(desk.store.kept) == 1
