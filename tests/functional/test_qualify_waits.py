"""qualify --wait: it ends when the answer is sure, and not before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from random import Random

import pytest

from controller.cli.qualify import until_decided
from controller.inspection.deployments import Inspection, inspecting
from controller.inspection.qualifying import Qualifying
from controller.process.wiring import Surroundings
from controller.settings.settings import load_settings
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.controlled_world import DAY, REPOSITORY, SELDOM, ControlledWorld
from tests.jumping_loop import LoopClock

pytestmark = pytest.mark.jumping

ENDLESS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))


@asynccontextmanager
async def looking(world: ControlledWorld) -> AsyncIterator[Inspection]:
    given = {
        "kubeconfig": str(world.kubeconfig),
        "registry": [f"docker.io={world.world.registry.url}"],
    }
    around = Surroundings(LoopClock(), Random(3), {})
    async with inspecting(load_settings(given, {}), around) as inspection:
        yield inspection


async def test_it_waits_for_the_last_target(world: ControlledWorld) -> None:
    """Does it follow a run to its pass, without a limit of its own?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Starting")
    async with looking(world) as inspection:
        answer, timed_out = await until_decided(
            Qualifying(inspection, "latest", []), LoopClock(), None
        )
    assert answer.qualification is not None
    assert (answer.qualification.verdict, timed_out) == ("passed", False)
    assert world.outcomes("fuji") == ["Passed"]


async def test_it_ends_with_the_first_failure(world: ControlledWorld) -> None:
    """Does it end when one target has failed, though another goes on?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji", annotations={"bootstrap.avax.network/timeout": "1h"})
    world.deploy("mainnet", network="mainnet")
    world.start(**SELDOM)
    async with looking(world) as inspection:
        answer, timed_out = await until_decided(
            Qualifying(inspection, "latest", []), LoopClock(), DAY
        )
    assert answer.qualification is not None
    states = [each.state for each in answer.qualification.targets]
    assert (states, timed_out) == (["failed", "open"], False)


async def test_its_time_is_over(world: ControlledWorld) -> None:
    """Does it end after --timeout with what is known, and not as passed?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji")
    world.start(**SELDOM)
    async with looking(world) as inspection:
        answer, timed_out = await until_decided(
            Qualifying(inspection, "latest", []), LoopClock(), 600.0
        )
    assert answer.qualification is not None
    assert (answer.qualification.verdict, timed_out) == ("open", True)
