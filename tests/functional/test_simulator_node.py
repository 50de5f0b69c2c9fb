"""The simulated node: its documents, progress and misbehaviour. Real HTTP, no real time."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

import aiohttp
import pytest

from controller.domain.target import SyncMode
from controller.simulator.faults import Answer
from controller.simulator.node import (
    KILLED,
    BadSettings,
    NodeSettings,
    Pace,
    Plan,
    Progress,
    SimulatedNode,
    Unhealthy,
    Version,
)
from controller.simulator.node.checks import checks_of
from controller.simulator.node.health import Health
from tests.fakes import FakeClock

pytestmark = pytest.mark.jumping

FULL = NodeSettings(network="fuji", mode=SyncMode.FULL)


@dataclass
class Lab:
    """One node at a time over one database, on a clock that stands still."""

    clock: FakeClock = field(default_factory=FakeClock)
    progress: Progress = field(default_factory=Progress)
    session: aiohttp.ClientSession = field(init=False)

    @asynccontextmanager
    async def node(
        self, plan: Plan, settings: NodeSettings = FULL, *, listens: bool = True
    ) -> AsyncIterator[tuple[SimulatedNode, asyncio.Task[int]]]:
        node = SimulatedNode(
            settings, Version(), plan, self.progress, self.clock, pace=Pace(0.1, 0.5)
        )
        life = asyncio.create_task(node.run())
        try:
            if listens:
                await node.bound.wait()
            await self.clock.advance(0.1)
            yield node, life
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def get(self, node: SimulatedNode, path: str, **headers: str) -> tuple[int, Any]:
        async with self.session.get(node.url + path, headers=headers) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if reply.content_type.endswith("json") else text

    async def call(self, node: SimulatedNode, path: str, method: str, params: Any = None) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        async with self.session.post(node.url + path, json=body) as reply:
            is_json = reply.content_type.endswith("json")
            return reply.status, await reply.json() if is_json else await reply.text()

    async def counter(self, node: SimulatedNode, name: str, chain: str) -> float:
        _, text = await self.get(node, "/ext/metrics")
        wanted = f'{name}{{chain="{chain}"}} '
        return next(
            float(line.split()[-1]) for line in text.splitlines() if line.startswith(wanted)
        )


@asynccontextmanager
async def open_lab() -> AsyncIterator[Lab]:
    lab = Lab()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        lab.session = session
        yield lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with open_lab() as lab:
        yield lab


async def test_readiness_is_503_until_bootstrapped_and_then_200(lab: Lab) -> None:
    """Does readiness turn from 503 to 200 when the work is done, and not before?"""
    async with lab.node(Plan(bootstrap_seconds=10)) as (node, _):
        status, document = await lab.get(node, "/ext/health/readiness")
        assert (status, document["healthy"], list(document["checks"])) == (
            503,
            False,
            ["bootstrapped"],
        )
        check = document["checks"]["bootstrapped"]
        assert check["error"] == "subnets not bootstrapped"
        assert check["message"] == ["11111111111111111111111111111111LpoYY"]
        await lab.clock.advance(9)
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 503
        await lab.clock.advance(1)
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 200
        assert (await lab.get(node, "/ext/health"))[0] == 200
        assert (await lab.get(node, "/ext/health/liveness"))[1] == {"checks": {}, "healthy": True}


async def test_fresh_checks_are_failures(lab: Lab) -> None:
    """Does a check that has not run yet fail, with Go's zero time?"""
    async with lab.node(Plan()) as (node, _):
        check = Health(checks_of(node.state)).document("health")["checks"]["network"]
        assert check["error"] == "not yet run"
        assert check["timestamp"] == "0001-01-01T00:00:00Z"


async def test_results_are_as_old_as_the_interval(lab: Lab) -> None:
    """Is an answer taken from the last evaluation and not from the moment of asking?"""
    async with lab.node(Plan(bootstrap_seconds=0.25)) as (node, _):
        await lab.clock.advance(0.18)  # 0.28: bootstrapped, last evaluated at 0.2
        assert node.state.share < 1 or node.state.bootstrapped
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 503
        await lab.clock.advance(0.1)
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 200


