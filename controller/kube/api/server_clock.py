"""The API server's clock, as far as its answers tell."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from controller.base.clock import Clock


class ServerClock:
    """Between answers the server's clock is carried on with our monotonic one: a jump of ours shows
    at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None  # its time, and our monotonic one then

    def note(self, date: str | None) -> None:
        """date: the Date header of an answer that has just come; an odd one is ignored."""
        try:
            server = parsedate_to_datetime(date) if date else None
        except ValueError:
            return
        if server is not None and server.tzinfo is not None:
            # It counts whole seconds, so half a second is the error.
            self._seen = (server + timedelta(seconds=0.5), self._clock.monotonic())

    def skew(self) -> float | None:
        """Seconds that our wall clock is ahead of the server's; None before its first answer."""
        if self._seen is None:
            return None
        server, seen_at = self._seen
        passed = timedelta(seconds=self._clock.monotonic() - seen_at)
        return (self._clock.now() - (server + passed)).total_seconds()
