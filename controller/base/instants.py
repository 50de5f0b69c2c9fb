"""Points in time as people and tables have them."""

from datetime import UTC, datetime

from controller.base.text import shown


def instant(at: float) -> str:
    """As `2026-11-23T06:00:00Z`; empty for 0, which stands for never."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
    except (ValueError, OverflowError, OSError):
        return shown(at)  # by another hand: no calendar has it


def minute(at: float) -> str:
    """As `2026-11-23 06:00 UTC`, for sentences."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return shown(at)