async def test_partial_sync_has_only_the_p_chain(lab: Lab) -> None:
    """Are C and X absent in partial sync, and `validation` there?"""
    settings = NodeSettings(network="fuji", mode=SyncMode.P_CHAIN)
    async with lab.node(Plan(bootstrap_seconds=0), settings) as (node, _):
        _, document = await lab.get(node, "/ext/health")
        assert {"P", "validation"} <= set(document["checks"])
        assert not {"C", "X"} & set(document["checks"])
        assert (await lab.call(node, "/ext/bc/C/rpc", "eth_blockNumber"))[0] == 404
        _, reply = await lab.call(node, "/ext/info", "info.isBootstrapped", {"chain": "C"})
        assert reply["result"] == {"isBootstrapped": False}


async def test_rpc_health_is_200_though_unhealthy(lab: Lab) -> None:
    """Does POST answer 200 with healthy false where GET says 503?"""
    async with lab.node(Plan(bootstrap_seconds=inf)) as (node, _):
        status, reply = await lab.call(node, "/ext/health", "health.health")
        assert (status, reply["result"]["healthy"]) == (200, False)


async def test_info_tells_version_network_and_peers(lab: Lab) -> None:
    """Do the info calls answer in avalanchego's types (numbers as strings)?"""
    async with lab.node(Plan(no_peers=True)) as (node, _):
        _, version = await lab.call(node, "/ext/info", "info.getNodeVersion")
        assert version["result"]["version"] == "avalanchego/1.14.0"
        assert version["result"]["gitCommit"] == Version().commit
        _, name = await lab.call(node, "/ext/info", "info.getNetworkName")
        _, number = await lab.call(node, "/ext/info", "info.getNetworkID")
        assert (name["result"], number["result"]) == ({"networkName": "fuji"}, {"networkID": "5"})
        _, peers = await lab.call(node, "/ext/info", "info.peers")
        assert peers["result"]["numPeers"] == "0"
        _, wrong = await lab.call(node, "/ext/info", "info.nothing")
        assert "error" in wrong


async def test_counters_grow_and_begin_again_with_the_process(lab: Lab) -> None:
    """Do the counters of a process begin at zero while the height goes on from the database?"""
    plan = Plan(bootstrap_seconds=100)
    async with lab.node(plan) as (node, _):
        await lab.clock.advance(20)
        assert await lab.counter(node, "avalanche_snowman_bs_accepted", "P") > 0
    async with lab.node(plan) as (node, _):
        assert await lab.counter(node, "avalanche_snowman_bs_accepted", "P") < 500
        await lab.clock.advance(60)
        assert await lab.counter(node, "avalanche_avalanche_bs_fetched_vts", "X") > 0
        node.finish()
        assert await lab.counter(node, "avalanche_snowman_last_accepted_height", "P") > 10_000


async def test_state_sync_counts_leafs(lab: Lab) -> None:
    """Does the C-chain count leafs, and no blocks, while its state is synced?"""
    async with lab.node(Plan(bootstrap_seconds=10), NodeSettings("fuji")) as (node, _):
        await lab.clock.advance(6)
        assert await lab.counter(node, "avalanche_evm_eth_state_sync_total_leafs", "C") > 0
        assert await lab.counter(node, "avalanche_snowman_bs_fetched", "C") == 0


async def test_a_stall_stops_every_counter(lab: Lab) -> None:
    """Does nothing move after `stall_after` seconds of work, with the node otherwise well?"""
    async with lab.node(Plan(bootstrap_seconds=10, stall_after=4)) as (node, _):
        await lab.clock.advance(5)
        before = node.state.numbers("C"), node.state.numbers("P")
        await lab.clock.advance(50)
        assert (node.state.numbers("C"), node.state.numbers("P")) == before
        assert (await lab.get(node, "/ext/health/readiness"))[0] == 503


