"""What Prometheus is told of a whole controller on the simulator, and what promtool says of it."""

import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.controlled_world import MINUTE, ControlledWorld, controlled_world
from tests.jumping_loop import LoopClock
from tests.promtool import needs_promtool, promtool

pytestmark = pytest.mark.jumping

Series = dict[tuple[str, ...], float]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ControlledWorld]:
    async with controlled_world(tmp_path) as found:
        yield found


async def scraped(port: int) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        return await answer.text()


async def series(port: int, name: str) -> Series:
    """Label values in the order of their names, to the value."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await scraped(port))
        for sample in family.samples
        if sample.name == name
    }


async def begun(world: ControlledWorld) -> int:
    """The port of a controller whose run has come into its bootstrap, and been looked at."""
    port = free_port()
    world.start(listen=f"127.0.0.1:{port}")
    world.deploy("fuji")
    await world.until(lambda: world.phase("fuji") == "Bootstrapping")
    await LoopClock().sleep(3 * MINUTE)
    return port


async def test_an_open_run_is_told_and_its_end(world: ControlledWorld) -> None:
    """Are phase, time in it and counters there while it goes on, and how it ended after?"""
    port = await begun(world)
    runs = await series(port, "bootstrap_open_runs")
    ((phase, target),) = [labels for labels, count in runs.items() if count]
    assert phase == "Bootstrapping"
    assert (await series(port, "bootstrap_open_run_phase_seconds"))[phase, target] >= 2 * MINUTE
    assert any((await series(port, "bootstrap_open_run_stage_done")).values())
    await world.passes("fuji")
    await LoopClock().sleep(MINUTE)
    ended = await series(port, "bootstrap_runs_total")
    assert ended == {("", "Passed", "Soaked", target): 1}
    assert set((await series(port, "bootstrap_open_runs")).values()) == {0}
    assert (await series(port, "bootstrap_usual_run_seconds"))[target,] > 20 * MINUTE
    assert await series(port, "bootstrap_history_lag_steps") == {(): 0}
    assert await series(port, "bootstrap_lease_held") == {(): 1}


async def test_a_controller_that_starts_anew_says_the_same_of_runs(world: ControlledWorld) -> None:
    """Do gauges come from the records, while counters begin at nothing?"""
    port = await begun(world)
    await world.passes("fuji")
    await LoopClock().sleep(MINUTE)
    names = ("usual_run_seconds", "last_run_seconds", "last_run_end_timestamp_seconds")
    before = [await series(port, f"bootstrap_{name}") for name in names]
    await world.stop()
    port = free_port()
    world.start(listen=f"127.0.0.1:{port}")
    after: list[Series] = []
    while after != before:
        await LoopClock().sleep(10)
        with suppress(aiohttp.ClientConnectionError):
            after = [await series(port, f"bootstrap_{name}") for name in names]
    assert await series(port, "bootstrap_runs_total") == {}


@needs_promtool
async def test_prometheus_own_tool_finds_nothing_to_blame(world: ControlledWorld) -> None:
    """Are names, units, kinds and the format as Prometheus wants them?"""
    port = await begun(world)
    text = await scraped(port)
    assert "bootstrap_open_run_stage_done{" in text
    code, said = promtool("check", "metrics", stdin=text.encode())
    assert (code, said) == (0, "")
