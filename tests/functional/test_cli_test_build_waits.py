"""test-build --wait: a release candidate is queued and followed to its verdict, by one command."""

from math import inf

import pytest

from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.commands import Finished, command
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld

pytestmark = pytest.mark.jumping

CANDIDATE = SimulatedBuild("1.15.0", "c3" * 20, Plan())
ENDLESS = SimulatedBuild("1.15.0", "d4" * 20, Plan(bootstrap_seconds=inf))


async def ask(world: ControlledWorld, *words: str) -> Finished:
    registry = f"docker.io={world.world.registry.url}"
    place = ("--kubeconfig", str(world.kubeconfig), "--registry", registry)
    return await command("test-build", *words, *place)


async def test_a_candidate_that_is_tested_already(world: ControlledWorld) -> None:
    """Is its verdict the answer, and what was written told beside?"""
    world.world.push(REPOSITORY, "rc", CANDIDATE)
    world.deploy("fuji")
    world.world.annotate("fuji", test_build="rc")
    world.start(**SELDOM)
    await world.until(lambda: world.outcomes("fuji") == ["Passed", "Passed"])
    await world.stop()
    done = await ask(world, "rc", "fuji", "--wait", "-o", "json")
    assert done.code == 0
    assert "taken already" in done.err
    assert done.json()["verdict"] == "passed"
    assert done.json()["means"]["siblings"] == []


async def test_a_candidate_that_nobody_tests(world: ControlledWorld) -> None:
    """Is it queued, and 1 the answer when the time is over; and 3 for what no registry knows?"""
    world.world.push(REPOSITORY, "rc", ENDLESS)
    world.deploy("fuji")
    done = await ask(world, "rc", "fuji", "--wait", "--timeout", "1s")
    assert (done.code, "the time of --timeout was over" in done.err) == (1, True)
    assert "it is in the queue of bootstrap/fuji" in done.out
    done = await ask(world, "none", "fuji", "--wait")
    assert (done.code, "nothing is known of 'none'" in done.err) == (3, True)


@pytest.mark.parametrize(
    "words", [("rc", "fuji", "--timeout", "5m"), ("--clear", "fuji", "--wait"), ("rc", "--wait")]
)
async def test_what_cannot_be_meant(world: ControlledWorld, words: tuple[str, ...]) -> None:
    """Is it said before anything is written?"""
    assert (await ask(world, *words)).code == 2
