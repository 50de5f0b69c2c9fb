"""The whole controller without a store that lasts: what one process after the other knows of one
Deployment, by its record alone.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from controller.domain import names
from controller.domain.record.record import Record
from tests.causes_world import LONG, QUICK, begin, bootstrapping, causes_world, ends
from tests.commands import command
from tests.controlled_world import HOUR, MINUTE, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with causes_world(tmp_path) as found:
        yield found


def record(world: ControlledWorld) -> Record:
    found = world.record("fuji")
    assert found is not None
    return found


def notices(world: ControlledWorld) -> Counter[str]:
    """How often each was told, by its line in the log."""
    ids = (line.partition("'notice': '")[2].partition("'")[0] for line in world.said)
    return Counter(filter(None, ids))


def version(world: ControlledWorld) -> str:
    return str(world.metadata("fuji")["resourceVersion"])


async def another(world: ControlledWorld) -> None:
    """The controller's process ends, and another one starts and has had time for everything."""
    await world.stop()
    world.start(store="memory://", **SELDOM)
    await LoopClock().sleep(HOUR)


async def test_each_transition_is_told_once_whoever_starts_after_it(
    world: ControlledWorld,
) -> None:
    """A build has passed; then three controllers, one after the other: does any of them tell again
    what was told, pin again what was tested, write at all, or ask the registry for more than one
    index?
    """
    begin(world, QUICK)
    assert (await ends(world)).phase == "Passed"
    await LoopClock().sleep(HOUR)
    told, stands = notices(world), version(world)
    assert set(told.values()) == {1}
    assert record(world).steps == ()
    gets = world.world.registry.counts.gets
    for _ in range(3):
        await another(world)
    assert notices(world) == told
    assert version(world) == stands
    assert len(record(world).outcomes) == 1
    assert world.world.registry.counts.gets == gets + 3


async def test_an_empty_store_in_the_place_of_one_that_lasted_makes_no_news(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """With Redis: is what people were told of a run's end noted in the record, so that nothing is
    told again by the next controller, with the same Redis, or with an empty one in its place, whose
    history has the end again?
    """
    begin(world, QUICK, store=redis.url)
    assert (await ends(world)).phase == "Passed"
    await LoopClock().sleep(HOUR)
    told, noted = notices(world), record(world)
    assert noted.steps == ()
    for wish in ("the same", "an empty one"):
        await world.stop()
        if wish == "an empty one":
            redis.admin.flushall()
        world.start(store=redis.url, **SELDOM)
        await LoopClock().sleep(HOUR)
        assert (notices(world), record(world)) == (told, noted)
    (end,) = redis.admin.zrange("bootstrap:history", 0, -1)
    assert (
        orjson.loads(redis.admin.hget(f"bootstrap:transition:{end}", "body"))["phase"] == "Passed"
    )


async def test_a_run_of_many_processes_is_timed_as_a_whole(world: ControlledWorld) -> None:
    """Its controller starts anew each three quarters of an hour: does a run of at most three hours
    end by its timeout, and does nobody see that the record is written meanwhile?
    """
    begin(world, LONG, annotations={names.TIMEOUT: "3h"})
    await bootstrapping(world)
    begun, said = LoopClock().monotonic(), set()
    while not record(world).outcomes:
        await LoopClock().sleep(45 * MINUTE)
        said.add(world.message("fuji"))
        await world.stop()
        world.start(store="memory://", **SELDOM)
        assert LoopClock().monotonic() - begun < 6.5 * HOUR
    assert record(world).outcomes[-1].reason == "Timeout"
    assert len(said) <= 2
    assert set(notices(world).values()) == {1}


async def test_progress_is_known_to_the_next_process(world: ControlledWorld) -> None:
    """Does the record have how far the node is, for the next process and for whoever asks, and only
    while its run is open?
    """
    begin(world, replace(LONG, bootstrap_seconds=3 * HOUR))
    await bootstrapping(world)
    await LoopClock().sleep(2 * HOUR)
    run = record(world).run
    assert run is not None
    assert "C/state-synced" in run.progress
    assert run.observed > HOUR
    await world.stop()
    told = await command("explain", "fuji", "--kubeconfig", str(world.kubeconfig))
    assert "as noted after" in told.out
    assert "C state-synced" in told.out
    world.start(store="memory://", **SELDOM)
    assert (await ends(world)).phase == "Passed"
    assert "progress" not in world.annotation("fuji", names.RECORD)
