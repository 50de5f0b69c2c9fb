"""The first pod of a new Deployment, which the controller's pin ends in its first milliseconds."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.simulator.workloads.speed import REAL_SPEED
from tests.controlled_world import MINUTE, SELDOM, ControlledWorld, controlled_world

pytestmark = pytest.mark.jumping

GRACE = 5 * MINUTE
DEAF = 0.002  # as measured by tests/deaf_time.py


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path, speed=replace(REAL_SPEED, deaf=DEAF)) as found:
        found.deploy("mainnet", network="mainnet")
        found.start(store="memory://", **SELDOM)
        await found.until(lambda: found.phase("mainnet") == "Bootstrapping")  # the build is known
        yield found


async def seconds_to_the_run(world: ControlledWorld, *, shares_processes: bool) -> float:
    """From a new Deployment to its node's start; the run passes after that."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    world.deploy("fuji", shares_processes=shares_processes)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    taken = loop.time() - began
    await world.passes("fuji")
    assert world.outcomes("fuji") == ["Passed"]
    return taken


async def test_a_pod_that_shares_its_processes(world: ControlledWorld) -> None:
    """Is the first pod of a target as `k8s/targets` makes it over at once, and the run begun?"""
    assert await seconds_to_the_run(world, shares_processes=True) < MINUTE


async def test_a_pod_whose_process_1_is_deaf(world: ControlledWorld) -> None:
    """Does a run come through whose first pod stood in Terminating for its whole grace?"""
    taken = await seconds_to_the_run(world, shares_processes=False)
    assert GRACE <= taken < GRACE + MINUTE
