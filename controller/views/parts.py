"""What the views share: times as RFC 3339, numbers, and text from a store that others may write."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

import msgspec

from controller.base.text import shown

LONGEST = 1000  # characters of a sentence
_WORD = 40  # characters of what is not a sentence
_HEX = re.compile(r"(?:sha256:)?[0-9a-f]{1,64}")

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
    """A field, fit to be shown. Of digests and commits nothing needs to be looked for, and the
    words of phases, versions and tags come again and again: they are kept for that.
    """
    found = fields.get(name)
    if not found:
        return ""
    if _HEX.fullmatch(found):
        return found
    return _shown_word(found) if len(found) <= _WORD else shown(found, LONGEST)


@lru_cache(maxsize=1024)
def _shown_word(found: str) -> str:
    return shown(found, LONGEST)


def as_json(value: object) -> bytes:
    """Indented, for people and programs alike."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)
