"""How the simulated node's processes end, how often, and what their last words are."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.simulator.node import KILLED, OOM_KILLED, Plan, SimulatedNode
from tests.functional.test_simulator_node import Lab, open_lab

pytestmark = pytest.mark.jumping

REFUSAL = "couldn't load node config: unknown flag --foo"


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with open_lab() as lab:
        yield lab


async def lives(lab: Lab, plan: Plan, count: int) -> list[int | None]:
    """Exit codes of so many processes on the same data; None for one that outlives its plan."""
    codes: list[int | None] = []
    for _ in range(count):
        async with lab.node(plan) as (_, life):
            await lab.clock.advance(4)
            codes.append(await asyncio.wait_for(life, 5) if life.done() else None)
    return codes


async def ended(lab: Lab, plan: Plan) -> SimulatedNode:
    async with lab.node(plan) as (node, life):
        await lab.clock.advance(4)
        await asyncio.wait_for(life, 5)
        return node


async def test_out_of_memory(lab: Lab) -> None:
    """Does the kernel's kill come at its age, with its code and reason, and without a word?"""
    async with lab.node(Plan(oom_after=3)) as (node, life):
        await lab.clock.advance(2)
        assert (life.done(), node.end_reason) == (False, "")
        before = node.log.text()
        await lab.clock.advance(1)
        assert await asyncio.wait_for(life, 5) == KILLED
        assert node.end_reason == OOM_KILLED == "OOMKilled"
        assert not node.log.text().removeprefix(before).count("FATAL")
    assert not lab.progress.clean


async def test_only_the_kernel_gives_a_reason(lab: Lab) -> None:
    """Is there no reason beside the code of another end, a kill from outside among them?"""
    assert (await ended(lab, Plan(crash_after=1))).end_reason == ""
    async with lab.node(Plan()) as (node, life):
        node.kill()
        assert await asyncio.wait_for(life, 5) == KILLED
        assert node.end_reason == ""


async def test_a_test_can_run_a_node_out_of_memory(lab: Lab) -> None:
    """Can the kernel's kill be brought about at any moment, and only once?"""
    async with lab.node(Plan()) as (node, life):
        node.run_out_of_memory()
        node.run_out_of_memory()
        assert await asyncio.wait_for(life, 5) == KILLED
        assert (node.end_reason, lab.progress.ooms) == (OOM_KILLED, 1)


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan(bootstrap_seconds=0, oom_after=2, oom_times=2), KILLED),
        (Plan(bootstrap_seconds=0, exit_zero_after=2, exit_zero_times=2), 0),
        (Plan(bootstrap_seconds=0, disk_full_after=2, disk_full_times=2), 1),
        (Plan(bootstrap_seconds=0, crash_after=2, crash_times=2, crash_code=2), 2),
    ],
)
async def test_ends_as_often_as_planned_then_lives(lab: Lab, plan: Plan, code: int) -> None:
    """Does each kind of end come in the first two processes on the data, and no more?"""
    assert await lives(lab, plan, 3) == [code, code, None]
    async with lab.node(plan) as (node, _):  # at half of its age a full disk would show
        await lab.clock.advance(1.5)
        assert (await lab.get(node, "/ext/health"))[0] == 200


async def test_kinds_are_counted_apart(lab: Lab) -> None:
    """Does the earliest end that is still due win, so that one kind follows another?"""
    plan = Plan(oom_after=1, oom_times=1, crash_after=2, crash_times=2, exit_zero_after=3)
    assert await lives(lab, plan, 5) == [KILLED, 1, 1, 0, 0]


async def test_five_crashes_and_then_well(lab: Lab) -> None:
    """Can a build be played that restarts five times and then bootstraps?"""
    plan = Plan(bootstrap_seconds=3, crash_after=1, crash_times=5)
    assert await lives(lab, plan, 6) == [1, 1, 1, 1, 1, None]
    assert lab.progress.done == 3


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(crash_after=2), ("FATAL", "shutting down chain", "failed to verify block")),
        (Plan(exit_zero_after=2), ("caught panic", "nil pointer dereference")),
        (Plan(disk_full_after=2), ("FATAL", "low on disk space. Shutting down...")),
    ],
)
async def test_the_fatal_line_tells_the_cause(lab: Lab, plan: Plan, words: tuple[str, ...]) -> None:
    """Is there one fatal line, and nothing behind the end that it leads to, though progress is told
    at the same moment?
    """
    node = await ended(lab, plan)
    node.log.write("INFO", "x.go:1", "too late")  # as a task would that is still about to stop
    lines = node.log.text().splitlines()
    fatal = [number for number, line in enumerate(lines) if " FATAL " in line]
    told = "\n".join(lines[fatal[0] :])
    assert len(fatal) == 1
    assert all(word in told for word in words), told
    assert any(end in lines[-1] for end in ("finished node shutdown", "caught panic")), lines[-1]


async def test_a_build_that_refuses(lab: Lab) -> None:
    """Does it end at once with 1 and its one line, without a touch to the data?"""
    async with lab.node(Plan(refuses=REFUSAL), listens=False) as (node, life):
        assert await asyncio.wait_for(life, 5) == 1
        assert node.log.text() == REFUSAL + "\n"
        assert (lab.progress.starts, node.port) == (0, 0)
