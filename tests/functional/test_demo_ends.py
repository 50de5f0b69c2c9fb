"""The demo's end, however it comes: its controller, a process of its own, ends with it."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.base.clock import SystemClock
from tests.commands import command, running

LIMIT = 50.0  # seconds; a hard limit for a loaded machine


def processes() -> dict[int, tuple[int, str]]:
    """Parent and state of every process, by its id: `Z` is dead, and only not yet fetched."""
    if Path("/proc/self/stat").exists():  # slim images have no ps, and macOS has no /proc
        lines = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                number, _, rest = stat.read_text(errors="replace").partition(" ")
            except OSError:  # it has ended meanwhile
                continue
            state, parent = rest.rpartition(")")[2].split()[:2]  # a name may have blanks
            lines.append((number, parent, state))
    else:
        shown = subprocess.run(
            ["/bin/ps", "-A", "-o", "pid=,ppid=,state="], check=True, capture_output=True, text=True
        )
        lines = [(line.split()[0], *line.split()[1:3]) for line in shown.stdout.splitlines()]
    return {int(number): (int(parent), state) for number, parent, state in lines}


def children(parent: int) -> list[int]:
    return [number for number, (its, _) in processes().items() if its == parent]


def lives(number: int) -> bool:
    return not processes().get(number, (0, "Z"))[1].startswith("Z")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT):
        while not true():
            await SystemClock().sleep(0.05)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_the_controller_ends_with_the_demo(tmp_path: Path, number: signal.Signals) -> None:
    """Is no controller left behind by a demo that is killed, stopped or interrupted?"""
    async with running("demo", TMPDIR=str(tmp_path)) as demo:
        # What it logs first comes when it works already.
        await until(lambda: any(log.stat().st_size for log in tmp_path.glob("*/controller.log")))
        (controller,) = children(demo.pid)
        assert lives(controller)
        demo.send_signal(number)
        await asyncio.wait_for(demo.communicate(), LIMIT)
        try:
            await until(lambda: not lives(controller))
        finally:
            if lives(controller):
                os.kill(controller, signal.SIGKILL)


@pytest.mark.timeout(120)
async def test_kept_world_can_be_looked_at() -> None:
    """Does `demo --keep` leave its world running, and do its last lines name it to `status`?"""
    async with running("demo", "--keep") as demo:
        assert demo.stdout is not None
        told: dict[str, str] = {}
        async with asyncio.timeout(2 * LIMIT):
            while len(told) < 2:
                line = (await demo.stdout.readline()).decode()
                assert line, "it has ended"
                if line.startswith("  export "):
                    name, _, value = line.split()[1].partition("=")
                    told[name] = value
        assert set(told) == {"KUBECONFIG", "BOOTSTRAP_REGISTRIES"}
        status = await command("status", **told)
        assert (status.code, status.err) == (0, "")
        assert "Held" in status.out
        demo.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(demo.wait(), LIMIT) == 130
    assert (await command("status", **told)).code != 0
