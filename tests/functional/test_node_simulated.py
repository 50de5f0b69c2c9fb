"""The HTTP probe and the simulator's node: do they speak of the same thing?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controller.domain.node_http import NodeAddress, NodeAnswer
from controller.domain.pace.stages import EXECUTED, FETCHED, STATE_SYNCED
from controller.domain.target import SyncMode
from controller.node.direct_door import DirectDoor, node_session
from controller.node.http_probe import HttpNodeProbe
from controller.simulator.node import NodeSettings, Pace, Plan, Progress, SimulatedNode, Version
from tests.fakes import FakeClock

CLOCK_OF_THE_PROBE = FakeClock()  # stands still: the node's own is moved by the test
TEN_SECONDS = Plan(bootstrap_seconds=10.0)


class Lab:
    """One node on a clock that stands still."""

    def __init__(self, node: SimulatedNode, probe: HttpNodeProbe, clock: FakeClock) -> None:
        self.node = node
        self.clock = clock
        self._probe = probe

    async def ask(self) -> NodeAnswer:
        address = NodeAddress("bootstrap", "pod-1", "127.0.0.1", self.node.port, "fuji")
        return await self._probe.ask(address)


@asynccontextmanager
async def lab(plan: Plan = TEN_SECONDS, mode: SyncMode = SyncMode.FULL) -> AsyncIterator[Lab]:
    clock = FakeClock()
    settings = NodeSettings(network="fuji", mode=mode)
    node = SimulatedNode(settings, Version(), plan, Progress(), clock, pace=Pace(0.1, 60.0))
    life = asyncio.create_task(node.run())
    try:
        await node.bound.wait()
        await clock.advance(0.1)
        async with node_session() as session:
            yield Lab(node, HttpNodeProbe(DirectDoor(session, CLOCK_OF_THE_PROBE)), clock)
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def test_bootstrapping() -> None:
    """Do the counters of a node that bootstraps rise, and is no block asked of it?"""
    async with lab() as it:
        first = await it.ask()
        await it.clock.advance(1.0)
        then = await it.ask()

    assert (first.ready, first.tips) == (False, {})
    assert set(first.counters) == set(then.counters)
    assert then.counters[f"P/{FETCHED}"] > first.counters[f"P/{FETCHED}"]
    assert then.peers is not None
    assert then.peers > 0


async def test_bootstrapped() -> None:
    """Has a bootstrapped node a newest block on both chains, young and rising?"""
    async with lab() as it:
        it.node.finish()
        first = await it.ask()
        await it.clock.advance(3.0)
        then = await it.ask()
        now = it.clock.now().timestamp()

    assert first.ready
    assert set(first.tips) == set(then.tips) == {"C", "P"}
    for chain, tip in then.tips.items():
        assert tip.at is not None
        assert now - 2 <= tip.at <= now
        assert tip.height > first.tips[chain].height
        assert tip.height == then.heights[chain]
    assert then.counters[f"C/{EXECUTED}"] > 0
    assert (then.disk_free, then.network) == (64.0, "fuji")


async def test_a_tip_that_stands() -> None:
    """Is a chain without new blocks seen by its height and its time, which both stand?"""
    async with lab() as it:
        it.node.finish()
        it.node.freeze()
        first = await it.ask()
        await it.clock.advance(60.0)
        assert (await it.ask()).tips == first.tips


async def test_state_sync() -> None:
    """Is a state sync seen to move before any block does?"""
    async with lab(mode=SyncMode.STATE) as it:
        await it.clock.advance(4.0)
        first = await it.ask()
        await it.clock.advance(1.0)
        then = await it.ask()

    assert then.counters[f"C/{STATE_SYNCED}"] > first.counters[f"C/{STATE_SYNCED}"] > 0
    assert then.counters[f"C/{EXECUTED}"] == 0


async def test_p_chain_only() -> None:
    """Is a node in partial sync asked of P alone?"""
    async with lab(mode=SyncMode.P_CHAIN) as it:
        it.node.finish()
        answer = await it.ask()

    assert answer.ready
    assert set(answer.tips) == {"P"}
    assert set(answer.heights) == {"P"}


@pytest.mark.parametrize(
    "plan",
    [
        Plan(bootstrap_seconds=10.0, metrics=False),
        Plan(bootstrap_seconds=10.0, lacks=("avalanche_",)),
    ],
    ids=["no metrics", "none that we know"],
)
async def test_version_without_metrics(plan: Plan) -> None:
    """Is a version that counts nothing no error, and health's word used in its place?"""
    async with lab(plan) as it:
        it.node.finish()
        answer = await it.ask()

    assert answer.ready
    assert answer.counters == {}
    assert set(answer.heights) == {"P", "X", "C"}
    assert answer.peers == 5
