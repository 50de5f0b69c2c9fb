"""Plans of the simulated node that the recordings taught: hanging, moving on, syncing its state."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from controller.domain.target import SyncMode
from controller.simulator.node import BadSettings, NodeSettings, Plan
from controller.simulator.node.go_text import duration, number, parsed_duration
from tests.functional.test_simulator_node import chain_config
from tests.recorded_node import INTERVAL, RecordedLab, answers, recorded_lab
from tests.scenes import scene

pytestmark = pytest.mark.jumping

ASKED = {a.path.removeprefix("/ext/"): a for a in answers("full", 1, 2) if a.method == "GET"}
BLOCK_NUMBER = next(a for a in answers("full", 53, 54) if a.rpc == "eth_blockNumber")
LOCKED_READY = Plan(bootstrap_seconds=4, locked_at=60_010)


async def document(lab: RecordedLab, path: str = "health") -> Any:
    return json.loads((await lab.ask(ASKED[path])).body)


def times(found: Any) -> dict[str, datetime]:
    return {
        name: datetime.fromisoformat(check["timestamp"]) for name, check in found["checks"].items()
    }


async def test_checks_are_as_new_as_the_interval_that_is_asked_for() -> None:
    """Do the timestamps advance by the frequency of the checks?"""
    async with recorded_lab(Plan(bootstrap_seconds=1)) as lab:
        await lab.clock.advance(2 * INTERVAL)
        first = times(await document(lab))
        await lab.clock.advance(INTERVAL - 1)
        assert times(await document(lab)) == first
        await lab.clock.advance(1)
        then = times(await document(lab))
    assert {then[name] - first[name] for name in first} == {timedelta(seconds=INTERVAL)}


async def test_a_chain_that_hangs_makes_every_check_stand_still() -> None:
    """Do all checks keep value and time, while the node goes on answering, readiness too?"""
    async with recorded_lab(LOCKED_READY) as lab:
        await lab.clock.advance(60)
        before, ready = await document(lab), await document(lab, "health/readiness")
        height = (await lab.ask(BLOCK_NUMBER)).body
        await lab.clock.advance(3600)
        assert await document(lab) == before
        assert before["healthy"]
        assert (await lab.ask(BLOCK_NUMBER)).body == height
        assert (await lab.ask(ASKED["health/liveness"])).status == 200
        assert (await lab.ask(ASKED["health/readiness"])).status == 200
        moved = times(await document(lab, "health/readiness"))["bootstrapped"]
        assert moved - times(ready)["bootstrapped"] == timedelta(hours=1)
        assert int(json.loads(height)["result"], 16) == 60_009


async def test_only_the_chain_that_hangs_is_a_run_behind() -> None:
    """Is C's result one run older than those that were run beside it [scene hang]?"""
    async with recorded_lab(LOCKED_READY) as lab:
        await lab.clock.advance(60)
        found = times(await document(lab))
    assert {found["P"] - found["C"]} == {timedelta(seconds=INTERVAL)}
    assert {found[name] for name in found if name != "C"} == {found["P"]}


async def test_a_batch_that_ends() -> None:
    """Do checks and blocks go on when C has come back?"""
    async with recorded_lab(replace(LOCKED_READY, lock_seconds=100)) as lab:
        await lab.clock.advance(60)
        before = times(await document(lab))
        await lab.clock.advance(120)
        assert min(times(await document(lab)).values()) > max(before.values())
        assert lab.node.state.numbers("C").height > 60_010


async def test_a_hang_comes_again_on_the_same_data() -> None:
    """Is C locked at the same block after a restart, as its database has not come further?"""
    plan = Plan(bootstrap_seconds=40, locked_at=5000)
    async with recorded_lab(plan) as lab:
        await lab.clock.advance(100)
        progress = lab.node.state.progress
        assert lab.node.state.numbers("C").accepted == 4999
    async with recorded_lab(plan, progress=progress) as lab:
        await lab.clock.advance(100)
        assert lab.node.state.numbers("C").accepted == 4999
        assert lab.node.state.locked


async def test_a_node_that_hangs_takes_a_minute_to_go() -> None:
    """Does it end with 0 after a minute, and say that it timed out?"""
    async with recorded_lab(LOCKED_READY) as lab:
        await lab.clock.advance(60)
        lab.node.terminate()
        await lab.clock.advance(59)
        assert not lab.life.done()
        await lab.clock.advance(1)
        assert await lab.life == 0
        assert "timed out while shutting down" in lab.node.log.text()


