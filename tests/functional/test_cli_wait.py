"""wait: it ends when what is waited for has come, or cannot come."""

from math import inf

import pytest

from controller.domain import names
from controller.inspection.waiting import Awaited, Stand, Tell, wait_for
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.commands import command
from tests.controlled_world import REPOSITORY, SELDOM, ControlledWorld
from tests.functional.test_qualify_waits import looking

pytestmark = pytest.mark.jumping

ENDLESS = SimulatedBuild("1.14.1", "b2" * 20, Plan(bootstrap_seconds=inf))


class Heard(Tell):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


async def waited(
    world: ControlledWorld, awaited: Awaited, tell: Tell, longest: float | None = None
) -> Stand:
    async with looking(world) as inspection:
        return await wait_for(inspection, "bootstrap/fuji", awaited, tell, longest)


@pytest.mark.parametrize("awaited", list(Awaited))
async def test_a_run_that_passes(world: ControlledWorld, awaited: Awaited) -> None:
    """Is each of the three met by a pass, and is each phase told once on the way?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Starting")
    heard = Heard()
    stand = await waited(world, awaited, heard)
    assert (stand.over, stand.met) == (True, True)
    phases = [sentence.split()[3] for sentence in heard.sentences if "run " in sentence]
    assert phases[:3] == ["Starting", "Bootstrapping", "Soaking"]


@pytest.mark.parametrize(("awaited", "met"), [(Awaited.PASSED, False), (Awaited.VERDICT, True)])
async def test_a_run_that_fails(world: ControlledWorld, awaited: Awaited, met: bool) -> None:
    """Is a failure a verdict, and the end of waiting for a pass?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji", annotations={names.TIMEOUT: "1h"})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    stand = await waited(world, awaited, Heard())
    assert (stand.over, stand.met) == (True, met)
    assert "failed (Timeout)" in stand.said


async def test_an_abort_is_no_verdict(world: ControlledWorld) -> None:
    """Does waiting for a verdict end unmet where a person aborts the run?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")

    class Aborts(Tell):
        def say(self, sentence: str) -> None:
            world.world.annotate("fuji", abort_requested_at="2026-11-27T00:00:00Z by jane")

    stand = await waited(world, Awaited.VERDICT, Aborts())
    assert (stand.over, stand.met) == (True, False)
    assert "aborted (AbortRequested)" in stand.said


async def test_one_that_is_blocked_cannot_pass(world: ControlledWorld) -> None:
    """Does waiting end where a person must mend something first, with what it is?"""
    world.deploy("fuji", annotations={names.SOAK: "soon"})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Blocked")
    stand = await waited(world, Awaited.PASSED, Heard())
    assert (stand.over, stand.met) == (True, False)
    assert "BadDuration" in stand.said


async def test_a_queued_build_is_waited_for(world: ControlledWorld) -> None:
    """Is the next run meant, and not the last pass, where a person has queued a build?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    world.world.push(REPOSITORY, "rc", SimulatedBuild("1.15.0", "c3" * 20, Plan()))
    world.world.annotate("fuji", test_build="rc")
    stand = await waited(world, Awaited.PASSED, Heard())
    assert (stand.over, stand.met) == (True, True)
    assert len(world.outcomes("fuji")) == 2


async def test_its_time_is_over(world: ControlledWorld) -> None:
    """Is it not over, and told how it stands, when the time is?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji")
    world.start(**SELDOM)
    stand = await waited(world, Awaited.PASSED, Heard(), 600.0)
    assert (stand.over, stand.met) == (False, False)


async def test_the_command(world: ControlledWorld) -> None:
    """Does it exit with 0, 1 and 3, and say why?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: "tested already" in world.message("fuji"))
    await world.stop()
    place = ("--kubeconfig", str(world.kubeconfig))
    done = await command("wait", "fuji", "--for", "passed", *place)
    assert (done.code, "passed (Soaked)" in done.out) == (0, True)
    assert (await command("wait", "fujj", *place)).code == 3
    assert (await command("wait", "fuji", "--timeout", "soon", *place)).code == 2
    world.world.push(REPOSITORY, "rc", ENDLESS)
    world.world.annotate("fuji", test_build="rc")
    done = await command("wait", "fuji", "--timeout", "1s", *place)
    assert (done.code, "the time of --timeout is over" in done.err) == (1, True)
