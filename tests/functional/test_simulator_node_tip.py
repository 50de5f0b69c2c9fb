"""The simulated node's newest blocks: their heights and times, as its chains' APIs tell them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from typing import Any

import pytest

from controller.simulator.node import Plan, Progress, SimulatedNode
from controller.simulator.node.state import NodeState
from tests.fakes import EPOCH
from tests.functional.test_simulator_node import FULL, Lab, open_lab

pytestmark = pytest.mark.jumping

START = int(EPOCH.timestamp())


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with open_lab() as lab:
        yield lab


async def block(lab: Lab, node: SimulatedNode, which: str = "latest") -> Any:
    params = [which, False]
    _, reply = await lab.call(node, "/ext/bc/C/rpc", "eth_getBlockByNumber", params)
    return reply["result"]


async def c_tip(lab: Lab, node: SimulatedNode) -> tuple[int, int]:
    """Height, and time in seconds since the lab's clock began."""
    found = await block(lab, node)
    return int(found["number"], 16), int(found["timestamp"], 16) - START


async def p_tip(lab: Lab, node: SimulatedNode) -> tuple[int, int]:
    _, height = await lab.call(node, "/ext/bc/P", "platform.getHeight")
    _, told = await lab.call(node, "/ext/bc/P", "platform.getTimestamp")
    at = datetime.fromisoformat(told["result"]["timestamp"])
    assert told["result"]["timestamp"].endswith("Z")
    return int(height["result"]["height"]), int(at.timestamp()) - START


@pytest.mark.parametrize("tip", [c_tip, p_tip])
async def test_the_tip_is_as_old_as_the_moment_of_its_height(lab: Lab, tip: Any) -> None:
    """Does each new height have the time at which it was reached, and not that of the asking?"""
    async with lab.node(Plan(bootstrap_seconds=10.5)) as (node, _):
        await lab.clock.advance(10.5)  # 10.6
        height, at = await tip(lab, node)
        assert at == 10
        await lab.clock.advance(0.8)  # 11.4: the first block came at 10.5, the next is due at 11.5
        assert await tip(lab, node) == (height, at)
        await lab.clock.advance(5)  # 16.4: five blocks, the last one at 15.5
        assert await tip(lab, node) == (height + 5, 15)


@pytest.mark.parametrize(("frozen", "age"), [(True, 89.5), (False, 0.5)])
def test_moments_do_not_depend_on_who_looks(frozen: bool, age: float) -> None:
    """Is a tip that nobody looked at for long as old as the moment of its height, all the same?"""
    plan = Plan(bootstrap_seconds=10.5, heights_frozen=frozen)
    state = NodeState(FULL, plan, Progress())
    state.advance(100, EPOCH)
    assert state.block_time("C", state.numbers("C").height) == EPOCH - timedelta(seconds=age)


@pytest.mark.parametrize("tip", [c_tip, p_tip])
async def test_a_build_that_freezes_keeps_the_moment_of_its_bootstrap(lab: Lab, tip: Any) -> None:
    """Do height and time stand still from the first bootstrapped moment on, though it is well?"""
    async with lab.node(Plan(bootstrap_seconds=10, heights_frozen=True)) as (node, _):
        await lab.clock.advance(10)
        before = await tip(lab, node)
        assert before[1] == 10
        await lab.clock.advance(100)
        assert await tip(lab, node) == before
        assert (await lab.get(node, "/ext/health"))[0] == 200


async def test_freeze_stops_blocks_and_lets_them_come_again(lab: Lab) -> None:
    """Can a test stop the blocks of a healthy node, and let them come again?"""
    async with lab.node(Plan(bootstrap_seconds=0)) as (node, _):
        await lab.clock.advance(5)
        node.freeze()
        before = await c_tip(lab, node)
        await lab.clock.advance(100)
        assert await c_tip(lab, node) == before
        assert (await lab.get(node, "/ext/health"))[0] == 200
        node.freeze(frozen=False)
        await lab.clock.advance(10)
        height, at = await c_tip(lab, node)
        assert height == before[0] + 10
        assert 114 <= at <= 115


async def test_a_node_frozen_before_its_end_still_bootstraps(lab: Lab) -> None:
    """Does `freeze` leave the bootstrap alone, and the tip at its end?"""
    async with lab.node(Plan(bootstrap_seconds=10)) as (node, _):
        node.freeze()
        await lab.clock.advance(60)
        assert node.state.bootstrapped
        assert (await c_tip(lab, node))[1] == 10


async def test_a_stall_stops_blocks_too(lab: Lab) -> None:
    """Does a node that is stalled after its bootstrap keep height and time?"""
    async with lab.node(Plan(bootstrap_seconds=0)) as (node, _):
        await lab.clock.advance(5)
        node.stall()
        before = await c_tip(lab, node)
        await lab.clock.advance(100)
        assert await c_tip(lab, node) == before


async def test_a_quiet_chain_is_old_and_healthy(lab: Lab) -> None:
    """Does a network without transactions keep its height, with a block long past, and be well?"""
    async with lab.node(Plan(bootstrap_seconds=0, quiet=True)) as (node, _):
        before = await c_tip(lab, node), await p_tip(lab, node)
        assert all(at < -365 * 86400 for _, at in before)
        await lab.clock.advance(100)
        assert (await c_tip(lab, node), await p_tip(lab, node)) == before
        assert (await lab.get(node, "/ext/health"))[0] == 200
        node.state.plan = replace(node.state.plan, quiet=False)
        await lab.clock.advance(10)
        assert (await c_tip(lab, node))[1] == 110


@pytest.mark.parametrize("stalled", [False, True])
async def test_finish_is_a_moment_of_its_own(lab: Lab, stalled: bool) -> None:
    """Is the tip of a node that is made to finish as old as that, even if it was stalled?"""
    async with lab.node(Plan(bootstrap_seconds=inf)) as (node, _):
        await lab.clock.advance(50)
        node.stall(stalled=stalled)
        node.finish()
        assert (await c_tip(lab, node))[1] == 50


async def test_the_database_keeps_the_tip(lab: Lab) -> None:
    """Does a process that starts on the data have the tip of the one before it?"""
    plan = Plan(bootstrap_seconds=0, heights_frozen=True)
    async with lab.node(plan) as (node, _):
        before = await c_tip(lab, node)
    await lab.clock.advance(1000)
    async with lab.node(plan) as (node, _):
        assert await c_tip(lab, node) == before


async def test_blocks_by_name_and_by_number(lab: Lab) -> None:
    """Are the newest block's names the same block, older ones older, and later ones not there?"""
    async with lab.node(Plan(bootstrap_seconds=0)) as (node, _):
        newest = await block(lab, node)
        assert await block(lab, node, "accepted") == newest
        assert await block(lab, node, newest["number"]) == newest
        number, at = int(newest["number"], 16), int(newest["timestamp"], 16)
        older = await block(lab, node, hex(number - 10))
        assert (int(older["number"], 16), int(older["timestamp"], 16)) == (number - 10, at - 10)
        assert await block(lab, node, hex(number + 1)) is None
        _, reply = await lab.call(node, "/ext/bc/C/rpc", "eth_getBlockByNumber", ["yesterday"])
        assert reply["error"]["code"] == -32602