async def test_chain_apis_are_503_while_bootstrapping(lab: Lab) -> None:
    """Do the chains' own APIs refuse until bootstrapped, and then tell heights?"""
    async with lab.node(Plan(bootstrap_seconds=inf)) as (node, _):
        status, text = await lab.call(node, "/ext/bc/P", "platform.getHeight")
        assert (status, "not done bootstrapping" in text) == (503, True)
        # C is not made before P is done.
        assert (await lab.call(node, "/ext/bc/C/rpc", "eth_blockNumber"))[0] == 404
        node.finish()
        _, reply = await lab.call(node, "/ext/bc/C/rpc", "eth_blockNumber")
        assert int(reply["result"], 16) == node.state.numbers("C").height
        _, block = await lab.call(node, "/ext/bc/C/rpc", "eth_getBlockByNumber", ["latest", False])
        assert block["result"]["number"] == reply["result"]
        _, height = await lab.call(node, "/ext/bc/P", "platform.getHeight")
        assert int(height["result"]["height"]) == node.state.numbers("P").height


@pytest.mark.parametrize(("frozen", "moved"), [(False, True), (True, False)])
async def test_heights_grow_after_the_bootstrap_unless_frozen(
    lab: Lab, frozen: bool, moved: bool
) -> None:
    """Do new blocks arrive after the bootstrap, but not in a build that freezes?"""
    async with lab.node(Plan(bootstrap_seconds=0, heights_frozen=frozen)) as (node, _):
        before = node.state.numbers("C").height
        await lab.clock.advance(10)
        assert (node.state.numbers("C").height > before) is moved


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 503),
        ("localhost:9650", 503),
        ("10.1.2.3:9650", 503),
        ("[::1]:9650", 503),
        ("node.test.svc", 403),
    ],
)
async def test_host_check(lab: Lab, host: str, status: int) -> None:
    """Are names other than the allowed ones refused, and addresses never?"""
    async with lab.node(Plan(bootstrap_seconds=inf)) as (node, _):
        got, body = await lab.get(node, "/ext/health/readiness", Host=host)
        assert got == status
        assert status != 403 or body.strip() == "invalid host specified"


async def test_strict_hosts_refuses_addresses(lab: Lab) -> None:
    """Does the strict build refuse an address as Host, unless every host is allowed?"""
    async with lab.node(Plan(strict_hosts=True)) as (node, _):
        assert (await lab.get(node, "/ext/health"))[0] == 403
    open_to_all = NodeSettings("fuji", SyncMode.FULL, allowed_hosts=("*",))
    async with lab.node(Plan(strict_hosts=True), open_to_all) as (node, _):
        assert (await lab.get(node, "/ext/health"))[0] == 503


async def test_hangs_until_it_serves(lab: Lab) -> None:
    """Is a connection taken before the node serves, and answered only then?"""
    async with lab.node(Plan(hang_for=60)) as (node, _):
        asked = asyncio.create_task(lab.get(node, "/ext/health"))
        await asyncio.wait({asked}, timeout=4.0)
        assert not asked.done()
        await lab.clock.advance(61)
        assert (await asked)[0] in {200, 503}


async def test_never_listens(lab: Lab) -> None:
    """Is no port bound at all?"""
    async with lab.node(Plan(never_listens=True), listens=False) as (node, life):
        await lab.clock.advance(30)
        assert (node.port, life.done()) == (0, False)


async def test_a_killed_node_refuses_connections(lab: Lab) -> None:
    """Does a dead process end at once with its code, though somebody hangs on its port?"""
    async with lab.node(Plan(hang_for=inf)) as (node, life):
        url = node.url
        asked = asyncio.create_task(lab.get(node, "/ext/health"))
        await asyncio.wait({asked}, timeout=4.0)
        node.kill()
        assert await asyncio.wait_for(life, 5) == KILLED
        with pytest.raises(aiohttp.ClientError):
            await asked
        with pytest.raises(aiohttp.ClientError):
            await lab.session.get(url)


