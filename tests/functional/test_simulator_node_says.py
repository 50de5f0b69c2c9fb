"""What the simulated node says of itself beside its heights: stake, and metrics that vary."""

from collections.abc import AsyncIterator

import pytest

from controller.domain.target import SyncMode
from controller.simulator.node import NodeSettings, Plan
from tests.functional.test_simulator_node import Lab, open_lab

pytestmark = pytest.mark.jumping

# One of each family that progress, peers and health are read from [108-111].
FAMILIES = (
    "avalanche_network_peers",
    "avalanche_snowman_bs_fetched",
    "avalanche_snowman_bs_accepted",
    "avalanche_snowman_last_accepted_height",
    "avalanche_avalanche_bs_fetched_vts",
    "avalanche_avalanche_bs_accepted_txs",
    "avalanche_evm_eth_state_sync_total_leafs",
    "avalanche_evm_eth_sync_state_trie_leaves_received",
    "avalanche_evm_eth_sync_atomic_trie_leaves_received",
    "avalanche_evm_eth_sync_code_received",
    "avalanche_evm_eth_sync_blocks_received",
    "avalanche_health_checks_failing",
)
STATE = NodeSettings("fuji", SyncMode.STATE)


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with open_lab() as lab:
        yield lab


async def families(lab: Lab, plan: Plan) -> set[str]:
    async with lab.node(plan, STATE) as (node, _):
        node.finish()  # all chains are there, with their heights
        _, text = await lab.get(node, "/ext/metrics")
        return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}


async def test_every_family_is_there(lab: Lab) -> None:
    """Does a node in state sync have every family that somebody reads?"""
    assert set(FAMILIES) <= await families(lab, Plan())


async def test_families_can_be_left_out(lab: Lab) -> None:
    """Is a version without some metrics one without just these?"""
    lacks = ("avalanche_network_", "avalanche_evm_eth_sync_code")
    left = await families(lab, Plan(lacks=lacks))
    whole = await families(lab, Plan())
    assert whole - left == {name for name in whole if name.startswith(lacks)} != set()


async def test_a_version_without_metrics(lab: Lab) -> None:
    """Is the whole page a 404, and the rest as ever?"""
    async with lab.node(Plan(bootstrap_seconds=0, metrics=False)) as (node, _):
        assert (await lab.get(node, "/ext/metrics"))[0] == 404
        assert (await lab.get(node, "/ext/health"))[0] == 200


async def test_what_a_state_sync_fetches_grows(lab: Lab) -> None:
    """Do the counters of all kinds of sync requests move while the state is fetched?"""
    kinds = ("state_trie_leaves", "atomic_trie_leaves", "code", "blocks")
    async with lab.node(Plan(bootstrap_seconds=10), STATE) as (node, _):
        await lab.clock.advance(6)
        for kind in kinds:
            assert await lab.counter(node, f"avalanche_evm_eth_sync_{kind}_received", "C") > 0


@pytest.mark.parametrize(
    ("mode", "chains"), [(SyncMode.FULL, {"P", "X", "C"}), (SyncMode.P_CHAIN, {"P"})]
)
async def test_low_stake(lab: Lab, mode: SyncMode, chains: set[str]) -> None:
    """Do the chains' checks fail for want of stake, before and after the bootstrap, and only they
    once it is over?
    """
    plan = Plan(bootstrap_seconds=10, low_stake=True)
    async with lab.node(plan, NodeSettings("fuji", mode)) as (node, _):
        await lab.clock.advance(3)  # P is done, and C and X are made
        for expected in (chains | {"bootstrapped"}, chains):
            status, document = await lab.get(node, "/ext/health")
            checks = document["checks"]
            failing = {name for name, check in checks.items() if "error" in check}
            assert (status, failing) == (503, expected)
            for chain in chains:
                assert checks[chain]["error"].startswith(
                    "not connected to enough stake: connected to 55.0"
                )
                assert checks[chain]["message"]["networking"]["percentConnected"] == 0.55
            await lab.clock.advance(10)
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 200
