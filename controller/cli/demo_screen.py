"""What `demo` shows: the whole controller in a simulated cluster on this machine."""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from controller.base.clock import SystemClock
from controller.base.durations import format_duration
from controller.cli.exit_codes import DONE, FAILED
from controller.cli.history import show
from controller.cli.output import Format, console, short, table_of
from controller.cli.status import row_of
from controller.cli.surroundings import reading_settings, surroundings
from controller.demo.process import ControllerProcess
from controller.demo.scenario import Demo, demo_world, log_path
from controller.inspection.deployments import Inspection, inspecting
from controller.views.history import read_history
from store import MemoryStore

HEADINGS = ("DEPLOYMENT", "TARGET", "BUILD", "PHASE", "MESSAGE")
FRAME = 0.25  # seconds between two pictures of the live table
LIMIT = 58.0  # seconds; the demo promises to end within a minute


async def perform() -> int:
    """The exit code: DONE if all went as it should have gone."""
    clock = SystemClock()
    began = clock.monotonic()
    with tempfile.TemporaryDirectory(prefix="bootstrap-demo-") as folder:
        log = log_path(Path(folder))
        async with demo_world(clock, Random(1)) as world:
            kubeconfig = world.kubeconfig(Path(folder) / "kubeconfig")
            process = ControllerProcess(kubeconfig, world.registry.url, log)
            settings = reading_settings({"kubeconfig": str(kubeconfig)})
            try:
                async with inspecting(settings, surroundings()) as inspection:
                    screen = _Screen(inspection, console())
                    performance = Demo(world, process, clock, screen.say)
                    try:
                        async with _drawing(screen, clock):
                            await clock.within(LIMIT, performance.play())
                    except TimeoutError as error:
                        print(f"the demo did not come to its end: {error}", file=sys.stderr)
                        print("\n".join(process.last_lines()), file=sys.stderr)
                        return FAILED
                    history = await read_history(
                        MemoryStore(),
                        inspection.records(),
                        target=None,
                        deployment=None,
                        limit=50,
                        outcomes=True,
                    )
            finally:
                await process.stop()
    print("\nHow every run ended, newest first:\n")
    show(list(history), Format.TABLE)
    faults = performance.faults()
    print(f"\nended after {format_duration(clock.monotonic() - began)}", end="; ")
    print("\n".join(faults) if faults else "no build was tested twice on a target")
    return FAILED if faults else DONE


class _Screen:
    """On a terminal a live table with the last sentences over it; elsewhere a line a change."""

    def __init__(self, inspection: Inspection, out: Console) -> None:
        self.live = out.is_terminal
        self.out = out
        self._inspection = inspection
        self._said: list[str] = []
        self._shown: dict[str, tuple[str, ...]] = {}

    def say(self, sentence: str) -> None:
        self._said.append(sentence)
        if not self.live:
            print(f"\n* {sentence}", flush=True)

    def picture(self) -> Group:
        story = [Text(f"* {sentence}", style="bold") for sentence in self._said[-3:]]
        return Group(*story, Text(), table_of(HEADINGS, self._rows()))

    def changes(self) -> None:
        """Prints what is new since the last time."""
        for row in self._rows():
            if row[3] and self._shown.get(row[0]) != row:
                self._shown[row[0]] = row
                name, *_, phase, message = row
                print(f"  {name:<18} {phase:<14} {message}", flush=True)

    def _rows(self) -> list[tuple[str, ...]]:
        rows = [row_of(each) for each in self._inspection.inspected()]
        return [
            (
                row["deployment"].partition("/")[2],
                row["target"],
                short(row["build"]),
                row["phase"],
                row["message"],
            )
            for row in rows
        ]


@contextlib.asynccontextmanager
async def _drawing(screen: _Screen, clock: SystemClock) -> AsyncIterator[None]:
    """Draws while the block runs, and once more at its end."""

    async def lines() -> None:
        while True:
            screen.changes()
            await clock.sleep(FRAME)

    async def frames(live: Live) -> None:
        while True:
            live.update(screen.picture(), refresh=True)
            await clock.sleep(FRAME)

    live = Live(console=screen.out, auto_refresh=False) if screen.live else None
    with live or contextlib.nullcontext():
        drawing = asyncio.create_task(frames(live) if live else lines(), name="drawing")
        try:
            yield
        finally:
            drawing.cancel()
            await asyncio.gather(drawing, return_exceptions=True)
            if live:
                live.update(screen.picture(), refresh=True)
            else:
                screen.changes()