async def test_crashes_as_often_as_planned_then_lives(lab: Lab) -> None:
    """Does it crash in the first two processes on the same data and no longer in the third?"""
    plan = Plan(bootstrap_seconds=10, crash_after=4, crash_code=2, crash_times=2)
    codes = []
    for _ in range(2):
        async with lab.node(plan) as (node, life):
            await lab.clock.advance(4)
            codes.append(await asyncio.wait_for(life, 5))
            assert "shutting down chain" in node.log.text()
    assert codes == [2, 2]
    async with lab.node(plan) as (node, life):
        await lab.clock.advance(4)
        assert not life.done()
        assert node.state.bootstrapped


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (Plan(crash_after=2), False),
        (Plan(crash_after=2, crash_line=""), True),
        (Plan(disk_full_after=2), False),
        (Plan(panic_after=2), True),
        (Plan(oom_after=2), True),
    ],
)
async def test_an_end_without_a_shutdown_is_told(lab: Lab, plan: Plan, told: bool) -> None:
    """Does the next process say that the last one did not close the database, where it did not?"""
    async with lab.node(plan) as (_, life):
        await lab.clock.advance(2)
        await asyncio.wait_for(life, 5)
    async with lab.node(Plan()) as (node, _):
        assert ("detected previous ungraceful shutdown" in node.log.text()) is told


@pytest.mark.parametrize(
    ("plan", "code", "line"),
    [
        (Plan(disk_full_after=2), 1, "low on disk space. Shutting down..."),
        (Plan(exit_zero_after=2), 0, "caught panic"),
        (Plan(panic_after=2), 2, "panic: index out of range [recovered, repanicked]"),
    ],
)
async def test_other_endings(lab: Lab, plan: Plan, code: int, line: str) -> None:
    """Does a full disk end with 1, a caught panic with 0, and another one with 2?"""
    async with lab.node(plan) as (node, life):
        await lab.clock.advance(3)
        assert await asyncio.wait_for(life, 5) == code
        assert line in node.log.text()


async def test_sigterm_ends_with_zero_after_its_time(lab: Lab) -> None:
    """Does SIGTERM lead to 0, with `shuttingDown` failing meanwhile?"""
    async with lab.node(Plan(bootstrap_seconds=0, shutdown_seconds=5)) as (node, life):
        node.terminate()
        await lab.clock.advance(4)
        _, document = await lab.get(node, "/ext/health")
        assert "shuttingDown" in document["checks"]
        await lab.clock.advance(1)
        assert await asyncio.wait_for(life, 5) == 0
    assert lab.progress.clean


async def test_a_check_that_flaps(lab: Lab) -> None:
    """Does a planned outage come and go, with its failures counted, and readiness untouched?"""
    flaps = Unhealthy("router", begin=2, end=4, every=10)
    async with lab.node(Plan(bootstrap_seconds=0, unhealthy=(flaps,))) as (node, _):
        seen = []
        for _ in range(6):
            seen.append((await lab.get(node, "/ext/health"))[0])
            assert (await lab.get(node, "/ext/health/readiness"))[0] == 200
            await lab.clock.advance(2.5)
        assert seen == [200, 503, 200, 200, 200, 503]
        assert (await lab.get(node, "/ext/health"))[1]["checks"]["router"].get("error") is None


async def test_fail_and_mend_work_at_once(lab: Lab) -> None:
    """Can a test break a check and mend it without waiting?"""
    async with lab.node(Plan(bootstrap_seconds=0)) as (node, _):
        node.fail("diskspace", "full")
        status, document = await lab.get(node, "/ext/health")
        assert (status, document["checks"]["diskspace"]["error"]) == (503, "full")
        _, text = await lab.get(node, "/ext/metrics")
        assert 'avalanche_health_checks_failing{check="health",tag="all"} 1' in text
        node.mend("diskspace")
        assert (await lab.get(node, "/ext/health"))[0] == 200


async def test_a_database_of_another_network_cannot_be_opened(lab: Lab) -> None:
    """Does the node end with 1 on the data of another network?"""
    lab.progress.network = "mainnet"
    async with lab.node(Plan(), listens=False) as (node, life):
        assert await asyncio.wait_for(life, 5) == 1
        assert "db contains invalid genesis hash" in node.log.text()


async def test_faults_are_played(lab: Lab) -> None:
    """Does a node answer what its faults say instead of its own words?"""
    async with lab.node(Plan(bootstrap_seconds=0)) as (node, _):
        node.faults.add(Answer(502, b"<html>", {"Content-Type": "text/html"}), path="/ext/health")
        assert await lab.get(node, "/ext/health") == (502, "<html>")
        assert (await lab.get(node, "/ext/health"))[0] == 200


