"""`status -w`: it goes on, tells what changes, and ends at Ctrl-C.

With real time: what is drawn in a terminal is drawn for a person who waits for it.
"""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from controller.base.clock import SystemClock
from controller.domain import names
from controller.simulator.world import World
from tests.commands import ROOT, running

LIMIT = 50.0  # seconds; a hard limit for a loaded machine


async def test_a_pipe_gets_what_changes(tmp_path: Path) -> None:
    """Does a pipe get each Deployment once and then what is new of it, and is Ctrl-C exit 130?"""
    async with World(SystemClock(), Random(1), kubelet=False) as world:
        world.deploy("fuji")
        place = ("--kubeconfig", str(world.kubeconfig(tmp_path / "kubeconfig")))
        async with running("status", "-w", *place) as process, asyncio.timeout(LIMIT):
            assert process.stdout is not None
            lines = [(await process.stdout.readline()).decode() for _ in range(2)]
            assert lines[0].startswith("DEPLOYMENT")
            assert "not seen by a controller yet" in lines[1]
            message = {names.MESSAGE: "something is new"}
            world.change("fuji", lambda d: d["metadata"].update(annotations=message))
            assert "something is new" in (await process.stdout.readline()).decode()
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
            assert b"Traceback" not in (await process.communicate())[1]


async def test_a_terminal_is_drawn_in_place(tmp_path: Path) -> None:
    """Is the picture on a terminal drawn over the one before?"""
    async with World(SystemClock(), Random(1), kubelet=False) as world:
        world.deploy("fuji")
        kubeconfig = world.kubeconfig(tmp_path / "kubeconfig")
        with terminal() as (ours, theirs):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "controller", "status", "-w"),
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                cwd=ROOT,
                env={
                    "PYTHONPATH": str(ROOT),
                    "KUBECONFIG": str(kubeconfig),
                    "TERM": "xterm",
                    "COLUMNS": "80",
                    "LINES": "24",
                },
            )
            drawn = b""
            async with asyncio.timeout(LIMIT):
                while drawn.count(b"DEPLOYMENT") < 2:
                    drawn += await asyncio.to_thread(os.read, ours, 4096)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
    up = drawn.partition(b"DEPLOYMENT")[2].partition(b"DEPLOYMENT")[0]
    assert b"\x1b[1A" in up


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a new one."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("form", ["json", "name"])
async def test_other_forms(tmp_path: Path, form: str) -> None:
    """Does each change come as JSON, or as a name, where that is asked for?"""
    async with World(SystemClock(), Random(1), kubelet=False) as world:
        world.deploy("fuji")
        place = ("--kubeconfig", str(world.kubeconfig(tmp_path / "kubeconfig")))
        async with running("status", "-w", "-o", form, *place) as process, asyncio.timeout(LIMIT):
            assert process.stdout is not None
            first = (await process.stdout.readline()).decode()
            assert first == {"json": "[\n", "name": "bootstrap/fuji\n"}[form]
