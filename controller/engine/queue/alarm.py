"""Alarm: the wait of a loop that has a schedule and can also be called."""

import asyncio

from controller.base.clock import Clock

# Seconds. A wait that is shorter ends no sooner: a deadline that rounding puts a hair after the
# moment of waking must not make its loop spin.
_SHORTEST = 0.001


class Alarm:
    """One loop waits, anybody rings. A ring while nobody waits ends the next wait at once, so a
    loop that looks at everything, then waits, misses nothing.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float | None) -> None:
        """Until rung, or for that many seconds; None: until rung."""
        try:
            if seconds is None:
                await self._rung.wait()
            else:
                await self._clock.within(max(seconds, _SHORTEST), self._rung.wait())
        except TimeoutError:
            pass  # the schedule's turn
        self._rung.clear()