def chain_config(config: dict[str, Any]) -> str:
    inner = base64.b64encode(json.dumps(config).encode()).decode()
    return base64.b64encode(json.dumps({"C": {"Config": inner, "Upgrade": None}}).encode()).decode()


@pytest.mark.parametrize(
    ("environment", "network", "mode"),
    [
        ({}, "mainnet", SyncMode.STATE),
        ({"AVAGO_NETWORK_ID": "testnet"}, "fuji", SyncMode.STATE),
        ({"AVAGO_NETWORK_ID": "network-1337"}, "network-1337", SyncMode.STATE),
        ({"AVAGO_NETWORK_NAME": "fuji"}, "mainnet", SyncMode.STATE),
        ({"AVAGO_PARTIAL_SYNC_PRIMARY_NETWORK": "true"}, "mainnet", SyncMode.P_CHAIN),
        (
            {"AVAGO_CHAIN_CONFIG_CONTENT": chain_config({"state-sync-enabled": False})},
            "mainnet",
            SyncMode.FULL,
        ),
        (
            {
                "AVAGO_CHAIN_CONFIG_CONTENT": chain_config(
                    {"state-sync-enabled": False, "pruning-enabled": False}
                )
            },
            "mainnet",
            SyncMode.ARCHIVE,
        ),
    ],
)
def test_settings_from_the_environment(
    environment: dict[str, str], network: str, mode: SyncMode
) -> None:
    """Are network and sync mode read as avalanchego reads them?"""
    settings = NodeSettings.read(environment)
    assert (settings.network, settings.mode) == (network, mode)


def test_a_flag_wins_over_its_variable() -> None:
    """Are flags of the command line read, in both their forms?"""
    words = [
        "./avalanchego",
        "--network-id=fuji",
        "--partial-sync-primary-network",
        "--http-port",
        "1",
    ]
    settings = NodeSettings.read({"AVAGO_NETWORK_ID": "mainnet"}, words)
    assert (settings.network, settings.mode, settings.http_port) == ("fuji", SyncMode.P_CHAIN, 1)


@pytest.mark.parametrize(
    "environment", [{"AVAGO_NETWORK_ID": "fooji"}, {"AVAGO_CHAIN_CONFIG_CONTENT": "{}"}]
)
def test_bad_settings(environment: dict[str, str]) -> None:
    """Is nonsense refused as the node refuses it?"""
    with pytest.raises(BadSettings, match=r"^couldn't load node config: "):
        NodeSettings.read(environment)


@pytest.mark.parametrize(
    ("flag", "value", "read"),
    [
        ("http-port", "tcp://10.0.0.1:9650", lambda settings: settings.http_port == 0),
        ("partial-sync-primary-network", "yes", lambda s: s.mode is SyncMode.STATE),
    ],
)
def test_what_is_of_the_wrong_kind(
    flag: str, value: str, read: Callable[[NodeSettings], bool]
) -> None:
    """Is it refused as a flag, and 0 or false without a word as a variable [65, 100]?"""
    variable = f"AVAGO_{flag.upper().replace('-', '_')}"
    assert read(NodeSettings.read({variable: value}))
    with pytest.raises(BadSettings, match=f'^couldn\'t configure flags: .*"--{flag}" flag'):
        NodeSettings.read({}, [f"--{flag}={value}"])


def test_an_empty_variable_is_none() -> None:
    """Does an empty variable leave the default in force, and an empty flag count [96]?"""
    names = ("NETWORK_ID", "HTTP_HOST", "HTTP_PORT", "DATA_DIR", "CHAIN_CONFIG_CONTENT")
    assert NodeSettings.read({f"AVAGO_{name}": "" for name in names}) == NodeSettings()
    assert NodeSettings.read({}, ["--http-host="]).reachable


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "::1"])
def test_a_loopback_is_out_of_reach(host: str) -> None:
    """Is a listener on the loopback for nobody outside its pod, by flag and by variable?"""
    assert not NodeSettings.read({"AVAGO_HTTP_HOST": host}).reachable
    assert not NodeSettings.read({"AVAGO_HTTP_HOST": "0.0.0.0"}, ["--http-host", host]).reachable
