"""What the views share: times as RFC 3339, numbers, and text from a store that others may write."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from controller.base.text import shown

LONGEST = 1000  # characters of a sentence

# A point of time with its zone, UTC: told so that schemas call it a date-time, too
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Plain values, as JSON shows them: times in UTC, durations in seconds, None for what is not
    known.
    """


def moment(seconds: float) -> datetime | None:
    """seconds: since 1970; None for 0, which stands for never, and for what is no time."""
    if not 0 < seconds < 253_402_300_800:  # the year 10000
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def text(fields: Mapping[str, str], name: str) -> str:
    found = fields.get(name)
    return shown(found, LONGEST) if found else ""


def as_json(value: object) -> bytes:
    """Indented, for people and programs alike."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)
