"""`run`: the controller."""

import asyncio
import contextlib
import signal
import sys

from controller.base.logs import configure_logs
from controller.cli.flags import Flags, takes
from controller.cli.surroundings import surroundings
from controller.process.app import App
from controller.settings.options import OPTIONS
from controller.settings.settings import load_settings


@takes(*OPTIONS)
def run(*, flags: Flags) -> None:
    """Watch the labelled Deployments and test build after build, until stopped by a signal."""
    settings = load_settings(flags)
    configure_logs(settings.logs.format, settings.logs.level, sys.stderr)
    asyncio.run(until_signalled(App(settings, surroundings())))


async def until_signalled(app: App) -> None:
    """Runs it. SIGTERM and SIGINT stop in good order; a second one at once."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(app.run())
    asked = False

    def ask() -> None:
        nonlocal asked
        if asked:
            running.cancel()
        asked = True
        app.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    with contextlib.suppress(asyncio.CancelledError):
        await running
