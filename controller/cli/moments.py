"""Points in time as people type them: `7d` for seven days ago, or a date, or a date and a time."""

from datetime import UTC, datetime

from controller.base.durations import parse_duration
from controller.base.errors import Fault
from controller.base.text import shown


def parse_moment(text: str, now: datetime, flag: str) -> float:
    """Seconds since 1970. Without a zone it is UTC. Raises Fault with what to write instead."""
    try:
        return now.timestamp() - parse_duration(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Fault(
            f"{flag}: '{shown(text, 60)}' is no time: write such as 12h or 7d for so long ago,"
            " 2026-11-20, or 2026-11-20T06:00:00Z"
        ) from None
