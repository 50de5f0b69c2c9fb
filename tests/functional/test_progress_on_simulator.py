"""How far a run has come, as the whole controller notes it in the store and `explain` reads it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.domain import names
from controller.domain.pace.noted_progress import decode_progress
from controller.simulator.node.progress import BLOCKS
from store import open_store
from tests.causes_world import LONG, begin, bootstrapping, causes_world, ends, kill, running
from tests.commands import command
from tests.controlled_world import HOUR, MINUTE, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock
from tests.redis_servers import RedisServer

pytestmark = pytest.mark.jumping


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with causes_world(tmp_path) as found:
        yield found


async def noted(redis: RedisServer, target: str, run: str) -> dict[str, str]:
    store = await open_store(redis.url)
    try:
        return await store.run(target, run)
    finally:
        await store.close()


async def test_progress_survives_restarts_of_node_and_controller(
    world: ControlledWorld, redis: RedisServer
) -> None:
    """Is all that was fetched, executed and synced counted once, though the node's counters began
    again and another controller looked on?
    """
    begin(world, replace(LONG, bootstrap_seconds=2 * HOUR), store=redis.url)
    node = await bootstrapping(world)
    await LoopClock().sleep(50 * MINUTE)
    node.stall()  # what a process does after the last look at it nobody can count
    await LoopClock().sleep(10 * MINUTE)
    kill(world)
    await running(world, 1)
    await LoopClock().sleep(20 * MINUTE)
    await world.stop()
    world.start(store=redis.url, **SELDOM)
    found = await ends(world)
    assert found.phase == "Passed"
    fields = await noted(redis, found.target, found.run)
    progress = decode_progress(fields["progress"])
    assert progress is not None
    done = {key: stage.count for key, stage in progress.stages.items()}
    assert done["P/executed"] == BLOCKS["P"]
    assert done["X/fetched"] == BLOCKS["X"]
    assert done["C/state-synced"] == 900_000
    assert "P executed 24000" in fields["pace"]


async def test_progress_is_explained(world: ControlledWorld, redis: RedisServer) -> None:
    """Does a person see how far an open run is, by chain, and what is known of the time left?"""
    plan = replace(LONG, bootstrap_seconds=HOUR)
    begin(world, plan, store=redis.url, annotations={names.SOAK: "12h"})
    await world.until(lambda: world.phase("fuji") == "Soaking")
    await LoopClock().sleep(10 * MINUTE)  # it is noted at the look after
    await world.stop()
    told = await command(
        "explain", "fuji", "--kubeconfig", str(world.kubeconfig), "--store", redis.url
    )
    assert told.code == 0
    assert "as noted after" in told.out
    assert "P executed 24000" in told.out
    assert "time left: no estimate" in told.out
