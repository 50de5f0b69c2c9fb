"""Waiting that can be cut short."""

import asyncio

from controller.base.clock import Clock


async def pause(clock: Clock, seconds: float, unless: asyncio.Event) -> None:
    """Sleeps, but not through the event."""
    asleep = asyncio.ensure_future(clock.sleep(seconds))
    happened = asyncio.ensure_future(unless.wait())
    try:
        await asyncio.wait({asleep, happened}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asleep.cancel()
        happened.cancel()
        await asyncio.gather(asleep, happened, return_exceptions=True)