async def test_nothing_moves_while_blocks_are_compacted() -> None:
    """Do C's counters stand between fetching and executing, for so long?"""
    async with recorded_lab(Plan(bootstrap_seconds=400, compacts_for=100)) as lab:
        seen = []
        for _ in range(40):
            await lab.clock.advance(10)
            now = lab.node.state.numbers("C")
            seen.append((now.fetched, now.accepted))
    assert 10 <= seen.count((60_000, 0)) <= 11
    assert seen[-1] == (60_000, 60_000)


async def _counters(lab: RecordedLab) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in (await lab.metrics()).splitlines() if "C" in line)
    return {name.partition("{")[0]: float(value) for name, _, value in rows if "{" in name}


async def test_failed_requests_of_a_stuck_sync_rise_alone() -> None:
    """Do only the counters of requested and failed atomic leaves rise [scene state-sync-stuck]?"""
    async with recorded_lab(Plan(bootstrap_seconds=8, sync_stuck=True), SyncMode.STATE) as lab:
        await lab.clock.advance(100)
        before = await _counters(lab)
        await lab.clock.advance(100)
        after = await _counters(lab)
    moved = {name for name, value in after.items() if value != before[name]}
    begin = "avalanche_evm_eth_sync_atomic_trie_leaves"
    assert moved == {f"{begin}_failed", f"{begin}_requested"}


async def test_a_skipped_sync_replays_from_genesis() -> None:
    """Are all blocks fetched, and no leaf [scene state-sync-skipped]?"""
    async with recorded_lab(Plan(bootstrap_seconds=8, summary="Skipped"), SyncMode.STATE) as lab:
        await lab.clock.advance(20)
        found = await _counters(lab)
    assert found["avalanche_snowman_bs_fetched"] == 60_000
    assert "avalanche_evm_eth_state_sync_total_leafs" not in found


# --- Flags and variables --------------------------------------------------------------------------


def test_a_bad_boolean_as_a_flag_and_as_a_variable() -> None:
    """Is it refused with the recorded sentence as a flag, and false as a variable?"""
    with pytest.raises(BadSettings) as refused:
        NodeSettings.read({}, ["--partial-sync-primary-network=yes"])
    assert f"{refused.value}\n" == scene("bool-flag-yes").log.decode()
    settings = NodeSettings.read(scene("bool-yes").about["env"])
    assert settings.mode is SyncMode.STATE
    assert settings.log_json


def test_content_that_is_no_json() -> None:
    """Is the recorded sentence its only word?"""
    with pytest.raises(BadSettings) as refused:
        NodeSettings.read(scene("content-not-json").about["env"])
    assert f"{refused.value}\n" == scene("content-not-json").log.decode()


def test_a_port_that_is_no_number() -> None:
    """Is it 0, which nobody asks?"""
    assert NodeSettings.read(scene("service-link").about["env"]).http_port == 0


@pytest.mark.parametrize(
    ("environment", "arguments", "seconds"),
    [
        ({}, (), None),
        ({"AVAGO_HEALTH_CHECK_FREQUENCY": "10s"}, (), 10.0),
        ({"AVAGO_HEALTH_CHECK_FREQUENCY": "10s"}, ("--health-check-frequency=1m30s",), 90.0),
        ({"AVAGO_HEALTH_CHECK_FREQUENCY": "ten"}, (), None),
    ],
)
def test_how_often_the_checks_are_run(
    environment: dict[str, str], arguments: tuple[str, ...], seconds: float | None
) -> None:
    """Is the flag or the variable read, and a bad variable none?"""
    assert NodeSettings.read(environment, arguments).health_seconds == seconds


def test_a_broken_configuration_of_c_is_found_when_c_is_made() -> None:
    """Does the node start with it?"""
    settings = NodeSettings.read(scene("c-config-not-json").about["env"])
    assert settings.broken_c_config == scene("c-config-not-json").about["c_config"]
    assert not NodeSettings.read({"AVAGO_CHAIN_CONFIG_CONTENT": chain_config({})}).broken_c_config


# --- Go's texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.5, "500ms"), (1.5, "1.5s"), (90, "1m30s"), (3600, "1h0m0s"), (25e-5, "250µs")],
)
def test_durations(seconds: float, text: str) -> None:
    """Are they written as Go writes them, and read back?"""
    assert duration(seconds) == text
    assert parsed_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (42, "42"), (0.25, "0.25"), (314363904, "3.14363904e+08"), (1e6, "1e+06")],
)
def test_numbers(value: float, text: str) -> None:
    """Is the exponent where a metrics page has it?"""
    assert number(value) == text
