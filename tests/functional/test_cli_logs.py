"""`logs`: the node's own words, by the Deployment's name."""

from math import inf

import pytest

from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.commands import Finished, command
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld

pytestmark = pytest.mark.jumping

WAITS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))


async def ask(world: ControlledWorld, *words: str) -> Finished:
    return await command("logs", *words, "--kubeconfig", str(world.kubeconfig))


async def test_the_log_of_the_node(world: ControlledWorld) -> None:
    """Is it that of the node's container, another's where one is named, and cut where asked?"""
    world.world.push(REPOSITORY, "latest", WAITS)
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    whole = await ask(world, "fuji")
    assert (whole.code, whole.err) == (0, "")
    assert len(whole.out.splitlines()) > 1
    last = await ask(world, "bootstrap/fuji", "--tail", "1")
    assert last.out.splitlines() == whole.out.splitlines()[-1:]
    other = await ask(world, "fuji", "-c", "no-such")
    assert other.code == 1
    assert other.out == ""


async def test_no_log_to_show(world: ControlledWorld) -> None:
    """Is a name that is not there one sentence?"""
    done = await ask(world, "fuji")
    assert (done.code, done.out) == (3, "")
    assert "no labelled Deployment 'fuji' is here" in done.err
