"""What `demo` does: the whole controller in a simulated cluster on this machine, shown."""

import asyncio
import sys
import tempfile
from pathlib import Path
from random import Random

from controller.base.clock import SystemClock
from controller.base.durations import format_duration
from controller.cli.demo_picture import Screen, drawing
from controller.cli.exit_codes import DONE, FAILED
from controller.cli.history_table import table_lines
from controller.cli.output import console
from controller.cli.surroundings import quiet_surroundings, reading_settings
from controller.cli.tables import print_lines
from controller.demo.process import ControllerProcess
from controller.demo.scenario import Demo, demo_world, log_path
from controller.inspection.deployments import Inspection, inspecting
from controller.settings.options import KUBECONFIG, REGISTRY
from controller.views.deployment import DeploymentView, of_deployment
from controller.views.history import HistoryLine, read_history
from store import MemoryStore

LIMIT = 58.0  # seconds; the demo promises to end within a minute


async def perform(*, keep: bool) -> int:
    """The exit code: DONE if all went as it should have gone. keep: the world stays, once the story
    is over, until this is cancelled.
    """
    clock = SystemClock()
    began = clock.monotonic()
    with tempfile.TemporaryDirectory(prefix="bootstrap-demo-") as folder:
        log = log_path(Path(folder))
        async with demo_world(clock, Random(1)) as world:
            kubeconfig = world.kubeconfig(Path(folder) / "kubeconfig")
            process = ControllerProcess(kubeconfig, world.registry.url, log)
            settings = reading_settings({"kubeconfig": str(kubeconfig)})
            try:
                async with inspecting(settings, quiet_surroundings()) as inspection:
                    screen = Screen(lambda: _views(inspection), console(), clock)
                    performance = Demo(world, process, clock, screen.say)
                    try:
                        async with drawing(screen, clock):
                            await clock.within(LIMIT, performance.play())
                    except TimeoutError as error:
                        print(f"the demo did not come to its end: {error}", file=sys.stderr)
                        print("\n".join(process.last_lines()), file=sys.stderr)
                        return FAILED
                    ends = await _ends(inspection)
                faults = performance.faults()
                _show(ends, screen)
                print(f"\nended after {format_duration(clock.monotonic() - began)}", end="; ")
                print("\n".join(faults) if faults else "no build was tested twice on a target")
                if keep:
                    _tell_how_to_look(kubeconfig, world.registry.url)
                    await asyncio.Event().wait()
            finally:
                await process.stop()
    return FAILED if faults else DONE


def _views(inspection: Inspection) -> list[DeploymentView]:
    return [of_deployment(each.deployment) for each in inspection.inspected()]


async def _ends(inspection: Inspection) -> list[HistoryLine]:
    found = await read_history(
        MemoryStore(),
        inspection.records(),
        target=None,
        deployment=None,
        limit=50,
        outcomes=True,
    )
    return found.lines


def _show(ends: list[HistoryLine], screen: Screen) -> None:
    print("\nHow every run ended, newest first:\n")
    print_lines(screen.out, table_lines(ends, screen.width))


def _tell_how_to_look(kubeconfig: Path, registry: str) -> None:
    print(
        "\nIt is kept running until Ctrl-C. In another terminal:\n"
        f"  export {KUBECONFIG.variable or 'KUBECONFIG'}={kubeconfig}\n"
        f"  export {REGISTRY.variable}=docker.io={registry}\n"
        "  bootstrap-controller status",
        flush=True,
    )
