"""What is wrong with an open run, as a person sees it in the moment that it happens: by the message
on the Deployment, `status` and `explain`, under the whole controller.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.domain import names
from controller.domain.defaults import Rules
from controller.simulator.apiserver.storage import Change
from controller.simulator.world import NAMESPACE
from tests.causes_world import LONG, QUICK, begin, bootstrapping, pod, running, told
from tests.commands import Finished, command
from tests.controlled_world import (
    DAY,
    HOUR,
    MINUTE,
    SELDOM,
    ControlledWorld,
    controlled_world,
    todays_clock,
)
from tests.jumping_loop import LoopClock
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping

LOOK = 40.0  # seconds; a default interval, and the answer
MOST_A_DAY = 25  # writes to a Deployment whose pod cannot come up
PATIENT = replace(Rules(), image_pull_patience=3 * DAY)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path, clock=todays_clock()) as found:
        yield found


async def ask(world: ControlledWorld, *words: str) -> Finished:
    done = await command(*words, "--kubeconfig", str(world.kubeconfig))
    assert done.code == 0, done.err
    return done


async def test_kills_for_want_of_memory_are_said_at_once(world: ControlledWorld) -> None:
    """Five OOM kills in a few minutes: do message and `status` say each within a look, with what
    the sixth would be, and `explain` too?
    """
    begin(world, LONG, flags={})
    await bootstrapping(world)
    for number in range(5):
        await running(world, number)
        world.world.workloads.kill(NAMESPACE, pod(world), "node")
        row = "once" if number == 0 else f"{number + 1} in a row"
        await world.until(lambda row=row: row in world.message("fuji"), within=LOOK)
        assert "exit code 137 (out of memory)" in world.message("fuji")
        if number:  # the first end is followed by a start at once
            assert "it waits to be started again" in world.message("fuji")
    assert "the run fails at 6 in a row, none up for 6h" in world.message("fuji")
    for words in (("status",), ("explain", "fuji")):
        done = await ask(world, *words)
        assert "5 in a row, with exit code 137 (out of memory)" in done.out
    assert "node waits, CrashLoopBackOff: back-off" in done.out


async def test_a_pull_that_is_refused_is_said_at_once(world: ControlledWorld) -> None:
    """Is it in message and `explain` long before it is told, with when it becomes a failure; and is
    the message the plain one when it is over?
    """
    world.world.images.broken = lambda _: "toomanyrequests: You have reached your pull rate limit"
    begin(world, QUICK, flags={})
    await world.until(lambda: "ImagePull since" in world.message("fuji"), within=3 * LOOK)
    assert "toomanyrequests" in world.message("fuji")
    assert "the run fails (ImagePull) if it lasts for 6h" in world.message("fuji")
    explained = await ask(world, "explain", "fuji")
    assert "; ImagePull not before 20" in explained.out
    assert told(world, "ImagePull") == []
    world.world.images.broken = lambda _: ""
    await bootstrapping(world)
    await world.until(lambda: "ImagePull" not in world.message("fuji"), within=2 * MINUTE)
    assert world.message("fuji").endswith("(fresh data)")


async def test_a_counter_that_hangs_is_said_to_stand(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """A node whose counters hang and that goes on answering: does the message say so within
    three looks, and `explain` that the counter stands, and since when, and not how fast it was?
    """
    begin(world, replace(LONG, bootstrap_seconds=10 * HOUR), store=redis.url, flags={})
    node = await bootstrapping(world)
    await LoopClock().sleep(20 * MINUTE)
    node.stall()
    await world.until(lambda: "NotMoving since" in world.message("fuji"), within=3 * LOOK)
    assert "the run fails (Stalled) if it lasts for" in world.message("fuji")
    await LoopClock().sleep(1)  # it is noted after that
    explained = await ask(world, "explain", "fuji", "--store", redis.url)
    assert "wrong now:   NotMoving since" in explained.out
    assert re.search(r"P fetched \d+ \(stands for (5[4-9]s|1m\d*s?)\)", explained.out)
    await LoopClock().sleep(6 * MINUTE)
    explained = await ask(world, "explain", "fuji", "--store", redis.url)
    assert re.search(r"P fetched \d+ \(stands for (5|6)m\d*s?\)", explained.out)
    node.stall(stalled=False)
    await world.until(lambda: world.message("fuji").endswith("(fresh data)"), within=3 * LOOK)


async def test_trouble_that_stands_for_a_day_is_written_seldom(tmp_path: Path) -> None:
    """A pull that fails for a day: is the Deployment written a few times for people, each half hour
    for the record's own sake, and not at each look?
    """
    async with controlled_world(tmp_path, rules=PATIENT) as world:
        said: set[str] = set()
        records: set[str] = set()

        def hear(change: Change) -> None:
            if change.plural == "deployments":
                annotations = change.object["metadata"]["annotations"]
                said.add(annotations[names.MESSAGE])
                records.add(annotations[names.RECORD])

        world.world.images.broken = lambda _: "toomanyrequests: slow down"
        begin(world, QUICK, flags=SELDOM)
        await world.until(lambda: "ImagePull since" in world.message("fuji"), within=HOUR)
        end = world.world.api.storage.subscribe(hear)
        await LoopClock().sleep(DAY)
        end()
        assert "ImagePull since" in world.message("fuji")
        assert len(said) <= MOST_A_DAY
        assert len(records) <= MOST_A_DAY + DAY / Rules().note_latest
