"""Waiting that can be cut short."""

import asyncio
import contextlib

from controller.base.clock import Clock


async def pause(clock: Clock, seconds: float, unless: asyncio.Event) -> None:
    """Sleeps, but not through the event."""
    with contextlib.suppress(TimeoutError):
        await clock.within(seconds, unless.wait())
