"""Says that the API server refuses our credentials: nothing else is seen of it, for all that is
asked is asked again and again.
"""

from loguru import logger

from controller.base.clock import Clock

REPEAT = 300.0  # seconds: whoever reads the end of a log reads it


class RefusedCredentials:
    """At once, again every few minutes while it lasts, and when it is over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at: float | None = None

    def look(self, why: str | None) -> None:
        """why: what the server says, and where the credentials are read; None: it takes them."""
        if why is None:
            if self._said_at is not None:
                logger.info("the API server takes our credentials again")
            self._said_at = None
            return
        now = self._clock.monotonic()
        if self._said_at is None or now - self._said_at >= REPEAT:
            self._said_at = now
            logger.bind(why=why).error("the API server refuses our credentials")
