"""The levers at work: the commands write, and the controller does what they ask for."""

import re
from math import inf

import pytest

from controller.domain import names
from controller.domain.record.record import Outcome
from controller.inspection.lever_writer import FIELD_MANAGER
from controller.simulator.node import Plan
from controller.simulator.registry import SimulatedBuild
from tests.controlled_world import BUILD, MINUTE, REPOSITORY, SELDOM, ControlledWorld
from tests.lever_command import Said, command

pytestmark = pytest.mark.jumping

ENDLESS = SimulatedBuild("1.14.2", "c3" * 20, Plan(bootstrap_seconds=inf))
CANDIDATE = SimulatedBuild("1.15.0", "d4" * 20, Plan(bootstrap_seconds=20 * MINUTE))
JANE = re.compile(r"jane@\S+ asked for it at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def pull(world: ControlledWorld, *words: str) -> Said:
    return await command(world.kubeconfig, *words)


def last(world: ControlledWorld, name: str) -> Outcome:
    record = world.record(name)
    assert record is not None
    assert record.outcomes
    return record.outcomes[-1]


def builds(world: ControlledWorld, name: str) -> list[str]:
    record = world.record(name)
    return [outcome.build for outcome in record.outcomes] if record else []


def commands_writes(world: ControlledWorld) -> int:
    """How often a command has written anything."""
    return sum(FIELD_MANAGER in seen.path for seen in world.world.api.requests)


def owners(world: ControlledWorld, name: str, annotation: str) -> set[str]:
    """The field managers of an annotation."""
    return {
        entry["manager"]
        for entry in world.metadata(name)["managedFields"]
        if f"f:{annotation}" in entry["fieldsV1"].get("f:metadata", {}).get("f:annotations", {})
    }


async def test_abort_ends_the_run_and_says_who(world: ControlledWorld) -> None:
    """Does `abort` end the open run, naming who asked and when, and nothing where none is open?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    run = (world.record("fuji") or pytest.fail("no record")).run
    assert run is not None
    code, out, _ = await pull(world, "abort", "fuji")
    assert code == 0
    assert f"bootstrap/fuji: abort asked for: run {run.id} ends as Aborted" in out
    await world.until(lambda: world.outcomes("fuji") == ["Aborted"])
    outcome = last(world, "fuji")
    assert outcome.reason == "AbortRequested"
    assert JANE.fullmatch(outcome.message)
    assert owners(world, "fuji", names.ABORT) == {FIELD_MANAGER}
    value = world.annotation("fuji", names.ABORT)
    code, out, err = await pull(world, "abort", "fuji")
    assert (code, out) == (3, "")
    assert "no run is open" in err
    assert world.annotation("fuji", names.ABORT) == value


async def test_an_abort_by_another_tool_names_the_tool(world: ControlledWorld) -> None:
    """Is the field manager named where the value does not say who asked?"""
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    world.world.annotate("fuji", abort_requested_at="now")
    await world.until(lambda: world.outcomes("fuji") == ["Aborted"])
    assert "a person asked for it with 'kubectl' at 2" in last(world, "fuji").message


async def test_retest_makes_another_attempt(world: ControlledWorld) -> None:
    """Does `retest` have the tested build tested once more, and say who asked for it?"""
    world.deploy("fuji")
    world.start(**SELDOM)
    await world.passes("fuji")
    code, out, _ = await pull(world, "retest", "bootstrap/fuji")
    assert code == 0
    assert "retest asked for: the followed tag is tested once more" in out
    await world.until(lambda: world.outcomes("fuji") == ["Passed"] * 2)
    await world.until(lambda: "another attempt: jane@" in world.notes("fuji"))
    await world.a_while()
    assert world.outcomes("fuji") == ["Passed"] * 2


async def test_suspend_and_resume(world: ControlledWorld) -> None:
    """Does nothing start between `suspend` and `resume`, and does each do nothing a second time?"""
    world.deploy("fuji")
    assert (await pull(world, "suspend", "--all")).code == 0
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Suspended")
    assert f"written with '{FIELD_MANAGER}'" in world.message("fuji")
    before = commands_writes(world)
    code, out, _ = await pull(world, "suspend", "fuji")
    assert code == 0
    assert "is suspended already" in out
    assert commands_writes(world) == before
    await world.a_while()
    assert world.outcomes("fuji") == []
    code, out, _ = await pull(world, "resume", "fuji")
    assert code == 0
    assert "resumed: the next build that is due is started" in out
    await world.passes("fuji")
    assert world.annotation("fuji", names.SUSPEND) == "false"
    assert "is not suspended" in (await pull(world, "resume", "fuji")).out


async def test_a_retest_waits_for_the_end_of_a_suspension(world: ControlledWorld) -> None:
    """Is it written with a hint, asked for only once, and done after `resume`?"""
    world.deploy("fuji", annotations={names.SUSPEND: "true"})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Suspended")
    code, out, _ = await pull(world, "retest", "fuji")
    assert code == 0
    assert "see `resume`" in out
    await world.until(lambda: (world.record("fuji") or pytest.fail("no record")).again == "retest")
    code, out, _ = await pull(world, "retest", "fuji")
    assert code == 0
    assert "asked already (20" in out
    code, out, _ = await pull(world, "resume", "fuji")
    assert code == 0
    assert "the attempt that a person asked for starts" in out
    await world.passes("fuji")
    assert "another attempt: jane@" in world.notes("fuji")


async def test_end_hold_lets_the_next_build_in(world: ControlledWorld) -> None:
    """Does `end-hold` let the next build replace a failed run's data, say who asked, and do nothing
    where nothing is held?
    """
    world.world.push(REPOSITORY, "latest", ENDLESS)
    world.deploy("fuji", annotations={names.TIMEOUT: "1h"})
    world.start(**SELDOM)
    await world.until(lambda: world.phase("fuji") == "Held")
    failed = last(world, "fuji").run
    world.world.annotate("fuji", timeout=None)
    world.world.push(REPOSITORY, "latest", BUILD)
    await world.a_while()
    assert world.outcomes("fuji") == ["Failed"]
    code, out, _ = await pull(world, "end-hold", "fuji")
    assert code == 0
    assert f"takes the place of the data of {failed}" in out
    await world.passes("fuji")
    assert f"the hold of {failed} is over: jane@" in world.notes("fuji")
    code, _, err = await pull(world, "end-hold", "fuji")
    assert code == 3
    assert "nothing is held" in err


async def test_a_candidate_is_tested_ahead_of_the_tag(world: ControlledWorld) -> None:
    """Does `test-build` have a release candidate tested before the followed tag, on two targets,
    and the tag afterwards?
    """
    world.world.push(REPOSITORY, "v1.15.0-rc.1", CANDIDATE)
    world.deploy("fuji")
    world.deploy("mainnet", network="mainnet")
    code, out, _ = await pull(world, "test-build", "v1.15.0-rc.1", "--all")
    assert code == 0
    assert out.count("v1.15.0-rc.1 is queued: it is tested next") == 2
    world.start(**SELDOM)
    wanted = [CANDIDATE.digest(), BUILD.digest()]
    for name in ("fuji", "mainnet"):
        await world.until(lambda name=name: builds(world, name) == wanted)
        assert world.outcomes(name) == ["Passed", "Passed"]
        assert f"with '{FIELD_MANAGER}'" in world.notes(name)
    before = commands_writes(world)
    assert "taken already" in (await pull(world, "test-build", "v1.15.0-rc.1", "fuji")).out
    assert commands_writes(world) == before
    code, out, _ = await pull(world, "test-build", "--clear", "fuji")
    assert code == 0
    assert "queued no more" in out
    assert names.TEST_BUILD not in world.metadata("fuji")["annotations"]
