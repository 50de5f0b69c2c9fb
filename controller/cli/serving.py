"""Runs a process that serves until a signal ends it."""

import asyncio
import contextlib
import gc
import signal

from controller.process.app import App


def serve(app: App) -> None:
    """SIGTERM and SIGINT stop in good order; a second one at once."""
    gc.collect()  # what the imports left behind is free for what is kept
    asyncio.run(_served(app))


async def _served(app: App) -> None:
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
